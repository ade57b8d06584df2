import { DomainError } from '../domain/errors.js';
import type { LogEvent, Store } from '../store/store.js';

/** Pages in which the log is read, and what may wait in memory for one listener. */
const PAGE = 500;
const QUEUE = 1_000;
/** Announcements may get lost with a connection: while somebody listens the log is looked at this often anyway, ms. */
const SAFETY_POLL = 1_000;

export interface HubNeeds {
  readonly events: Pick<Store['events'], 'after' | 'bounds'>;
  readonly topics: readonly string[];
  /** Calls back whenever events were committed, and after a lost connection. Returns the way to stop. */
  onEvents(wake: () => void): () => void;
  /** The log could not be read: it is tried again by itself. */
  onTrouble(cause: unknown): void;
}

/**
 * One reader of the event log for all listeners of this process: each new event is read once and given to all, in
 * order. A listener that starts in the past, or cannot keep up, reads the log from its own cursor until it has caught
 * up; the step from there to live is taken without an `await`, so that nothing falls between.
 */
export class EventHub {
  readonly #needs: HubNeeds;
  readonly #listeners = new Set<Listener>();
  /** Everything up to here was read and given out. undefined: nobody listens. */
  #position: bigint | undefined;
  #reading: Promise<void> | undefined;
  #again = false;
  #stopWaking: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(needs: HubNeeds) {
    this.#needs = needs;
  }

  /** From `after` on; from now on where it is undefined. Ends when `signal` aborts. */
  listen(topics: ReadonlySet<string>, after: bigint | undefined, signal: AbortSignal): Listener {
    return new Listener(this, topics, after, signal);
  }

  get position(): bigint | undefined {
    return this.#position;
  }

  /** Starts reading if nobody listened so far, then gives the bounds of the log. */
  async join(listener: Listener): Promise<Bounds> {
    this.#listeners.add(listener);
    if (this.#stopWaking === undefined) {
      this.#stopWaking = this.#needs.onEvents(() => this.#wake());
      this.#timer = setInterval(() => this.#wake(), SAFETY_POLL);
      this.#timer.unref();
    }
    const bounds = await this.bounds();
    if (this.#listeners.size > 0) this.#position ??= bounds.last;
    return bounds;
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
      const from = this.#position;
      if (from === undefined) return;
      const { events, whole } = await this.page(from);
      // Everybody left, or left and came back, while the log was read: what was read belongs to nobody.
      if (this.#position !== from) return;
      for (const event of events) {
        this.#position = event.cursor;
        for (const listener of this.#listeners) listener.offer(event);
      }
      if (whole) return;
    }
  }
}

/** One listener's place in the log. */
export class Listener {
  readonly #hub: EventHub;
  readonly #topics: ReadonlySet<string>;
  readonly #signal: AbortSignal;
  readonly #onAbort = () => this.close();
  #mode: 'start' | 'replay' | 'live' | 'closed' = 'start';
  #queue: LogEvent[] = [];
  /** Everything up to here was handed out, or is of no interest. undefined: from now on, and not started yet. */
  #handed: bigint | undefined;
  /** Everything up to here was handed out, waits in the queue, or is of no interest. */
  #read = 0n;
  #nudge: (() => void) | undefined;

  constructor(hub: EventHub, topics: ReadonlySet<string>, after: bigint | undefined, signal: AbortSignal) {
    this.#hub = hub;
    this.#topics = topics;
    this.#handed = after;
    this.#signal = signal;
    if (signal.aborted) this.#mode = 'closed';
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The next event; undefined at the end. CURSOR_EXPIRED where the log no longer reaches back to its place. */
  async next(): Promise<LogEvent | undefined> {
    for (;;) {
      if (this.#mode === 'closed') return undefined;
      const event = this.#queue.shift();
      if (event !== undefined) {
        this.#handed = event.cursor;
        return event;
      }
      if (this.#mode === 'live') await this.#nudged();
      else await this.#catchUp();
    }
  }

  offer(event: LogEvent): void {
    if (this.#mode !== 'live' || event.cursor <= this.#read || !this.#topics.has(event.topic)) return;
    if (this.#queue.length === 0) this.#handed = this.#read;
    if (this.#queue.length < QUEUE) {
      this.#queue.push(event);
      this.#read = event.cursor;
    } else {
      // It cannot keep up. Nothing is lost: what waited is read again from the log, at its own pace.
      this.#queue = [];
      this.#read = this.#handed ?? 0n;
      this.#mode = 'replay';
    }
    this.nudge();
  }

  nudge(): void {
    this.#nudge?.();
  }

  close(): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    this.#queue = [];
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#hub.leave(this);
    this.nudge();
  }

  async #nudged(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#nudge = resolve;
    });
    this.#nudge = undefined;
  }

  async #catchUp(): Promise<void> {
    try {
      if (this.#mode === 'start') await this.#start();
      else await this.#replay();
    } catch (cause) {
      if (cause instanceof DomainError) throw cause;
      // The database is away: the next look at the log, a second later at most, tries again from the same place.
      this.#hub.trouble(cause);
      if (!this.#isClosed()) await this.#nudged();
    }
  }

  #isClosed(): boolean {
    return this.#mode === 'closed';
  }

  async #start(): Promise<void> {
    const bounds = await this.#hub.join(this);
    if (this.#isClosed()) return;
    this.#handed ??= bounds.last;
    refuseExpired(this.#handed, bounds);
    this.#read = this.#handed;
    this.#mode = 'replay';
  }

  async #replay(): Promise<void> {
    const from = this.#read;
    // What the hub had read before this question was asked is in its answer, or is of other topics.
    const before = this.#hub.position ?? 0n;
    const { events, whole } = await this.#hub.page(from);
    // Asked after the page: nothing of it was pruned before it was read.
    refuseExpired(from, await this.#hub.bounds());
    if (this.#isClosed()) return;
    const last = events.at(-1)?.cursor ?? from;
    this.#read = whole && before > last ? before : last;
    this.#queue = events.filter((event) => this.#topics.has(event.topic));
    if (this.#queue.length === 0) this.#handed = this.#read;
    // Live from here on only if the hub has given out nothing beyond what is read here: no await stands between.
    if (whole && (this.#hub.position ?? 0n) <= this.#read) this.#mode = 'live';
  }
}

interface Bounds {
  readonly last: bigint;
  readonly resumableAfter: bigint;
}

function refuseExpired(cursor: bigint, { last, resumableAfter }: Bounds): void {
  if (cursor >= resumableAfter && cursor <= last) return;
  throw new DomainError(
    'CURSOR_EXPIRED',
    'after: the event log does not reach back to this cursor; read the present state, then follow from now on',
    { field: ['after'] },
  );
}
