import { describe, expect, it } from 'vitest';
import type { PveVersion } from '../../src/simulator/guest.js';
import type { Simulator } from '../../src/simulator/simulator.js';
import { describeRecordings } from '../sources/recordings.js';
import { ask, type Row, rows, simulate } from './asking.js';
import { misfits, schemaOf } from './schemas.js';

const VERSIONS: readonly PveVersion[] = ['7.4', '8.4', '9.1'];

const LISTS = [
  '/version',
  '/cluster/status',
  '/cluster/resources',
  '/cluster/tasks',
  '/nodes',
  '/nodes/{node}/status',
  '/nodes/{node}/network',
  '/nodes/{node}/disks/list',
  '/nodes/{node}/hardware/pci',
  '/nodes/{node}/apt/update',
  '/nodes/{node}/qemu',
  '/nodes/{node}/lxc',
  '/access/permissions',
];
const OF_GUESTS = [
  '/nodes/{node}/qemu/{vmid}/config',
  '/nodes/{node}/qemu/{vmid}/status/current',
  '/nodes/{node}/qemu/{vmid}/agent/network-get-interfaces',
  '/nodes/{node}/qemu/{vmid}/agent/get-osinfo',
  '/nodes/{node}/lxc/{vmid}/config',
  '/nodes/{node}/lxc/{vmid}/status/current',
  '/nodes/{node}/lxc/{vmid}/interfaces',
];

/** Documented as one, sent as another: what the recordings of real systems show. */
const KNOWN_OTHERWISE: Readonly<Record<PveVersion, readonly RegExp[]>> = {
  // Until 8.2 the VMIDs of containers are text.
  '7.4': [/^\/nodes\/\{node\}\/lxc\[\d+\]\.vmid: "\d+" is no integer/, /^\/nodes\/\{node\}\/qemu\/.*memory/],
  '8.4': [],
  // Pressures of machines are numbers, those of containers text.
  '9.1': [/^\/nodes\/\{node\}\/lxc.*\.pressure\w+: "0\.00" is no number/],
};

/** Without Ceph the list of its parts on a disk is null. */
const NO_CEPH = /^\/nodes\/\{node\}\/disks\/list\[\d+\]\.osdid-list: no list/;

async function everyGuestPath(simulator: Simulator, template: string): Promise<string[]> {
  const kind = template.includes('/qemu/') ? 'qemu' : 'lxc';
  const all = await rows(simulator, '/cluster/resources?type=vm');
  return all
    .filter(({ type }) => type === kind)
    .map(({ node, vmid }) => template.replace('{node}', String(node)).replace('{vmid}', String(vmid)));
}

describeRecordings('what Proxmox documents', () => {
  it.each(VERSIONS)('fits the lists of a simulated %s', async (version) => {
    const simulator = await simulate({ version });
    simulator.faults('sim-main').set({ privilegesMore: ['Sys.Modify'] });
    for (const template of LISTS) {
      const schema = schemaOf(version, template) ?? {};
      const { data, status } = await ask(simulator, template.replace('{node}', 'pve01'));
      expect(status, template).toBe(200);
      const known = [...KNOWN_OTHERWISE[version], NO_CEPH];
      expect(misfits(data, schema, template).filter((one) => !known.some((k) => k.test(one)))).toEqual([]);
    }
  });

  it.each(VERSIONS)('fits what is told of every guest of a simulated %s', async (version) => {
    const simulator = await simulate({ version });
    for (const template of OF_GUESTS) {
      const schema = schemaOf(version, template);
      if (schema === undefined) continue;
      for (const path of await everyGuestPath(simulator, template)) {
        const { data, status } = await ask(simulator, path);
        if (status !== 200 || data === null) continue;
        const wrong = misfits(data, schema, template).filter(
          (one) => !KNOWN_OTHERWISE[version].some((k) => k.test(one)),
        );
        expect(wrong).toEqual([]);
      }
    }
  });
});

