import { compareAddresses, type Family, familyOf, type IpAddress } from '../address.js';
import type { ChangeInterval } from '../time.js';
import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import { declaredSet } from './spoken.js';
import {
  AGREES,
  addressDoubt,
  addressEvidence,
  called,
  DOUBT,
  guestSubject,
  idOf,
  isDynamic,
  isVirtual,
  missingIds,
  type Rule,
  so,
  type World,
} from './world.js';

const FIELDS = { 4: 'address4', 6: 'address6' } as const;

function familyOfField(field: string): Family {
  return field === 'address6' ? 6 : 4;
}

/** What the winning source declares for a guest and family: all of its rows together. */
export function declaredFor(
  world: World,
  guest: GuestView,
  family: Family,
): { rows: readonly Row[]; addresses: readonly IpAddress[] } {
  const sets = declaredSet(world.binding.byGuest.get(guest.id) ?? [], family);
  const source = sets[0]?.row.source;
  const own = sets.filter((set) => set.row.source === source);
  return {
    rows: own.map((set) => set.row),
    addresses: own.flatMap((set) => set.addresses).filter((a) => !isVirtual(world, a)),
  };
}

export const addressDiffers: Rule = {
  kind: 'ADDRESS_DIFFERS',

  *candidates(world) {
    for (const [id, rows] of world.binding.byGuest) {
      const guest = world.view.guests.get(id);
      if (guest === undefined || guest.carried.length === 0) continue;
      for (const family of [4, 6] as const) {
        const declared = rows.some(({ row }) => row.addresses.some((address) => familyOf(address) === family));
        if (declared) yield { subject: guestSubject(guest), field: FIELDS[family] };
      }
    }
  },

  judge(world, subject, field) {
    const guest = world.view.guests.get(subject.id);
    if (guest === undefined || guest.row.template) return AGREES;
    const family = familyOfField(field);
    const { rows, addresses } = declaredFor(world, guest, family);
    const [winner] = rows;
    const bound = world.binding.byGuest.get(guest.id) ?? [];
    // A garbled cell of a source that has the word before it, or in it: what it would say, nobody knows.
    const last = winner === undefined ? -1 : bound.findLastIndex((row) => row.source === winner.source);
    const spoken = last < 0 ? bound : bound.slice(0, last + 1);
    if (spoken.some((row) => row.row.unreadable.includes('addresses'))) return DOUBT;
    if (winner === undefined || addresses.length === 0)
      return bound.some((row) => row.source.state.kind === 'unreachable') ? DOUBT : AGREES;
    if (winner.source.state.kind !== 'covered') return DOUBT;
    const since = Math.max(...rows.map((row) => row.row.since.before ?? 0));
    const wait = addressDoubt(world, guest, since);
    if (wait !== undefined) return wait;
    const isCarried = (address: IpAddress) =>
      guest.carried.some((c) => c.address === address && !isVirtual(world, address, [{ guest, carried: c }]));
    if (addresses.some(isCarried)) return AGREES;
    const carried = guest.carried.filter(
      (c) => c.family === family && !isVirtual(world, c.address, [{ guest, carried: c }]),
    );
    const own = carried.filter((c) => !isDynamic(world, c));
    if (own.length === 0) return AGREES;
    const observed = [...new Set(own.map((c) => c.address))].sort(compareAddresses).join(', ');
    const declared = [...new Set(addresses)].sort(compareAddresses).join(', ');
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
