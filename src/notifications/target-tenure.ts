import { type NotifyTarget, RECIPIENT_PLAN, RETRY_PLAN } from '../domain/notify.js';
import { type Instant, MINUTE } from '../domain/time.js';
import type { Failure, Message, TargetState } from '../store/delivery-words.js';
import type { Store } from '../store/store.js';
import type { HolderNeeds, Tenure } from './holder.js';
import { LogPlace } from './log-place.js';
import { withoutMendedLack } from './mended-lack.js';
import { type ComposeNeeds, compose, mostEvents } from './message.js';
import { nextMessage } from './next-message.js';
import {
  forThoseStillNamed,
  isNarrowed,
  letterTo,
  mailBody,
  narrowed,
  ownReason,
  RefusedRecipients,
} from './recipients.js';
import { replayLetters } from './replay.js';
import type { Turn } from './turn.js';
import type { Attempt } from './webhook.js';

export type Outcome = 'delivered' | 'failed' | 'dead';

export interface TenureNeeds extends ComposeNeeds, HolderNeeds {
  readonly store: Pick<Store, 'lock' | 'events' | 'deliveries'>;
  /** Why nothing can be sent to it as things are set; null: it may be tried. */
  lack(target: NotifyTarget): string | null;
  /** One attempt at one message. */
  deliver(target: NotifyTarget, message: Message, signal: AbortSignal): Promise<Attempt>;
  /** An attempt ended so; `dead`: that many messages became dead letters. */
  measured(target: string, outcome: Outcome, count: number): void;
  failing(target: string, isFailing: boolean): void;
  turned(target: string, turn: Turn): void;
  deadLetters(target: string, count: number): void;
  /** The log no longer reaches back to where the target stood. */
  onLost(target: string): void;
}

/** A target's place is written down this often while nothing is told, so that the log may be pruned behind it. */
const NOTE_PLACE_EVERY = MINUTE;
/** Messages that one spent plan makes dead letters of at most; what waits beyond is new, and gets its one attempt. */
const BURIED_AT_ONCE = 5_000;
const NOTHING_NEW = 60 * MINUTE;

/** A replica without the lock went on meanwhile: this tenure knows nothing any more. */
class Overtaken extends Error {}

/** Tells one target what happens, in order, for as long as this replica holds its lock. */
export class TargetTenure implements Tenure {
  readonly #target: NotifyTarget;
  readonly #needs: TenureNeeds;
  readonly #place: LogPlace;
  #state: TargetState;
  #replayWanted = true;
  #toldAt: Instant[] = [];
  #notedAt: Instant;
  /** That it fails was told, and not yet that this is over. */
  #isDown: boolean;
  readonly #refused = new RefusedRecipients();

  /** `eager`: its settings changed, so an attempt that was put off is made now. */
  static async begin(target: NotifyTarget, needs: TenureNeeds, eager: boolean): Promise<TargetTenure> {
    const found = await needs.store.deliveries.open(target.id);
    const state = await withoutMendedLack(target, found, needs);
    const tenure = new TargetTenure(target, needs, eager ? { ...state, nextAttemptAt: null } : state);
    needs.failing(target.id, state.failures > 0);
    // That it failed was told: so is that it is over, once a message arrives.
    tenure.#isDown ||= found.failures > 0 && state.failures === 0;
    await tenure.#countLetters();
    return tenure;
  }

  private constructor(target: NotifyTarget, needs: TenureNeeds, state: TargetState) {
    this.#target = target;
    this.#needs = needs;
    this.#state = state;
    this.#notedAt = needs.now();
    this.#isDown = state.failures > 0 && !isNarrowed(target, state.pending);
    this.#place = new LogPlace(needs, target, state.pending?.upto ?? state.cursor);
  }

  /** Somebody asked to send dead letters again. */
  wantReplay(): void {
    this.#replayWanted = true;
  }

