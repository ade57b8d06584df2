import { type Instant, MINUTE, SECOND } from '../domain/time.js';

/** The same read is asked for no more often than this. */
const ASK_AGAIN = 5 * SECOND;
const LONGEST_WAIT = 5 * MINUTE;

interface Remembered {
  readonly at: Instant;
  readonly wait: number;
}

/**
 * What was asked for and could not settle its doubt is asked for ever less often: doubts must not outrun the estate.
 * A doubt that is over is forgotten, so that the next one of its kind is asked for at once.
 */
export class AskedLately {
  #asked = new Map<string, Remembered>();

  /** Those of `parts` that it is time to ask for; they are remembered as asked now. `parts` is all that is in doubt. */
  due<T extends { readonly source: string; readonly part: string; readonly key: string }>(
    parts: readonly T[],
    now: Instant,
  ): readonly T[] {
    const before = this.#asked;
    this.#asked = new Map([...before].filter(([, { at }]) => now - at < ASK_AGAIN));
    return parts.filter(({ source, part, key }) => {
      const ask = `${source} ${part} ${key}`;
      const last = before.get(ask);
      const isDue = last === undefined || now - last.at >= last.wait;
      const wait = last === undefined ? ASK_AGAIN : Math.min(LONGEST_WAIT, last.wait * 2);
      this.#asked.set(ask, last !== undefined && !isDue ? last : { at: now, wait });
      return isDue;
    });
  }
}
