import { expect, it } from 'vitest';
import type { List } from '../../../src/sources/netbox/lists.js';
import * as list from '../../../src/sources/netbox/lists.js';
import { page } from '../../../src/sources/netbox/parse/answer.js';
import type { WireObject } from '../../../src/sources/wire-values.js';
import { describeRecordings, recording } from '../recordings.js';
import { collect, type Fields, fakeNetbox, observed, source } from './fake-netbox.js';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
}

const openApi = () =>
  recording('netbox-openapi/netbox-4.2.2-pruned.json') as {
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };

/** A value as the schema describes it, with every property that it names. */
function sample(schema: Schema, depth = 0): unknown {
  const { $ref, allOf } = schema;
  const of = $ref ?? allOf?.[0]?.$ref;
  if (of !== undefined) {
    const named = openApi().components.schemas[of.split('/').at(-1) ?? ''];
    return named === undefined || depth > 3 ? null : sample(named, depth + 1);
  }
  if (schema.enum !== undefined) return schema.enum[0];
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, each]) => [name, sample(each, depth + 1)]),
      );
    case 'array':
      return depth > 3 ? [] : [sample(schema.items ?? {}, depth + 1)];
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return true;
    case 'string':
      return schema.format === 'uri' ? 'https://netbox.example/' : 'text';
    default:
      return null;
  }
}

const SCHEMAS: readonly (readonly [name: string, of: List<unknown>])[] = [
  ['VirtualMachineWithConfigContext', list.machines('vmid')],
  ['VMInterface', list.interfaces(undefined)],
  ['IPAddress', list.addresses],
  ['IPAddress', list.bearers],
  ['Prefix', list.prefixes],
  ['DeviceWithConfigContext', list.devices],
  ['Cluster', list.clusters],
];

function words(schema: string, field: string): readonly string[] {
  const choice = openApi().components.schemas[schema]?.properties?.[field]?.properties?.value;
  return (choice?.enum ?? []).filter((word): word is string => typeof word === 'string' && word !== '');
}

describeRecordings('The schema of NetBox 4.2', () => {
  it.each(SCHEMAS)('has the fields of %s that are asked for', (name, { fields }) => {
    const known = Object.keys(openApi().components.schemas[name]?.properties ?? {});
    // What 3.7 calls the role of a device.
    expect(fields.filter((field) => !known.includes(field))).toEqual(name.startsWith('Device') ? ['device_role'] : []);
  });

  it('describes rows that say what is expected of them', async () => {
    const row = (name: string, more: object): Fields => {
      const described = sample({ $ref: `#/components/schemas/${name}` }) as Fields;
      return { ...described, ...more };
    };
    const server = await fakeNetbox({
      'virtualization/virtual-machines': [row('VirtualMachineWithConfigContext', { custom_fields: { vmid: 100 } })],
      'virtualization/interfaces': [
        row('VMInterface', { mac_addresses: [{ id: 1, mac_address: '02:00:00:00:00:01' }] }),
      ],
      'ipam/ip-addresses': [
        row('IPAddress', { address: '10.0.0.1/24', assigned_object_type: 'virtualization.vminterface' }),
      ],
      'ipam/prefixes': [row('Prefix', { prefix: '10.0.0.0/24' })],
      'dcim/devices': [row('DeviceWithConfigContext', { primary_ip4: { address: '10.0.0.2/24' } })],
    });
    const { rows } = await observed(collect(source(server)));
    const at = (path: string) => `${server.url}${path}`;
    expect(rows).toEqual([
      {
        ...{ kind: 'vm', key: 'vm/1', location: at('/virtualization/virtual-machines/1/'), vmid: 100 },
        ...{ clusterName: 'text', cluster: 'text', name: 'text', node: 'text' },
        status: { word: 'offline', means: 'stopped' },
        addresses: [{ address: '10.0.0.1', scope: 'text', reserved: false, dynamic: false, virtual: true }],
        interfaces: [{ name: 'text', macs: ['02:00:00:00:00:01'], vlan: 1 }],
        ...{ cpus: 1, memory: { amount: 1, unit: 'MB' }, disk: { amount: 1, unit: 'MB' } },
        ...{ unreadable: [], tiedTo: null },
      },
      {
        ...{ kind: 'prefix', key: 'prefix/1', location: at('/ipam/prefixes/1/'), prefix: '10.0.0.0/24' },
        ...{ scope: 'text', status: 'container', vlan: 1 },
      },
      {
        ...{ kind: 'device', key: 'device/1', location: at('/dcim/devices/1/'), name: 'text', role: 'text' },
        ...{ serial: 'text', status: 'offline', addresses: ['10.0.0.2'] },
      },
    ]);
  });

  it('has words whose meaning is known, each of them', async () => {
    const statuses = words('VirtualMachineWithConfigContext', 'status');
    const means = statuses.map((value) => {
      const vm = list.machines('vmid').read({ id: 1, fields: { status: { value } } });
      return [value, vm?.status?.means];
    });
    expect(means).toEqual([
      ['offline', 'stopped'],
      ['active', 'running'],
      ['planned', 'planned'],
      ['staged', 'planned'],
      ['failed', 'unclear'],
      ['decommissioning', 'retired'],
    ]);
    const address = (fields: WireObject) => {
      const read = list.addresses.read({ id: 1, fields: { address: '10.0.0.1/24', ...fields } });
      if (read?.kind !== 'address') return read;
      const { reserved, dynamic, virtual } = read;
      return Object.entries({ reserved, dynamic, virtual }).flatMap(([name, is]) => (is ? [name] : []))[0] ?? 'plain';
    };
    expect(words('IPAddress', 'status').map((value) => [value, address({ status: { value } })])).toEqual([
      ['active', 'plain'],
      ['reserved', 'reserved'],
      ['deprecated', 'reserved'],
      ['dhcp', 'dynamic'],
      ['slaac', 'dynamic'],
    ]);
    expect(words('IPAddress', 'role').map((value) => [value, address({ role: { value } })])).toEqual([
      ['loopback', 'virtual'],
      ['secondary', 'plain'],
      ...['anycast', 'vip', 'vrrp', 'hsrp', 'glbp', 'carp'].map((role) => [role, 'virtual']),
    ]);
  });
});

