import type { IpAddress } from '../../../domain/address.js';
import type {
  AddressDeclaration,
  Declaration,
  DeclaredProblem,
  DeviceDeclaration,
  PrefixDeclaration,
  VmAddress,
  VmDeclaration,
} from '../../../domain/declaration.js';
import type { ListedAddress, UnreadAddress } from './addresses.js';
import type { NetboxVersion } from './answer.js';
import { diskSize, type Machine, type MachineInterface } from './machines.js';
import { ADDRESS_PAGE, MACHINE_PAGE, type Meaning } from './meaning.js';
import type { ListedDevice, ListedPrefix } from './network.js';
import { problemsOf } from './problems.js';
import { grouped } from './values.js';

/** What NetBox's lists say, each read whole. */
export interface Lists {
  readonly version: NetboxVersion | undefined;
  readonly machines: readonly Machine[];
  readonly interfaces: readonly MachineInterface[];
  readonly addresses: readonly (ListedAddress | UnreadAddress)[];
  readonly prefixes: readonly ListedPrefix[];
  readonly devices: readonly ListedDevice[];
  /** The names that it has. */
  readonly vrfs: readonly string[];
  readonly clusters: readonly string[];
}

export interface Declared {
  readonly rows: readonly Declaration[];
  readonly problems: readonly DeclaredProblem[];
}

/** Lists joined into rows, in the order of their kinds and ids. */
export function declared(lists: Lists, meaning: Meaning): Declared {
  const machines = vmRows(lists, meaning);
  const listed = new Set(lists.machines.map(({ id }) => id));
  const byInterface = machineOfInterface(lists.interfaces);
  const loose = lists.addresses.filter(
    (each): each is ListedAddress => each.kind === 'address' && !isOn(listed, machineOf(each, byInterface)),
  );
  const rows: Declaration[] = [
    ...machines,
    ...loose.map((each) => addressRow(each, meaning)),
    ...lists.prefixes.map((each) => prefixRow(each, meaning)),
    ...deviceRows(lists, meaning),
  ];
  return { rows, problems: problemsOf(lists, machines, meaning) };
}

/** VMs with their interfaces and addresses. */
export function vmRows(
  { version, machines, interfaces, addresses }: Pick<Lists, 'version' | 'machines' | 'interfaces' | 'addresses'>,
  meaning: Meaning,
): readonly VmDeclaration[] {
  const byInterface = machineOfInterface(interfaces);
  const interfacesOf = grouped(interfaces, ({ machineId }) => machineId);
  const read = addresses.filter((each): each is ListedAddress => each.kind === 'address');
  const addressesOf = grouped(read, (each) => machineOf(each, byInterface));
  return machines.map((each) => ({
    kind: 'vm',
    key: `vm/${each.id}`,
    location: meaning.pageOf(MACHINE_PAGE, each.id),
    vmid: each.vmid.kind === 'vmid' ? each.vmid.vmid : null,
    clusterName: each.clusterName,
    cluster: meaning.cluster(each.clusterName),
    name: each.name,
    node: each.node,
    status: each.status,
    addresses: (addressesOf.get(each.id) ?? []).map((address) => vmAddress(address, meaning)),
    interfaces: (interfacesOf.get(each.id) ?? []).map(({ name, macs, vlan }) => ({ name, macs, vlan })),
    cpus: each.cpus,
    memory: each.memoryMb === null ? null : { amount: each.memoryMb, unit: 'MB' },
    disk: diskSize(each.disk, version),
    unreadable: [],
    tiedTo: null,
  }));
}

function machineOfInterface(interfaces: readonly MachineInterface[]): ReadonlyMap<number, number> {
  return new Map(interfaces.map(({ id, machineId }) => [id, machineId]));
}

function machineOf({ bearer }: ListedAddress, byInterface: ReadonlyMap<number, number>): number | undefined {
  return bearer.kind === 'vm' ? (byInterface.get(bearer.interfaceId) ?? bearer.machineId) : undefined;
}

/** An address of a VM that is not listed (one that the token may not view) is still declared, though not whose it is. */
function isOn(listed: ReadonlySet<number>, machineId: number | undefined): boolean {
  return machineId !== undefined && listed.has(machineId);
}

function vmAddress({ address, vrf, reserved, dynamic, virtual }: ListedAddress, meaning: Meaning): VmAddress {
  return { address, scope: meaning.scope(vrf), reserved, dynamic, virtual };
}

function addressRow(listed: ListedAddress, meaning: Meaning): AddressDeclaration {
  const { id, address, prefixLength, label, bearer } = listed;
  const scope = meaning.scope(listed.vrf);
  return {
    kind: 'address',
    key: `ip/${id}`,
    location: meaning.pageOf(ADDRESS_PAGE, id),
    address,
    prefixLength,
    label,
    ...(scope === null ? {} : { scope }),
    ...(listed.reserved ? { reserved: true } : {}),
    ...(listed.dynamic ? { dynamic: true } : {}),
    ...(listed.virtual ? { virtual: true } : {}),
    ...(bearer.kind === 'device' ? { device: bearer.name } : {}),
  };
}

function prefixRow({ id, prefix, vrf, status, vlan }: ListedPrefix, meaning: Meaning): PrefixDeclaration {
  const location = meaning.pageOf('/ipam/prefixes/', id);
  return {
    kind: 'prefix',
    key: `prefix/${id}`,
    location,
    prefix,
    scope: meaning.scope(vrf) ?? 'default',
    status,
    vlan,
  };
}

/** A device bears its primary addresses, and those of its interfaces. */
function deviceRows({ devices, addresses }: Lists, meaning: Meaning): readonly DeviceDeclaration[] {
  const borne = new Map<number, IpAddress[]>();
  for (const each of addresses) {
    if (each.kind !== 'address' || each.bearer.kind !== 'device' || each.bearer.deviceId === undefined) continue;
    const { deviceId } = each.bearer;
    borne.set(deviceId, [...(borne.get(deviceId) ?? []), each.address]);
  }
  return devices.map(({ id, name, role, serial, status, addresses: primary }) => ({
    kind: 'device',
    key: `device/${id}`,
    location: meaning.pageOf('/dcim/devices/', id),
    ...{ name, role, serial, status },
    addresses: [...new Set([...primary, ...(borne.get(id) ?? [])])],
  }));
}
