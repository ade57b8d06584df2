import { familyOf, type IpAddress } from '../address.js';
import type { GuestView } from '../view.js';

/** A scope as it is named stands for those that it is split into by node. */
export function isWithinScope(scope: string, named: string): boolean {
  return scope === named || scope.startsWith(`${named}@`);
}

/**
 * A row that names a guest declares its address in the scope where that guest carries it, else in that of its first
 * device. Where the row names a scope itself, it is that one.
 */
export function scopeFor(guest: GuestView, address: IpAddress, named: string | null): string {
  const there = named === null ? guest.carried : guest.carried.filter((c) => isWithinScope(c.scope, named));
  const carried = there.find((c) => c.address === address) ?? there.find((c) => c.family === familyOf(address));
  return carried?.scope ?? named ?? guest.firstScope;
}