/** The rows of a recorded list, as its own parser reads them. */
function recorded<T>(file: string, { read }: List<T>): readonly T[] {
  const answer = page(recording(`pynetbox/${file}.json`));
  if (answer === undefined) throw new Error(`${file} is no list`);
  return answer.rows.flatMap((row) => read(row) ?? []);
}

describeRecordings('What a NetBox of long ago answered', () => {
  it('is read where it says what today’s says: a status by its label, an address without a family object', () => {
    expect(recorded('virtualization__virtual_machines', list.machines('vmid'))).toEqual([
      {
        ...{ id: 1, name: 'vm-test01', vmid: { kind: 'missing' }, clusterName: 'vm-test-cluster', node: null },
        ...{ status: { word: 'active', means: 'running' }, cpus: 2, memoryMb: 1024, disk: 500 },
      },
    ]);
    expect(recorded('virtualization__interfaces', list.interfaces(undefined))).toEqual([
      { id: 223, machineId: 1, name: 'eth0', macs: [], vlan: null },
      { id: 224, machineId: 1, name: 'eth1', macs: [], vlan: null },
    ]);
    const addresses = recorded('ipam__ip_addresses', list.addresses);
    expect(addresses).toHaveLength(18);
    expect(addresses[0]).toEqual({
      ...{ kind: 'address', id: 5, address: '10.0.254.1', prefixLength: 24, vrf: null, label: '10.0.254.1' },
      ...{ reserved: false, dynamic: false, virtual: false, bearer: { kind: 'nobody' } },
    });
    expect(recorded('ipam__prefixes', list.prefixes)).toEqual([
      { id: 2, prefix: '10.0.255.0/24', vrf: null, status: 'active', vlan: null },
      { id: 1, prefix: '10.1.1.0/24', vrf: null, status: 'active', vlan: null },
    ]);
    expect(recorded('ipam__vrfs', list.vrfs)).toEqual(['TEST']);
    expect(recorded('virtualization__clusters', list.clusters)).toEqual(['vm-test-cluster']);
    const devices = recorded('dcim__devices', list.devices);
    expect(devices.find(({ id }) => id === 1)).toEqual({
      ...{ id: 1, name: 'test1-edge1', role: 'Router', serial: '5555555555', status: 'active' },
      addresses: ['10.0.255.1'],
    });
  });
});
