import type { Estate } from './estate.js';
import type { Guest } from './guest.js';
import { hashOf } from './random.js';
import { GROUPS } from './services.js';

export type DeclaredWord = 'running' | 'stopped' | 'paused' | 'planned' | 'retired' | 'none';

/** One row of a table of VMIDs, before it is written. */
export interface DeclaredRow {
  readonly cluster: string;
  readonly group: string;
  /** Equal but in a row over a range. */
  readonly from: number;
  readonly to: number;
  readonly name: string | null;
  readonly node: string | null;
  readonly word: DeclaredWord;
  readonly addresses: readonly string[];
  readonly leased: boolean;
}

/** One line of `ip-addresses.conf`: a literal, or another name for one. */
export interface DeclaredKey {
  readonly cluster: string;
  readonly key: string;
  readonly value: string;
}

export interface DeclaredEstate {
  rows: DeclaredRow[];
  keys: DeclaredKey[];
  /** Begins the keys of a cluster's guests, where there are several clusters: names of keys must differ. */
  prefixOf(cluster: string): string;
}

/** What people would have written down of these clusters if they never erred. */
export function declaredEstate(estates: readonly Estate[]): DeclaredEstate {
  const prefixes = new Map(estates.map(({ name, index }) => [name, estates.length === 1 ? '' : `C${index + 1}_`]));
  const told: DeclaredEstate = { rows: [], keys: [], prefixOf: (cluster) => prefixes.get(cluster) ?? '' };
  for (const estate of estates) {
    const { name: cluster } = estate;
    for (const node of estate.nodes()) told.keys.push({ cluster, key: `NODE_${keyOf(node.name)}`, value: node.ip });
    for (const guest of estate.guests()) {
      told.rows.push(rowOf(estate, guest));
      for (const [key, value] of inConf(guest))
        told.keys.push({ cluster, key: `${told.prefixOf(cluster)}${key}`, value });
    }
  }
  return told;
}

export function keyOf(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_');
}

function rowOf(estate: Estate, guest: Guest): DeclaredRow {
  const { vmid, name, node, power, template, group } = guest;
  const onlyInConf = new Set(guest.nics.slice(1).flatMap((nic) => (nic.v4?.by === 'config' ? [nic.v4.address] : [])));
  return {
    ...{ cluster: estate.name, group: template ? GROUPS.templates : group, from: vmid, to: vmid, name, node },
    word: template ? 'none' : power,
    addresses: fixedAddresses(guest).filter((address) => !onlyInConf.has(address)),
    leased: guest.nics.some(({ v4 }) => v4?.by === 'dhcp'),
  };
}

/** What does not change by itself: neither leased nor made up by the guest. */
export function fixedAddresses({ nics }: Guest): string[] {
  return nics.flatMap(({ v4, v6 }) =>
    [v4, v6].flatMap((one) => (one !== null && (one.by === 'config' || one.by === 'inside') ? [one.address] : [])),
  );
}

/**
 * Second devices whose address is in the config are in the file alone; and of some guests the first is in both.
 * What only an agent could tell is never in the file alone: while the agent is silent it would look unused.
 */
function inConf(guest: Guest): (readonly [string, string])[] {
  const key = keyOf(guest.name);
  return guest.nics.flatMap(({ index, v4 }) => {
    if (v4 === null || v4.by === 'dhcp' || v4.by === 'auto') return [];
    if (index === 0) return hashOf(guest.uuid) % 4 === 0 ? [[`${key}_IP`, v4.address] as const] : [];
    return v4.by === 'config' ? [[`${key}_STORAGE_IP`, v4.address] as const] : [];
  });
}
