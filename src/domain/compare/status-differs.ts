import { type ChangeInterval, DAY } from '../time.js';
import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import { fieldDiffers, fieldRule, toBeAsked } from './field-rule.js';
import { agreesOn } from './said.js';
import { idOf } from './telling.js';
import { AGREES, DOUBT, doubt, unsettledUntil, type Verdict, type World } from './world.js';

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
