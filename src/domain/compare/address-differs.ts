import { compareAddresses, type Family, familyOf, type IpAddress } from '../address.js';
import type { CarriedAddress } from '../carried.js';
import { isVrrpMac } from '../mac.js';
import type { ChangeInterval } from '../time.js';
import type { GuestView } from '../view.js';
import { addressSubject } from './address-subject.js';
import type { Row } from './binding.js';
import { agreesOn, unsaid } from './said.js';
import { isWithinScope } from './scopes.js';
import { declaredSet } from './spoken.js';
import { addressEvidence, called, guestSubject, idOf, missingIds, so } from './telling.js';
import {
  AGREED,
  AGREES,
  addressDoubt,
  type Bound,
  DOUBT,
  doubt,
  isDynamic,
  isVirtual,
  type Rule,
  readAfterStart,
  sinceOf,
  type World,
} from './world.js';

const FIELDS = { 4: 'address4', 6: 'address6' } as const;

function familyOfField(field: string): Family {
  return field === 'address6' ? 6 : 4;
}

interface Expected {
  readonly address: IpAddress;
  /** The scope that its declaration names; null: whichever the guest carries it in. */
  readonly scope: string | null;
}

interface DeclaredFor {
  readonly rows: readonly Row[];
  readonly expected: readonly Expected[];
}

/** What the winning source among a guest's rows says of a family, virtual addresses included: all of its rows together. */
function saidFor(bound: readonly Row[], family: Family): DeclaredFor {
  const sets = declaredSet(bound, family);
  const source = sets[0]?.row.source;
  const own = sets.filter((set) => set.row.source === source);
  return {
    rows: own.map((set) => set.row),
    expected: own.flatMap(({ row, addresses }) =>
      addresses.map((address) => ({ address, scope: scopeNamed(row, address) })),
    ),
  };
}

/** What the winning source declares for a guest and family. */
function declaredFor(world: World, guest: GuestView, family: Family): DeclaredFor {
  const { rows, expected } = saidFor(world.binding.byGuest.get(guest.id) ?? [], family);
  return {
    rows,
    expected: expected.filter(({ address, scope }) => world.classOf(address, [], scope ?? undefined) !== 'virtual'),
  };
}

function scopeNamed({ vm }: Row, address: IpAddress): string | null {
  return vm?.addresses.find((one) => one.address === address)?.scope ?? null;
}

/** Equal text in two scopes is two addresses. */
function isThatOf({ address, scope }: Expected, carried: CarriedAddress): boolean {
  return carried.address === address && (scope === null || isWithinScope(carried.scope, scope));
}

/** Whether a guest carries one of these as its own. */
function carriesOne(world: World, guest: GuestView, expected: readonly Expected[]): boolean {
  return expected.some((one) =>
    guest.carried.some((c) => isThatOf(one, c) && !isVirtual(world, c.address, [{ guest, carried: c }])),
  );
}

/** What its rows set aside or lease to it: declared for it all the same. */
function alsoDeclared(rows: readonly Row[]): readonly Expected[] {
  return rows.flatMap(({ vm }) => vm?.addresses.filter((one) => one.reserved || one.dynamic) ?? []);
}

/** An address as people know it: with its scope where the guest carries the same text in another one. */
function textOf({ address, scope }: Expected, guest: GuestView): string {
  return scope !== null && guest.carried.some((c) => c.address === address)
    ? addressSubject(scope, address).id
    : address;
}

/**
 * What a guest carries of what its rows declare: one address of each family that they declare, or none where nothing of
 * its own is seen of that family. undefined: they differ.
 */
function agreeingOn({ guest, rows }: Bound, families: readonly Family[]): readonly IpAddress[] | undefined {
  const agreed: IpAddress[] = [];
  for (const family of families) {
    const { expected } = saidFor(rows, family);
    // A MAC of VRRP makes an address virtual by itself.
    const isOwn = (c: CarriedAddress) => c.mac === null || !isVrrpMac(c.mac);
    const own = guest.carried.find((c) => isOwn(c) && expected.some((one) => isThatOf(one, c)));
    if (own !== undefined) agreed.push(own.address);
    else if (guest.carried.some((c) => c.family === family && !c.dynamic)) return undefined;
  }
  return agreed;
}

