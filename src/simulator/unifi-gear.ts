import type { Estate } from './estate.js';
import type { SimNode } from './guest.js';
import { gateway, leasedAddress, storageAddress } from './network-plan.js';
import { hashOf } from './random.js';

export interface UnifiNetworkModel {
  readonly id: string;
  readonly name: string;
  readonly purpose: 'corporate' | 'guest' | 'vlan-only' | 'wan' | 'remote-user-vpn';
  /** null: frames without a tag. */
  readonly vlan: number | null;
  /** The gateway's address and the length of its prefix. */
  readonly subnet: { readonly gateway: string; readonly length: number } | null;
  readonly dhcp: { readonly from: string; readonly to: string } | null;
}

export interface UnifiPortModel {
  readonly index: number;
  readonly name: string;
  /** What is plugged in. */
  readonly to:
    | { readonly kind: 'node'; readonly estate: Estate; readonly node: string }
    | { readonly kind: 'device'; readonly mac: string; readonly isUplink: boolean }
    | { readonly kind: 'thing' }
    | null;
  /** The network of frames without a tag. */
  readonly nativeId: string | null;
}

export interface UnifiDeviceModel {
  readonly mac: string;
  readonly name: string;
  readonly kind: 'switch' | 'gateway' | 'access-point';
  readonly address: string;
  readonly ports: readonly UnifiPortModel[];
  readonly uplink: { readonly mac: string; readonly port: number } | null;
}

/** What hangs in the racks: the same for the same estates. */
export interface UnifiGear {
  readonly networks: readonly UnifiNetworkModel[];
  readonly devices: readonly UnifiDeviceModel[];
  readonly accessPoints: readonly UnifiDeviceModel[];
  /** `cluster/node` to where it is plugged in. */
  readonly places: ReadonlyMap<string, { readonly switchMac: string; readonly port: number }>;
  /** Where everything is plugged in that is no node. */
  readonly office: { readonly switchMac: string; readonly port: number };
}

const NODES_A_SWITCH = 20;
const OFFICE_PORTS = { accessPoints: [21, 22], things: 23, uplink: 24 } as const;
const CORE_PORTS = 28;
/** VLANs of one cluster's networks begin so much after those of the one before. */
const VLANS_A_CLUSTER = 50;

export function unifiGear(estates: readonly Estate[]): UnifiGear {
  const networks = [...estates.flatMap(networksOf), ...siteNetworks()];
  const nodes = estates.flatMap((estate) => estate.nodes().map((node) => ({ estate, node })));
  const count = Math.max(1, Math.ceil(nodes.length / NODES_A_SWITCH));
  const core = deviceMac('core', 0);
  const accessPoints = OFFICE_PORTS.accessPoints.map((port, i) => accessPoint(i, port));
  const access = Array.from({ length: count }, (_, i) => {
    const own = nodes.slice(i * NODES_A_SWITCH, (i + 1) * NODES_A_SWITCH);
    return accessSwitch(i, core, nodePorts(own, networks), i === 0 ? accessPoints : []);
  });
  const places = new Map(
    nodes.map(({ estate, node }, i) => [
      `${estate.name}/${node.name}`,
      { switchMac: deviceMac('access', Math.floor(i / NODES_A_SWITCH)), port: (i % NODES_A_SWITCH) + 1 },
    ]),
  );
  return {
    ...{ networks, places, accessPoints },
    devices: [gatewayDevice(core), coreSwitch(core, access), ...access, ...accessPoints],
    office: { switchMac: deviceMac('access', 0), port: OFFICE_PORTS.things },
  };
}

