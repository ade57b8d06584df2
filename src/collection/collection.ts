import { setTimeout as sleep } from 'node:timers/promises';
import { demand, type Principal } from '../domain/access.js';
import type { Ask } from '../domain/compare/world.js';
import { type CollectorName, switchedOffWords } from '../domain/contract.js';
import { DomainError } from '../domain/errors.js';
import { type Instant, SECOND } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import { AskedLately } from './asked-lately.js';
import { eitherOf } from './either-signal.js';
import { expectedRun } from './elsewhere.js';
import { type CollectorEvent, type CollectorRun, isCollectorRun, type RunView } from './live-events.js';
import type { Running } from './runner.js';
import { Schedule, type ScheduleNeeds } from './schedule.js';
import type { CollectedSource } from './source.js';

export type CollectionNeeds = ScheduleNeeds;

/** COLLECT: which source runs when, one at a time each, on one replica each. */
export interface Collection {
  /** Makes these the sources that are collected: new ones are introduced, those not named are let go (not retired). */
  configure(sources: readonly CollectedSource[]): Promise<void>;
  /** Ends what sources said that the settings no longer name. Returns those that another replica still collects. */
  retire(names: readonly string[]): Promise<readonly string[]>;
  /** Starts the tick; returns the way to stop it and every run. */
  start(): () => Promise<void>;
  /** Runs a source as soon as it may. */
  wake(source: string): void;
  /** Takes up the reads that would settle what is in doubt now. */
  ask(asks: readonly Ask[]): Promise<void>;
  /** One pass of these sources now, every part, by whoever collects them; waits for its end. */
  collectNow(names: readonly string[], signal: AbortSignal): Promise<readonly RunView[]>;
  run(
    principal: Principal,
    input: { readonly collectors?: readonly CollectorName[] | undefined; readonly waitSeconds?: number | undefined },
    signal: AbortSignal,
  ): Promise<readonly CollectorRun[]>;
  events(principal: Principal, signal: AbortSignal): AsyncIterable<CollectorEvent>;
}

const DEFAULT_WAIT = 20;
const LONGEST_WAIT = 60;

export function collection(needs: CollectionNeeds): Collection {
  const schedule = new Schedule(needs);
  const asked = new AskedLately();
  return {
    configure: (sources) => schedule.configure(sources),
    retire: (names) => schedule.retire(names),
    start: () => schedule.start(),
    wake: (source) => schedule.wake(source),
    async ask(asks) {
      for (const [source, due] of bySource(asked.due(asks, needs.now()))) {
        await needs.store.transaction((tx) => tx.asks.add(source, due));
        schedule.wake(source);
      }
    },
    async collectNow(names, signal) {
      const runs = await Promise.all(names.map((name) => schedule.onDemand(name, signal)));
      signal.throwIfAborted();
      return Promise.all(runs.flatMap((run) => (run === undefined ? [] : [run.done])));
    },
    async run(principal, { collectors, waitSeconds = DEFAULT_WAIT }, signal) {
      demand(principal, 'collection:run');
      if (!Number.isFinite(waitSeconds) || waitSeconds < 0 || waitSeconds > LONGEST_WAIT) {
        throw new DomainError('VALIDATION_ERROR', `waitSeconds is ${waitSeconds}; give 0 to ${LONGEST_WAIT}`, {
          field: ['waitSeconds'],
        });
      }
      const wanted = schedule
        .sources()
        .filter(({ collector }) => collector !== null && (collectors === undefined || collectors.includes(collector)));
      if (wanted.length === 0) {
        throw new DomainError('NOT_FOUND', nothingToRun(needs.view(), collectors), { field: ['collectors'] });
      }
      const patience = { ms: waitSeconds * SECOND, signal };
      return runsUntil(patience, wanted, (source, looking) => schedule.onDemand(source.source, looking), needs.now());
    },
    events(principal, signal) {
      demand(principal, 'inventory:read');
      return schedule.live.follow(signal);
    },
  };
}

function nothingToRun({ collectorsOff, contract }: InventoryView, wanted: readonly CollectorName[] = []): string {
  const off = collectorsOff.filter((name) => wanted.includes(name));
  return off.length === 0
    ? 'no source is configured for these collectors; name one in sources.yaml'
    : off.map((name) => `${name}: ${switchedOffWords(contract.collectors[name])}`).join('; ');
}

/** The runs of these sources as they stand when all have ended, or when patience has. */
async function runsUntil(
  { ms, signal }: { readonly ms: number; readonly signal: AbortSignal },
  wanted: readonly CollectedSource[],
  onDemand: (source: CollectedSource, signal: AbortSignal) => Promise<Running | undefined>,
  now: Instant,
): Promise<readonly CollectorRun[]> {
  // Runs go on without whoever asked for them; only the looking after other replicas' runs ends with the answer.
  const looking = new AbortController();
  // Nothing is left to wait once it is answered: the caller's signal may be that of the whole gateway.
  const waiting = eitherOf(signal, looking.signal);
  const patience = sleep(ms, undefined, { signal: waiting.signal }).catch(() => undefined);
  const views = wanted.map((source): (() => RunView | undefined) => {
    const expected = expectedRun(source, now);
    return () => expected;
  });
  const ended = wanted.map(async (source, i) => {
    const run = await onDemand(source, looking.signal);
    views[i] = () => run?.current();
    await run?.done;
  });
  await Promise.race([Promise.allSettled(ended), patience]);
  looking.abort();
  waiting.end();
  return views.flatMap((view) => view() ?? []).filter(isCollectorRun);
}

function bySource<T extends { readonly source: string }>(parts: readonly T[]): ReadonlyMap<string, readonly T[]> {
  const sources = new Map<string, T[]>();
  for (const part of parts) {
    const list = sources.get(part.source);
    if (list === undefined) sources.set(part.source, [part]);
    else list.push(part);
  }
  return sources;
}