export const addressDiffers: Rule = {
  kind: 'ADDRESS_DIFFERS',

  *candidates(_, restless) {
    for (const { guest, rows } of restless) {
      if (guest.carried.length === 0) continue;
      for (const family of [4, 6] as const) {
        const declared = rows.some(({ row }) => row.addresses.some((address) => familyOf(address) === family));
        if (declared) yield { subject: guestSubject(guest), field: FIELDS[family] };
      }
    }
  },

  agreement(bound) {
    const { guest, rows } = bound;
    const families = ([4, 6] as const).filter((family) => declaredSet(rows, family).length > 0);
    if (families.length === 0 || guest.carried.length === 0 || guest.row.template) return AGREED;
    const ranFor = readAfterStart(guest, sinceOf(rows.map(({ row }) => row.since)));
    const addresses = ranFor === undefined ? undefined : agreeingOn(bound, families);
    return ranFor === undefined || addresses === undefined ? undefined : { addresses, ranFor };
  },

  judge(world, subject, field) {
    const guest = world.view.guests.get(subject.id);
    if (guest === undefined || guest.row.template) return AGREES;
    const family = familyOfField(field);
    const { rows, expected } = declaredFor(world, guest, family);
    const [winner] = rows;
    const bound = world.binding.byGuest.get(guest.id) ?? [];
    // A garbled cell of a source that has the word before it, or in it: what it would say, nobody knows.
    const last = winner === undefined ? -1 : bound.findLastIndex((row) => row.source === winner.source);
    const spoken = last < 0 ? bound : bound.slice(0, last + 1);
    if (spoken.some((row) => row.row.unreadable.includes('addresses'))) return DOUBT;
    if (winner === undefined || expected.length === 0)
      return bound.some((row) => row.source.state.kind === 'unreachable') ? DOUBT : AGREES;
    if (winner.source.state.kind !== 'covered') return DOUBT;
    const since = Math.max(...rows.map((row) => row.row.since.before ?? 0));
    const wait = addressDoubt(world, guest, since);
    if (wait !== undefined) return wait;
    const sources = bound.map((row) => row.source);
    const asks = unsaid(world, sources, guest.key, sinceOf([guest.row.since.presence, changeOf(guest)]));
    if (carriesOne(world, guest, expected) || carriesOne(world, guest, alsoDeclared(rows)))
      return agreesOn(world, idOf('ADDRESS_DIFFERS', guest.id, field), asks);
    const carried = guest.carried.filter(
      (c) => c.family === family && !isVirtual(world, c.address, [{ guest, carried: c }]),
    );
    const own = carried.filter((c) => !isDynamic(world, c));
    if (own.length === 0) return agreesOn(world, idOf('ADDRESS_DIFFERS', guest.id, field), asks);
    if (asks.length > 0) return doubt(asks);
    const observed = [...new Set(own.map((c) => c.address))].sort(compareAddresses).join(', ');
    const sorted = [...expected].sort((a, b) => compareAddresses(a.address, b.address));
    const declared = [...new Set(sorted.map((one) => textOf(one, guest)))].join(', ');
    const conflict = declaredSet(bound, family).some((set) =>
      set.addresses.some((a) => own.some((c) => c.address === a)),
    );
    return so(world, {
      kind: 'ADDRESS_DIFFERS',
      subject,
      field,
      declared,
      observed,
      declaredBy: declaredSet(bound, family).flatMap((set) =>
        set.addresses.map((value) => ({
          field,
          value,
          source: set.row.source.name,
          location: set.row.row.location,
          wins: rows.includes(set.row),
        })),
      ),
      evidence: own.flatMap((c) => addressEvidence(guest, c)),
      message: `${called(guest)} carries ${observed}, declared ${declared} at ${winner.row.location}`,
      guests: [guest],
      clusters: [guest.cluster],
      changes: [changeOf(guest), ...rows.map((row) => row.row.since)],
      swallowers: [
        [...missingIds(guest.key, guest.vmid), ...(conflict ? [idOf('DECLARATIONS_CONFLICT', guest.key, field)] : [])],
      ],
    });
  },
};

/** When the part that tells a guest's addresses last changed. */
export function changeOf(guest: GuestView): ChangeInterval {
  const { config, addresses } = guest.changed;
  if (guest.interfaces === null) return config;
  return (addresses.before ?? 0) >= (config.before ?? 0) ? addresses : config;
}
