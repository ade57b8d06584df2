import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, appendFile, chown, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Account, environment, identity } from './account.js';
import type { Binaries } from './binaries.js';

const execute = promisify(execFile);
const SETTINGS = 'sankofa.conf';
const INITDB_TIMEOUT = 120_000;

export const ROLE = 'sankofa';

/** The major version that made a data directory; undefined: there is none. */
export async function majorOf(dataDirectory: string): Promise<string | undefined> {
  const version = await readFile(join(dataDirectory, 'PG_VERSION'), 'utf8').catch((error) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new Error(
      `the database in ${dataDirectory} cannot be read by this user: start as the user who owns it, or set DATA_DIR`,
      { cause: error },
    );
  });
  return version?.trim();
}

/** The password of the embedded database: made once, readable by us alone. */
export async function passwordIn(dataDir: string, isNew: boolean): Promise<string> {
  const file = join(dataDir, 'postgres-password');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined && known.trim() !== '') return known.trim();
  if (!isNew) {
    throw new Error(`${file} is missing or unreadable, and the database does not open without it: put it back`);
  }
  const password = randomBytes(24).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** Runs initdb beside the final place and moves its work there, so that one broken off half-way is never taken for whole. */
export async function initialise(
  binaries: Binaries,
  stateDir: string,
  account: Account | undefined,
  password: string,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const partial = join(stateDir, 'data.partial');
  const passwordFile = join(stateDir, 'password.partial');
  await rm(partial, { recursive: true, force: true });
  await writeOwned(passwordFile, `${password}\n`, account);
  // Who asks for no fsync later has no use for it now.
  const unsynced = settings.fsync === 'off' ? ['--no-sync'] : [];
  try {
    await execute(
      join(binaries.directory, 'initdb'),
      [
        '-D',
        partial,
        '-U',
        ROLE,
        '-A',
        'scram-sha-256',
        `--pwfile=${passwordFile}`,
        '-E',
        'UTF8',
        '--locale=C',
        ...unsynced,
      ],
      { ...identity(account), env: environment(binaries.libraries), cwd: '/', timeout: INITDB_TIMEOUT },
    );
    await appendFile(join(partial, 'postgresql.conf'), `\ninclude '${SETTINGS}'\n`);
    await rename(partial, join(stateDir, 'data'));
  } catch (error) {
    await rm(partial, { recursive: true, force: true }).catch(() => undefined);
    throw new Error(`PostgreSQL could not make its database in ${stateDir}: ${said(error)}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function said(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return stderr === '' ? String(error) : stderr.split('\n').slice(-5).join(' · ');
}

/** Rewritten before each start: the port is a free one, and everything but the loopback is shut. */
export async function writeSettings(
  dataDirectory: string,
  account: Account | undefined,
  port: number,
  more: Readonly<Record<string, string>>,
): Promise<void> {
  const settings: Readonly<Record<string, string>> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    password_encryption: 'scram-sha-256',
    max_connections: '100',
    shared_buffers: '128MB',
    dynamic_shared_memory_type: 'mmap',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] ',
    cluster_name: 'sankofa-it',
    jit: 'off',
    ...more,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  await writeOwned(join(dataDirectory, SETTINGS), `${lines.join('\n')}\n`, account);
}

async function writeOwned(file: string, content: string, account: Account | undefined): Promise<void> {
  await writeFile(file, content, { mode: 0o600 });
  if (account !== undefined) await chown(file, account.uid, account.gid);
}

export async function isInitialised(stateDir: string): Promise<boolean> {
  return access(join(stateDir, 'data')).then(
    () => true,
    () => false,
  );
}
