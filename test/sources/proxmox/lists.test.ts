import { describe, expect, it } from 'vitest';
import type { ObservedNode } from '../../../src/domain/observation.js';
import { clusterStatus, majorityOnline, withMembership } from '../../../src/sources/proxmox/parse/cluster-status.js';
import { qmpStatuses } from '../../../src/sources/proxmox/parse/power.js';
import { guestRow, resources } from '../../../src/sources/proxmox/parse/resources.js';
import { bodyData, describeRecordings, exchanges, recordedData, recording } from '../recordings.js';

const node = (name: string, status: ObservedNode['status']): ObservedNode => ({
  ...{ name, status, maintenance: false, ip: null },
  ...{ cores: null, memoryBytes: null, diskBytes: null },
});

describe('the list', () => {
  it('keeps a guest without statistics as present and unknown, and makes up nothing else', () => {
    const listed = resources([
      { id: 'qemu/104', vmid: 104, node: 'pve1', type: 'qemu', status: 'unknown', tags: 'db' },
    ]);
    expect(listed?.rows).toEqual([
      {
        ...{ vmid: 104, kind: 'QEMU', node: 'pve1', status: 'UNKNOWN', tags: ['db'] },
        ...{ name: undefined, template: undefined, pool: null, lock: null, ha: null },
        ...{ cores: undefined, memoryBytes: undefined, diskBytes: undefined, uptimeSeconds: undefined },
      },
    ]);
  });

  it('takes VMIDs as numbers, as text, and from the id', () => {
    const row = (vmid: unknown) => guestRow({ type: 'lxc', node: 'a', id: 'lxc/106', vmid })?.vmid;
    expect([106, '106', undefined].map(row)).toEqual([106, 106, 106]);
    expect(guestRow({ type: 'lxc', node: 'a', id: 'lxc/x', vmid: 'x' })).toBeUndefined();
  });

  it('splits tags at semicolons, commas and blanks', () => {
    expect(guestRow({ type: 'qemu', node: 'a', vmid: 100, tags: 'a;b, c  d' })?.tags).toEqual(['a', 'b', 'c', 'd']);
  });

  it('leaves out unknown types with one note for each', () => {
    const listed = resources([
      { type: 'fabric' },
      { type: 'fabric' },
      { type: 'network' },
      { type: 'sdn' },
      { type: 'pool' },
    ]);
    expect(listed?.notes).toEqual(['the list has rows of the unknown type "fabric", which are left out']);
  });

  it('keeps the row that knows more of a guest that is listed twice', () => {
    const bare = { type: 'qemu', vmid: 100, node: 'pve2', status: 'unknown' };
    const whole = { type: 'qemu', vmid: 100, node: 'pve1', status: 'running', name: 'web' };
    for (const list of [
      [bare, whole],
      [whole, bare],
    ]) {
      const listed = resources(list);
      expect(listed?.rows.map((row) => [row.node, row.name])).toEqual([['pve1', 'web']]);
      expect(listed?.notes[0]).toMatch(/^guest 100 is listed twice/);
    }
  });

  it('tells maintenance by the node’s HA state', () => {
    const listed = resources([{ type: 'node', node: 'pve1', status: 'online', hastate: 'maintenance' }]);
    expect(listed?.nodes[0]).toMatchObject({ name: 'pve1', status: 'ONLINE', maintenance: true });
  });

  it('is none when it is no list', () => {
    expect(resources({})).toBeUndefined();
  });
});

describe('the membership', () => {
  it('says a standalone node is its own quorum', () => {
    const status = clusterStatus([{ type: 'node', id: 'node/pve', name: 'pve', nodeid: 0, online: 1, local: 1 }]);
    expect(status).toMatchObject({ proxmoxName: null, quorate: true });
  });

  it('decides who is online, also where statistics stopped', () => {
    const status = clusterStatus([
      { type: 'cluster', name: 'c', quorate: 0 },
      { type: 'node', name: 'a', online: 0, ip: '10.0.0.1' },
      { type: 'node', name: 'b', online: 1, ip: '10.0.0.2' },
      { type: 'node', name: 'd', online: 1 },
    ]);
    expect(status?.quorate).toBe(false);
    const nodes = status && withMembership([node('a', 'ONLINE'), node('b', 'UNKNOWN'), node('x', 'ONLINE')], status);
    expect(nodes?.map(({ name, status: is, ip }) => [name, is, ip])).toEqual([
      ['a', 'OFFLINE', '10.0.0.1'],
      ['b', 'ONLINE', '10.0.0.2'],
      ['x', 'ONLINE', null],
      ['d', 'ONLINE', null],
    ]);
  });

  it('unread, is judged by more than half of the nodes', () => {
    expect(majorityOnline([node('a', 'ONLINE'), node('b', 'OFFLINE')])).toBe(false);
    expect(majorityOnline([node('a', 'ONLINE'), node('b', 'ONLINE'), node('c', 'OFFLINE')])).toBe(true);
    expect(majorityOnline([])).toBe(false);
  });
});

