import type { CollectorName } from '../domain/contract.js';
import type { Instant } from '../domain/time.js';
import type { RunMode } from './source.js';

/** A run as a caller sees it. */
export interface RunView {
  readonly id: string;
  readonly collector: CollectorName | null;
  readonly source: string;
  readonly mode: RunMode;
  readonly state: 'RUNNING' | 'FINISHED';
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly outcome: 'OBSERVED' | 'UNREACHABLE' | 'DISABLED' | null;
  readonly reason: string | null;
  readonly requests: number;
  readonly coverage: { readonly rows: number; readonly parts: number; readonly failed: number } | null;
}

/** A run of a collector that the contract names. */
export type CollectorRun = RunView & { readonly collector: CollectorName };

export function isCollectorRun(run: RunView): run is CollectorRun {
  return run.collector !== null;
}

export interface CollectorEvent {
  readonly type: 'STARTED' | 'PROGRESS' | 'FINISHED';
  readonly at: Instant;
  readonly run: CollectorRun;
  /** Parts read so far, and of how many; null but for PROGRESS. */
  readonly done: number | null;
  readonly total: number | null;
}

/** Events nobody keeps: sent to who listens now. A listener that does not keep up loses the oldest. */
export class LiveEvents {
  readonly #listeners = new Set<(event: CollectorEvent) => void>();

  tell(event: CollectorEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  async *follow(signal: AbortSignal): AsyncGenerator<CollectorEvent> {
    const waiting: CollectorEvent[] = [];
    let wake = () => {};
    const listener = (event: CollectorEvent) => {
      if (waiting.length >= 1_000) waiting.shift();
      waiting.push(event);
      wake();
    };
    const onAbort = () => wake();
    this.#listeners.add(listener);
    signal.addEventListener('abort', onAbort);
    try {
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener('abort', onAbort);
    }
  }
}
