import type { Family, IpAddress } from '../address.js';
import type { DeclaredFact, Subject } from '../finding.js';
import type { GuestView } from '../view.js';
import { declaredTwice, keyConflicts, oneAddressTwoGuests, oneKeyTwoValues } from './address-conflicts.js';
import type { Row } from './binding.js';
import { bareName, type NodeNames } from './names.js';
import { declaresPresence } from './presence.js';
import { agreesOn, olderWords, unsaid } from './said.js';
import { declaredSet, speaksOf } from './spoken.js';
import { called, idOf, so } from './telling.js';
import {
  AGREED,
  AGREES,
  type Bound,
  DOUBT,
  doubt,
  isVirtual,
  type Rule,
  sinceOf,
  type Verdict,
  type World,
} from './world.js';

const GUEST_FIELDS = ['name', 'node', 'status', 'address4', 'address6'] as const;
type GuestField = (typeof GUEST_FIELDS)[number];

interface Said {
  readonly row: Row;
  /** What it comes to, for comparing; several where it declares a set. */
  readonly means: readonly string[];
  readonly value: string;
}

/**
 * What the rows bound to a guest say of one field; planned and retired rows take no part in a conflict, nor does an address
 * that `isShared` by several in turn.
 */
function saying(
  { guest, rows: bound }: Bound,
  nodes: NodeNames,
  field: GuestField,
  isShared: (address: IpAddress) => boolean,
): readonly Said[] {
  const rows = bound.filter(declaresPresence);
  if (field === 'address4' || field === 'address6') return addressSets(rows, field === 'address4' ? 4 : 6, isShared);
  return rows.flatMap((row): readonly Said[] => {
    if (!speaksOf(row, field)) return [];
    const { name, node, status } = row.row;
    if (field === 'name') return name === null ? [] : [{ row, means: [bareName(name)], value: name }];
    if (field === 'node') {
      const meant = node === null ? undefined : nodes.in(guest.cluster, node);
      return meant === undefined || node === null ? [] : [{ row, means: [meant.name], value: node }];
    }
    return status === null || status.means === 'unclear' ? [] : [{ row, means: [status.means], value: status.word }];
  });
}

/** A row's addresses of one family are a set; two rows conflict when their sets share nothing. */
function addressSets(rows: readonly Row[], family: Family, isShared: (address: IpAddress) => boolean): readonly Said[] {
  return declaredSet(rows, family).flatMap(({ row, addresses }): readonly Said[] => {
    const means = addresses.filter((address) => !isShared(address));
    return means.length === 0 ? [] : [{ row, means, value: means.join(', ') }];
  });
}

function contradicts(a: Said, b: Said): boolean {
  return !a.means.some((value) => b.means.includes(value));
}

function factsOf(said: readonly Said[], field: string): readonly DeclaredFact[] {
  return said.map(({ row, value }, i) => ({
    field,
    value,
    source: row.source.name,
    location: row.row.location,
    wins: i === 0,
  }));
}

export const declarationsConflict: Rule = {
  kind: 'DECLARATIONS_CONFLICT',

  *candidates(world, restless) {
    for (const { guest, rows } of restless) {
      if (rows.length < 2) continue;
      for (const field of GUEST_FIELDS) yield { subject: { kind: 'GUEST', id: guest.key }, field };
    }
    for (const vmid of world.binding.ambiguous.keys())
      yield { subject: { kind: 'GUEST', id: `*/${vmid}` }, field: 'cluster' };
    for (const subject of declaredTwice(world)) yield { subject, field: 'guest' };
    for (const { subject, field } of keyConflicts(world)) yield { subject, field };
  },

  agreement(bound, nodes) {
    if (bound.rows.length < 2) return AGREED;
    const addresses: IpAddress[] = [];
    for (const field of GUEST_FIELDS) {
      const [first, ...others] = saying(bound, nodes, field, () => false);
      if (first === undefined || others.length === 0) continue;
      // One value that all of them mean: for addresses, as long as that one counts.
      const common = first.means.find((value) => others.every(({ means }) => means.includes(value)));
      if (common === undefined) return undefined;
      if (field === 'address4' || field === 'address6') addresses.push(common as IpAddress);
    }
    return { addresses, ranFor: Number.POSITIVE_INFINITY };
  },

  judge(world, subject, field) {
    if (subject.kind === 'ADDRESS')
      return field === 'guest' ? oneAddressTwoGuests(world, subject) : oneKeyTwoValues(world, subject, field);
    return field === 'cluster' ? fitsSeveral(world, subject) : withinGuest(world, subject, field as GuestField);
  },
};

