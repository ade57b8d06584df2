import { isOmitted } from '../domain/contract.js';
import { collectorOf, scheduledStates, sourceStale } from '../domain/coverage.js';
import { type Instant, SECOND } from '../domain/time.js';
import type { SourceState } from '../domain/version.js';
import type { InventoryView } from '../domain/view.js';
import type { NewLogEvent, Store } from '../store/store.js';

interface Needs {
  readonly store: Pick<Store, 'transaction'>;
  view(): InventoryView;
  now(): Instant;
}

const LOOK_EVERY = 5 * SECOND;
const markOf = (source: string) => `stale:${source}`;
const STALE = '1';
const FRESH = '';

/**
 * Tells once when a source has been silent for longer than its contract allows, and once when it speaks again. Which of
 * the two was told last is kept in the store, so that neither restarts nor replicas tell it twice.
 */
export class Staleness {
  readonly #needs: Needs;
  /** What is known to have been told, so that a quiet estate costs no question. */
  readonly #told = new Map<string, boolean>();
  #lookedAt = 0;
  #looking = false;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** Looks at every source, a few seconds after the last look at the earliest. */
  async look(): Promise<void> {
    const now = this.#needs.now();
    if (this.#looking || now - this.#lookedAt < LOOK_EVERY) return;
    this.#looking = true;
    this.#lookedAt = now;
    try {
      const view = this.#needs.view();
      for (const state of scheduledStates(view)) {
        // What is left out while it fails has not failed: nobody is told of it, nor that it is back.
        if (isOmitted(view.contract, collectorOf(state))) continue;
        // A source that never answered is new, not stale: its outcome says so already.
        const isStale = state.firstSuccessAt !== null && sourceStale(state, view, now);
        if (this.#told.get(state.source) !== isStale) await this.#tell(state, isStale, now);
      }
    } finally {
      this.#looking = false;
    }
  }

  async #tell(state: SourceState, isStale: boolean, at: Instant): Promise<void> {
    const { source } = state;
    const next = isStale ? STALE : FRESH;
    await this.#needs.store.transaction(async (tx) => {
      const before = (await tx.marks.get(markOf(source))) ?? FRESH;
      if (before === next) return;
      await tx.marks.put(markOf(source), next);
      await tx.events.append([stalenessEvent(state, isStale, at)]);
    });
    this.#told.set(source, isStale);
  }
}

function stalenessEvent(state: SourceState, isStale: boolean, at: Instant): NewLogEvent {
  const { source, lastSuccessAt, reason } = state;
  return {
    topic: isStale ? 'collector.stale' : 'collector.recovered',
    at,
    subject: { kind: 'SOURCE', id: source },
    payload: { source, collector: collectorOf(state), lastSuccessAt, reason: isStale ? reason : null },
  };
}
