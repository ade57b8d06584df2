import { REDIS_TARGET, TOPICS } from '../domain/notify.js';
import { type Instant, isoTime, SECOND } from '../domain/time.js';
import type { TargetState } from '../store/delivery-words.js';
import type { LogEvent } from '../store/store.js';
import type { Tenure } from './holder.js';
import type { EventStream } from './redis-stream.js';
import type { TenureNeeds } from './target-tenure.js';

export type RedisNeeds = Pick<TenureNeeds, 'store' | 'now' | 'measured' | 'failing' | 'turned' | 'onLost'> & {
  readonly stream: EventStream;
  parseCursor(text: string): bigint;
  /** How many entries the stream keeps, about. */
  maxLength(): number;
};

const PAGE = 500;
const FIRST_RETRY = SECOND / 2;
const LONGEST_RETRY = 30 * SECOND;
const NOTHING_NEW = 60 * SECOND;

/**
 * Copies the whole event log into the Redis stream, in order. The log itself is the queue: while Redis is away nothing
 * is kept elsewhere, and it goes on where it stood.
 */
export class RedisTenure implements Tenure {
  readonly #needs: RedisNeeds;
  #state: TargetState;
  /** Whether the stream's end was compared with our place: after a failure, more may have arrived than was answered. */
  #isAligned = false;
  #retryAt: Instant = 0;

  static async begin(needs: RedisNeeds): Promise<RedisTenure> {
    return new RedisTenure(needs, await needs.store.deliveries.open(REDIS_TARGET));
  }

  private constructor(needs: RedisNeeds, state: TargetState) {
    this.#needs = needs;
    this.#state = state;
  }

  async round(broken: AbortSignal): Promise<Instant> {
    const now = this.#needs.now();
    if (now < this.#retryAt) return this.#retryAt;
    const page = await this.#page();
    try {
      if (!this.#isAligned) await this.#align();
      const events = page.filter(({ cursor }) => cursor > this.#state.cursor);
      if (events.length > 0) await this.#needs.stream.append(events, this.#needs.maxLength());
    } catch (cause) {
      if (broken.aborted) return now;
      return this.#failed(cause instanceof Error ? cause.message : String(cause));
    }
    await this.#went(page.at(-1)?.cursor);
    return page.length === PAGE ? now : now + NOTHING_NEW;
  }

  async #page(): Promise<readonly LogEvent[]> {
    const { events } = this.#needs.store;
    const page = await events.after(this.#state.cursor, TOPICS, PAGE);
    const { resumableAfter } = await events.bounds();
    if (this.#state.cursor < resumableAfter) {
      this.#needs.onLost(REDIS_TARGET);
      await this.#move(resumableAfter);
    }
    return page;
  }

  /** What the stream has already, of this very log, is not written again: a crash may have come between it and our note. */
  async #align(): Promise<void> {
    const newest = await this.#needs.stream.newest();
    this.#isAligned = true;
    const cursor = newest === undefined ? undefined : this.#cursorOf(newest.id);
    if (cursor === undefined || cursor <= this.#state.cursor) return;
    const [event] = await this.#needs.store.events.after(cursor - 1n, TOPICS, 1);
    if (event?.cursor === cursor && isoTime(event.at) === newest?.at) await this.#move(cursor);
  }

  #cursorOf(id: string): bigint | undefined {
    try {
      return this.#needs.parseCursor(id);
    } catch {
      // Somebody else's entry: it says nothing about our log.
      return undefined;
    }
  }

  async #went(upto: bigint | undefined): Promise<void> {
    if (upto !== undefined && upto > this.#state.cursor) {
      await this.#move(upto);
      this.#needs.measured(REDIS_TARGET, 'delivered', 1);
    }
    this.#needs.failing(REDIS_TARGET, false);
    if (this.#state.failures === 0 && upto === undefined) return;
    const at = this.#needs.now();
    await this.#needs.store.deliveries.recovered(REDIS_TARGET, at);
    if (this.#state.failures > 0) this.#needs.turned(REDIS_TARGET, { kind: 'recovered' });
    this.#state = { ...this.#state, failures: 0, lastSuccessAt: at };
  }

  async #move(to: bigint): Promise<void> {
    const { cursor } = this.#state;
    if (!(await this.#needs.store.deliveries.pass(REDIS_TARGET, cursor, to)))
      throw new Error('the Redis stream was moved on by another replica');
    this.#state = { ...this.#state, cursor: to };
  }

  async #failed(reason: string): Promise<Instant> {
    const { now, store } = this.#needs;
    const at = now();
    const failures = this.#state.failures + 1;
    this.#isAligned = false;
    this.#retryAt = at + Math.min(FIRST_RETRY * 2 ** Math.min(failures - 1, 10), LONGEST_RETRY);
    this.#needs.measured(REDIS_TARGET, 'failed', 1);
    this.#needs.failing(REDIS_TARGET, true);
    const failure = { at, reason, failures, spent: false, nextAttemptAt: this.#retryAt };
    await store.deliveries.failed(REDIS_TARGET, null, failure);
    if (failures === 1) this.#needs.turned(REDIS_TARGET, { kind: 'failing', reason });
    this.#state = { ...this.#state, failures };
    return this.#retryAt;
  }
}
