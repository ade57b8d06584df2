import type { GuestId } from '../guest.js';
import type { Instant } from '../time.js';
import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import type { Agreement, Bound, Rule, World } from './world.js';

/** What a guest and the rows that are bound to it came to. A binding that is made anew has other lists of rows. */
interface Kept {
  readonly rows: readonly Row[];
  /** undefined: they differ, or only judging them tells. */
  readonly agreement: Agreement | undefined;
  /** When the latest of the rows came to say what it says. */
  readonly since: Instant;
}

const kept = new WeakMap<GuestView, Kept>();

/**
 * Guests that may differ from the rows bound to them, in the order of the binding. In an estate that is well kept these are
 * few: all others need not be judged, by any rule, until they, their rows or a finding of theirs change.
 */
export function restlessOf(world: World, rules: readonly Rule[]): readonly Bound[] {
  const listed = new Map<string, Instant>();
  for (const { name, state } of world.view.clusters.values()) listed.set(name, state.lastSuccessAt ?? 0);
  const told = subjectsOf(world);
  const restless: Bound[] = [];
  for (const [id, rows] of world.binding.byGuest) {
    const guest = world.view.guests.get(id);
    if (guest === undefined) continue;
    const { agreement, since } = keptOf(world, rules, guest, rows);
    const isQuiet =
      agreement !== undefined &&
      since <= (listed.get(guest.cluster) ?? 0) &&
      agreement.ranFor >= world.policy.addressAfterStart &&
      !agreement.addresses.some(world.mayBeVirtual) &&
      !told.has(id) &&
      !told.has(guest.key);
    if (!isQuiet) restless.push({ guest, rows });
  }
  return restless;
}

/** What living findings are about, by guest, address or whatever else: their end is judged, and what it takes is asked for. */
function subjectsOf({ view }: World): ReadonlySet<GuestId> {
  const subjects = new Set<string>();
  for (const { identity } of view.findings.byId.values()) subjects.add(identity.subject.id);
  return subjects;
}

function keptOf(world: World, rules: readonly Rule[], guest: GuestView, rows: readonly Row[]): Kept {
  const known = kept.get(guest);
  if (known !== undefined && known.rows === rows) return known;
  const since = rows.reduce((latest, { row }) => Math.max(latest, row.since.before ?? 0), 0);
  const found = { rows, agreement: agreementOf(world, rules, { guest, rows }), since };
  kept.set(guest, found);
  return found;
}

/** All rules' agreement as one; undefined where one of them has none. */
function agreementOf(world: World, rules: readonly Rule[], bound: Bound): Agreement | undefined {
  let addresses: Agreement['addresses'] = [];
  let ranFor = Number.POSITIVE_INFINITY;
  for (const rule of rules) {
    if (rule.agreement === undefined) continue;
    const own = rule.agreement(bound, world.binding.nodes);
    if (own === undefined) return undefined;
    if (own.addresses.length > 0) addresses = [...new Set([...addresses, ...own.addresses])];
    ranFor = Math.min(ranFor, own.ranFor);
  }
  return { addresses, ranFor };
}
