import type { Instant } from '../domain/time.js';
import type { Store } from '../store/store.js';

export interface HolderNeeds {
  readonly store: Pick<Store, 'lock'>;
  now(): Instant;
  /** Resolves after that many milliseconds, or at once when the signal aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Something failed that is tried again by itself. */
  onTrouble(name: string, cause: unknown): void;
}

/** One tenure of the lock: looks at what is to be done, does it, and says when to look again. */
export interface Tenure {
  round(broken: AbortSignal): Promise<Instant>;
}

/** Another replica may have gone, or our own connection to the database. */
const TRY_LOCK_EVERY = 1_000;
/** Announcements may get lost with a connection: the log is looked at this often anyway. */
const SAFETY_POLL = 2_000;
/** What is under way when we stop gets that long to end: broken off, it would have to be done twice. */
const GRACE = 3_000;

/** Does one thing on one replica at a time: whoever gets the lock of that name works, the others wait for it. */
export class Holder {
  readonly #name: string;
  readonly #needs: HolderNeeds;
  readonly #begin: () => Promise<Tenure>;
  readonly #stop = new AbortController();
  readonly #break = new AbortController();
  #running: Promise<void> | undefined;
  #isWoken = false;
  #nudge = () => {};

  constructor(name: string, needs: HolderNeeds, begin: () => Promise<Tenure>) {
    this.#name = name;
    this.#needs = needs;
    this.#begin = begin;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Something may be to do. */
  wake(): void {
    this.#isWoken = true;
    this.#nudge();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    const timer = setTimeout(() => this.#break.abort(), GRACE);
    await this.#running;
    clearTimeout(timer);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        await this.#once(signal);
      } catch (cause) {
        if (!signal.aborted) this.#needs.onTrouble(this.#name, cause);
      }
      if (!signal.aborted) await this.#needs.sleep(TRY_LOCK_EVERY, signal);
    }
  }

  async #once(stop: AbortSignal): Promise<void> {
    const held = await this.#needs.store.lock(`notify:${this.#name}`);
    if (held === undefined) return;
    const signal = AbortSignal.any([stop, held.lost]);
    const broken = AbortSignal.any([this.#break.signal, held.lost]);
    try {
      const tenure = await this.#begin();
      while (!signal.aborted) {
        this.#isWoken = false;
        const next = await tenure.round(broken);
        await this.#wait(next - this.#needs.now(), signal);
      }
    } finally {
      await held.release();
    }
  }

  /** Until it is time, somebody wakes us, or nobody did for too long. */
  async #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms <= 0 || this.#isWoken || signal.aborted) return;
    const woken = new AbortController();
    this.#nudge = () => woken.abort();
    try {
      await this.#needs.sleep(Math.min(ms, SAFETY_POLL), AbortSignal.any([signal, woken.signal]));
    } finally {
      this.#nudge = () => {};
    }
  }
}
