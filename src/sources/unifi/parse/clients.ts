import type { Mac } from '../../../domain/mac.js';
import type { UnifiClient } from '../../../domain/record.js';
import { DAY, type Instant, SECOND } from '../../../domain/time.js';
import { plainText } from '../../understood.js';
import { type WireObject, wireFlag, wireInteger } from '../../wire-values.js';
import { addressOf, macOf, vlanOf } from './addresses.js';
import type { Place } from './mac-tables.js';
import type { NetworkIndex } from './networks.js';

export interface SeenClient {
  readonly body: UnifiClient;
  readonly seenAt: Instant | null;
}

/** What the controller's instants are read by. */
export interface Watch {
  readonly askedAt: Instant;
  /** How far the controller's clock is ahead of ours. */
  readonly ahead: number;
}

/** A client that was silent for longer is history. */
const KNOWN_FOR = 30 * DAY;

/** A controller's seconds in our time; nothing was seen later than it was asked for. */
export function seenAt(seconds: unknown, { askedAt, ahead }: Watch): Instant | null {
  const at = wireInteger(seconds);
  return at === undefined || at <= 0 ? null : Math.min(at * SECOND - ahead, askedAt);
}

/** A row of `stat/sta`: connected now. `known` is its row of `rest/user`, which alone may tell of a fixed address. */
export function connectedClient(
  row: WireObject,
  known: ReadonlyMap<Mac, WireObject>,
  networks: NetworkIndex,
  watch: Watch,
): SeenClient | string {
  const mac = macOf(row.mac);
  if (mac === null) return `a client without a MAC (${plainText(row.hostname) ?? 'and without a name'})`;
  const wired = isWired(row);
  const network = networks.byId(row.network_id);
  const user = known.get(mac);
  return {
    body: {
      ...{ mac, wired, address: addressOf(row.ip), ...namesOf(row, user) },
      network: plainText(row.network) ?? network?.name ?? null,
      vlan: vlanOf(row.vlan) ?? network?.vlan ?? null,
      // A wireless client's row names the switch of its access point.
      switchMac: wired ? macOf(row.sw_mac) : null,
      switchPort: wired ? (wireInteger(row.sw_port) ?? null) : null,
      accessPointMac: wired ? null : macOf(row.ap_mac),
      essid: wired ? null : plainText(row.essid),
      fixedAddress: fixedAddress(row) ?? (user === undefined ? null : fixedAddress(user)),
    },
    seenAt: seenAt(row.last_seen, watch),
  };
}

/**
 * A row of `rest/user` of a client that is not connected; undefined where it was silent for too long, or where the
 * controller has forgotten what it was like: then what was known of it while it was connected is the better word.
 * `before` is its last word while connected, as far as this process heard it.
 */
export function absentClient(
  row: WireObject,
  before: UnifiClient | undefined,
  networks: NetworkIndex,
  watch: Watch,
): SeenClient | undefined {
  const mac = macOf(row.mac);
  const last = seenAt(row.last_seen, watch);
  if (mac === null || last === null || last < watch.askedAt - KNOWN_FOR) return undefined;
  if (before !== undefined) return { body: before, seenAt: last };
  const address = addressOf(row.last_ip);
  if (address === null) return undefined;
  const wired = isWired(row);
  const network = networks.byId(row.last_connection_network_id);
  const uplink = macOf(row.last_uplink_mac);
  const body: UnifiClient = {
    ...{ mac, wired, address, ...namesOf(row, undefined), fixedAddress: fixedAddress(row) },
    network: plainText(row.last_connection_network_name) ?? network?.name ?? null,
    vlan: network?.vlan ?? null,
    switchMac: wired ? uplink : null,
    switchPort: wired && uplink !== null ? (wireInteger(row.last_uplink_remote_port) ?? null) : null,
    accessPointMac: wired ? null : uplink,
    essid: null,
  };
  return { body, seenAt: last };
}

/** A MAC that is not listed as connected, but a switch has learned on a port: somebody too quiet for the controller. */
export function learnedClient(
  { mac, vlan: tag, switchMac, port, ageSeconds }: Place,
  user: WireObject | undefined,
  networks: NetworkIndex,
  watch: Watch,
): SeenClient {
  const at = { wired: true, switchMac, switchPort: port, accessPointMac: null, essid: null };
  const remembered = user === undefined ? undefined : absentClient(user, undefined, networks, watch);
  // Its address answered when the controller heard it last, whenever the switch did.
  if (remembered !== undefined) return { body: { ...remembered.body, ...at }, seenAt: remembered.seenAt };
  const vlan = vlanOf(tag);
  const body: UnifiClient = {
    ...{ mac, ...namesOf({}, user), address: null, network: networks.nameOf(vlan), vlan, ...at },
    fixedAddress: user === undefined ? null : fixedAddress(user),
  };
  const heard = ageSeconds === undefined || ageSeconds < 0 ? null : watch.askedAt - ageSeconds * SECOND;
  return { body, seenAt: heard };
}

function namesOf(row: WireObject, user: WireObject | undefined): Pick<UnifiClient, 'name' | 'hostname'> {
  return {
    name: plainText(row.name) ?? plainText(user?.name),
    hostname: plainText(row.hostname) ?? plainText(user?.hostname),
  };
}

function isWired(row: WireObject): boolean {
  return wireFlag(row.is_wired) ?? macOf(row.ap_mac) === null;
}

/** Switched off, the address that was typed before is still there. */
function fixedAddress(row: WireObject): UnifiClient['fixedAddress'] {
  return wireFlag(row.use_fixedip) === true ? addressOf(row.fixed_ip) : null;
}
