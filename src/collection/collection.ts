import { setTimeout as sleep } from 'node:timers/promises';
import { schedule } from 'node-cron';
import { proxmoxSourceName } from '../domain/absorbing.js';
import { demand, type Principal } from '../domain/access.js';
import type { Ask } from '../domain/compare/world.js';
import type { CollectorName } from '../domain/contract.js';
import { DomainError } from '../domain/errors.js';
import { SECOND } from '../domain/time.js';
import type { Store } from '../store/store.js';
import { AskedLately } from './asked-lately.js';
import { type CollectorEvent, type CollectorRun, isCollectorRun, type RunView } from './live-events.js';
import { retirement } from './retire.js';
import { Runner, type RunnerNeeds, type Running, stateOf } from './runner.js';
import { type CollectedSource, neverCollected, type RunMode } from './source.js';

export interface CollectionNeeds extends RunnerNeeds {
  readonly store: Pick<Store, 'transaction' | 'asks' | 'lock'>;
  /** Another replica collects this source, and watches it. */
  heldElsewhere(source: string): void;
  /** A run that threw: a defect or the database, never the source itself. */
  failed(source: string, error: unknown): void;
}

/** COLLECT: which source runs when, one at a time each, on one replica each. */
export interface Collection {
  /** Makes these the sources that are collected: new ones are introduced, those not named are let go (not retired). */
  configure(sources: readonly CollectedSource[]): Promise<void>;
  /** Ends what sources said that the settings no longer name. */
  retire(names: readonly string[]): Promise<void>;
  /** Starts the tick; returns the way to stop it and every run. */
  start(): () => Promise<void>;
  /** Runs a source as soon as it may. */
  wake(source: string): void;
  /** Takes up reads that would settle a doubt. */
  ask(asks: readonly Ask[]): Promise<void>;
  /** One pass of these sources now, every part; waits for its end. */
  collectNow(names: readonly string[], signal: AbortSignal): Promise<readonly RunView[]>;
  run(
    principal: Principal,
    input: { readonly collectors?: readonly CollectorName[] | undefined; readonly waitSeconds?: number | undefined },
    signal: AbortSignal,
  ): Promise<readonly CollectorRun[]>;
  events(principal: Principal, signal: AbortSignal): AsyncIterable<CollectorEvent>;
}

interface Slot {
  source: CollectedSource;
  running: Running | undefined;
  startedAt: number;
  wanted: boolean;
  lock: { readonly lost: AbortSignal; release(): Promise<void> } | undefined;
  stop: AbortController;
}

/** Two runs of one source never begin closer together than this, whatever wakes it. */
const SHORTEST_PAUSE = SECOND;
const DEFAULT_WAIT = 20;
const LONGEST_WAIT = 60;

export function collection(needs: CollectionNeeds): Collection {
  return new Scheduler(needs);
}

class Scheduler implements Collection {
  readonly #needs: CollectionNeeds;
  readonly #runner: Runner;
  readonly #slots = new Map<string, Slot>();
  readonly #asked = new AskedLately();
  #started = false;

  constructor(needs: CollectionNeeds) {
    this.#needs = needs;
    this.#runner = new Runner(needs);
  }

