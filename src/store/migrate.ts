import pg from 'pg';
import type { DataSource } from 'typeorm';
import { connectionSettings } from './data-source.js';

const LONGEST_WAIT = 5 * 60_000;

/**
 * Applies what is missing and gives its names. Of several processes one applies and the others wait for it;
 * each migration is one transaction.
 */
export async function migrate(orm: DataSource, url: string, applicationName: string): Promise<readonly string[]> {
  const turn = new pg.Client({ ...connectionSettings(url, `${applicationName} migrate`), lock_timeout: LONGEST_WAIT });
  turn.on('error', () => undefined);
  await turn.connect();
  try {
    await turn.query(`SELECT pg_advisory_lock(hashtextextended('sankofa migrations', 0))`);
    const applied = await orm.runMigrations({ transaction: 'each' });
    return applied.map((migration) => migration.name);
  } finally {
    await turn.end();
  }
}
