import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { isAttended } from '../../src/store/embedded/attendance.js';
import { stopPostmaster } from '../../src/store/embedded/postmaster.js';
import { startEmbedded } from '../../src/store/embedded/start.js';
import { makeTemplate } from './databases.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Superuser's URL of the server that all test databases lie on. */
    readonly postgresUrl: string;
    /** The directory of its socket; null: the server is not ours. */
    readonly postgresSocket: string | null;
  }
}

const PREFIX = 'sankofa-test-pg-';
/** Whoever PostgreSQL runs as may write here; its socket bears the number of its port. */
const SOCKETS = tmpdir();
const ABANDONED_AFTER = 2 * 60_000;

let stop: () => Promise<void> = async () => undefined;

/** One PostgreSQL a test run, with one migrated database that every test file's own is a copy of. */
export async function setup(project: TestProject): Promise<void> {
  const given = process.env.TEST_DATABASE_URL;
  const url = given === undefined || given === '' ? await serverForTests() : given;
  await makeTemplate(url);
  project.provide('postgresUrl', url);
  project.provide('postgresSocket', url === given ? null : SOCKETS);
}

export async function teardown(): Promise<void> {
  await stop();
}

async function serverForTests(): Promise<string> {
  await sweep();
  const dataDir = await mkdtemp(join(tmpdir(), PREFIX));
  // mkdtemp gives 0700, which PostgreSQL's own user could not enter when the tests run as root.
  await chmod(dataDir, 0o755);
  // Nothing here must survive a power cut.
  const settings = {
    ...{ fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '200' },
    unix_socket_directories: SOCKETS,
  };
  const embedded = await startEmbedded({ dataDir, settings });
  stop = async () => {
    await embedded.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return embedded.url;
}

/** A run that was killed could not stop its server: the next one does. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const dataDir = join(tmpdir(), name);
    const { mtimeMs } = await stat(dataDir).catch(() => ({ mtimeMs: Date.now() }));
    if (Date.now() - mtimeMs < ABANDONED_AFTER || (await isAttended(dataDir))) continue;
    await stopPostmaster(join(dataDir, 'postgres', 'data'));
    await rm(dataDir, { recursive: true, force: true });
  }
}
