import type { LogEvent } from '../store/store.js';

/** The end of the log as it was last read, without holes: whoever comes back soon needs no look at the database. */
export class Recent {
  readonly #most: number;
  #from: bigint;
  #events: LogEvent[] = [];

  /** Begins empty, after the event at `from`. */
  constructor(from: bigint, most: number) {
    this.#from = from;
    this.#most = most;
  }

  add(event: LogEvent): void {
    this.#events.push(event);
    // Cut in halves and not one by one: a shift moves every other event.
    if (this.#events.length < this.#most * 2) return;
    this.#from = this.#events.at(-this.#most - 1)?.cursor ?? this.#from;
    this.#events = this.#events.slice(-this.#most);
  }

  /** What came after `cursor`, at most as many as are kept; undefined: that reaches further back. */
  after(cursor: bigint): readonly LogEvent[] | undefined {
    if (cursor < this.#from) return undefined;
    const first = this.#events.findIndex((event) => event.cursor > cursor);
    const events = first < 0 ? [] : this.#events.slice(first);
    return events.length > this.#most ? undefined : events;
  }
}
