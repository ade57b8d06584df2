import type { DeclaredFact, FindingId } from '../finding.js';
import { type ChangeInterval, DAY } from '../time.js';
import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import { givenName, type NodeNames, sameName } from './names.js';
import { agreesOn, unsaid } from './said.js';
import { speaksOf } from './spoken.js';
import {
  AGREED,
  AGREES,
  type Ask,
  type Bound,
  called,
  DOUBT,
  doubt,
  guestSubject,
  idOf,
  missingIds,
  type Rule,
  rowDoubt,
  rowEvidence,
  sinceOf,
  so,
  unsettledUntil,
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
function fieldRule(kind: Rule['kind'], field: Field, { agrees, compared }: FieldRule): Rule {
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
function toBeAsked(world: World, guest: GuestView, changes: readonly ChangeInterval[]): readonly Ask[] {
  const sources = (world.binding.byGuest.get(guest.id) ?? []).map(({ source }) => source);
  return unsaid(world, sources, guest.key, sinceOf([guest.row.since.presence, ...changes]));
}

/** The guest's rows say nothing of the field any more, but one of them is not in reach. */
function isDeclaredOutOfReach(world: World, guest: GuestView): boolean {
  const rows = world.binding.byGuest.get(guest.id) ?? [];
  return rows.some((row) => row.source.state.kind === 'unreachable');
}

function fieldDiffers(
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

function isCalled(guest: GuestView, { row }: Row): boolean {
  const name = givenName(guest);
  return name === null || sameName(name, row.name ?? '');
}

function compareName(world: World, guest: GuestView, winner: Row, rows: readonly Row[]): Verdict {
  const observed = givenName(guest);
  const declared = winner.row.name ?? '';
  if (guest.row.sparse || !world.coverage.quorate(guest.cluster)) return DOUBT;
  if (observed === null) return AGREES;
  const asks = toBeAsked(world, guest, [guest.row.since.name]);
  if (sameName(observed, declared)) return agreesOn(world, idOf('NAME_DIFFERS', guest.id, 'name'), asks);
  if (asks.length > 0) return doubt(asks);
  const observedIsDeclared = rows.some(({ row }) => row.name !== null && sameName(row.name, observed));
  const text = `named ${observed}`;
  return fieldDiffers(world, guest, rows, {
    kind: 'NAME_DIFFERS',
    field: 'name',
    declared,
    observed,
    observedIsDeclared,
    changed: guest.row.since.name,
    text,
  });
}

export const nameDiffers = fieldRule('NAME_DIFFERS', 'name', {
  agrees: ({ guest }, _, winner) => isCalled(guest, winner),
  compared: compareName,
});

function isUnderHa({ row }: GuestView): boolean {
  return row.ha !== null && row.ha !== 'ignored';
}

/** Under HA the manager places the guest; a declared node that is down or in maintenance cannot have it. */
function compareNode(world: World, guest: GuestView, winner: Row, rows: readonly Row[]): Verdict {
  const declared = world.binding.nodes.in(guest.cluster, winner.row.node ?? '');
  if (declared === undefined || !world.coverage.quorate(guest.cluster)) return DOUBT;
  const observed = guest.row.node;
  const asks = toBeAsked(world, guest, [guest.row.since.node]);
  if (declared.name === observed) return agreesOn(world, idOf('NODE_DIFFERS', guest.id, 'node'), asks);
  if (isUnderHa(guest)) return AGREES;
  if (declared.row.status !== 'ONLINE' || declared.row.maintenance) return DOUBT;
  const settles = unsettledUntil(
    world,
    [guest.row.since.node, winner.row.since, declared.row.since],
    world.policy.settle.node,
  );
  if (settles !== null || asks.length > 0) return doubt(asks, settles);
  const observedIsDeclared = rows.some(
    ({ row }) => world.binding.nodes.in(guest.cluster, row.node ?? '')?.name === observed,
  );
  const text = `on node ${observed}`;
  return fieldDiffers(world, guest, rows, {
    kind: 'NODE_DIFFERS',
    field: 'node',
    declared: declared.name,
    observed,
    observedIsDeclared,
    changed: guest.row.since.node,
    text,
  });
}

export const nodeDiffers = fieldRule('NODE_DIFFERS', 'node', {
  agrees: ({ guest }, nodes, winner) => {
    const declared = nodes.in(guest.cluster, winner.row.node ?? '');
    return declared === undefined || declared.name === guest.row.node || isUnderHa(guest);
  },
  compared: compareNode,
});

/** What a declared word expects of the power state; undefined where it does not clearly say. */
function expected(row: Row): 'RUNNING' | 'STOPPED' | undefined {
  switch (row.row.status?.means) {
    case 'running':
      return 'RUNNING';
    case 'stopped':
      return 'STOPPED';
    default:
      return undefined;
  }
}

/** Backups, clones and snapshots start, stop and pause guests; their lock excuses that for a day. Hibernation's does not. */
export function isExcused(world: World, guest: GuestView): boolean {
  const { lock, lockedSince } = guest.row;
  if (lock === null || lock === 'suspended') return false;
  return lockedSince === null || world.now - lockedSince < DAY;
}

/** What a status is so since: the row's word, a pause that only the power detail tells, and the end of a lock that excused it. */
export function powerChanges(guest: GuestView): readonly ChangeInterval[] {
  const { status, lock } = guest.row.since;
  const { power } = guest.changed;
  // Its very first reading told no change.
  const paused = guest.status === 'PAUSED' && guest.row.status !== 'PAUSED' && power.after !== null ? [power] : [];
  return [status, ...(lock === undefined ? [] : [lock]), ...paused];
}

interface Wanted {
  /** Where all its rows are retired ones, it should not run. */
  readonly onlyRetired: boolean;
  readonly speaking: readonly Row[];
  readonly winner: Row | undefined;
  readonly wants: 'RUNNING' | 'STOPPED' | undefined;
}

function wanted(bound: readonly Row[], first: Row, rows: readonly Row[]): Wanted {
  const speaking = rows.filter((row) => expected(row) !== undefined);
  const onlyRetired = bound.every(({ row }) => row.status?.means === 'retired');
  const winner = onlyRetired ? first : speaking[0];
  const wants = onlyRetired ? 'STOPPED' : winner === undefined ? undefined : expected(winner);
  return { onlyRetired, speaking, winner, wants };
}

function compareStatus(world: World, guest: GuestView, first: Row, rows: readonly Row[]): Verdict {
  const { onlyRetired, speaking, winner, wants } = wanted(world.binding.byGuest.get(guest.id) ?? [], first, rows);
  if (winner === undefined || guest.row.template) return AGREES;
  if (winner.source.state.kind !== 'covered' || guest.status === 'UNKNOWN') return DOUBT;
  const asks = toBeAsked(world, guest, powerChanges(guest));
  if (guest.status === wants) {
    // A paused guest is listed as running: without its node's power detail nobody knows which.
    if (wants === 'RUNNING' && guest.row.kind === 'QEMU' && !world.coverage.power(guest)) return DOUBT;
    return agreesOn(world, idOf('STATUS_DIFFERS', guest.id, 'status'), asks);
  }
  if (guest.status === 'PAUSED' && wants === 'RUNNING' && !world.coverage.power(guest)) return DOUBT;
  if (isExcused(world, guest)) return doubt([], guest.row.lockedSince === null ? null : guest.row.lockedSince + DAY);
  const settles = unsettledUntil(world, [...powerChanges(guest), winner.row.since], world.policy.settle.status);
  if (settles !== null || asks.length > 0) return doubt(asks, settles);
  const observedIsDeclared = speaking.some((row) => expected(row) === guest.status);
  const observed = guest.status.toLowerCase();
  const declared = onlyRetired ? 'retired' : (wants ?? '').toLowerCase();
  const text = `listed as ${observed}`;
  return fieldDiffers(world, guest, [winner, ...rows.filter((row) => row !== winner)], {
    kind: 'STATUS_DIFFERS',
    field: 'status',
    declared,
    observed,
    observedIsDeclared,
    changed: guest.row.since.status,
    text,
  });
}

export const statusDiffers = fieldRule('STATUS_DIFFERS', 'status', {
  agrees: ({ guest, rows: bound }, _, first, rows) => {
    const { winner, wants } = wanted(bound, first, rows);
    return winner === undefined || guest.row.template || guest.status === 'UNKNOWN' || guest.status === wants;
  },
  compared: compareStatus,
});
