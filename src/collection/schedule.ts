import { schedule } from 'node-cron';
import { SECOND } from '../domain/time.js';
import { neverCollected } from '../domain/version.js';
import { sourceStates } from '../domain/view.js';
import type { Store } from '../store/store.js';
import { eitherOf } from './either-signal.js';
import { runElsewhere } from './elsewhere.js';
import type { LiveEvents } from './live-events.js';
import { retirement } from './retire.js';
import { Runner, type RunnerNeeds, type Running, stateOf } from './runner.js';
import { isHeld, isService, type Lock, type Slot, slotOf } from './slot.js';
import type { CollectedSource, RunMode } from './source.js';
import { Staleness } from './staleness.js';

export interface ScheduleNeeds extends RunnerNeeds {
  readonly store: Pick<Store, 'transaction' | 'asks' | 'lock' | 'runs'>;
  /** Another replica collects this source, and watches it. */
  heldElsewhere(source: string): void;
  /** A run that threw: a defect or the database, never the source itself. */
  failed(source: string, error: unknown): void;
}

/** Two runs of one source never begin closer together than this, whatever wakes it. */
const SHORTEST_PAUSE = SECOND;

/** A run that broke off is tried again after so long. */
const TRY_AGAIN = 10 * SECOND;

/** While something is to be done that another replica holds, it is looked this often whether that one is gone. */
const TRY_LOCK_AGAIN = 2 * SECOND;

/** Runs each source when it is due or woken, one run at a time, while this replica holds the source's lock. */
export class Schedule {
  readonly #needs: ScheduleNeeds;
  readonly #runner: Runner;
  readonly #slots = new Map<string, Slot>();
  readonly #staleness: Staleness;
  #started = false;

  constructor(needs: ScheduleNeeds) {
    this.#needs = needs;
    this.#staleness = new Staleness(needs);
    this.#runner = new Runner(needs);
  }

  get live(): LiveEvents {
    return this.#runner.live;
  }

