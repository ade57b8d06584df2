import { familyOf, type IpAddress, inCidr } from '../address.js';
import { isAnswered, sightingsOf } from '../sightings.js';
import type { GuestView } from '../view.js';
import { changeOf } from './address-differs.js';
import { joined } from './address-not-declared.js';
import { addressKey, addressOf, addressSubject } from './address-subject.js';
import type { DeclaredAddress } from './binding.js';
import { absence, unheard } from './guest-missing.js';
import { declaresPresence } from './presence.js';
import { unsaid } from './said.js';
import { canBeAsked, isCollected, scopeReading } from './scope-reading.js';
import { isCovered, observersOf } from './services.js';
import { idOf, so } from './telling.js';
import {
  AGREES,
  type Ask,
  addressDoubt,
  asksFor,
  DOUBT,
  doubt,
  type Rule,
  sinceOf,
  type Verdict,
  type World,
} from './world.js';

/** More reads than this are left to the rolling slice: one new line must not cost the estate a full pass. */
const MOST_ASKS = 200;

const OUT_OF_SIGHT = 'no cluster is collected whose guests could carry it';

/** A declared address that nobody carries, although everybody who could was asked. */
export const declaredAddressUnused: Rule = {
  kind: 'DECLARED_ADDRESS_UNUSED',

  *candidates(world) {
    for (const [key, declared] of world.binding.declaredAddresses) {
      const [one] = declared;
      if (one !== undefined && !world.carriers.has(key))
        yield { subject: addressSubject(one.scope, one.address), field: '' };
    }
  },

  judge(world, subject) {
    const address = addressOf(subject);
    const key = addressKey(subject);
    const all = world.binding.declaredAddresses.get(key) ?? [];
    const rows = all.filter((one) => !one.isExcused && (one.row === undefined || declaresPresence(one.row)));
    if (rows.length === 0)
      return all.length === 0 && world.view.declarations.some((s) => s.state.kind === 'unreachable') ? DOUBT : AGREES;
    // Where nothing is collected, nobody can be seen to carry it.
    if (!rows.some(({ scope }) => isCollected(world, scope))) return { kind: 'agrees', reason: OUT_OF_SIGHT };
    const scope = key.slice(0, key.lastIndexOf('/'));
    if (rows.length < all.length || world.carriers.has(key) || isClassified(world, address, scope)) return AGREES;
    if (isAnswered(sightingsOf(world.view).get(key), world.now)) return AGREES;
    // Whoever might have heard it answer lately cannot be asked.
    if (observersOf(world, scope).some((source) => !isCovered(world, source))) return DOUBT;
    // A row out of reach names a guest: what that one carries decides, and the row may say other by now.
    if (rows.some((one) => !one.covered && one.vmids.length > 0)) return DOUBT;
    const covered = rows.filter((one) => one.covered);
    if (covered.length === 0 || covered.some((one) => one.row?.placement.kind === 'elsewhere')) return DOUBT;
    const since = Math.max(...covered.map((one) => one.since.before ?? 0));
    const named = covered.filter((one) => one.vmids.length > 0);
    const wait =
      named.length > 0 ? namedDoubt(world, named, address, since) : unnamedDoubt(world, address, rows, since);
    return wait ?? unused(world, subject, address, covered, rows);
  },
};

/** That a controller leases addresses of its range says nothing of one that is written down: there the policy's word is needed. */
function isClassified(world: World, address: IpAddress, scope: string): boolean {
  const named = world.classOf(address, [], scope);
  if (named !== 'dynamic') return named !== undefined;
  return world.policy.addressClasses.find((rule) => inCidr(address, rule.cidr))?.class === 'dynamic';
}

