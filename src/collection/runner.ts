import { randomUUID } from 'node:crypto';
import type { Instant } from '../domain/time.js';
import type { Batch, SourceState } from '../domain/version.js';
import type { InventoryView } from '../domain/view.js';
import type { RunRecord, Store } from '../store/store.js';
import { type CollectorEvent, isCollectorRun, LiveEvents, type RunView } from './live-events.js';
import { eventsOf, runEvent } from './log-events.js';
import type { AskedPart, CollectedSource, RunMode, RunResult } from './source.js';

export interface RunnerNeeds {
  readonly store: Pick<Store, 'transaction' | 'asks'>;
  view(): InventoryView;
  catchUp(): Promise<void>;
  /** Learns what was just committed. */
  learnOwn(batch: Batch, seq: bigint, follows: bigint): Promise<void>;
  now(): Instant;
  measured(run: {
    source: string;
    mode: string;
    outcome: string;
    reason: string | null;
    seconds: number;
    requests: number;
  }): void;
}

/** A run under way, and what it comes to. */
export interface Running {
  readonly mode: RunMode;
  current(): RunView;
  readonly done: Promise<RunView>;
}

/** Runs sources one pass at a time and writes what each saw in one transaction. */
export class Runner {
  readonly live = new LiveEvents();
  readonly #needs: RunnerNeeds;

  constructor(needs: RunnerNeeds) {
    this.#needs = needs;
  }

  start(source: CollectedSource, mode: RunMode, signal: AbortSignal): Running {
    const { now } = this.#needs;
    let view: RunView = {
      id: randomUUID(),
      collector: source.collector,
      source: source.source,
      mode,
      state: 'RUNNING',
      startedAt: now(),
      finishedAt: null,
      outcome: null,
      reason: null,
      requests: 0,
      coverage: null,
    };
    const tell = (type: CollectorEvent['type'], done: number | null = null, total: number | null = null) => {
      if (isCollectorRun(view)) this.live.tell({ type, at: now(), run: view, done, total });
    };
    tell('STARTED');
    const progress = (done: number, total: number) => tell('PROGRESS', done, total);
    const done = this.#run(source, mode, { id: view.id, startedAt: view.startedAt, progress, signal }).then(
      (record) => {
        view = { ...record, collector: source.collector, state: 'FINISHED' };
        tell('FINISHED');
        return view;
      },
      (error) => {
        // Whoever follows it must not wait for its end for ever.
        const reason = 'the run broke off: the log of the gateway says why';
        view = { ...view, state: 'FINISHED', finishedAt: now(), reason };
        tell('FINISHED');
        throw error;
      },
    );
    return { mode, current: () => view, done };
  }

  async #run(
    source: CollectedSource,
    mode: RunMode,
    run: { id: string; startedAt: Instant; progress: (done: number, total: number) => void; signal: AbortSignal },
  ): Promise<RunRecord> {
    const { store, view, catchUp, now, measured } = this.#needs;
    await catchUp();
    const asked = await store.asks.open(source.source);
    const known = stateOf(view(), source);
    const first = known === undefined || known.firstSuccessAt === null;
    const parts = asked.filter((ask) => !isForRun(ask));
    // A service has no poll that shows but what changed: unless it is asked for parts, each of its passes is a full one.
    const isPoll = mode === 'POLL' && (source.kind === 'proxmox' || source.collector === null || parts.length > 0);
    const isFull = !isPoll || first || asked.some(({ part }) => part === 'all');
    const actual: RunMode = mode === 'POLL' && isFull ? 'FULL' : mode;
    const result = await source.run({ mode: actual, view: view(), asked: parts, progress: run.progress }, run.signal);
    const finishedAt = now();
    const outcome = outcomeOf(result.batch.state);
    const record: RunRecord = {
      id: run.id,
      source: source.source,
      mode: actual,
      startedAt: run.startedAt,
      finishedAt,
      outcome,
      reason: result.batch.state.reason,
      requests: result.requests,
      coverage: result.coverage,
    };
    await this.#write(source, record, { result, known, asked, signal: run.signal });
    const seconds = (finishedAt - run.startedAt) / 1_000;
    const { reason } = record;
    measured({ source: source.source, mode: actual, outcome, reason, seconds, requests: result.requests });
    return record;
  }

  /** A poll that found nothing new writes its state and read times; a run row only where it tells something. */
  async #write(source: CollectedSource, record: RunRecord, { result, known, asked, signal }: ToWrite) {
    const { batch } = result;
    const isNews = batch.writes.length > 0 || !sameWord(known, batch.state);
    // A file that was looked at and is as it was: nothing of it is written, its directory being watched.
    if (source.collector === null && !isNews && asked.length === 0) return;
    const written = await this.#needs.store.transaction(async (tx) => {
      // Whoever has the lock by now knows better.
      signal.throwIfAborted();
      const follows = await tx.batches.apply(batch);
      const isKept = source.collector !== null && (known?.outcome !== batch.state.outcome || isPass(record, asked));
      if (isKept) await tx.runs.add(record);
      const events = eventsOf(result, this.#needs.view());
      await tx.events.append(isKept ? [...events, runEvent(record)] : events);
      await tx.asks.clear(source.source, answered(record, asked));
      return { seq: tx.seq, follows };
    });
    await this.#needs.learnOwn(batch, written.seq, written.follows);
  }
}

interface ToWrite {
  readonly result: RunResult;
  readonly known: SourceState | undefined;
  readonly asked: readonly AskedPart[];
  readonly signal: AbortSignal;
}

/** Somebody asked for its next poll (`row`), or a full pass (`all`); else for a part of it. */
const isForRun = ({ part }: AskedPart) => part === 'all' || part === 'row';

/** A source that did not answer has answered whoever waits for a run, and nobody who waits for a part. */
function answered({ outcome }: RunRecord, asked: readonly AskedPart[]): readonly AskedPart[] {
  return outcome === 'OBSERVED' ? asked : asked.filter(isForRun);
}

/** A full pass that somebody asked for, or that came about. The many that a source out of reach misses are none. */
function isPass({ mode, outcome }: RunRecord, asked: readonly AskedPart[]): boolean {
  if (mode === 'POLL') return false;
  return outcome === 'OBSERVED' || mode === 'ON_DEMAND' || asked.some(({ part }) => part === 'all');
}

/** A file that was never there is nothing that is out of reach. */
function outcomeOf({ outcome }: SourceState): RunRecord['outcome'] {
  if (outcome === 'NEVER') return 'DISABLED';
  return outcome === 'OBSERVED' ? 'OBSERVED' : 'UNREACHABLE';
}

function sameWord(known: SourceState | undefined, state: SourceState): boolean {
  return known?.outcome === state.outcome && known.reason === state.reason;
}

export function stateOf(
  view: InventoryView,
  source: Pick<CollectedSource, 'source' | 'cluster' | 'kind'>,
): SourceState | undefined {
  switch (source.kind) {
    case 'declared':
      return view.declared.get(source.source)?.state;
    case 'policy':
      return view.policy?.state;
    case 'proxmox':
      return view.clusters.get(source.cluster)?.state;
    case 'ip_neigh':
    case 'hardware':
    case 'npm':
    case 'unifi':
      return view.services.get(source.source);
  }
}
