import type { Subject } from '../finding.js';
import { FIRST_LOOK } from '../time.js';
import type { GuestView } from '../view.js';
import type { Binding, Row } from './binding.js';
import { bareName } from './names.js';
import { unsaid } from './said.js';
import { called, guestSubject, rowEvidence, so } from './telling.js';
import {
  AGREES,
  addressDoubt,
  DOUBT,
  doubt,
  isInTheMaking,
  type Rule,
  rowDoubt,
  type Verdict,
  type World,
} from './world.js';

const unboundIn = new WeakMap<Binding['byGuest'], readonly Subject[]>();

/** Guests that no row is bound to. A binding holds for the same guests, whatever became of them. */
function unbound({ view, binding: { byGuest } }: World): readonly Subject[] {
  let subjects = unboundIn.get(byGuest);
  if (subjects === undefined) {
    subjects = [...view.guests.values()].filter(({ id }) => !byGuest.has(id)).map(guestSubject);
    unboundIn.set(byGuest, subjects);
  }
  return subjects;
}

/** A running guest that nobody wrote down. With no source that declares guests there is no such thing. */
export const guestNotDeclared: Rule = {
  kind: 'GUEST_NOT_DECLARED',

  *candidates(world) {
    if (!world.view.declarations.some((source) => source.declaresGuests && source.state.kind !== 'never')) return;
    for (const subject of unbound(world)) yield { subject, field: '' };
  },

  judge(world, subject) {
    const guest = world.view.guests.get(subject.id);
    if (guest === undefined) return AGREES;
    const declaring = world.view.declarations.filter(
      (source) => source.declaresGuests && source.state.kind !== 'never',
    );
    if (declaring.length === 0) return AGREES;
    const bound = world.binding.byGuest.get(guest.id) ?? [];
    const named = bound.find((row) => row.source.state.kind === 'covered');
    if (named !== undefined) return rowDoubt(world, guest, named.row.since.before ?? 0) ?? AGREES;
    if (bound.length > 0) return DOUBT;
    if (isDeclaringUnreachable(world) || isInTheMaking(guest)) return DOUBT;
    if (
      world.binding.ambiguous.get(guest.vmid)?.some((one) => one.guests.includes(guest)) ||
      isNamedUnreadably(world, guest)
    )
      return DOUBT;
    const gone = world.binding.goneVmids.get(guest.vmid) ?? 0;
    const wait = rowDoubt(world, guest, gone) ?? mayYetBeNamed(world, guest);
    if (wait !== undefined) return wait;
    // It may have been written down since the services were asked, as it was made.
    const asks = unsaid(world, declaring, guest.key, guest.row.since.presence.before ?? 0);
    if (asks.length > 0) return doubt(asks);
    return so(world, {
      kind: 'GUEST_NOT_DECLARED',
      subject,
      field: '',
      declared: null,
      // Not its name: one that is renamed, or told by Proxmox only later, makes no other difference of it.
      observed: guest.key,
      declaredBy: [],
      evidence: [rowEvidence(world, guest, `listed on node ${guest.row.node}`)],
      message: `${called(guest)} exists on ${guest.row.node} and no declared source names it`,
      guests: [guest],
      clusters: [guest.cluster],
      changes: [guest.row.since.presence, gone === 0 ? FIRST_LOOK : { after: null, before: gone }],
      swallowers: [],
    });
  },
};

/** While a source that declares guests or addresses is out of reach, nothing is called undeclared. */
export function isDeclaringUnreachable(world: World): boolean {
  return world.view.declarations.some(
    ({ declaresGuests, declaresAddresses, state }) =>
      (declaresGuests || declaresAddresses) && state.kind === 'unreachable',
  );
}

/**
 * A row that does not say where its guest is may bind to this one by an address, a VM that is not tied yet by a MAC, and
 * a row that cannot be read may carry one of its addresses: as long as those are not read, nobody knows.
 */
function mayYetBeNamed(world: World, guest: GuestView): Verdict | undefined {
  const loose = (world.binding.byVmid.get(guest.vmid) ?? []).filter(
    ({ placement, row }) => placement.kind === 'anywhere' && row.addresses.length > 0,
  );
  const { unreadable, untied } = world.binding;
  if (loose.length === 0 && unreadable.addresses.size === 0 && untied.size === 0) return undefined;
  return addressDoubt(world, guest, Math.max(0, ...loose.map(({ row }) => row.since.before ?? 0)));
}

function isNamedUnreadably(world: World, guest: GuestView): boolean {
  const { names, addresses } = world.binding.unreadable;
  const { untied } = world.binding;
  const name = guest.row.name === null ? null : bareName(guest.row.name);
  return (
    (name !== null && (names.has(name) || untied.has(`${guest.cluster}/${name}`))) ||
    guest.carried.some((c) => addresses.has(c.address) || untied.has(`${guest.cluster}/${c.address}`))
  );
}

/** Whether a row says that its guest is there now, and so may be missed. */
export function declaresPresence({ row }: Row): boolean {
  return row.status === null || (row.status.means !== 'planned' && row.status.means !== 'retired');
}