function unused(
  world: World,
  subject: Parameters<Rule['judge']>[1],
  address: IpAddress,
  rows: readonly DeclaredAddress[],
  all: readonly DeclaredAddress[],
): Verdict {
  const [first] = rows;
  const guests = [...new Set(rows.flatMap((row) => row.guests))].flatMap((id) => world.view.guests.get(id) ?? []);
  const field = `address${familyOf(address)}`;
  // Each row that names a guest must be told by that guest's own finding.
  const swallowers = all
    .filter((row) => row.vmids.length > 0)
    .map((row) => [
      ...row.guests.map((guest) => idOf('ADDRESS_DIFFERS', guest, field)),
      ...row.vmids.flatMap((vmid) =>
        [...world.view.clusters.keys(), '*'].map((c) => idOf('GUEST_MISSING', `${c}/${vmid}`)),
      ),
    ]);
  return so(world, {
    kind: 'DECLARED_ADDRESS_UNUSED',
    subject,
    field: '',
    declared: first?.label ?? address,
    observed: null,
    declaredBy: rows.map((row, i) => ({
      field: 'address',
      value: row.address,
      source: row.source,
      location: row.location,
      wins: i === 0,
    })),
    evidence: [],
    message: `${address} is declared at ${first?.location}${first?.label ? ` (${first.label})` : ''} and nobody carries it`,
    guests,
    clusters:
      guests.length > 0
        ? [...new Set(guests.map((guest) => guest.cluster))]
        : clustersIn(world, first?.scope ?? 'default'),
    changes: rows.map((row) => row.since),
    swallowers,
  });
}

function clustersIn(world: World, scope: string): readonly string[] {
  return [...world.view.clusters.values()]
    .filter(({ settings }) => settings.addressScope === scope)
    .map(({ name }) => name);
}

/** The declaration names its guest: that guest's parts decide. One that is stopped keeps what it was declared with. */
function namedDoubt(
  world: World,
  named: readonly DeclaredAddress[],
  address: IpAddress,
  since: number,
): Verdict | undefined {
  const guests = [...new Set(named.flatMap((one) => one.guests))];
  const waits: Verdict[] = [];
  const absent = absentDoubt(
    world,
    named.filter((one) => one.guests.length === 0),
    since,
  );
  if (absent !== undefined) waits.push(absent);
  for (const id of guests) {
    const guest = world.view.guests.get(id);
    if (guest === undefined || guest.status === 'UNKNOWN') waits.push(DOUBT);
    else if (guest.status === 'STOPPED') return world.coverage.row(guest) ? AGREES : DOUBT;
    else {
      const wait = addressDoubt(world, guest, since) ?? unsaidOf(world, named, guest);
      if (wait !== undefined) waits.push(wait);
      else if (!canBeAsked(guest, familyOf(address)) && !world.policy.unusedDespiteUnread) waits.push(DOUBT);
    }
  }
  return waits.length > 0 ? joined(waits) : undefined;
}

/** Whoever declares it for the guest may have changed its word along with the guest. */
function unsaidOf(world: World, named: readonly DeclaredAddress[], guest: GuestView): Verdict | undefined {
  const sources = named.filter(({ guests }) => guests.includes(guest.id)).map(({ from }) => from);
  const asks = unsaid(world, sources, guest.key, sinceOf([guest.row.since.presence, changeOf(guest)]));
  return asks.length > 0 ? doubt(asks) : undefined;
}

/** The row names a VMID that no living guest has: it says so itself, once the absence is proven. */
function absentDoubt(world: World, named: readonly DeclaredAddress[], since: number): Verdict | undefined {
  const waits = named.flatMap((one) =>
    one.vmids.map((vmid) => {
      const clusters = one.row?.placement.kind === 'in' ? one.row.placement.clusters : [...world.view.clusters.keys()];
      return absence(world, vmid, clusters, since) ?? unheard(world, vmid, clusters, [{ source: one.from }]);
    }),
  );
  return waits.some((wait) => wait !== undefined) ? joined(waits) : undefined;
}

/** Nobody is named: every running guest of the scope that could hold it must have been read since it was written. */
function unnamedDoubt(
  world: World,
  address: IpAddress,
  rows: readonly DeclaredAddress[],
  since: number,
): Verdict | undefined {
  const reading = scopeReading(world, rows[0]?.scope ?? 'default', familyOf(address));
  if (reading.uncovered) return doubt([], reading.due);
  if (reading.unaskable > 0 && !world.policy.unusedDespiteUnread) return DOUBT;
  const asks: Ask[] = [];
  for (const { guest, at } of reading.reads) {
    if (at >= since) break;
    if (asks.length < MOST_ASKS) asks.push(...asksFor(guest));
  }
  return asks.length > 0 ? doubt(asks) : undefined;
}
