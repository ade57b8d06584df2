import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/settings.js';
import { collect, type Fields, fakeNetbox, observed, smallNetbox, source, V2_TOKEN } from './fake-netbox.js';

const mapped = { clusters: { 'PVE Main': 'main' }, vrfScopes: { global: 'default', lab: 'lab-net' } };
const plain = { reserved: false, dynamic: false, virtual: false };

describe('What NetBox says, as declarations', () => {
  it('makes of each VM one row with its interfaces, VLAN and addresses', async () => {
    const server = await fakeNetbox(smallNetbox());
    const { rows } = await observed(collect(source(server, mapped)));
    const page = (id: number) => `${server.url}/virtualization/virtual-machines/${id}/`;
    expect(rows.filter(({ kind }) => kind === 'vm')).toEqual([
      {
        ...{ kind: 'vm', key: 'vm/1', location: page(1), vmid: 101, clusterName: 'PVE Main', cluster: 'main' },
        ...{ name: 'web-1', node: 'pve1', status: { word: 'active', means: 'running' } },
        addresses: [
          { address: '10.0.0.11', scope: 'default', ...plain },
          { address: '2001:db8::11', scope: 'default', ...plain, dynamic: true },
          { address: '10.0.1.11', scope: 'lab-net', ...plain },
        ],
        interfaces: [
          { name: 'eth0', macs: ['bc:24:11:00:01:01'], vlan: 20 },
          { name: 'eth1', macs: ['bc:24:11:00:01:02', 'bc:24:11:00:01:03'], vlan: null },
        ],
        ...{ cpus: 2.5, memory: { amount: 4096, unit: 'MB' }, disk: { amount: 32000, unit: 'MB' } },
        ...{ unreadable: [], tiedTo: null },
      },
      {
        ...{ kind: 'vm', key: 'vm/2', location: page(2), vmid: 102, clusterName: 'PVE Main', cluster: 'main' },
        ...{ name: 'db-1.example.org', node: null, status: { word: 'offline', means: 'stopped' } },
        addresses: [
          { address: '10.0.0.12', scope: 'default', ...plain, reserved: true },
          { address: '10.0.0.100', scope: 'default', ...plain, virtual: true },
        ],
        interfaces: [{ name: 'net0', macs: [], vlan: null }],
        ...{ cpus: 4, memory: { amount: 4096, unit: 'MB' }, disk: { amount: 32000, unit: 'MB' } },
        ...{ unreadable: [], tiedTo: null },
      },
      {
        ...{ kind: 'vm', key: 'vm/9', location: page(9), vmid: null, clusterName: null, cluster: null },
        ...{ name: 'old-1', node: null, status: { word: 'decommissioning', means: 'retired' } },
        ...{ addresses: [], interfaces: [], cpus: 2, memory: { amount: 4096, unit: 'MB' }, disk: null },
        ...{ unreadable: [], tiedTo: null },
      },
    ]);
  });

  it('lists addresses of devices, of FHRP groups and of nobody for themselves', async () => {
    const server = await fakeNetbox(smallNetbox());
    const { rows } = await observed(collect(source(server, mapped)));
    const page = (id: number) => `${server.url}/ipam/ip-addresses/${id}/`;
    const address = (id: number, text: string, prefixLength: number) => ({
      ...{ kind: 'address', key: `ip/${id}`, location: page(id), address: text, prefixLength },
    });
    expect(rows.filter(({ kind }) => kind === 'address')).toEqual([
      { ...address(41, '10.0.0.2', 24), label: '10.0.0.2', scope: 'default', device: 'pve1' },
      { ...address(42, '10.0.0.1', 24), label: 'gateway', scope: 'default', virtual: true },
      { ...address(43, '10.0.0.200', 24), label: 'spare.example.org', scope: 'default', dynamic: true },
      { ...address(44, '10.0.0.201', 24), label: '10.0.0.201', scope: 'lab-net', reserved: true },
    ]);
  });

  it('lists prefixes and devices, a device with the addresses of its interfaces', async () => {
    const server = await fakeNetbox(smallNetbox());
    const { rows } = await observed(collect(source(server, mapped)));
    expect(rows.filter(({ kind }) => kind === 'prefix' || kind === 'device')).toEqual([
      {
        ...{ kind: 'prefix', key: 'prefix/51', location: `${server.url}/ipam/prefixes/51/`, prefix: '10.0.0.0/24' },
        ...{ scope: 'default', status: 'active', vlan: 20 },
      },
      {
        ...{ kind: 'prefix', key: 'prefix/52', location: `${server.url}/ipam/prefixes/52/`, prefix: '10.0.1.0/24' },
        ...{ scope: 'lab-net', status: 'container', vlan: null },
      },
      {
        ...{ kind: 'device', key: 'device/7', location: `${server.url}/dcim/devices/7/`, name: 'pve1' },
        ...{ role: 'Hypervisor', serial: 'ABC123', status: 'active', addresses: ['10.9.0.2', '10.0.0.2'] },
      },
    ]);
  });

  it('reads addresses without a VRF in whichever scope their guest has them, unless "global" is written', async () => {
    const { rows } = await observed(collect(source(await fakeNetbox(smallNetbox()))));
    const scopes = new Map<string, string | null | undefined>();
    for (const row of rows) {
      if (row.kind === 'vm') for (const { address, scope } of row.addresses) scopes.set(address, scope);
      if (row.kind === 'address') scopes.set(row.address, row.scope);
      if (row.kind === 'prefix') scopes.set(row.prefix, row.scope);
    }
    expect(Object.fromEntries(scopes)).toEqual({
      ...{ '10.0.0.11': null, '2001:db8::11': null, '10.0.1.11': 'lab', '10.0.0.12': null, '10.0.0.100': null },
      ...{ '10.0.0.2': undefined, '10.0.0.1': undefined, '10.0.0.200': undefined, '10.0.0.201': 'lab' },
      ...{ '10.0.0.0/24': 'default', '10.0.1.0/24': 'lab' },
    });
  });

  it.each([
    ['3.7.8', { amount: 32000, unit: 'GB' }],
    ['4.0.11', { amount: 32000, unit: 'GB' }],
    ['4.1.0-Docker-3.0.1', { amount: 32000, unit: 'MB' }],
    ['4.6.1', { amount: 32000, unit: 'MB' }],
  ])('counts disks in the unit of NetBox %s', async (version, disk) => {
    const read = await collect(source(await fakeNetbox(smallNetbox(), { version })));
    expect(read.notes).toEqual([`NetBox ${version}`]);
    const { rows } = await observed(Promise.resolve(read));
    expect(rows.find(({ key }) => key === 'vm/1')).toMatchObject({ disk });
  });

  it('reads 3.7, whose interfaces have one MAC, whose devices may have no name and a device_role', async () => {
    const tables = smallNetbox();
    tables['virtualization/interfaces'] = [
      { id: 11, name: 'eth0', virtual_machine: { id: 1 }, mac_address: 'BC:24:11:00:01:01', mode: null } as Fields,
    ];
    tables['dcim/devices'] = [
      { id: 7, name: null, display: 'Unnamed', device_role: { id: 1, name: 'Node' }, serial: '' },
    ];
    const { rows } = await observed(collect(source(await fakeNetbox(tables, { version: '3.7.8' }))));
    expect(rows.find(({ key }) => key === 'vm/1')).toMatchObject({
      interfaces: [{ name: 'eth0', macs: ['bc:24:11:00:01:01'], vlan: null }],
    });
    expect(rows.find(({ key }) => key === 'device/7')).toMatchObject({ name: null, role: 'Node', serial: null });
  });

  it.each([
    ['active', 'running'],
    ['offline', 'stopped'],
    ['planned', 'planned'],
    ['staged', 'planned'],
    ['decommissioning', 'retired'],
    ['failed', 'unclear'],
    ['paused', 'unclear'],
    ['migrating', 'unclear'],
  ])('takes the status %s for %s', async (word, means) => {
    const tables = smallNetbox();
    const status = { value: word, label: word.toUpperCase() };
    tables['virtualization/virtual-machines'] = [{ id: 1, name: 'web-1', status, custom_fields: {} }];
    const { rows } = await observed(collect(source(await fakeNetbox(tables))));
    expect(rows.find(({ key }) => key === 'vm/1')).toMatchObject({ status: { word, means } });
  });

  it('knows a mapped cluster in another case, and keeps the name of one that is not mapped', async () => {
    const tables = smallNetbox();
    tables['virtualization/virtual-machines'] = ['PVE Main', 'pve main', 'edge'].map((name, index) => ({
      ...{ id: index + 1, name: `vm-${index}`, cluster: { id: index + 1, name }, custom_fields: { vmid: 100 + index } },
    }));
    const { rows } = await observed(collect(source(await fakeNetbox(tables), mapped)));
    expect(rows.flatMap((row) => (row.kind === 'vm' ? [row.cluster] : []))).toEqual(['main', 'main', 'edge']);
  });

  it('keeps an address whose VM the token may not view, without saying whose it is', async () => {
    const tables = smallNetbox();
    tables['virtualization/virtual-machines'] = tables['virtualization/virtual-machines']?.slice(1) ?? [];
    const { rows } = await observed(collect(source(await fakeNetbox(tables))));
    expect(rows.find(({ key }) => key === 'ip/31')).toMatchObject({ kind: 'address', address: '10.0.0.11' });
  });

  it('sends a token of version 2 as a bearer', async () => {
    const server = await fakeNetbox(smallNetbox());
    await observed(collect(source(server, { token: new Secret(V2_TOKEN) })));
    expect(new Set(server.headers.map(({ authorization }) => authorization))).toEqual(new Set([`Bearer ${V2_TOKEN}`]));
  });

  it('lies under a path, and links to pages there', async () => {
    const server = await fakeNetbox(smallNetbox(), { prefix: '/netbox' });
    const { rows } = await observed(collect(source({ url: `${server.url}/` })));
    expect(rows[0]?.location).toBe(`${server.url}/virtualization/virtual-machines/1/`);
  });
});

