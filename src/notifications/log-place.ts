import type { NotifyTarget } from '../domain/notify.js';
import type { Instant } from '../domain/time.js';
import type { LogEvent, Store } from '../store/store.js';
import type { Waiting } from './next-message.js';
import { isTold } from './told.js';

interface PlaceNeeds {
  readonly store: { readonly events: Pick<Store['events'], 'after' | 'bounds'> };
  now(): Instant;
  onLost(target: string): void;
}

const PAGE = 500;

/** A target's place in the event log, and what of it waits to be told. */
export class LogPlace {
  readonly #needs: PlaceNeeds;
  readonly #target: NotifyTarget;
  #upto: bigint;
  #waiting: Waiting[] = [];

  constructor(needs: PlaceNeeds, target: NotifyTarget, cursor: bigint) {
    this.#needs = needs;
    this.#target = target;
    this.#upto = cursor;
  }

  /** In the log's order. */
  get waiting(): readonly Waiting[] {
    return this.#waiting;
  }

  /** Everything up to here was read. */
  get upto(): bigint {
    return this.#upto;
  }

  /** Reads on until the end of the log, or until so many wait. */
  async read(most: number): Promise<void> {
    const { events } = this.#needs.store;
    while (this.#waiting.length < most) {
      // Asked before the page: what the page does not have up to here is of other topics.
      const { last } = await events.bounds();
      const page = await events.after(this.#upto, this.#target.topics, PAGE);
      // Asked after it: nothing of the page was pruned before it was read.
      const { resumableAfter } = await events.bounds();
      if (this.#upto < resumableAfter) this.#needs.onLost(this.#target.id);
      const readAt = this.#needs.now();
      for (const event of page) if (isTold(event, this.#target)) this.#waiting.push({ event, readAt });
      const end = page.at(-1)?.cursor ?? this.#upto;
      const isWhole = page.length < PAGE;
      this.#upto = isWhole ? greatest(end, last, resumableAfter) : end;
      if (isWhole) return;
    }
  }

  first(count: number): readonly LogEvent[] {
    return this.#waiting.slice(0, count).map(({ event }) => event);
  }

  drop(count: number): void {
    this.#waiting = this.#waiting.slice(count);
  }
}

function greatest(...cursors: readonly bigint[]): bigint {
  return cursors.reduce((most, cursor) => (cursor > most ? cursor : most));
}
