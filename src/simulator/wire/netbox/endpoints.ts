import type { NetboxInterface, NetboxModel, NetboxRow } from '../../netbox-model.js';
import type { Pen, Wire } from './briefs.js';
import { address, cluster, device, deviceInterface, fhrpGroup, prefix, vlan, vrf } from './objects.js';
import type { Shelf } from './shelf.js';
import { times } from './times.js';
import { interfaceOfMac, macId, vm, vmInterface } from './vms.js';

/** The values of a row that a filter may ask for; several values of one filter mean any of them. */
type Asks<Row> = Readonly<Record<string, (row: Row, shelf: Shelf) => readonly (string | number | null)[]>>;

/** One list of the API. */
export interface Endpoint {
  /** Django's name of what is in it. */
  readonly model: string;
  readonly brief: readonly string[];
  /** Ids in the order in which NetBox lists them. */
  ids(shelf: Shelf): readonly number[];
  /** What the row says for a filter; undefined where there is no such filter, which NetBox ignores. */
  asked(filter: string, shelf: Shelf): ((id: number) => readonly (string | number | null)[]) | undefined;
  has(id: number, shelf: Shelf): boolean;
  write(id: number, pen: Pen): Wire;
}

interface Made<Row extends NetboxRow> {
  readonly model: string;
  readonly brief: readonly string[];
  readonly rows: (model: NetboxModel) => { all(): readonly Row[]; find(id: number): Row | undefined };
  /** By what it is sorted before the id. */
  readonly by: (row: Row, shelf: Shelf) => string;
  readonly asks: Asks<Row>;
  readonly write: (pen: Pen, row: Row) => Wire;
}

const ORDER = new Intl.Collator('en', { numeric: true });
const NAMED = ['id', 'url', 'display', 'name', 'description'];

function endpoint<Row extends NetboxRow>(made: Made<Row>): Endpoint {
  const get = (id: number, { model }: Shelf) => made.rows(model).find(id);
  return {
    model: made.model,
    brief: made.brief,
    ids: (shelf) => shelf.kept(made.model, () => sorted(made.rows(shelf.model).all(), (row) => made.by(row, shelf))),
    asked(filter, shelf) {
      const ask = filter === 'id' ? (row: Row) => [row.id] : made.asks[filter];
      if (ask === undefined) return undefined;
      return (id) => {
        const row = get(id, shelf);
        return row === undefined ? [] : ask(row, shelf);
      };
    },
    has: (id, shelf) => get(id, shelf) !== undefined,
    write(id, pen) {
      const row = get(id, pen.shelf);
      if (row === undefined) throw new Error(`row ${id} was dropped while it was written`);
      return made.write(pen, row);
    },
  };
}

function sorted<Row extends NetboxRow>(rows: readonly Row[], by: (row: Row) => string): readonly number[] {
  const keyed = rows.map((row) => [by(row), row.id] as const);
  return keyed.sort((a, b) => ORDER.compare(a[0], b[0]) || a[1] - b[1]).map(([, id]) => id);
}

const MACS = endpoint({
  model: 'MACAddress',
  brief: ['id', 'url', 'display', 'mac_address', 'description'],
  rows: ({ interfaces }) => ({
    all: () => interfaces.all().flatMap(macRows),
    find: (id) => [interfaces.find(interfaceOfMac(id))].flatMap(macRows).find((row) => row.id === id),
  }),
  by: ({ mac }) => mac,
  asks: {
    mac_address: ({ mac }) => [mac],
    vminterface_id: ({ vmInterfaceId }) => [vmInterfaceId],
  },
  write: ({ origin, shelf }, { id, mac, vmInterfaceId, created, updated }) => ({
    ...{ id, url: `${origin}/api/dcim/mac-addresses/${id}/`, display_url: `${origin}/dcim/mac-addresses/${id}/` },
    ...{ display: mac, mac_address: mac, assigned_object_type: 'virtualization.vminterface' },
    assigned_object_id: vmInterfaceId,
    assigned_object: assignedInterface({ origin, shelf }, vmInterfaceId),
    ...{ description: '', comments: '', tags: [], custom_fields: {} },
    ...times({ id, created, updated }),
  }),
});

function macRows(row: NetboxInterface | undefined) {
  const { id = 0, macs = [], created = 0, updated = 0 } = row ?? {};
  return macs.map((mac, at) => ({ id: macId(id, at), mac, vmInterfaceId: id, created, updated }));
}

function assignedInterface(pen: Pen, id: number): Wire {
  const { display, name, url, virtual_machine } = vmInterface(pen, pen.shelf.model.interfaces.get(id));
  return { id, url, display, virtual_machine, name, description: '' };
}

