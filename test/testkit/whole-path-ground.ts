import pg from 'pg';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { createTestDatabase, throughSocket } from './postgres.js';

/** One database for many lives: two stores on it, for two processes, and a connection that looks at what they wrote. */
export class Ground {
  readonly stores: readonly Store[];
  readonly sql: pg.Client;
  readonly close: () => Promise<void>;
  readonly #tables: readonly string[];

  private constructor(stores: readonly Store[], sql: pg.Client, tables: readonly string[], close: () => Promise<void>) {
    this.stores = stores;
    this.sql = sql;
    this.#tables = tables;
    this.close = close;
  }

  static async open(): Promise<Ground> {
    const { url: address, drop } = await createTestDatabase();
    const url = throughSocket(address);
    const stores = await Promise.all(['one', 'other'].map((applicationName) => openStore({ url, applicationName })));
    const sql = new pg.Client({ connectionString: url });
    await sql.connect();
    const { rows } = await sql.query<{ name: string }>(
      `SELECT quote_ident(tablename) AS name FROM pg_tables
        WHERE schemaname = 'public' AND tablename NOT IN ('migrations', 'write_head')`,
    );
    const close = async () => {
      await sql.end();
      for (const store of stores) await store.close();
      await drop();
    };
    return new Ground(
      stores,
      sql,
      rows.map(({ name }) => name),
      close,
    );
  }

  /** Of a few rows, deleting is a tenth of the price of truncating; foreign keys are looked at when all are gone. */
  async clear(): Promise<void> {
    const deletes = this.#tables.map((name) => `DELETE FROM ${name};`).join(' ');
    await this.sql.query(
      `BEGIN; SET LOCAL session_replication_role = replica; ${deletes}
       UPDATE write_head SET seq = 0, event_cursor = 0, pruned_cursor = 0, at = '2100-01-01'; COMMIT`,
    );
  }
}