  sources(): readonly CollectedSource[] {
    return [...this.#slots.values()].map(({ source }) => source);
  }

  async configure(sources: readonly CollectedSource[]): Promise<void> {
    const wanted = new Map(sources.map((source) => [source.source, source]));
    for (const [name, slot] of this.#slots) {
      if (!wanted.has(name)) await this.#letGo(name, slot);
    }
    for (const [name, source] of wanted) {
      const slot = this.#slots.get(name);
      if (slot === undefined) {
        await this.#introduce(source);
        this.#slots.set(name, slotOf(source));
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
    clearTimeout(slot.looking);
    await slot.locking?.catch(() => undefined);
    await slot.running?.done.catch(() => undefined);
    await slot.source.close();
    await slot.lock?.release();
  }

  /** A source that is named is in the view at once, though nothing was read of it yet. */
  async #introduce(source: CollectedSource): Promise<void> {
    const isKnown = () => (stateOf(this.#needs.view(), source)?.outcome ?? 'RETIRED') !== 'RETIRED';
    if (isKnown()) return;
    // Where another replica has it, that one says what is known of it: an empty word must not come after.
    const lock = await this.#needs.store.lock(`source:${source.source}`);
    if (lock === undefined) return;
    try {
      await this.#needs.catchUp();
      if (isKnown()) return;
      const state = neverCollected(source);
      await this.#needs.store.transaction((tx) => tx.batches.apply({ writes: [], reads: [], state }));
      await this.#needs.catchUp();
    } finally {
      await lock.release();
    }
  }

  async retire(names: readonly string[]): Promise<readonly string[]> {
    const kept: string[] = [];
    for (const name of names) if (!(await this.#retire(name))) kept.push(name);
    return kept;
  }

  /** false: another replica collects it, and would bring back what is ended here. */
  async #retire(name: string): Promise<boolean> {
    const { store, catchUp, view, now } = this.#needs;
    if (this.#livingState(name) === undefined) return true;
    const slot = this.#slots.get(name);
    if (slot !== undefined) await this.#letGo(name, slot);
    const lock = await store.lock(`source:${name}`);
    if (lock === undefined) return false;
    try {
      // A last run may have seen more than is known here: all of it ends.
      await catchUp();
      const state = this.#livingState(name);
      if (state === undefined) return true;
      await store.transaction((tx) => tx.batches.apply(retirement(view(), state, now())));
      await catchUp();
      return true;
    } finally {
      await lock.release();
    }
  }

  #livingState(name: string) {
    return sourceStates(this.#needs.view()).find(({ source }) => source === name);
  }

  start(): () => Promise<void> {
    this.#started = true;
    // A second that a busy process let pass is made good by the next.
    const tick = schedule('* * * * * *', () => this.#tick(), { noOverlap: true, suppressMissedWarning: true });
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
    this.#staleness.look().catch((error) => this.#needs.failed('staleness', error));
  }

  #isDue(slot: Slot, now: number): boolean {
    if (slot.running !== undefined || now - slot.startedAt < SHORTEST_PAUSE) return false;
    return slot.wanted || slot.asked || this.#isPast(slot, now);
  }

  #isPast(slot: Slot, now: number): boolean {
    // The tick comes once a second: a run that is due within half of one is not put off for a whole one.
    const interval = slot.source.intervalMs() - SECOND / 2;
    if (now - slot.startedAt < Math.min(interval, slot.elsewhere ? TRY_LOCK_AGAIN : TRY_AGAIN)) return false;
    const state = stateOf(this.#needs.view(), slot.source);
    if (state?.backOffUntil != null) return now >= state.backOffUntil;
    // A file is watched by whoever holds it, and nothing tells the others when that one dies.
    if (!isHeld(slot) && slot.source.collector === null) return true;
    // What was last read is known from the store: a weekly run survives restarts, and another replica's counts.
    const last = slot.source.collector === null ? slot.startedAt : (state?.lastSuccessAt ?? 0);
    return now - last >= interval;
  }

  /** Starts a run if this replica may collect the source; undefined where another one does, or it is let go. */
  async #begin(slot: Slot, mode: RunMode): Promise<Running | undefined> {
    const { source, stop, wanted, asked } = slot;
    const now = this.#needs.now();
    const isOnlyAsked = asked && !wanted && mode === 'POLL' && !this.#isPast(slot, now);
    slot.wanted = false;
    slot.asked = false;
    slot.startedAt = now;
    try {
      await this.#hold(slot);
      if (stop.signal.aborted) return undefined;
      slot.elsewhere = slot.lock === undefined;
      if (slot.lock === undefined) {
        this.#needs.heldElsewhere(source.source);
        if (wanted || asked) this.#lookAfter(slot);
        return undefined;
      }
      if (isOnlyAsked && (await this.#needs.store.asks.open(source.source)).length === 0) return undefined;
      return slot.running ?? this.#run(slot, slot.lock, mode);
    } catch (error) {
      // What woke it is still to be looked at.
      slot.wanted ||= wanted;
      slot.asked ||= asked;
      this.#needs.failed(source.source, error);
      return undefined;
    }
  }

  /** Whoever holds it was asked as well, and may die before it has answered: what is still asked then is done here. */
  #lookAfter(slot: Slot): void {
    const { store, failed } = this.#needs;
    const { source } = slot.source;
    clearTimeout(slot.looking);
    slot.looking = setTimeout(() => {
      if (!this.#started || this.#slots.get(source) !== slot) return;
      store.asks.open(source).then(
        (open) => {
          if (open.length > 0) this.wake(source);
        },
        (error) => {
          failed(source, error);
          this.#lookAfter(slot);
        },
      );
    }, TRY_LOCK_AGAIN);
    slot.looking.unref();
  }

  async #hold(slot: Slot): Promise<void> {
    if (isHeld(slot)) return;
    slot.locking ??= this.#needs.store
      .lock(`source:${slot.source.source}`)
      .then((lock) => {
        slot.lock = lock;
      })
      .finally(() => {
        slot.locking = undefined;
      });
    await slot.locking;
  }

  #run(slot: Slot, { lost }: NonNullable<Lock>, mode: RunMode): Running {
    const { source, stop } = slot;
    const either = eitherOf(stop.signal, lost);
    const running = this.#runner.start(source, mode, either.signal);
    slot.running = running;
    running.done
      .catch((error) => {
        if (!stop.signal.aborted) this.#needs.failed(source.source, error);
      })
      .finally(() => {
        either.end();
        if (slot.running === running) slot.running = undefined;
        if (slot.wanted || slot.asked) this.wake(source.source);
      });
    return running;
  }

  wake(name: string): void {
    const slot = this.#slots.get(name);
    if (slot === undefined || !this.#started) return;
    if (isService(slot)) slot.asked = true;
    else slot.wanted = true;
    const wait = Math.max(0, slot.startedAt + SHORTEST_PAUSE - this.#needs.now());
    const timer = setTimeout(() => {
      if (this.#started && (slot.wanted || slot.asked) && slot.running === undefined) void this.#begin(slot, 'POLL');
    }, wait);
    timer.unref();
  }

  /** Joins a full run under way; one that reads a slice only is waited for, and a full one follows. */
  async onDemand(name: string, signal: AbortSignal): Promise<Running | undefined> {
    for (;;) {
      const slot = this.#slots.get(name);
      if (slot === undefined) return undefined;
      const running = slot.running ?? (await this.#begin(slot, 'ON_DEMAND'));
      if (running === undefined) {
        const isElsewhere = this.#slots.get(name) === slot && slot.lock === undefined;
        return isElsewhere && slot.source.collector !== null
          ? runElsewhere(this.#needs, slot.source, signal)
          : undefined;
      }
      if (running.mode !== 'POLL') return running;
      await running.done.catch(() => undefined);
    }
  }
}
