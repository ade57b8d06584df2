import type { Family } from '../address.js';
import { scopeOf } from '../carried.js';
import type { ClusterSettings } from '../settings.js';
import type { GuestView } from '../view.js';
import { addressDoubt, addressesAskedAt, type World } from './world.js';

/** Whether what a guest carries in a family can be known: an agent or interfaces answered, or every device is set static. */
export function canBeAsked(guest: GuestView, family: Family): boolean {
  if (guest.parts.addresses.state === 'read') return true;
  return (guest.config?.devices ?? []).every((device) => (family === 4 ? device.ip4 : device.ip6)?.mode === 'static');
}

/** What stands between one family of a scope and the certainty that nobody in it carries an address. */
export interface ScopeReading {
  /** Running guests that nobody can ask: no agent and no static setting, or an agent that does not answer. */
  readonly unaskable: number;
  /** Parts not covered, nodes offline, guests hidden, clusters out of reach. */
  readonly uncovered: boolean;
  /** Running guests by when they were last read, oldest first. */
  readonly reads: readonly { readonly guest: GuestView; readonly at: number }[];
  /** When those that just started may be asked. */
  readonly due: number | null;
}

const readings = new WeakMap<World, Map<string, ScopeReading>>();

/** Memoised per comparison: thousands of addresses ask the same of one scope. */
export function scopeReading(world: World, scope: string, family: Family): ScopeReading {
  let known = readings.get(world);
  if (known === undefined) {
    known = new Map();
    readings.set(world, known);
  }
  const key = `${family}:${scope}`;
  let reading = known.get(key);
  if (reading === undefined) {
    reading = readScope(world, scope, family);
    known.set(key, reading);
  }
  return reading;
}

/** Whether a device of the guest lives in a scope; one whose devices are not known yet may. */
function livesIn(world: World, guest: GuestView, scope: string): boolean {
  const settings = world.view.clusters.get(guest.cluster)?.settings;
  if (settings === undefined) return false;
  if (guest.config === null) return isScopeOf(settings, scope);
  return guest.config.devices.some((device) => scopeOf(settings, guest.row.node, device) === scope);
}

/** Whether a cluster is collected that has the scope. */
export function isCollected(world: World, scope: string): boolean {
  return [...world.view.clusters.values()].some(({ settings }) => isScopeOf(settings, scope));
}

function isScopeOf(settings: ClusterSettings, scope: string): boolean {
  return (
    settings.addressScope === scope ||
    settings.addressScopes.some((rule) => scope === rule.scope || scope.startsWith(`${rule.scope}@`))
  );
}

function readScope(world: World, scope: string, family: Family): ScopeReading {
  let unaskable = 0;
  let uncovered = [...world.view.clusters.values()].some(
    ({ name, settings }) => isScopeOf(settings, scope) && !world.coverage.cluster(name),
  );
  const reads: { guest: GuestView; at: number }[] = [];
  let due: number | null = null;
  for (const guest of world.view.guests.values()) {
    const isStopped = guest.status === 'STOPPED' && world.coverage.row(guest);
    if (guest.row.template || isStopped || !livesIn(world, guest, scope)) continue;
    const wait = addressDoubt(world, guest, 0);
    if (wait !== undefined && isMute(world, guest)) unaskable += 1;
    else if (wait?.kind === 'doubt') {
      uncovered = true;
      if (wait.due !== null) due = due === null ? wait.due : Math.min(due, wait.due);
    } else if (!canBeAsked(guest, family)) unaskable += 1;
    else reads.push({ guest, at: addressesAskedAt(guest) });
  }
  reads.sort((a, b) => a.at - b.at);
  return { unaskable, uncovered, reads, due };
}

/** It runs in sight, and what would answer for it does not: a dead agent is no better than none. */
function isMute(world: World, guest: GuestView): boolean {
  return guest.parts.addresses.state === 'failed' && world.coverage.config(guest);
}