/** The lists that are played, by their path below `/api/`. */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  'virtualization/clusters': endpoint({
    ...{ model: 'Cluster', brief: NAMED, rows: (model) => model.clusters, write: cluster },
    by: ({ name }) => name,
    asks: { name: ({ name }) => [name] },
  }),
  'virtualization/virtual-machines': endpoint({
    ...{ model: 'VirtualMachine', brief: NAMED, rows: (model) => model.vms, write: vm },
    by: ({ name }) => name,
    asks: {
      name: ({ name }) => [name],
      status: ({ status }) => [status],
      cf_vmid: ({ vmid }) => [vmid],
      cluster_id: ({ clusterId }) => [clusterId],
      cluster: ({ clusterId }, { model }) => (clusterId === null ? [] : [model.clusters.get(clusterId).name]),
      device_id: ({ deviceId }) => [deviceId],
      mac_address: ({ id }, shelf) => shelf.interfacesOf(id).flatMap(({ macs }) => macs),
    },
  }),
  'virtualization/interfaces': endpoint({
    ...{ model: 'VMInterface', rows: (model) => model.interfaces, write: vmInterface },
    brief: ['id', 'url', 'display', 'virtual_machine', 'name', 'description'],
    by: ({ vmId, name }, { model }) => `${model.vms.get(vmId).name}\u0000${name}`,
    asks: {
      name: ({ name }) => [name],
      virtual_machine_id: ({ vmId }) => [vmId],
      virtual_machine: ({ vmId }, { model }) => [model.vms.get(vmId).name],
      cluster_id: ({ vmId }, { model }) => [model.vms.get(vmId).clusterId],
      mac_address: ({ macs }) => macs,
    },
  }),
  'ipam/ip-addresses': endpoint({
    ...{ model: 'IPAddress', rows: (model) => model.addresses, write: address },
    brief: ['id', 'url', 'display', 'family', 'address', 'description'],
    by: ({ address: text }) => text,
    asks: {
      address: ({ address: text }) => [text, text.split('/')[0] ?? ''],
      status: ({ status }) => [status],
      role: ({ role }) => [role],
      vrf_id: ({ vrfId }) => [vrfId],
      vminterface_id: ({ assigned }) => (assigned?.kind === 'virtualization.vminterface' ? [assigned.id] : []),
      interface_id: ({ assigned }) => (assigned?.kind === 'dcim.interface' ? [assigned.id] : []),
      virtual_machine_id: ({ assigned }, { model }) =>
        assigned?.kind === 'virtualization.vminterface' ? [model.interfaces.get(assigned.id).vmId] : [],
      device_id: ({ assigned }, { model }) =>
        assigned?.kind === 'dcim.interface' ? [model.deviceInterfaces.get(assigned.id).deviceId] : [],
    },
  }),
  'ipam/prefixes': endpoint({
    ...{ model: 'Prefix', rows: (model) => model.prefixes, write: prefix },
    brief: ['id', 'url', 'display', 'family', 'prefix', 'description', '_depth'],
    by: ({ prefix: text }) => text,
    asks: { prefix: ({ prefix: text }) => [text], vrf_id: ({ vrfId }) => [vrfId], status: ({ status }) => [status] },
  }),
  'ipam/vrfs': endpoint({
    ...{ model: 'VRF', rows: (model) => model.vrfs, write: vrf, by: ({ name }) => name },
    brief: ['id', 'url', 'display', 'name', 'rd', 'description', 'prefix_count'],
    asks: { name: ({ name }) => [name], rd: ({ rd }) => [rd] },
  }),
  'ipam/vlans': endpoint({
    ...{ model: 'VLAN', rows: (model) => model.vlans, write: vlan, by: ({ vid }) => String(vid) },
    brief: ['id', 'url', 'display', 'vid', 'name', 'description'],
    asks: { vid: ({ vid }) => [vid], name: ({ name }) => [name] },
  }),
  'ipam/fhrp-groups': endpoint({
    ...{ model: 'FHRPGroup', rows: (model) => model.fhrpGroups, write: fhrpGroup },
    brief: ['id', 'url', 'display', 'protocol', 'group_id', 'description'],
    by: ({ groupId }) => String(groupId),
    asks: { name: ({ name }) => [name], group_id: ({ groupId }) => [groupId] },
  }),
  'dcim/devices': endpoint({
    ...{ model: 'Device', brief: NAMED, rows: (model) => model.devices, write: device },
    by: ({ name }) => name,
    asks: {
      name: ({ name }) => [name],
      serial: ({ serial }) => [serial],
      cluster_id: ({ clusterId }) => [clusterId],
      status: () => ['active'],
    },
  }),
  'dcim/interfaces': endpoint({
    ...{ model: 'Interface', rows: (model) => model.deviceInterfaces, write: deviceInterface },
    brief: ['id', 'url', 'display', 'device', 'name', 'description', 'cable', '_occupied'],
    by: ({ deviceId, name }, { model }) => `${model.devices.get(deviceId).name}\u0000${name}`,
    asks: { name: ({ name }) => [name], device_id: ({ deviceId }) => [deviceId] },
  }),
};

/** Since 4.2 a MAC address is an object. */
export function endpointAt(path: string, shelf: Shelf): Endpoint | undefined {
  if (path === 'dcim/mac-addresses') return shelf.manners.macObjects ? MACS : undefined;
  return Object.hasOwn(ENDPOINTS, path) ? ENDPOINTS[path] : undefined;
}