describe('What a person should look at', () => {
  const problems = async (tables: Record<string, Fields[]>, more = {}, options = {}) => {
    const server = await fakeNetbox(tables, options);
    const { problems: found } = await observed(collect(source(server, more)));
    return found.map(({ location, message }) => `${location.slice(server.url.length)} ${message}`.trim());
  };
  const vm = (id: number, more: object): Fields => ({ id, name: `vm-${id}`, custom_fields: { vmid: null }, ...more });

  it('says nothing of a NetBox in which nothing is amiss', async () => {
    const tables = smallNetbox();
    tables['virtualization/virtual-machines'] = tables['virtualization/virtual-machines']?.slice(0, 2) ?? [];
    expect(await problems(tables, mapped)).toEqual([]);
  });

  it('names VMIDs that are none, and those that two living VMs of one cluster have', async () => {
    const cluster = { id: 1, name: 'PVE Main' };
    const tables = {
      'virtualization/virtual-machines': [
        vm(1, { cluster, custom_fields: { vmid: 'web' } }),
        vm(2, { cluster, custom_fields: { vmid: 7 } }),
        vm(3, { cluster, custom_fields: { vmid: 300 } }),
        vm(4, { cluster, custom_fields: { vmid: '300' } }),
        vm(5, { cluster, custom_fields: { vmid: 300 }, status: { value: 'decommissioning' } }),
        vm(6, { cluster: { id: 2, name: 'edge' }, custom_fields: { vmid: 300 } }),
      ],
      'virtualization/clusters': [cluster],
    };
    expect(await problems(tables, { clusters: { 'PVE Main': 'main' } })).toEqual([
      '/virtualization/virtual-machines/1/ vm-1: "web" is no VMID',
      '/virtualization/virtual-machines/2/ vm-2: "7" is no VMID',
      '/virtualization/virtual-machines/3/ VMID 300 in main is written on 2 VMs: vm-3, vm-4',
    ]);
  });

  it('says that the custom field is missing, that names in the settings are none of NetBox, and that a version is too old', async () => {
    const tables = { 'virtualization/virtual-machines': [vm(1, { custom_fields: {}, cluster: { id: 1, name: 'a' } })] };
    const more = { clusters: { a: 'main', b: 'edge' }, vrfScopes: { global: 'default', blue: 'x' } };
    const withClusters = { ...tables, 'virtualization/clusters': [{ id: 1, name: 'A' }] };
    expect(await problems(withClusters, more, { version: '3.6.9' })).toEqual([
      'NetBox 3.6 is older than 3.7, the oldest that is known to be read rightly',
      'VMs have no custom field "vmid" (vmidField): they are tied to guests by MAC and name alone',
      'clusters: NetBox has no cluster "b"',
      'vrfScopes: NetBox has no VRF "blue"',
    ]);
  });

  it('sums up VMs that hardly anything can tie to a guest, by cluster', async () => {
    const tables = {
      'virtualization/virtual-machines': [
        vm(1, { cluster: { id: 2, name: 'lab' } }),
        vm(2, { cluster: { id: 2, name: 'lab' } }),
        vm(3, { cluster: null }),
        vm(4, { cluster: { id: 1, name: 'PVE Main' } }),
      ],
      'virtualization/clusters': [{ id: 1, name: 'PVE Main' }],
    };
    expect(await problems(tables, { clusters: { 'PVE Main': 'main' } })).toEqual([
      '/virtualization/virtual-machines/1/ 2 VMs are without a VMID in cluster "lab", which "clusters" does not name: a name ties them only if a cluster of ours is called the same',
      '/virtualization/virtual-machines/3/ one VM is without a VMID and without a cluster: only a MAC can tie them to a guest',
    ]);
  });

  it('names addresses that cannot be read, and only the first hundred of a sort', async () => {
    const wrong = Array.from({ length: 103 }, (_, index) => ({ id: index + 1, address: `10.0.0.${index + 300}/24` }));
    const found = await problems({ 'ipam/ip-addresses': [...wrong, { id: 900, address: '10.0.0.1/24' }] });
    expect([found.length, found[0], found.at(-1)]).toEqual([
      101,
      '/ipam/ip-addresses/1/ "10.0.0.300/24" is no address that can be read',
      'and 3 more like these',
    ]);
  });
});
