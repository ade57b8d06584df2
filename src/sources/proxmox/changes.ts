import type { GuestRow } from '../../domain/guest.js';
import type { ObservedRow } from '../../domain/observation.js';
import { type Instant, MINUTE, SECOND } from '../../domain/time.js';

/** Whether the list shows that something of a guest is other than it was, so that its parts are read now and not in their turn. */
export function isChanged(before: GuestRow, row: ObservedRow, at: Instant): boolean {
  return (
    before.hidden ||
    before.kind !== row.kind ||
    before.node !== row.node ||
    statusDiffers(before, row) ||
    wasRestarted(before, row, at) ||
    before.lock !== row.lock ||
    (row.name !== undefined && before.name !== row.name) ||
    (row.template !== undefined && before.template !== row.template) ||
    (row.cores !== undefined && before.cores !== row.cores) ||
    (row.memoryBytes !== undefined && before.memoryBytes !== row.memoryBytes) ||
    tagsDiffer(before.tags, row.tags)
  );
}

/** In whatever order. Nearly always they come as they came before, and then nothing is sorted. */
function tagsDiffer(before: readonly string[], tags: readonly string[]): boolean {
  if (before.length === tags.length && tags.every((tag, i) => before[i] === tag)) return false;
  return [...before].sort().join(';') !== [...tags].sort().join(';');
}

/**
 * Whether the power detail of the guest's node may have changed with it. What locks a guest may pause it, and lets it run
 * again when it is done: the list calls both running.
 */
export function powerMayDiffer(before: GuestRow, row: ObservedRow): boolean {
  return before.node !== row.node || before.lock !== row.lock || statusDiffers(before, row);
}

/**
 * A row without statistics says nothing of power, so nothing changed. The list calls a paused guest running:
 * paused, as the power detail told it, and running are no difference here.
 */
function statusDiffers(before: GuestRow, row: ObservedRow): boolean {
  const listed = (status: GuestRow['status']) => (status === 'PAUSED' ? 'RUNNING' : status);
  return row.status !== 'UNKNOWN' && listed(before.status) !== listed(row.status);
}

/** Its uptime began anew. Less than a minute is only the clock's play. */
function wasRestarted(before: GuestRow, row: ObservedRow, at: Instant): boolean {
  if (row.status !== 'RUNNING' || before.startedAt === null || !row.uptimeSeconds) return false;
  return at - row.uptimeSeconds * SECOND - before.startedAt >= MINUTE;
}
