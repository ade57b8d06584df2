import type { Mac } from '../../../domain/mac.js';
import type { UnifiDevice, UnifiDeviceState, UnifiPort } from '../../../domain/record.js';
import { plainText } from '../../understood.js';
import { type WireObject, wireFlag, wireInteger, wireObject, wireObjects } from '../../wire-values.js';
import { addressOf, macOf } from './addresses.js';
import type { NetworkIndex } from './networks.js';

/** A MAC that a switch learned on one of its ports. */
export interface LearnedMac {
  readonly mac: Mac;
  readonly port: number;
  readonly vlan: unknown;
  /** How long ago it was heard; undefined: it does not say. */
  readonly ageSeconds: number | undefined;
}

/** A device, and what tells where others are plugged in. */
export interface ReadDevice {
  readonly body: UnifiDevice;
  readonly ownMacs: readonly Mac[];
  readonly learned: readonly LearnedMac[];
  /** Ports behind which another device is, by what this one says itself. */
  readonly downlinks: readonly number[];
  /** Who answers by LLDP, by port. */
  readonly heard: readonly { readonly port: number; readonly mac: Mac }[];
}

/** A row of `stat/device`. */
export function device(row: WireObject, networks: NetworkIndex): ReadDevice | string {
  const mac = macOf(row.mac);
  if (mac === null) return `a device without a MAC (${plainText(row.name) ?? 'and without a name'})`;
  const rows = wireObjects(row.port_table) ?? [];
  const ports = rows.flatMap((port) => portOf(port, row, networks) ?? []);
  const body: UnifiDevice = {
    ...{ mac, name: plainText(row.name), model: plainText(row.model), kind: kindOf(row) },
    ...{ address: addressOf(row.ip), version: plainText(row.version), state: stateOf(row.state) },
    ...{ uplink: uplinkOf(row, mac), ports: ports.sort((a, b) => a.index - b.index) },
  };
  const own = (wireObjects(row.ethernet_table) ?? []).flatMap((each) => macOf(each.mac) ?? []);
  return {
    ...{ body, ownMacs: [mac, ...own], learned: rows.flatMap(learnedOn), heard: rows.flatMap(heardOn) },
    downlinks: (wireObjects(row.downlink_table) ?? []).flatMap(({ port_idx }) => wireInteger(port_idx) ?? []),
  };
}

function kindOf(row: WireObject): UnifiDevice['kind'] {
  // Plugs, strips and power distributors are of the type of what they speak with.
  if ((wireObjects(row.outlet_table) ?? []).length > 0) return 'other';
  switch (row.type) {
    case 'usw':
      return 'switch';
    case 'uap':
      return 'access-point';
    case 'ugw':
    case 'uxg':
    case 'udm':
    case 'ucg':
      return 'gateway';
    default:
      return 'other';
  }
}

function stateOf(state: unknown): UnifiDeviceState {
  switch (wireInteger(state)) {
    case 1:
      return 'CONNECTED';
    case 0:
    case 11: // isolated: an access point that lost its way to the network
      return 'DISCONNECTED';
    case 2:
      return 'PENDING';
    case 4: // upgrading
    case 5: // provisioning
    case 7: // adopting
    case 8: // deleting
      return 'BUSY';
    default:
      return 'UNKNOWN';
  }
}

/** A device that is off has only its last uplink; a gateway's is the provider's, and none of ours. */
function uplinkOf(row: WireObject, own: Mac): UnifiDevice['uplink'] {
  const [now, last] = [wireObject(row.uplink), wireObject(row.last_uplink)];
  const from = macOf(now?.uplink_mac) === null ? last : now;
  const mac = macOf(from?.uplink_mac);
  return mac === null || mac === own ? null : { mac, port: wireInteger(from?.uplink_remote_port) ?? null };
}

/** A gateway's interfaces without a number are no switch ports. */
function portOf(port: WireObject, row: WireObject, networks: NetworkIndex): UnifiPort | undefined {
  const index = wireInteger(port.port_idx);
  if (index === undefined || index < 1) return undefined;
  const up = wireFlag(port.up);
  const speed = wireInteger(port.speed);
  const isUplink = wireFlag(port.is_uplink) ?? wireInteger(wireObject(row.uplink)?.port_idx) === index;
  return {
    ...{ index, name: plainText(port.name), up: up ?? null, isUplink },
    speedMbps: up === false || speed === undefined || speed <= 0 ? null : speed,
    poe: wireFlag(port.port_poe) === false ? false : (wireFlag(port.poe_enable) ?? null),
    nativeVlan: nativeVlan(port, index, row, networks),
    lldpName: lldpName(port, index, row),
  };
}

/** The port's own setting goes before that of the list of what was changed; the default network is VLAN 1. */
function nativeVlan(port: WireObject, index: number, row: WireObject, networks: NetworkIndex): number | null {
  const changed = (wireObjects(row.port_overrides) ?? []).find(({ port_idx }) => wireInteger(port_idx) === index);
  const network = networks.byId(port.native_networkconf_id ?? changed?.native_networkconf_id);
  return network === undefined ? null : (network.vlan ?? 1);
}

function lldpName(port: WireObject, index: number, row: WireObject): string | null {
  const [own] = wireObjects(port.lldp_table) ?? [];
  const named = (wireObjects(row.lldp_table) ?? []).find((each) => wireInteger(each.local_port_idx) === index);
  return plainText(own?.lldp_system_name) ?? plainText(named?.system_name) ?? plainText(named?.chassis_name);
}

function learnedOn(port: WireObject): readonly LearnedMac[] {
  const index = wireInteger(port.port_idx);
  if (index === undefined) return [];
  return (wireObjects(port.mac_table) ?? []).flatMap((entry) => {
    const mac = macOf(entry.mac);
    return mac === null ? [] : { mac, port: index, vlan: entry.vlan, ageSeconds: wireInteger(entry.age) };
  });
}

function heardOn(port: WireObject): ReadDevice['heard'] {
  const index = wireInteger(port.port_idx);
  if (index === undefined) return [];
  return (wireObjects(port.lldp_table) ?? []).flatMap((entry) => {
    const mac = macOf(entry.lldp_chassis_id ?? entry.chassis_id);
    return mac === null ? [] : { port: index, mac };
  });
}
