import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from '../collection/collection.js';
import type { CollectedSource } from '../collection/source.js';
import { DomainError } from '../domain/errors.js';
import { MINUTE, SECOND } from '../domain/time.js';
import type { KeptPolicy } from '../domain/view.js';
import type { Replica } from '../inventory/replica.js';

interface Needs {
  readonly collection: Pick<Collection, 'configure' | 'collectNow'>;
  readonly replica: Pick<Replica, 'view' | 'catchUp'>;
  readonly source: CollectedSource;
}

const LOOK_EVERY = SECOND / 4;
/** Of several replicas that start together one reads; the others wait so long for its word. */
const PATIENCE = 15 * SECOND;
/** One that cannot be used and follows nothing may have been mended a moment ago, and be under way. */
const MENDED_WITHIN = 3 * SECOND;

/** The policy as it is at a start: read here, or by whichever replica holds the file's lock. */
export async function firstPolicy({ collection, replica, source }: Needs): Promise<KeptPolicy> {
  const [patience, mending] = [AbortSignal.timeout(PATIENCE), AbortSignal.timeout(MENDED_WITHIN)];
  await collection.configure([source]);
  for (;;) {
    const isReadHere = (await collection.collectNow([source.source], AbortSignal.timeout(MINUTE))).length > 0;
    await replica.catchUp();
    const kept = replica.view().policy;
    const isLookedAt = kept !== null && kept.state.lastAttemptAt !== null;
    if (isLookedAt && (isReadHere || mending.aborted || isUsable(kept))) return kept;
    if (patience.aborted) {
      throw new DomainError('UNAVAILABLE', 'another replica is the one to read policy.yaml, and has not done so yet');
    }
    await sleep(LOOK_EVERY);
  }
}

function isUsable({ state, taken }: KeptPolicy): boolean {
  return taken !== null || state.outcome === 'NEVER';
}