describe('what only some versions say', () => {
  it('gives VMIDs of containers as text in 7, and as numbers since', async () => {
    for (const version of VERSIONS) {
      const simulator = await simulate({ version });
      const types = (await rows(simulator, '/nodes/pve01/lxc')).map(({ vmid }) => typeof vmid);
      expect(new Set(types)).toEqual(new Set([version === '7.4' ? 'string' : 'number']));
      const listed = (await rows(simulator, '/cluster/resources?type=vm')).map(({ vmid }) => typeof vmid);
      expect(new Set(listed)).toEqual(new Set(['number']));
    }
  });

  it('tells zones as sdn until 9, and as networks in 9.1', async () => {
    const typesOf = async (version: PveVersion) =>
      new Set((await rows(await simulate({ version }), '/cluster/resources')).map(({ type }) => type));
    expect(await typesOf('8.4')).toContain('sdn');
    expect(await typesOf('9.1')).toContain('network');
    expect(await typesOf('9.1')).not.toContain('sdn');
  });

  it('tells the interfaces of a container since 8.1, and in families inet and inet6', async () => {
    const of = async (version: PveVersion) => {
      const simulator = await simulate({ version });
      const guest = simulator
        .estate('sim-main')
        .guests()
        .find(({ kind, power }) => kind === 'lxc' && power === 'running');
      return ask(simulator, `/nodes/${guest?.node}/lxc/${guest?.vmid}/interfaces`);
    };
    expect(await of('7.4')).toMatchObject({
      status: 501,
      reason: expect.stringMatching(/^Method 'GET .*' not implemented$/),
    });
    const { data } = await of('9.1');
    const families = (data as Row[]).flatMap((row) =>
      (row['ip-addresses'] as Row[]).map((one) => one['ip-address-type']),
    );
    expect(new Set(families)).toEqual(new Set(['inet', 'inet6']));
  });

  it('writes the memory of a machine as a number in 7, and as text since 8.1', async () => {
    for (const version of VERSIONS) {
      const simulator = await simulate({ version });
      const [path = ''] = await everyGuestPath(simulator, '/nodes/{node}/qemu/{vmid}/config');
      const { data } = await ask(simulator, path);
      expect(typeof (data as Row).memory).toBe(version === '7.4' ? 'number' : 'string');
    }
  });
});

describe('what must not be taken for granted', () => {
  it('sends the keys of a row in no order', async () => {
    const simulator = await simulate();
    const { body } = await ask(simulator, '/cluster/resources?type=vm');
    const orders = new Set((JSON.parse(body) as { data: Row[] }).data.map((row) => Object.keys(row).join(' ')));
    expect(orders.size).toBeGreaterThan(20);
  });

  it('lists a guest without statistics as unknown, and without a name', async () => {
    const simulator = await simulate();
    const [guest] = simulator.estate('sim-main').guests();
    simulator.estate('sim-main').setStatistics(guest?.vmid ?? 0, false);
    const row = (await rows(simulator, '/cluster/resources?type=vm')).find(({ vmid }) => vmid === guest?.vmid);
    expect(row).toMatchObject({ status: 'unknown', node: guest?.node, type: guest?.kind });
    expect(Object.keys(row ?? {})).not.toEqual(expect.arrayContaining(['name']));
  });

  it('gives a guest that was just made its name once the statistics daemon has gone round', async () => {
    let now = 1_790_000_000_000;
    const simulator = await simulate({ now: () => now });
    simulator.estate('sim-main').create({ vmid: 5000, name: 'fresh', power: 'running' });
    const row = async () => (await rows(simulator, '/cluster/resources')).find(({ vmid }) => vmid === 5000);
    expect(await row()).toMatchObject({ status: 'unknown' });
    now += 10_000;
    expect(await row()).toMatchObject({ status: 'running', name: 'fresh' });
  });

  it('calls a paused machine running in the list, and paused in the power detail', async () => {
    const simulator = await simulate();
    const guest = simulator
      .estate('sim-main')
      .guests()
      .find(({ kind, power }) => kind === 'qemu' && power === 'running');
    const vmid = guest?.vmid ?? 0;
    simulator.estate('sim-main').pause(vmid);
    const listed = await rows(simulator, '/cluster/resources?type=vm');
    const detail = await rows(simulator, `/nodes/${guest?.node}/qemu?full=1`);
    expect(listed.find((row) => row.vmid === vmid)).toMatchObject({ status: 'running' });
    expect(detail.find((row) => row.vmid === vmid)).toMatchObject({ status: 'running', qmpstatus: 'paused' });
  });

  it('has no cluster row where one node stands alone', async () => {
    const simulator = await simulate({ nodes: 1, guests: 3 });
    expect(await rows(simulator, '/cluster/status')).toEqual([
      { type: 'node', id: 'node/pve01', name: 'pve01', nodeid: 0, ip: '10.100.0.11', local: 1, online: 1, level: '' },
    ]);
  });
});