describeRecordings('recorded lists', () => {
  it.each(['pve7x', 'pve8x', 'pve9x'])('reads the resources of %s', (version) => {
    const [bare, whole] = exchanges(`go-proxmox/${version}-cluster.json`, '/cluster/resources').map(bodyData);
    expect(resources(bare)?.nodes.map(({ name, status }) => [name, status])).toEqual([['node1', 'UNKNOWN']]);
    const listed = resources(whole);
    expect(listed?.notes).toEqual([]);
    expect(listed?.nodes.map(({ name, status, cores }) => `${name} ${status} ${cores}`).sort()).toEqual([
      'node1 ONLINE 8',
      'node2 ONLINE 12',
      'node3 ONLINE 4',
      'node4 ONLINE 4',
    ]);
    expect(listed?.rows.map((row) => [row.vmid, row.name, row.node, row.status, row.template, row.tags])).toEqual([
      [100, 'server1', 'node2', 'RUNNING', false, []],
      [101, 'leap154', 'node1', 'STOPPED', true, []],
      [102, 'machine-test', 'node1', 'STOPPED', false, ['go-proxmox+cloud-init']],
      [200, 'VM 200', 'node1', 'STOPPED', false, []],
    ]);
    expect(listed?.rows[0]).toMatchObject({
      ...{ kind: 'QEMU', cores: 1, memoryBytes: 1073741824, diskBytes: 34359738368, uptimeSeconds: 874350 },
      ...{ pool: null, lock: null, ha: null },
    });
  });

  it.each(['pve7x', 'pve8x', 'pve9x'])('reads the membership of %s', (version) => {
    const status = clusterStatus(bodyData(exchanges(`go-proxmox/${version}-cluster.json`, '/cluster/status')[0]));
    expect(status).toMatchObject({ proxmoxName: 'clustername', quorate: true });
    expect(status?.members.map(({ name, online, ip }) => `${name} ${online} ${ip}`).sort()).toEqual([
      'node1 true 192.168.1.1',
      'node2 true 192.168.1.2',
      'node3 true 192.168.1.3',
      'node4 true 192.168.1.4',
    ]);
  });

  it('sees the one node of three that is offline', () => {
    const status = clusterStatus(recordedData('psproxmoxve/pve9_cluster_status.json'));
    expect(status).toMatchObject({ proxmoxName: 'testcluster', quorate: true });
    const nodes = status === undefined ? [] : withMembership([], status);
    expect(nodes.map(({ name, status: is }) => [name, is])).toEqual([
      ['pve1', 'ONLINE'],
      ['pve2', 'ONLINE'],
      ['pve3', 'OFFLINE'],
    ]);
  });

  it.each([
    ['go-proxmox/pve7x-nodes.json', { 101: 'stopped', 105: 'running', 106: 'running' }],
    ['go-proxmox/pve8x-containers.json', { 100: 'running', 101: 'stopped', 102: 'running' }],
    ['go-proxmox/pve9x-containers.json', { 100: 'running', 101: 'stopped', 102: 'running' }],
  ])('reads per-node lists with VMIDs as text or number: %s', (file, expected) => {
    const list = bodyData(exchanges(file, /\/lxc\$$/)[0]) as object[];
    const statuses = qmpStatuses(list);
    expect(statuses && Object.fromEntries(statuses)).toEqual(expected);
    const rows = list.map((row) => guestRow({ ...row, type: 'lxc', node: 'node1' }));
    expect(rows.map((row) => String(row?.vmid)).sort()).toEqual(Object.keys(expected));
  });

  it('reads qmpstatus where there is one', () => {
    const statuses = qmpStatuses(recordedData('psproxmoxve/pve9_vms.json'));
    expect(statuses && [...statuses]).toEqual([
      [100, 'running'],
      [101, 'stopped'],
      [9000, 'stopped'],
    ]);
    expect(qmpStatuses(recording('homeassistant-proxmoxve/qemu.json'))?.get(100)).toBe('running');
  });

  it('reads the guests of hand-written lists', () => {
    const rows = (recordedData('psproxmoxve/pve9_containers.json') as object[]).map((row) =>
      guestRow({ ...row, type: 'lxc' }),
    );
    expect(rows.map((row) => [row?.vmid, row?.name, row?.status, row?.template, row?.tags])).toEqual([
      [200, 'ct-web', 'RUNNING', false, ['web']],
      [201, 'ct-db', 'STOPPED', false, []],
    ]);
    const vms = (recordedData('psproxmoxve/pve9_vms.json') as object[]).map((row) =>
      guestRow({ ...row, type: 'qemu' }),
    );
    expect(vms.map((row) => row?.template)).toEqual([false, false, true]);
  });

  it.each([
    ['go-proxmox/pve7x-nodes.json', ['node1 ONLINE', 'node2 ONLINE', 'node3 ONLINE', 'node4 ONLINE']],
    ['go-proxmox/pve8x-nodes.json', ['node1 ONLINE', 'node2 ONLINE', 'node3 ONLINE', 'node4 ONLINE']],
    ['go-proxmox/pve9x-nodes.json', ['node1 ONLINE', 'node2 ONLINE', 'node3 ONLINE', 'node4 ONLINE']],
  ])('reads the nodes of %s, whose rows are those of the list', (file, expected) => {
    const nodes = resources(bodyData(exchanges(file, /^\^\/nodes\$$/)[0]))?.nodes;
    expect(nodes?.map(({ name, status }) => `${name} ${status}`)).toEqual(expected);
  });

  it('reads nodes without envelope and with one offline', () => {
    const nodes = resources(recording('homeassistant-proxmoxve/nodes.json'))?.nodes;
    expect(nodes?.map(({ name, status }) => [name, status])).toEqual([
      ['pve1', 'ONLINE'],
      ['pve2', 'ONLINE'],
      ['pve3', 'OFFLINE'],
    ]);
    const typed = (file: string) => (recordedData(file) as object[]).map((row) => ({ ...row, type: 'node' }));
    expect(resources(typed('psproxmoxve/pve8_nodes.json'))?.nodes).toMatchObject([{ name: 'pve-old', cores: 4 }]);
    expect(resources(typed('psproxmoxve/pve9_nodes.json'))?.nodes).toMatchObject([{ cores: 16 }, { cores: 8 }]);
  });
});
