import type { Config } from '../config.js';
import { REDIS_TARGET } from '../domain/notify.js';
import type { Policy } from '../domain/policy.js';
import { HOUR, type Instant } from '../domain/time.js';
import type { Store } from '../store/store.js';
import type { Logger } from '../telemetry.js';

export interface HousekeepingNeeds {
  readonly store: Pick<Store, 'lock' | 'now' | 'events' | 'retention' | 'deliveries'>;
  retention(): Policy['retention'];
  /** Those that are told from the event log and have their place kept: what they were not told yet stays. */
  readers(): readonly string[];
  pruned(what: string, rows: number): void;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
}

/** The names under which places in the event log are kept: targets of the policy, and Redis where it is set. */
export function targetNames({ notify }: Pick<Policy, 'notify'>, { redisUrl }: Pick<Config, 'redisUrl'>): string[] {
  return [...notify.map(({ id }) => id), ...(redisUrl === null ? [] : [REDIS_TARGET])];
}

const EVERY = HOUR;
/** A reader that stands still longer than this many times what events are kept for holds nothing back any more. */
const MOST_PATIENCE = 2;

/**
 * Deletes what is older than the policy keeps: at the start and every hour, one gateway at a time, in small batches.
 * Returns the way to stop, which waits for the batch under way.
 */
export function startHousekeeping(needs: HousekeepingNeeds): () => Promise<void> {
  const stopping = new AbortController();
  let running: Promise<unknown> = Promise.resolve();
  const tidy = (): void => {
    running = running
      .then(() => (stopping.signal.aborted ? undefined : tidyOnce(needs, stopping.signal)))
      .catch((error: unknown) => {
        if (!stopping.signal.aborted)
          needs.log.error({ err: error }, 'old rows could not be deleted; it is tried again');
      });
  };
  tidy();
  const timer = setInterval(tidy, EVERY);
  timer.unref();
  return async () => {
    stopping.abort();
    clearInterval(timer);
    await running;
  };
}

/** One round. false: another gateway is at it. */
export async function tidyOnce(needs: HousekeepingNeeds, signal: AbortSignal): Promise<boolean> {
  const held = await needs.store.lock('housekeeping');
  if (held === undefined) return false;
  try {
    await prune(needs, AbortSignal.any([signal, held.lost]));
  } finally {
    await held.release();
  }
  return true;
}

async function prune(
  { store, retention, readers, pruned, log }: HousekeepingNeeds,
  signal: AbortSignal,
): Promise<void> {
  const now = await store.now();
  const kept = retention();
  const rows = {
    events: await pruneEvents({ store, readers, log }, now, kept.events, signal),
    runs: await store.retention.runs(now - kept.runs, signal),
    versions: await store.retention.versions(now - kept.versions, signal),
  };
  for (const [what, count] of Object.entries(rows)) pruned(what, count);
  if (Object.values(rows).some((count) => count > 0)) log.info({ rows }, 'deleted what is older than the policy keeps');
}

/**
 * The beginning of the log goes, but not what a webhook, mail or Redis was not told yet: a gateway that was off for months
 * still tells it. There is an end to that: at twice the time it goes all the same, and the log says who missed it.
 */
async function pruneEvents(
  { store, readers, log }: Pick<HousekeepingNeeds, 'store' | 'readers' | 'log'>,
  now: Instant,
  kept: number,
  signal: AbortSignal,
): Promise<number> {
  const behind = [...(await store.deliveries.states(readers()))].sort((a, b) => (a.cursor < b.cursor ? -1 : 1));
  const keepAfter = behind[0]?.cursor;
  const told = await store.events.prune(now - kept, { signal, ...(keepAfter !== undefined && { keepAfter }) });
  const untold = await store.events.prune(now - MOST_PATIENCE * kept, { signal });
  if (untold > 0) {
    const { resumableAfter } = await store.events.bounds();
    const who = behind.filter(({ cursor }) => cursor < resumableAfter).map(({ id }) => id);
    log.warn({ events: untold, readers: who }, 'events were deleted that these were never told');
  }
  return told + untold;
}