/** 24 hexadecimal digits, as the controller's database makes them. */
export function objectId(...parts: readonly (string | number)[]): string {
  return [0, 1, 2]
    .map((n) =>
      hashOf('unifi', ...parts, n)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
}

/** In lower case, as the controller writes them; the first half is its maker's. */
export function deviceMac(kind: string, index: number): string {
  return `74:ac:b9:${octets(hashOf('device', kind, index))}`;
}

export function octets(bits: number): string {
  const digits = (bits & 0xffffff).toString(16).padStart(6, '0');
  return `${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4)}`;
}

function networksOf(estate: Estate): UnifiNetworkModel[] {
  const { name: cluster, index } = estate;
  const first = index * VLANS_A_CLUSTER;
  const named = (what: string) => (index === 0 ? what : `${what} ${cluster}`);
  const at = (address: string) => ({ gateway: address, length: 16 });
  const lan = (what: string, vlan: number | null, address: string) =>
    network(named(what), { vlan, subnet: at(address) });
  const last = leasedAddress(index, Math.max(249, estate.guests().length));
  return [
    lan('LAN', index === 0 ? null : 10 + first, gateway(index)),
    network(named('Production'), { purpose: 'vlan-only', vlan: 20 + first }),
    lan('Storage', 30 + first, storageAddress(index, 0).replace(/\d+\.\d+$/, '0.1')),
    {
      ...lan('Leases', 40 + first, leasedAddress(index, 0).replace(/\d+\.\d+$/, '0.1')),
      dhcp: { from: leasedAddress(index, 0), to: last },
    },
  ];
}

export const OFFICE = 'Office';
export const VISITORS = 'Visitors';

function siteNetworks(): UnifiNetworkModel[] {
  const small = (third: number) => ({ gateway: `192.168.${third}.1`, length: 24 });
  const range = (third: number) => ({ from: `192.168.${third}.100`, to: `192.168.${third}.199` });
  return [
    network(OFFICE, { vlan: 4000, subnet: small(10), dhcp: range(10) }),
    network(VISITORS, { purpose: 'guest', vlan: 4001, subnet: small(20), dhcp: range(20) }),
    network('VPN', { purpose: 'remote-user-vpn', subnet: small(90) }),
    network('WAN', { purpose: 'wan' }),
  ];
}

function network(name: string, more: Partial<UnifiNetworkModel>): UnifiNetworkModel {
  return { id: objectId('network', name), name, purpose: 'corporate', vlan: null, subnet: null, dhcp: null, ...more };
}

type Plugged = { readonly estate: Estate; readonly node: SimNode };

function nodePorts(nodes: readonly Plugged[], networks: readonly UnifiNetworkModel[]): UnifiPortModel[] {
  return Array.from({ length: NODES_A_SWITCH }, (_, i) => {
    const own = nodes[i];
    const lan =
      own === undefined ? undefined : networks.find(({ subnet }) => subnet?.gateway === gateway(own.estate.index));
    return {
      ...{ index: i + 1, name: own === undefined ? `Port ${i + 1}` : own.node.name, nativeId: lan?.id ?? null },
      to: own === undefined ? null : { kind: 'node', estate: own.estate, node: own.node.name },
    };
  });
}

function port(index: number, to: UnifiPortModel['to'], name = `Port ${index}`): UnifiPortModel {
  return { index, name, to, nativeId: null };
}

function toDevice(index: number, mac: string, isUplink = false): UnifiPortModel {
  return port(index, { kind: 'device', mac, isUplink }, isUplink ? 'Uplink' : undefined);
}

/**
 *     gateway 1 ── 28 core 1 ── 24 access 1 (1-20: nodes, 21-22: access points, 23: what is in the office)
 *                          2 ── 24 access 2 (1-20: nodes) …
 */
function accessSwitch(
  i: number,
  core: string,
  nodes: readonly UnifiPortModel[],
  points: readonly UnifiDeviceModel[],
): UnifiDeviceModel {
  const { accessPoints, things, uplink } = OFFICE_PORTS;
  const aps = accessPoints.map((index, n) => {
    const mac = points[n]?.mac;
    return mac === undefined ? port(index, null) : toDevice(index, mac);
  });
  const office = port(things, i === 0 ? { kind: 'thing' } : null, i === 0 ? 'Office' : undefined);
  return {
    ...{ mac: deviceMac('access', i), name: `access-${i + 1}`, kind: 'switch', address: managed(10 + i) },
    ports: [...nodes, ...aps, office, toDevice(uplink, core, true)],
    uplink: { mac: core, port: i + 1 },
  };
}

function coreSwitch(mac: string, access: readonly UnifiDeviceModel[]): UnifiDeviceModel {
  const own = gatewayMac();
  const last = Math.max(CORE_PORTS, access.length + 1);
  const ports = Array.from({ length: last - 1 }, (_, i) => {
    const below = access[i];
    return below === undefined ? port(i + 1, null) : toDevice(i + 1, below.mac);
  });
  return {
    ...{ mac, name: 'core', kind: 'switch', address: managed(2), ports: [...ports, toDevice(last, own, true)] },
    uplink: { mac: own, port: 1 },
  };
}

function gatewayDevice(core: string): UnifiDeviceModel {
  const lan = Array.from({ length: 7 }, (_, i) => port(i + 2, null));
  const ports = [toDevice(1, core), ...lan, port(9, null, 'WAN')];
  return { mac: gatewayMac(), name: 'gateway', kind: 'gateway', address: managed(1), ports, uplink: null };
}

export function gatewayMac(): string {
  return deviceMac('gateway', 0);
}

function accessPoint(i: number, at: number): UnifiDeviceModel {
  const uplink = { mac: deviceMac('access', 0), port: at };
  const mac = deviceMac('point', i);
  const ports = [toDevice(1, uplink.mac, true)];
  return { mac, name: `office-${i + 1}`, kind: 'access-point', address: managed(200 + i), ports, uplink };
}

function managed(fourth: number): string {
  return `192.168.10.${fourth}`;
}
