import type { DeclaredFact, FindingId } from '../finding.js';
import type { ChangeInterval } from '../time.js';
import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import type { NodeNames } from './names.js';
import { unsaid } from './said.js';
import { speaksOf } from './spoken.js';
import { called, guestSubject, idOf, missingIds, rowEvidence, so } from './telling.js';
import {
  AGREED,
  AGREES,
  type Ask,
  type Bound,
  DOUBT,
  type Rule,
  rowDoubt,
  sinceOf,
  type Verdict,
  type World,
} from './world.js';

type Field = 'name' | 'node' | 'status';

/** The rows that say something of a field, first in precedence first. */
function rowsSaying({ guest, rows }: Bound, nodes: NodeNames, field: Field): readonly Row[] {
  const says = (row: Row) => row.row[field] !== null && speaksOf(row, field) && !isGarbled(nodes, guest, row, field);
  // Nearly every guest has one row: no list is made for it.
  return rows.every(says) ? rows : rows.filter(says);
}

/** A cell that is there and says nothing: it cannot be read, or names a node that the cluster does not have. */
function isGarbled(nodes: NodeNames, guest: GuestView, { row }: Row, field: Field): boolean {
  if (row.unreadable.includes(field)) return true;
  return field === 'node' && row.node !== null && nodes.in(guest.cluster, row.node) === undefined;
}

/** Whether a row that would have the word before `winner` (or any, where there is none) has a garbled cell: then nobody knows what wins. */
function mayBeOverruled({ guest, rows }: Bound, nodes: NodeNames, field: Field, winner: Row | undefined): boolean {
  const first = winner === undefined ? rows.length : rows.indexOf(winner);
  return rows.slice(0, first).some((row) => isGarbled(nodes, guest, row, field));
}

function factsOf(rows: readonly Row[], field: Field): readonly DeclaredFact[] {
  return rows.map(({ row, source }, i) => {
    const value = field === 'status' ? (row.status?.word ?? '') : (row[field] ?? '');
    return { field, value, source: source.name, location: row.location, wins: i === 0 };
  });
}

/** What would already tell a difference of a field: the guest's being missing, or the declarations' own contradiction. */
function swallowersOf(guest: GuestView, field: string, observedIsDeclared: boolean): readonly (readonly FindingId[])[] {
  const conflict = idOf('DECLARATIONS_CONFLICT', guest.key, field);
  return [[...missingIds(guest.key, guest.vmid), ...(observedIsDeclared ? [conflict] : [])]];
}

interface FieldRule {
  /** Whether the rows that say something, the winner first, are held to be right without further question. */
  readonly agrees: (bound: Bound, nodes: NodeNames, winner: Row, rows: readonly Row[]) => boolean;
  /** The verdict once both sides may be held against each other. */
  readonly compared: (world: World, guest: GuestView, winner: Row, rows: readonly Row[]) => Verdict;
}

/** A rule over one field of a guest. */
export function fieldRule(kind: Rule['kind'], field: Field, { agrees, compared }: FieldRule): Rule {
  return {
    kind,
    *candidates(_, restless) {
      // Where no row says anything of the field, `judge` finds that soon enough.
      for (const { guest } of restless) yield { subject: guestSubject(guest), field };
    },
    agreement(bound, nodes) {
      const rows = rowsSaying(bound, nodes, field);
      const [winner] = rows;
      return winner === undefined || agrees(bound, nodes, winner, rows) ? AGREED : undefined;
    },
    judge(world, subject) {
      const guest = world.view.guests.get(subject.id);
      if (guest === undefined) return AGREES;
      const { nodes, byGuest } = world.binding;
      const bound = { guest, rows: byGuest.get(guest.id) ?? [] };
      const rows = rowsSaying(bound, nodes, field);
      const [winner] = rows;
      if (mayBeOverruled(bound, nodes, field, winner)) return DOUBT;
      if (winner === undefined) return isDeclaredOutOfReach(world, guest) ? DOUBT : AGREES;
      if (winner.source.state.kind !== 'covered') return DOUBT;
      return rowDoubt(world, guest, winner.row.since.before ?? 0) ?? compared(world, guest, winner, rows);
    },
  };
}

/** Sources of the guest's rows that are to be asked first, where what is observed has changed since they were read. */
export function toBeAsked(world: World, guest: GuestView, changes: readonly ChangeInterval[]): readonly Ask[] {
  const sources = (world.binding.byGuest.get(guest.id) ?? []).map(({ source }) => source);
  return unsaid(world, sources, guest.key, sinceOf([guest.row.since.presence, ...changes]));
}

/** The guest's rows say nothing of the field any more, but one of them is not in reach. */
function isDeclaredOutOfReach(world: World, guest: GuestView): boolean {
  const rows = world.binding.byGuest.get(guest.id) ?? [];
  return rows.some((row) => row.source.state.kind === 'unreachable');
}

export function fieldDiffers(
  world: World,
  guest: GuestView,
  rows: readonly Row[],
  what: {
    kind: Rule['kind'];
    field: Field;
    declared: string;
    observed: string;
    observedIsDeclared: boolean;
    changed: ChangeInterval;
    text: string;
  },
): Verdict {
  const [winner] = rows;
  return so(world, {
    kind: what.kind,
    subject: guestSubject(guest),
    field: what.field,
    declared: what.declared,
    observed: what.observed,
    declaredBy: factsOf(rows, what.field),
    evidence: [rowEvidence(world, guest, what.text)],
    message: `${called(guest)}: ${what.field} is ${what.observed}, declared ${what.declared} at ${winner?.row.location}`,
    guests: [guest],
    clusters: [guest.cluster],
    changes: [what.changed, ...(winner === undefined ? [] : [winner.row.since])],
    swallowers: swallowersOf(guest, what.field, what.observedIsDeclared),
  });
}
