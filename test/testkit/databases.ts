import pg from 'pg';
import { openStore } from '../../src/store/open.js';

/** The migrated database that every test database is a copy of. */
export const TEMPLATE = 'sankofa_test_template';

export function urlOf(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

export async function withAdmin<T>(serverUrl: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: serverUrl });
  admin.on('error', () => undefined);
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

/** Names are ours: they need no quoting. */
export async function dropDatabase(admin: pg.Client, name: string): Promise<void> {
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
}

/** Makes the migrated database that every test database of a server is a copy of. */
export async function makeTemplate(serverUrl: string): Promise<void> {
  await withAdmin(serverUrl, async (admin) => {
    await dropDatabase(admin, TEMPLATE);
    await admin.query(`CREATE DATABASE ${TEMPLATE}`);
  });
  const store = await openStore({ url: urlOf(serverUrl, TEMPLATE), migrate: true });
  await store.close();
}

/** All tables of ours but the list of migrations; the head row starts from 0 again, with the time of now. */
export async function emptyTables(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(tablename) AS name FROM pg_tables
      WHERE schemaname = 'public' AND tablename NOT IN ('migrations', 'write_head')`,
  );
  await client.query(`TRUNCATE ${rows.map((row) => row.name).join(', ')} RESTART IDENTITY`);
  await client.query(
    `UPDATE write_head SET seq = 0, event_cursor = 0, pruned_cursor = 0,
            at = date_trunc('milliseconds', clock_timestamp())`,
  );
}
