import type pg from 'pg';
import { SECOND } from '../../src/domain/time.js';
import type { Store } from '../../src/store/store.js';
import type { World } from './whole-path-world.js';

/** What processes write, at the model's time, and what becomes of it on the way. */
export class Writes {
  /** Something was committed that followers have not learned. */
  areNews = false;
  /** Steps of findings may be among it. */
  mayBeSteps = false;
  /** The next commit of whoever compares or decides breaks off. */
  break = false;
  /** Done once, as somebody who compared or decided is about to write. */
  meanwhile: (() => Promise<void>) | undefined;
  readonly #sql: pg.Client;
  readonly #world: World;
  /** The time that the store was told last. */
  #told = 0;

  constructor(sql: pg.Client, world: World) {
    this.#sql = sql;
    this.#world = world;
  }

  /** For those who compare and decide: the time of what they write is that of the model. */
  of(store: Store): Store {
    return {
      ...this.#at(store, 0),
      transaction: async (work) => {
        const { meanwhile } = this;
        this.meanwhile = undefined;
        await meanwhile?.();
        await this.#tell(0);
        const written = store.transaction(async (tx) => {
          const result = await work(tx);
          if (!this.break) return result;
          this.break = false;
          throw new Error('the connection broke before the commit');
        });
        return written.finally(() => {
          this.areNews = true;
          this.mayBeSteps = true;
        });
      },
    };
  }

  /** For those who collect: what they write brings its own times with it, so the store's clock may be a second late. */
  ofPasses(store: Store): Store {
    return {
      ...this.#at(store, SECOND),
      transaction: async (work) => {
        await this.#tell(SECOND);
        return store.transaction(work).finally(() => {
          this.areNews = true;
        });
      },
    };
  }

  #at(store: Store, late: number): Store {
    return {
      ...store,
      now: async () => {
        await this.#tell(late);
        return store.now();
      },
    };
  }

  /** The store gives no transaction a time before that of an earlier one, so telling it of a later one sets its clock. */
  async #tell(late: number): Promise<void> {
    const { now } = this.#world;
    if (now <= this.#told + late) return;
    await this.#sql.query('UPDATE write_head SET at = $1 WHERE at < $1', [new Date(now)]);
    this.#told = now;
  }
}
