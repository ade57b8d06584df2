import type { DriftFindingKind, Subject } from '../finding.js';
import { FIRST_LOOK } from '../time.js';
import type { GuestView } from '../view.js';
import { changeOf } from './address-differs.js';
import { addressKey, addressOf, addressSubject } from './address-subject.js';
import type { Carrier } from './carriers.js';
import { isDeclaringUnreachable } from './presence.js';
import { unsaid } from './said.js';
import { addressEvidence, called, idOf, so } from './telling.js';
import {
  AGREES,
  type Ask,
  addressDoubt,
  DOUBT,
  doubt,
  isDynamic,
  type Rule,
  sinceOf,
  type Verdict,
  type World,
} from './world.js';

function declaring(world: World) {
  return world.view.declarations.filter((source) => source.declaresAddresses && source.state.kind !== 'never');
}

/** A carried address that nobody wrote down. With no source that declares addresses there is no such thing. */
export const addressNotDeclared: Rule = {
  kind: 'ADDRESS_NOT_DECLARED',

  *candidates(world) {
    if (declaring(world).length === 0) return;
    for (const [key, carriers] of world.carriers) {
      if (world.binding.declaredAddresses.has(key)) continue;
      const [one] = carriers;
      if (one !== undefined) yield { subject: addressSubject(one.carried.scope, one.carried.address), field: '' };
    }
  },

  judge(world, subject) {
    const sources = declaring(world);
    const key = addressKey(subject);
    const address = addressOf(subject);
    const carriers = (world.carriers.get(key) ?? []).filter(({ carried }) => !isDynamic(world, carried));
    if (sources.length === 0 || world.classOf(address, carriers) !== undefined) return AGREES;
    if (carriers.length === 0) return formerDoubt(world, 'ADDRESS_NOT_DECLARED', subject) ?? AGREES;
    const declared = world.binding.declaredAddresses.get(key) ?? [];
    if (declared.length > 0)
      return declared.some((one) => one.covered)
        ? readSince(
            world,
            carriers,
            declared.map((d) => d.since.before ?? 0),
          )
        : DOUBT;
    if (
      isDeclaringUnreachable(world) ||
      world.binding.unreadable.addresses.has(address) ||
      world.binding.listed.has(address) ||
      carriers.some(({ guest }) => hasGarbledAddresses(world, guest))
    )
      return DOUBT;
    const gone = world.binding.goneAddresses.get(address) ?? 0;
    // What would tell it already is judged by the same reading, or this one would open a moment before it. And a row
    // that was just edited to say no address any more may tell of a guest that has just got another one.
    const waits = carriers.map(({ guest }) => addressDoubt(world, guest, Math.max(gone, lastWritten(world, guest))));
    const sure = carriers.filter((_, i) => waits[i] === undefined);
    if (sure.length === 0) return joined(waits);
    const asks = sure.flatMap(({ guest }) => notYetHeard(world, guest));
    if (asks.length > 0) return doubt(asks);
    return so(world, {
      kind: 'ADDRESS_NOT_DECLARED',
      subject,
      field: '',
      declared: null,
      observed: carriers.map(({ guest }) => guest.key).join(', '),
      declaredBy: [],
      evidence: sure.flatMap(({ guest, carried }) => addressEvidence(guest, carried)),
      message: `${address} is carried by ${carriers.map(({ guest }) => called(guest)).join(' and ')} and no declared source names it`,
      guests: [...new Set(carriers.map(({ guest }) => guest))],
      clusters: [...new Set(carriers.map(({ guest }) => guest.cluster))],
      changes: [...sure.map(({ guest }) => changeOf(guest)), gone === 0 ? FIRST_LOOK : { after: null, before: gone }],
      // Only of those that were read well: whether another one's finding tells it is not known yet.
      swallowers: sure.map(({ guest, carried }) => [
        idOf('ADDRESS_DIFFERS', guest.id, carried.family === 4 ? 'address4' : 'address6'),
        idOf('GUEST_NOT_DECLARED', guest.id),
      ]),
    });
  },
};

/** Who declares guests or addresses, and may have been told of this one's since they were asked. */
function notYetHeard(world: World, guest: GuestView): readonly Ask[] {
  const speaking = world.view.declarations.filter((one) => one.declaresAddresses || one.declaresGuests);
  return unsaid(world, speaking, guest.key, sinceOf([guest.row.since.presence, changeOf(guest)]));
}

/** Agreement by a fresh declaration counts once a carrier was read after it was written. */
function readSince(world: World, carriers: readonly Carrier[], since: readonly number[]): Verdict {
  const latest = Math.min(...since);
  const waits = carriers.map(({ guest }) => addressDoubt(world, guest, latest));
  return waits.some((wait) => wait === undefined) ? AGREES : joined(waits);
}

/** A row of the guest has an address cell that cannot be read: it may well name what the guest carries. */
function hasGarbledAddresses(world: World, guest: GuestView): boolean {
  return (world.binding.byGuest.get(guest.id) ?? []).some(({ row }) => row.unreadable.includes('addresses'));
}

/** When the rows of a guest were last edited, whatever they say. */
function lastWritten(world: World, guest: GuestView): number {
  const rows = world.binding.byGuest.get(guest.id) ?? [];
  return Math.max(0, ...rows.map(({ row }) => row.since.before ?? 0));
}

/**
 * The doubt about guests that an open finding names and that carry its address no more: a reading right after a start, or
 * of devices that were just edited, shows nothing and proves nothing. undefined: all of them were read well, or are gone.
 */
export function formerDoubt(world: World, kind: DriftFindingKind, subject: Subject): Verdict | undefined {
  const known = world.view.findings.byId.get(idOf(kind, subject.id));
  const waits = (known?.guests ?? []).flatMap((id) => {
    const guest = world.view.guests.get(id);
    return guest === undefined ? [] : (addressDoubt(world, guest, 0) ?? []);
  });
  return waits.length === 0 ? undefined : joined(waits);
}

/** Several doubts about one identity as one: every read that would help, and the earliest moment to look again. */
export function joined(waits: readonly (Verdict | undefined)[]): Verdict {
  const doubts = waits.flatMap((wait) => (wait?.kind === 'doubt' ? [wait] : []));
  const dues = doubts.flatMap((one) => (one.due === null ? [] : [one.due]));
  return doubt(
    doubts.flatMap((one) => one.asks),
    dues.length === 0 ? null : Math.min(...dues),
  );
}