  async round(broken: AbortSignal): Promise<Instant> {
    const { now } = this.#needs;
    if (this.#replayWanted) await this.#replay(broken);
    const { pending, nextAttemptAt } = this.#state;
    if (pending !== null) {
      if (nextAttemptAt !== null && now() < nextAttemptAt) return nextAttemptAt;
      await this.#attempt(pending, broken);
      return now();
    }
    const most = mostEvents(this.#target);
    await this.#place.read(most);
    const { waiting } = this.#place;
    const next = nextMessage(waiting, this.#target, { toldAt: this.#toldAt, isFull: waiting.length >= most }, now());
    if (next.kind === 'wait') return next.until;
    if (next.kind === 'send') await this.#hold(Math.min(next.count, most));
    else await this.#notePlace();
    return next.kind === 'send' ? now() : now() + NOTHING_NEW;
  }

  /** What is to be sent is written down first: each attempt then sends the same, under the same id. */
  async #hold(count: number): Promise<void> {
    const message = await compose(this.#target, this.#place.first(count), this.#needs);
    const { id } = this.#target;
    this.#expect(await this.#needs.store.deliveries.hold(id, this.#state.cursor, message));
    this.#place.drop(count);
    this.#state = { ...this.#state, pending: message, nextAttemptAt: null };
  }

  async #attempt(held: Message, broken: AbortSignal): Promise<void> {
    const message = forThoseStillNamed(this.#target, held);
    if (message === undefined) return this.#delivered(held, this.#needs.now(), null);
    const attempt = await this.#needs.deliver(this.#target, message, broken);
    const at = this.#needs.now();
    if (attempt.kind === 'delivered') {
      this.#heard(message, []);
      return this.#delivered(message, at, null);
    }
    // Where nobody was told yet, it may be the server that refuses everybody: then it has failed as a whole.
    if (attempt.kind === 'refused' && (attempt.taken > 0 || isNarrowed(this.#target, message)))
      return this.#partly(message, attempt, at);
    // Broken off by ourselves: whether it arrived is not known, so it is sent again, under the same id.
    if (!broken.aborted) await this.#failed(message, attempt.reason, at);
  }

  /** Who took it is not told again. The others are tried again alone for a while, or get a dead letter each. */
  async #partly(message: Message, { refusals, reason, taken }: Extract<Attempt, { kind: 'refused' }>, at: Instant) {
    const { id } = this.#target;
    const { store, measured, failing } = this.#needs;
    this.#heard(message, refusals);
    const failures = (isNarrowed(this.#target, message) ? this.#state.failures : 0) + 1;
    const wait = RECIPIENT_PLAN[failures - 1];
    const { waiting, left } = this.#refused.sorted(refusals, wait === undefined);
    await store.deliveries.laid(
      id,
      left.map((refusal) => letterTo(message, refusal)),
      at,
    );
    if (left.length > 0) {
      measured(id, 'dead', left.length);
      await this.#countLetters();
    }
    if (wait === undefined || waiting.length === 0) return this.#delivered(message, at, reason);
    this.#takes();
    const rest = narrowed(
      message,
      waiting.map(({ address }) => address),
    );
    const failure = { at, reason, failures, spent: false, nextAttemptAt: at + wait };
    this.#expect(await store.deliveries.failed(id, rest, { ...failure, toldSome: taken > 0 }));
    this.#state = { ...this.#state, ...failure, lastFailureAt: at, pending: rest };
    measured(id, 'failed', 1);
    failing(id, true);
  }

  #heard(message: Message, refusals: Extract<Attempt, { kind: 'refused' }>['refusals']): void {
    if (this.#target.kind !== 'mail') return;
    const { to = this.#target.to } = mailBody(message);
    for (const turn of this.#refused.heard(refusals, to)) this.#needs.turned(this.#target.id, turn);
  }

  async #delivered(message: Message, at: Instant, reason: string | null): Promise<void> {
    const { store, measured } = this.#needs;
    this.#expect(await store.deliveries.delivered(this.#target.id, message, at, reason));
    this.#takes();
    this.#state = { ...this.#state, ...HEALTHY, reason, cursor: message.upto, pending: null, lastSuccessAt: at };
    const window = this.#target.digest?.window ?? 0;
    this.#toldAt = [...this.#toldAt.filter((told) => told > at - window), ...(message.events === 1 ? [at] : [])];
    measured(this.#target.id, 'delivered', 1);
  }

  /** An attempt succeeded. */
  #takes(): void {
    const { id } = this.#target;
    this.#needs.failing(id, false);
    if (this.#isDown) this.#needs.turned(id, { kind: 'recovered' });
    this.#isDown = false;
  }

  async #failed(message: Message, reason: string, at: Instant): Promise<void> {
    const { measured, failing, store } = this.#needs;
    measured(this.#target.id, 'failed', 1);
    failing(this.#target.id, true);
    const failures = this.#state.failures + 1;
    const wait = this.#state.spent ? undefined : RETRY_PLAN[failures - 1];
    if (wait === undefined) return this.#bury(message, { at, reason, failures, spent: true, nextAttemptAt: null });
    const failure: Failure = { at, reason, failures, spent: false, nextAttemptAt: at + wait };
    this.#expect(await store.deliveries.failed(this.#target.id, message, failure));
    if (!this.#isDown) this.#needs.turned(this.#target.id, { kind: 'failing', reason });
    this.#isDown = true;
    this.#state = { ...this.#state, ...failure, lastFailureAt: at };
  }

  /** The plan is spent: everything that waits by now goes with the message. Later on, each new one goes alone. */
  async #bury(message: Message, failure: Failure): Promise<void> {
    const { id } = this.#target;
    const rest = this.#state.spent ? [] : await this.#composeRest();
    const dead = [message, ...rest];
    const upto = dead.at(-1)?.upto ?? message.upto;
    const own = ownReason(this.#target, message, failure.reason);
    // What is there already stays as it is: so this one says more than those that are buried with it.
    if (own !== failure.reason) await this.#needs.store.deliveries.laid(id, [{ ...message, reason: own }], failure.at);
    this.#expect(await this.#needs.store.deliveries.bury(id, dead, upto, failure));
    const { reason } = failure;
    if (!this.#state.spent) this.#needs.turned(id, { kind: 'spent', reason, letters: dead.length });
    this.#state = { ...this.#state, ...failure, lastFailureAt: failure.at, cursor: upto, pending: null };
    this.#needs.measured(id, 'dead', dead.length);
    await this.#countLetters();
  }

  async #composeRest(): Promise<readonly Message[]> {
    const rest: Message[] = [];
    const most = mostEvents(this.#target);
    const { digest } = this.#target;
    while (rest.length < BURIED_AT_ONCE) {
      await this.#place.read(most);
      const { length } = this.#place.waiting;
      if (length === 0) break;
      const count = digest !== null && length > digest.after ? Math.min(length, most) : 1;
      rest.push(await compose(this.#target, this.#place.first(count), this.#needs));
      this.#place.drop(count);
    }
    return rest;
  }

  async #replay(broken: AbortSignal): Promise<void> {
    this.#replayWanted = false;
    const went = () => this.#recovered();
    await replayLetters(this.#target, this.#needs, { broken, went, someWent: () => this.#countLetters() });
  }

  /** A letter arrived: so will what waits. */
  async #recovered(): Promise<void> {
    if (this.#state.failures === 0) return;
    const at = this.#needs.now();
    await this.#needs.store.deliveries.recovered(this.#target.id, at);
    this.#takes();
    this.#state = { ...this.#state, ...HEALTHY, lastSuccessAt: at };
  }

  async #notePlace(): Promise<void> {
    const now = this.#needs.now();
    const { upto } = this.#place;
    if (now - this.#notedAt < NOTE_PLACE_EVERY || upto === this.#state.cursor) return;
    this.#notedAt = now;
    this.#expect(await this.#needs.store.deliveries.pass(this.#target.id, this.#state.cursor, upto));
    this.#state = { ...this.#state, cursor: upto };
  }

  async #countLetters(): Promise<void> {
    const { id } = this.#target;
    const counts = await this.#needs.store.deliveries.countLetters([id], false);
    this.#needs.deadLetters(id, counts.get(id) ?? 0);
  }

  #expect(isOurs: boolean): void {
    if (!isOurs) throw new Overtaken(`the target ${this.#target.id} was moved on by another replica`);
  }
}

const HEALTHY = { failures: 0, spent: false, nextAttemptAt: null, reason: null } as const;
