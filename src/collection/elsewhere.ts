import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Instant } from '../domain/time.js';
import type { Store } from '../store/store.js';
import type { RunView } from './live-events.js';
import type { Running } from './runner.js';
import type { CollectedSource } from './source.js';

interface Needs {
  readonly store: Pick<Store, 'transaction' | 'runs'>;
  now(): Instant;
}

const LOOK_EVERY = 250;

/** A full pass that was asked for and has not begun. */
export function expectedRun(source: CollectedSource, startedAt: Instant): RunView {
  return {
    id: randomUUID(),
    collector: source.collector,
    source: source.source,
    mode: 'ON_DEMAND',
    state: 'RUNNING',
    startedAt,
    finishedAt: null,
    outcome: null,
    reason: null,
    requests: 0,
    coverage: null,
  };
}

/** Asks the replica that holds a source for a full pass, through the store, and waits for the run that it keeps. */
export function runElsewhere({ store, now }: Needs, source: CollectedSource, signal: AbortSignal): Running {
  let view = expectedRun(source, now());
  async function wait(): Promise<RunView> {
    const before = await store.runs.latest(source.source);
    await store.transaction((tx) => tx.asks.add(source.source, [{ part: 'all', key: '' }]));
    for (;;) {
      await sleep(LOOK_EVERY, undefined, { signal });
      const run = await store.runs.latest(source.source);
      if (run === undefined || run.id === before?.id || run.mode === 'POLL') continue;
      view = { ...run, collector: source.collector, state: 'FINISHED' };
      return view;
    }
  }
  const done = wait();
  // Whoever asked may have gone by the time it fails.
  done.catch(() => undefined);
  return { mode: 'ON_DEMAND', current: () => view, done };
}