  async configure(sources: readonly CollectedSource[]): Promise<void> {
    const wanted = new Map(sources.map((source) => [source.source, source]));
    for (const [name, slot] of this.#slots) {
      if (!wanted.has(name)) await this.#letGo(name, slot);
    }
    for (const [name, source] of wanted) {
      const slot = this.#slots.get(name);
      if (slot === undefined) {
        this.#slots.set(name, {
          source,
          running: undefined,
          startedAt: 0,
          wanted: true,
          lock: undefined,
          stop: new AbortController(),
        });
        await this.#introduce(source);
      } else if (slot.source !== source) {
        slot.stop.abort();
        await slot.running?.done.catch(() => undefined);
        await slot.source.close();
        Object.assign(slot, { source, stop: new AbortController(), wanted: true });
      }
    }
  }

  async #letGo(name: string, slot: Slot): Promise<void> {
    this.#slots.delete(name);
    slot.stop.abort();
    await slot.running?.done.catch(() => undefined);
    await slot.source.close();
    await slot.lock?.release();
  }

  /** A source that is named is in the view at once, though nothing was read of it yet. */
  async #introduce(source: CollectedSource): Promise<void> {
    const known = stateOf(this.#needs.view(), source);
    if (known !== undefined && known.outcome !== 'RETIRED') return;
    const state = neverCollected(source);
    await this.#needs.store.transaction((tx) => tx.batches.apply({ writes: [], reads: [], state }));
    await this.#needs.catchUp();
  }

  async retire(names: readonly string[]): Promise<void> {
    const { store, view, catchUp, now } = this.#needs;
    const known = view();
    const states = [
      ...[...known.clusters.values()].map((c) => c.state),
      ...[...known.declared.values()].map((d) => d.state),
    ];
    for (const state of states) {
      if (!names.includes(state.source) || state.outcome === 'RETIRED') continue;
      const slot = this.#slots.get(state.source);
      if (slot !== undefined) await this.#letGo(state.source, slot);
      // Whoever collects it retires it: a run under way elsewhere would bring it back.
      const lock = await store.lock(`source:${state.source}`);
      if (lock === undefined) continue;
      await store.transaction((tx) => tx.batches.apply(retirement(known, state, now())));
      await lock.release();
    }
    await catchUp();
  }

  start(): () => Promise<void> {
    this.#started = true;
    const tick = schedule('* * * * * *', () => this.#tick(), { noOverlap: true });
    this.#tick();
    return async () => {
      this.#started = false;
      await tick.destroy();
      await Promise.all([...this.#slots].map(([name, slot]) => this.#letGo(name, slot)));
    };
  }

  #tick(): void {
    if (!this.#started) return;
    const now = this.#needs.now();
    for (const slot of this.#slots.values()) if (this.#isDue(slot, now)) void this.#begin(slot, 'POLL');
  }

  #isDue(slot: Slot, now: number): boolean {
    if (slot.running !== undefined || now - slot.startedAt < SHORTEST_PAUSE) return false;
    if (slot.wanted) return true;
    const state = stateOf(this.#needs.view(), slot.source);
    if (state?.backOffUntil != null && now < state.backOffUntil) return false;
    // The tick comes once a second: a run that is due within half of one is not put off for a whole one.
    const last = Math.max(slot.startedAt, state?.lastSuccessAt ?? 0);
    return now - last >= slot.source.intervalMs() - SECOND / 2;
  }

  /** Starts a run if this replica may collect the source; undefined where another one does. */
  async #begin(slot: Slot, mode: RunMode): Promise<Running | undefined> {
    slot.wanted = false;
    slot.startedAt = this.#needs.now();
    const { source, stop } = slot;
    try {
      if (slot.lock === undefined || slot.lock.lost.aborted)
        slot.lock = await this.#needs.store.lock(`source:${source.source}`);
      if (slot.lock === undefined) this.#needs.heldElsewhere(source.source);
      if (slot.lock === undefined || stop.signal.aborted) return undefined;
      if (slot.running !== undefined) return slot.running;
      const running = this.#runner.start(source, mode, AbortSignal.any([stop.signal, slot.lock.lost]));
      slot.running = running;
      running.done
        .catch((error) => {
          if (!stop.signal.aborted) this.#needs.failed(source.source, error);
        })
        .finally(() => {
          if (slot.running === running) slot.running = undefined;
          if (slot.wanted) this.wake(source.source);
        });
      return running;
    } catch (error) {
      this.#needs.failed(source.source, error);
      return undefined;
    }
  }

  wake(name: string): void {
    const slot = this.#slots.get(name);
    if (slot === undefined || !this.#started) return;
    slot.wanted = true;
    const wait = Math.max(0, slot.startedAt + SHORTEST_PAUSE - this.#needs.now());
    const timer = setTimeout(() => {
      if (this.#started && slot.wanted && slot.running === undefined) void this.#begin(slot, 'POLL');
    }, wait);
    timer.unref();
  }

  async ask(asks: readonly Ask[]): Promise<void> {
    const bySource = new Map<string, { part: string; key: string }[]>();
    for (const { cluster, part, key } of asks) {
      const source = proxmoxSourceName(cluster);
      const list = bySource.get(source) ?? [];
      list.push({ part, key });
      bySource.set(source, list);
    }
    for (const [source, parts] of bySource) {
      const fresh = this.#asked.fresh(source, parts, this.#needs.now());
      if (fresh.length === 0) continue;
      await this.#needs.store.transaction((tx) => tx.asks.add(source, fresh));
      this.wake(source);
    }
  }

  async collectNow(names: readonly string[], signal: AbortSignal): Promise<readonly RunView[]> {
    const runs = await Promise.all(names.map((name) => this.#onDemand(name)));
    signal.throwIfAborted();
    return Promise.all(runs.flatMap((run) => (run === undefined ? [] : [run.done])));
  }

  /** Joins a full run under way; one that reads a slice only is waited for, and a full one follows. */
  async #onDemand(name: string): Promise<Running | undefined> {
    const slot = this.#slots.get(name);
    if (slot === undefined) return undefined;
    while (slot.running !== undefined) {
      if (slot.running.mode !== 'POLL') return slot.running;
      await slot.running.done.catch(() => undefined);
    }
    return this.#begin(slot, 'ON_DEMAND');
  }

  async run(
    principal: Principal,
    {
      collectors,
      waitSeconds = DEFAULT_WAIT,
    }: { collectors?: readonly CollectorName[] | undefined; waitSeconds?: number | undefined },
    signal: AbortSignal,
  ): Promise<readonly CollectorRun[]> {
    demand(principal, 'collection:run');
    if (!Number.isFinite(waitSeconds) || waitSeconds < 0 || waitSeconds > LONGEST_WAIT) {
      throw new DomainError('VALIDATION_ERROR', `waitSeconds is ${waitSeconds}; give 0 to ${LONGEST_WAIT}`, {
        field: ['waitSeconds'],
      });
    }
    const wanted = [...this.#slots.values()].filter(({ source }) => {
      return source.collector !== null && (collectors === undefined || collectors.includes(source.collector));
    });
    if (wanted.length === 0) {
      throw new DomainError('NOT_FOUND', 'no source is configured for these collectors; name one in sources.yaml', {
        field: ['collectors'],
      });
    }
    const running = (await Promise.all(wanted.map(({ source }) => this.#onDemand(source.source)))).flatMap(
      (run) => run ?? [],
    );
    const ended = Promise.allSettled(running.map((run) => run.done));
    const patience = sleep(waitSeconds * SECOND, undefined, { signal }).catch(() => undefined);
    await Promise.race([ended, patience]);
    return running.map((run) => run.current()).filter(isCollectorRun);
  }

  events(principal: Principal, signal: AbortSignal): AsyncIterable<CollectorEvent> {
    demand(principal, 'inventory:read');
    return this.#runner.live.follow(signal);
  }
}
