import { type Instant, SECOND } from '../domain/time.js';

/** The same read is asked for no more often than this. */
const ASK_AGAIN = 5 * SECOND;
const MOST_REMEMBERED = 50_000;

/** What was asked for and could not be read is not asked for again at once: doubts must not outrun the estate. */
export class AskedLately {
  readonly #at = new Map<string, Instant>();

  /** Those that were not asked for a moment ago; they are remembered as asked now. */
  fresh<T extends { readonly part: string; readonly key: string }>(
    source: string,
    parts: readonly T[],
    now: Instant,
  ): readonly T[] {
    if (this.#at.size > MOST_REMEMBERED) this.#at.clear();
    return parts.filter(({ part, key }) => {
      const ask = `${source} ${part} ${key}`;
      const last = this.#at.get(ask);
      if (last !== undefined && now - last < ASK_AGAIN) return false;
      this.#at.set(ask, now);
      return true;
    });
  }
}
