import type { Estate } from './estate.js';
import { isListedRunning, type Nic, type SimNode } from './guest.js';
import { machineMac } from './hardware-model.js';
import { gateway, madeOfMac } from './network-plan.js';
import { hashOf } from './random.js';
import { gatewayMac } from './unifi-gear.js';

/** An entry of a node's neighbour table; without a MAC nobody answers for the address. */
export interface NeighbourEntry {
  readonly address: string;
  readonly device: string;
  /** Lower-case with colons. */
  readonly mac: string | null;
  readonly state: 'REACHABLE' | 'STALE' | 'DELAY' | 'PROBE' | 'FAILED';
  readonly router: boolean;
}

/** A machine that answers for an address which is not its own. */
export interface Stranger {
  readonly address: string;
  readonly mac: string;
}

/** How long an entry stays as it is before it is looked at anew. */
const ROUND_MS = 60_000;

/**
 * What a node has lately spoken to: its gateway, the other nodes, most guests of its own and some of the others'. States
 * move with the time, and all of it with the estate.
 */
export function neighboursOf(estate: Estate, node: SimNode, stranger?: Stranger): readonly NeighbourEntry[] {
  const { seed, index } = estate;
  const round = Math.floor(estate.now() / ROUND_MS);
  const luck = (...words: readonly (string | number)[]) => hashOf(seed, node.id, ...words) % 100;
  const entry = (address: string, device: string, mac: string): NeighbourEntry => {
    const state = stateOf(luck(address, round));
    return stranger?.address === address
      ? { address, device, mac: stranger.mac, state: 'REACHABLE', router: false }
      : { address, device, mac, state, router: false };
  };
  const way = gatewayMac();
  const others = estate.nodes().filter(({ name }) => name !== node.name);
  const guests = estate.guests().flatMap((guest) => {
    const isOwn = guest.node === node.name;
    const known = luck(guest.vmid, 'known') < (isOwn ? 85 : 30);
    if (guest.template) return [];
    return guest.nics.flatMap((nic) => {
      const answers = isListedRunning(guest) && !guest.prelaunch && guest.power !== 'paused' && !nic.linkDown;
      const told = addressesOf(nic, isOwn);
      if (answers) {
        return told
          .filter((address) => known || address === stranger?.address)
          .map((address) => entry(address, deviceOf(nic), nic.mac.toLowerCase()));
      }
      const isMissed = isOwn && nic.v4 !== null && luck(guest.vmid, 'missed', round) < 20;
      return isMissed ? [{ ...FAILED, address: nic.v4.address, device: deviceOf(nic) }] : [];
    });
  });
  return [
    { address: gateway(index), device: 'vmbr0', mac: way, state: 'REACHABLE', router: false },
    { address: madeOfMac('fe80::', way), device: 'vmbr0', mac: way, state: 'STALE', router: true },
    ...others
      .filter(({ state }) => state !== 'offline')
      .map(({ ip, id }) => entry(ip, 'vmbr0', machineMac(seed, index, id, 0))),
    ...onceEach(guests),
  ];
}

const FAILED = { mac: null, state: 'FAILED', router: false } as const;

function stateOf(luck: number): NeighbourEntry['state'] {
  if (luck < 45) return 'REACHABLE';
  if (luck < 92) return 'STALE';
  return luck < 97 ? 'DELAY' : 'PROBE';
}

function addressesOf({ v4, v6, mac }: Nic, isOwn: boolean): string[] {
  const told = [...(v4 === null ? [] : [v4.address]), ...(v6 === null ? [] : [v6.address])];
  return isOwn ? [...told, madeOfMac('fe80::', mac)] : told;
}

function deviceOf({ bridge, tag }: Nic): string {
  return tag === null ? bridge : `${bridge}.${tag}`;
}

/** Of two that carry one address on one device, the table has whoever answered last. */
function onceEach(entries: readonly NeighbourEntry[]): NeighbourEntry[] {
  return [...new Map(entries.map((entry) => [`${entry.device} ${entry.address}`, entry])).values()];
}
