import ipaddr from 'ipaddr.js';
import { type Cidr, cidr, familyOf, type IpAddress, inCidr } from '../address.js';
import type { World } from './world.js';

/** The prefixes in which guests live: those of carried addresses, and declared ones that hold a carried address. */
export interface LivingPrefixes {
  /** The scopes in which an address lies in such a prefix, sorted. */
  scopesOf(address: IpAddress): readonly string[];
}

const known = new WeakMap<World, LivingPrefixes>();

/** Memoised per comparison. */
export function livingPrefixes(world: World): LivingPrefixes {
  let prefixes = known.get(world);
  if (prefixes === undefined) {
    prefixes = findPrefixes(world);
    known.set(world, prefixes);
  }
  return prefixes;
}

function findPrefixes(world: World): LivingPrefixes {
  const all = new Map<string, { readonly scope: string; readonly network: Cidr }>();
  const add = (scope: string, text: string) => {
    const network = all.has(`${scope} ${text}`) ? undefined : cidr(text);
    if (network !== undefined) all.set(`${scope} ${text}`, { scope, network });
  };
  const carried = new Map<string, IpAddress[]>();
  for (const carriers of world.carriers.values()) {
    for (const { carried: one } of carriers) {
      const list = carried.get(one.scope);
      if (list === undefined) carried.set(one.scope, [one.address]);
      else list.push(one.address);
      if (one.prefixLength !== null && one.prefixLength > 0) add(one.scope, prefixText(one.address, one.prefixLength));
    }
  }
  for (const { rows } of world.view.declarations) {
    for (const row of rows) {
      // A container holds prefixes, and nobody lives in it but through them.
      if (row.kind !== 'prefix' || row.status === 'container') continue;
      const network = cidr(row.prefix);
      if (network === undefined) continue;
      if (carried.get(row.scope)?.some((address) => inCidr(address, network)) === true) add(row.scope, row.prefix);
    }
  }
  const list = [...all.values()];
  return {
    scopesOf: (address) =>
      [...new Set(list.filter(({ network }) => inCidr(address, network)).map(({ scope }) => scope))].sort(),
  };
}

/** One text for all addresses of a prefix, so that thousands of neighbours make one entry. */
function prefixText(address: IpAddress, length: number): string {
  const family = familyOf(address) === 4 ? ipaddr.IPv4 : ipaddr.IPv6;
  return `${family.networkAddressFromCIDR(`${address}/${length}`).toString()}/${length}`;
}
