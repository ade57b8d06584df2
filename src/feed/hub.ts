import { setTimeout as sleep } from 'node:timers/promises';
import type { LogEvent, Store } from '../store/store.js';
import { Listener, type ListenerNeeds } from './listener.js';
import { Recent } from './recent.js';

/** Pages in which the log is read. */
const PAGE = 500;
/** What may wait in memory for one listener. */
const QUEUE = 1_000;
/** A listener with more waiting than this has no room for another page. */
const CROWDED = QUEUE - PAGE;
/** Announcements may get lost with a connection: while somebody listens the log is looked at this often anyway, ms. */
const SAFETY_POLL = 1_000;
/** How long the others wait for one that has no room, and how often it is looked at, ms. */
const PATIENCE = 2_000;
const LOOK = 20;

export interface Bounds {
  readonly last: bigint;
  readonly resumableAfter: bigint;
}

export interface HubNeeds {
  readonly events: Pick<Store['events'], 'after' | 'bounds'>;
  readonly topics: readonly string[];
  /** Calls back whenever events were committed, and after a lost connection. Returns the way to stop. */
  onEvents(wake: () => void): () => void;
  /** Resolves once what is known here is at least as new as every event committed before the call. */
  learned(): Promise<void>;
  /** The log could not be read: it is tried again by itself. */
  onTrouble(cause: unknown): void;
  /** Another patience than two seconds, ms. */
  readonly patience?: number | undefined;
}

/**
 * One reader of the event log for all listeners of this process: each new event is read once and given to all, in
 * order. A listener that starts in the past reads the log from its own cursor until it has caught up; the step from
 * there to live is taken without an `await`, so that nothing falls between. No event is given out before this process
 * knows what it tells of. The log is read no faster than the listeners take it; one that cannot keep up
 * reads it by itself.
 */
export class EventHub implements ListenerNeeds {
  readonly #needs: HubNeeds;
  readonly #listeners = new Set<Listener>();
  /** Everything up to here was read and given out. undefined: nobody listens. */
  #position: bigint | undefined;
  #recent = new Recent(0n, CROWDED);
  #reading: Promise<void> | undefined;
  #again = false;
  #learning: Promise<void> | undefined;
  /** What events up to here tell of is known. */
  #learnedTo = 0n;
  #stopWaking: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(needs: HubNeeds) {
    this.#needs = needs;
  }

  /** From `after` on; from now on where it is undefined. Ends when `signal` aborts. */
  listen(topics: ReadonlySet<string>, after: bigint | undefined, signal: AbortSignal): Listener {
    return new Listener(this, { topics, after, signal });
  }

  get position(): bigint | undefined {
    return this.#position;
  }

  /** Starts reading if nobody listened so far. What came after `cursor` is in memory, or the log has to be asked. */
  async join(listener: Listener, cursor: bigint | undefined): Promise<Joined> {
    this.#listeners.add(listener);
    if (this.#stopWaking === undefined) {
      this.#stopWaking = this.#needs.onEvents(() => this.#wake());
      this.#timer = setInterval(() => this.#wake(), SAFETY_POLL);
      this.#timer.unref();
    }
    const position = this.#position;
    if (position !== undefined && (cursor ?? position) <= position) {
      const waiting = this.#recent.after(cursor ?? position);
      if (waiting !== undefined) return { kind: 'recent', position, waiting };
    }
    const bounds = await this.bounds();
    if (this.#listeners.size > 0 && this.#position === undefined) {
      this.#position = bounds.last;
      this.#recent = new Recent(bounds.last, CROWDED);
    }
    return { kind: 'past', bounds };
  }

  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#stopWaking?.();
    this.#stopWaking = undefined;
    clearInterval(this.#timer);
    this.#position = undefined;
  }

  async bounds(): Promise<Bounds> {
    return await this.#needs.events.bounds();
  }

  async page(after: bigint): Promise<{ events: readonly LogEvent[]; whole: boolean }> {
    const events = await this.#needs.events.after(after, this.#needs.topics, PAGE);
    const last = events.at(-1);
    if (last !== undefined) await this.#learned(last.cursor);
    return { events, whole: events.length < PAGE };
  }

  trouble(cause: unknown): void {
    this.#needs.onTrouble(cause);
  }

  async stop(): Promise<void> {
    for (const listener of [...this.#listeners]) listener.close();
    await this.#reading;
  }

  #wake(): void {
    if (this.#reading !== undefined) {
      this.#again = true;
      return;
    }
    this.#reading = this.#read()
      .catch((cause: unknown) => this.trouble(cause))
      .finally(() => {
        this.#reading = undefined;
        for (const listener of this.#listeners) listener.nudge();
        if (this.#again) {
          this.#again = false;
          this.#wake();
        }
      });
  }

  async #read(): Promise<void> {
    for (;;) {
      await this.#room();
      const from = this.#position;
      if (from === undefined) return;
      const { events, whole } = await this.page(from);
      // Everybody left, or left and came back, while the log was read: what was read belongs to nobody.
      if (this.#position !== from) return;
      for (const event of events) {
        this.#position = event.cursor;
        this.#recent.add(event);
        for (const listener of this.#listeners) listener.offer(event);
      }
      if (whole) return;
    }
  }

  /** A look that began before `cursor` was read may have missed it: the one after it serves all who wait. */
  async #learned(cursor: bigint): Promise<void> {
    if (cursor <= this.#learnedTo) return;
    await this.#learning?.catch(() => undefined);
    this.#learning ??= this.#needs.learned().finally(() => {
      this.#learning = undefined;
    });
    await this.#learning;
    if (cursor > this.#learnedTo) this.#learnedTo = cursor;
  }

  /**
   * Waits until every listener has room for another page. Left to read by itself is who does not move at all, and who
   * lags behind where most do not: where most lag, it is this process that cannot keep up, and each reading the log for
   * itself would make that worse.
   */
  async #room(): Promise<void> {
    const { patience = PATIENCE } = this.#needs;
    for (;;) {
      const before = this.#crowd();
      let now = before;
      for (let waited = 0; waited < patience && now.places.size > 0; waited += LOOK) {
        await sleep(LOOK);
        now = this.#crowd();
      }
      if (now.places.size === 0) return;
      for (const [listener, place] of now.places) {
        if (!before.places.has(listener)) continue;
        if ((before.isMinority && now.isMinority) || before.places.get(listener) === place) listener.fallBack();
      }
    }
  }

  /** Who has no room for another page, and where each stands in the log. */
  #crowd(): { readonly places: ReadonlyMap<Listener, bigint | undefined>; readonly isMinority: boolean } {
    const places = new Map<Listener, bigint | undefined>();
    for (const listener of this.#listeners) if (listener.waiting > CROWDED) places.set(listener, listener.place);
    return { places, isMinority: places.size * 2 <= this.#listeners.size };
  }
}

/** Where a listener begins: at events that are still in memory, or somewhere in the log. */
export type Joined =
  | { readonly kind: 'recent'; readonly position: bigint; readonly waiting: readonly LogEvent[] }
  | { readonly kind: 'past'; readonly bounds: Bounds };
