import fc from 'fast-check';
import { Ground } from './whole-path-ground.js';

/** Most of a life is waiting for PostgreSQL: so many go on at once, each on a database of its own. */
const AT_ONCE = 3;

/** The databases of a search, and the search for a counter-example of a property that needs one. */
export class Search {
  readonly #grounds: readonly Ground[];

  private constructor(grounds: readonly Ground[]) {
    this.#grounds = grounds;
  }

  static async open(): Promise<Search> {
    const grounds: Ground[] = [];
    while (grounds.length < AT_ONCE) grounds.push(await Ground.open());
    return new Search(grounds);
  }

  /**
   * Looks at `runs` values. What fails is shrunk unless PROPERTY_SHRINK is `no`; PROPERTY_SEED begins where another
   * search began.
   */
  async through<T>(
    runs: number,
    values: fc.Arbitrary<T>,
    holds: (ground: Ground, value: T) => Promise<void>,
  ): Promise<void> {
    const { PROPERTY_SEED: given, PROPERTY_SHRINK: shrinks } = process.env;
    const seed = given === undefined ? Date.now() % 1_000_000_000 : Number(given);
    // Once one has failed, it alone goes on, to find the smallest that fails.
    let failed: Ground | undefined;
    const tried = async (ground: Ground, value: T) => {
      if (failed !== undefined && failed !== ground) return;
      try {
        await holds(ground, value);
      } catch (error) {
        failed ??= ground;
        throw error;
      }
    };
    const searches = this.#grounds.map((ground, i) =>
      fc.assert(
        fc.asyncProperty(values, (value) => tried(ground, value)),
        { numRuns: Math.ceil(runs / AT_ONCE), seed: seed + i, endOnFailure: shrinks === 'no' },
      ),
    );
    const ends = await Promise.allSettled(searches);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  async close(): Promise<void> {
    for (const ground of this.#grounds) await ground.close();
  }
}
