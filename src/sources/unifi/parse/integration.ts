import type { Mac } from '../../../domain/mac.js';
import type { UnifiDevice, UnifiDeviceState, UnifiNetwork, UnifiPort } from '../../../domain/record.js';
import { type Instant, MINUTE } from '../../../domain/time.js';
import { plainText } from '../../understood.js';
import { type WireObject, wireFlag, wireInteger, wireObject, wireObjects, wireText } from '../../wire-values.js';
import { addressOf, macOf, rangeOf, subnetOf, vlanOf } from './addresses.js';
import type { SeenClient, Watch } from './clients.js';

/** A controller strikes a client off its list when it has not heard of it for this long. */
const HEARD_WITHIN = 5 * MINUTE;

/** A device of the list with its details, where those could be read; `macs` are all devices' by id. */
export function integrationDevice(
  row: WireObject,
  details: WireObject | undefined,
  macs: ReadonlyMap<string, Mac>,
): UnifiDevice | string {
  const mac = macOf(row.macAddress);
  if (mac === null) return `a device without a MAC (${plainText(row.name) ?? 'and without a name'})`;
  const uplink = macs.get(wireText(wireObject(details?.uplink)?.deviceId) ?? '');
  const ports = wireObjects(wireObject(details?.interfaces)?.ports) ?? [];
  return {
    ...{ mac, name: plainText(row.name), model: plainText(row.model), kind: kindOf(row.features) },
    ...{ address: addressOf(row.ipAddress), state: stateOf(row.state) },
    version: plainText(row.firmwareVersion) ?? plainText(details?.firmwareVersion),
    uplink: uplink === undefined || uplink === mac ? null : { mac: uplink, port: null },
    ports: ports.flatMap((port) => portOf(port) ?? []).sort((a, b) => a.index - b.index),
  };
}

/** The list's features are words, the details' are keys. A gateway switches too. */
function kindOf(features: unknown): UnifiDevice['kind'] {
  const words = Array.isArray(features) ? features : Object.keys(wireObject(features) ?? {});
  if (words.includes('gateway')) return 'gateway';
  if (words.includes('accessPoint')) return 'access-point';
  return words.includes('switching') ? 'switch' : 'other';
}

function stateOf(state: unknown): UnifiDeviceState {
  switch (state) {
    case 'ONLINE':
      return 'CONNECTED';
    case 'OFFLINE':
    case 'CONNECTION_INTERRUPTED':
    case 'ISOLATED':
      return 'DISCONNECTED';
    case 'PENDING_ADOPTION':
      return 'PENDING';
    case 'UPDATING':
    case 'GETTING_READY':
    case 'ADOPTING':
    case 'DELETING':
      return 'BUSY';
    default:
      return 'UNKNOWN';
  }
}

function portOf(port: WireObject): UnifiPort | undefined {
  const index = wireInteger(port.idx);
  if (index === undefined || index < 1) return undefined;
  const speed = wireInteger(port.speedMbps);
  return {
    ...{ index, name: null, isUplink: false, nativeVlan: null, lldpName: null },
    up: port.state === 'UP' ? true : port.state === 'DOWN' ? false : null,
    speedMbps: port.state === 'UP' && speed !== undefined && speed > 0 ? speed : null,
    poe: wireFlag(wireObject(port.poe)?.enabled) ?? null,
  };
}

/** A client of the list; undefined: one behind a VPN or Teleport, which is on no wire of ours and has no MAC. */
export function integrationClient(
  row: WireObject,
  macs: ReadonlyMap<string, Mac>,
  watch: Watch,
): SeenClient | undefined | string {
  if (row.type !== 'WIRED' && row.type !== 'WIRELESS') {
    return row.type === 'VPN' || row.type === 'TELEPORT' ? undefined : `a client of type ${plainText(row.type)}`;
  }
  const mac = macOf(row.macAddress);
  if (mac === null) return `a client without a MAC (${plainText(row.name) ?? 'and without a name'})`;
  const wired = row.type === 'WIRED';
  const uplink = macs.get(wireText(row.uplinkDeviceId) ?? '') ?? null;
  return {
    body: {
      ...{ mac, name: plainText(row.name), hostname: null, address: addressOf(row.ipAddress), wired },
      ...{ network: null, vlan: null, switchMac: wired ? uplink : null, switchPort: null },
      ...{ accessPointMac: wired ? null : uplink, essid: null, fixedAddress: null },
    },
    seenAt: heardAt(row.connectedAt, watch),
  };
}

/** Nothing says when a client was heard last; but it was, since it connected, and not longer ago than the list forgets. */
function heardAt(connectedAt: unknown, { askedAt, ahead }: Watch): Instant {
  const since = Date.parse(wireText(connectedAt) ?? '') - ahead;
  const latest = askedAt - HEARD_WITHIN;
  return Number.isNaN(since) ? latest : Math.min(Math.max(since, latest), askedAt);
}

/** A network of the list with its details, where those could be read: they alone tell its subnet. */
export function integrationNetwork(row: WireObject, details: WireObject | undefined): UnifiNetwork | string {
  const id = plainText(row.id);
  if (id === null) return 'a network without an id';
  const ipv4 = wireObject(details?.ipv4Configuration);
  const dhcp = wireObject(ipv4?.dhcpConfiguration);
  const range = wireObject(dhcp?.ipAddressRange);
  const subnet = ipv4 === undefined ? undefined : subnetOf(`${ipv4.hostIpAddress}/${ipv4.prefixLength}`);
  return {
    ...{ id, name: plainText(row.name) ?? id, purpose: plainText(row.management)?.toLowerCase() ?? null },
    ...{ vlan: vlanOf(row.vlanId), enabled: wireFlag(row.enabled) ?? true },
    ...{ prefix: subnet?.prefix ?? null, gateway: subnet?.gateway ?? null },
    dhcp: dhcp?.mode === 'SERVER' ? rangeOf(range?.start, range?.stop) : null,
  };
}
