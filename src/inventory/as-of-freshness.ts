import { DomainError } from '../domain/errors.js';
import { type Instant, MINUTE } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import type { RunRecord } from '../store/store.js';
import { clusterFreshness, freshness } from './freshness.js';
import type { Freshness } from './records.js';

/** The asker's clock may be ahead of ours. */
const AHEAD = MINUTE;

/** Refuses a moment that is still to come: nothing is known of it. */
export function refuseFuture(at: Instant, now: Instant): void {
  if (at <= now + AHEAD) return;
  const message = 'asOf lies in the future: ask for a moment up to now, or leave it out';
  throw new DomainError('VALIDATION_ERROR', message, { field: ['asOf'] });
}

/**
 * How fresh the word of a cluster was at a moment, as far as that is kept: an outage is, by its first failed poll (`run`, the
 * last that was written down until then); the moment of each good poll is not, but for the last of all.
 */
export function freshnessOfThen(
  view: InventoryView,
  cluster: string,
  run: RunRecord | undefined,
  at: Instant,
): Freshness {
  const known = view.clusters.get(cluster);
  const last = known?.state.lastSuccessAt ?? null;
  if (known !== undefined && (last === null || last <= at)) return clusterFreshness(view, known, at);
  if (run?.outcome !== 'UNREACHABLE') return freshness(null, false, null, at);
  const allowed = view.contract.collectors.proxmox_guest_ipam.staleAfterSeconds * 1_000;
  return freshness(null, at - run.startedAt > allowed, run.reason, at);
}
