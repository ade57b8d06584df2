import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { type OpenedStore, openStore } from '../../src/store/open.js';
import { dropDatabase, emptyTables, TEMPLATE, urlOf, withAdmin } from './databases.js';

export { makeTemplate } from './databases.js';

const execute = promisify(execFile);

let otherServer: string | undefined;

/** Until released, this file's databases are made on another server, which `makeTemplate` has prepared. */
export function useServer(url: string): () => void {
  otherServer = url;
  return () => {
    otherServer = undefined;
  };
}

/** The same database by the server's socket, where it has one that we know of: a third cheaper for many small questions. */
export function throughSocket(url: string): string {
  const directory = inject('postgresSocket');
  if (directory === null || otherServer !== undefined) return url;
  const { username, password, port, pathname } = new URL(url);
  return `postgresql://${username}:${password}@${pathname}?host=${encodeURIComponent(directory)}&port=${port}`;
}

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A database of one's own: a copy of the migrated one (`empty`: with nothing in it), some 60 ms away. */
export async function createTestDatabase(options: { readonly empty?: boolean } = {}): Promise<TestDatabase> {
  const server = otherServer ?? inject('postgresUrl');
  const name = `sankofa_test_${randomBytes(8).toString('hex')}`;
  const template = options.empty === true ? '' : ` TEMPLATE ${TEMPLATE}`;
  await withAdmin(server, (admin) => admin.query(`CREATE DATABASE ${name}${template}`));
  return { url: urlOf(server, name), drop: () => withAdmin(server, (admin) => dropDatabase(admin, name)) };
}

export interface TestStore {
  readonly store: OpenedStore;
  readonly url: string;
  /** Empties every table and sets sequence and cursors back to 0: far cheaper than another database. */
  empty(): Promise<void>;
  /** Closes the store and drops its database. */
  close(): Promise<void>;
}

/** A store on a database of its own. */
export async function createTestStore(): Promise<TestStore> {
  const database = await createTestDatabase();
  const store = await openStore({ url: database.url, applicationName: 'test', maxConnections: 5 });
  return {
    store,
    url: database.url,
    empty: () => withAdmin(database.url, emptyTables),
    async close() {
      await store.close();
      await database.drop();
    },
  };
}

/** Where the system's own PostgreSQL server has its programs; undefined: this machine has none. */
export async function systemPostgres(): Promise<string | undefined> {
  try {
    const { stdout } = await execute('sh', [
      '-c',
      'command -v postgres || ls -d /usr/lib/postgresql/*/bin/postgres | tail -n 1',
    ]);
    return stdout.trim() === '' ? undefined : dirname(await realpath(stdout.trim()));
  } catch {
    return undefined;
  }
}
