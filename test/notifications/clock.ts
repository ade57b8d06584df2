import { setTimeout as realSleep, setImmediate as turn } from 'node:timers/promises';

interface Sleeper {
  readonly due: number;
  wake(): void;
}

/** A clock that the test owns: it stands still while anybody works, and goes on to the next moment when all sleep. */
export class OwnClock {
  #now: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor(start: number) {
    this.#now = start;
  }

  now = (): number => this.#now;

  sleep = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const sleeper: Sleeper = {
        due: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', sleeper.wake, { once: true });
    });

  /** Lets time go on until it is so: to the next moment whenever that many sleep. Throws where it never comes. */
  async until(isSo: () => boolean | Promise<boolean>, sleepers = 1): Promise<void> {
    const end = performance.now() + 20_000;
    while (!(await isSo())) {
      if (performance.now() > end) throw new Error('it never came to that');
      if (this.#sleepers.size >= sleepers) this.#next();
      // Whoever was woken gets its turn; whoever asks somebody outside gets its answer.
      for (let i = 0; i < 5 && this.#sleepers.size < sleepers; i++) await turn();
      if (this.#sleepers.size < sleepers) await realSleep(1);
    }
  }

  /** Lets so much time pass. */
  async pass(ms: number, sleepers = 1): Promise<void> {
    const end = this.#now + ms;
    await this.until(() => this.#now >= end, sleepers);
  }

  #next(): void {
    const due = Math.min(...[...this.#sleepers].map((sleeper) => sleeper.due));
    this.#now = Math.max(this.#now, due);
    for (const sleeper of [...this.#sleepers]) if (sleeper.due <= this.#now) sleeper.wake();
  }
}
