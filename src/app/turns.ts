/** Work of one kind, one after the other, that is done again a while after it failed or was left unfinished. */
export class Turns {
  readonly #again: () => void;
  readonly #pause: number;
  #last: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(again: () => void, pause: number) {
    this.#again = again;
    this.#pause = pause;
  }

  /** `work` answers whether all of it is done. */
  take(work: () => Promise<boolean>): Promise<void> {
    const mine = this.#last
      .catch(() => undefined)
      .then(async () => {
        if (this.#stopped) return;
        clearTimeout(this.#timer);
        let done = false;
        try {
          done = await work();
        } finally {
          if (!done) this.#later();
        }
      });
    this.#last = mine;
    return mine;
  }

  #later(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(this.#again, this.#pause);
    this.#timer.unref();
  }

  /** Waits for the work under way; nothing is begun after it. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#last.catch(() => undefined);
  }
}
