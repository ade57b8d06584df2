import { DomainError } from '../domain/errors.js';
import type { LogEvent } from '../store/store.js';
import type { Bounds, Joined } from './hub.js';

/** What a listener needs of the one reader of the log. */
export interface ListenerNeeds {
  readonly position: bigint | undefined;
  join(listener: Listener, cursor: bigint | undefined): Promise<Joined>;
  leave(listener: Listener): void;
  bounds(): Promise<Bounds>;
  page(after: bigint): Promise<{ events: readonly LogEvent[]; whole: boolean }>;
  trouble(cause: unknown): void;
}

export interface Listening {
  readonly topics: ReadonlySet<string>;
  readonly after: bigint | undefined;
  readonly signal: AbortSignal;
}

/** One listener's place in the log. */
export class Listener {
  readonly #hub: ListenerNeeds;
  readonly #listening: Listening;
  readonly #onAbort = () => this.close();
  #mode: 'start' | 'replay' | 'live' | 'closed' = 'start';
  #queue: LogEvent[] = [];
  /** Everything up to here was handed out, or is of no interest. undefined: from now on, and not started yet. */
  #handed: bigint | undefined;
  /** Everything up to here was handed out, waits in the queue, or is of no interest. */
  #read = 0n;
  #nudge: (() => void) | undefined;

  constructor(hub: ListenerNeeds, listening: Listening) {
    const { after, signal } = listening;
    this.#hub = hub;
    this.#listening = listening;
    this.#handed = after;
    if (signal.aborted) this.#mode = 'closed';
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** How many events wait for it that the hub has given out. What it replays it fetches itself, when it has room. */
  get waiting(): number {
    return this.#mode === 'live' ? this.#queue.length : 0;
  }

  get place(): bigint | undefined {
    return this.#handed;
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

  /** Called for each event in order, and only while there is room (see `waiting`). */
  offer(event: LogEvent): void {
    if (this.#mode !== 'live' || event.cursor <= this.#read || !this.#listening.topics.has(event.topic)) return;
    if (this.#queue.length === 0) this.#handed = this.#read;
    this.#queue.push(event);
    this.#read = event.cursor;
    this.nudge();
  }

  nudge(): void {
    this.#nudge?.();
  }

  /** Others wait for it: from what waits in its queue on it reads the log by itself, until it has caught up. */
  fallBack(): void {
    if (this.#mode === 'live') this.#mode = 'replay';
  }

  close(): void {
    if (this.#mode === 'closed') return;
    this.#mode = 'closed';
    this.#queue = [];
    this.#listening.signal.removeEventListener('abort', this.#onAbort);
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

  /** Asked after each wait, as it may have been closed meanwhile. */
  #isClosed(): boolean {
    return this.#mode === 'closed';
  }

  async #start(): Promise<void> {
    const joined = await this.#hub.join(this, this.#handed);
    if (this.#isClosed()) return;
    if (joined.kind === 'past') {
      this.#handed ??= joined.bounds.last;
      refuseExpired(this.#handed, joined.bounds);
      this.#read = this.#handed;
      this.#mode = 'replay';
      return;
    }
    this.#handed ??= joined.position;
    this.#read = joined.position;
    this.#queue = this.#ofInterest(joined.waiting);
    // While the answer came to us the hub may have given out more.
    this.#mode = this.#hub.position === joined.position ? 'live' : 'replay';
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
    this.#queue = this.#ofInterest(events);
    if (this.#queue.length === 0) this.#handed = this.#read;
    // Live from here on only if the hub has given out nothing beyond what is read here: no await stands between.
    if (whole && (this.#hub.position ?? 0n) <= this.#read) this.#mode = 'live';
  }

  #ofInterest(events: readonly LogEvent[]): LogEvent[] {
    return events.filter((event) => this.#listening.topics.has(event.topic));
  }
}

function refuseExpired(cursor: bigint, { last, resumableAfter }: Bounds): void {
  if (cursor >= resumableAfter && cursor <= last) return;
  throw new DomainError(
    'CURSOR_EXPIRED',
    'after: the event log does not reach back to this cursor; read the present state, then follow from now on',
    { field: ['after'] },
  );
}