function withinGuest(world: World, subject: Subject, field: GuestField): Verdict {
  const guest = world.view.guestsByKey.get(subject.id);
  if (guest === undefined) return AGREES;
  const { nodes, byGuest } = world.binding;
  const said = saying({ guest, rows: byGuest.get(guest.id) ?? [] }, nodes, field, (one) => isVirtual(world, one));
  const contradiction = said.some((one, i) => said.slice(i + 1).some((other) => contradicts(one, other)));
  const asks =
    contradiction || said.length > 1
      ? olderWords(
          world,
          said.map(({ row }) => row),
          guest.key,
        )
      : [];
  if (!contradiction) {
    const id = idOf('DECLARATIONS_CONFLICT', subject.id, field);
    return outOfReach(world, guest, field) ? DOUBT : agreesOn(world, id, asks);
  }
  if (said.some(({ row }) => row.source.state.kind !== 'covered') || !world.coverage.cluster(guest.cluster))
    return DOUBT;
  if (asks.length > 0) return doubt(asks);
  const values = [...new Set(said.map((one) => one.value))];
  return so(world, {
    kind: 'DECLARATIONS_CONFLICT',
    subject,
    field,
    declared: values.join(' | '),
    observed: null,
    declaredBy: factsOf(said, field),
    evidence: [],
    message: `${called(guest)}: ${field} is declared ${said.map((one) => `${one.value} (${one.row.row.location})`).join(' and ')}`,
    guests: [guest],
    clusters: [guest.cluster],
    changes: said.map(({ row }) => row.row.since),
    swallowers: [],
  });
}

/** A row of the guest is not in reach, or its cell is there and cannot be read: what it would say, nobody knows. */
function outOfReach(world: World, guest: GuestView, field: GuestField): boolean {
  const cell = field === 'address4' || field === 'address6' ? 'addresses' : field;
  return (world.binding.byGuest.get(guest.id) ?? []).some(
    ({ source, row }) =>
      source.state.kind !== 'covered' ||
      row.unreadable.includes(cell) ||
      (field === 'node' && row.node !== null && world.binding.nodes.in(guest.cluster, row.node) === undefined),
  );
}

/** A row that fits guests of several clusters: which one it means, nobody can tell. */
function fitsSeveral(world: World, subject: Subject): Verdict {
  const vmid = Number(subject.id.slice(2));
  const [found] = world.binding.ambiguous.get(vmid) ?? [];
  if (found === undefined) return AGREES;
  const { row, guests } = found;
  if (row.source.state.kind !== 'covered' || guests.some((guest) => !world.coverage.cluster(guest.cluster)))
    return DOUBT;
  const asks = guests.flatMap(({ key, row: listed }) =>
    unsaid(world, [row.source], key, sinceOf([listed.since.presence])),
  );
  if (asks.length > 0) return doubt(asks);
  return so(world, {
    kind: 'DECLARATIONS_CONFLICT',
    subject,
    field: 'cluster',
    declared: row.row.text,
    observed: guests.map((guest) => guest.key).join(', '),
    declaredBy: [
      { field: 'vmid', value: row.row.text, source: row.source.name, location: row.row.location, wins: true },
    ],
    evidence: [],
    message: `${row.row.location}: VMID ${vmid} fits ${guests.map(called).join(' and ')}; name its cluster or node`,
    guests,
    clusters: [...new Set(guests.map((guest) => guest.cluster))],
    changes: [row.row.since],
    swallowers: [],
  });
}
