import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** The operating system's user that PostgreSQL runs as, where that is not ourselves. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Nothing of our own environment is handed on: it may hold secrets that are none of the database's business. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

export function environment(libraries: string | undefined): Record<string, string> {
  return libraries === undefined
    ? { ...ENVIRONMENT }
    : { ...ENVIRONMENT, LD_LIBRARY_PATH: libraries, DYLD_LIBRARY_PATH: libraries };
}

/** Spreads into the options of a child process. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/**
 * PostgreSQL refuses to run as root: then it is whoever owns the existing data, else the user `postgres`, else `nobody`.
 * undefined: as ourselves.
 */
export async function accountFor(dataDirectory: string): Promise<Account | undefined> {
  if (!isRoot()) return undefined;
  const owner = await stat(dataDirectory).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { name: `uid ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  const account = (await accountNamed('postgres')) ?? (await accountNamed('nobody'));
  if (account === undefined) {
    throw new Error(
      'PostgreSQL does not run as root, and this system has neither a user `postgres` nor `nobody`: create one, start as another user, or set DATABASE_URL',
    );
  }
  return account;
}

async function accountNamed(name: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => execute('id', [flag, name])));
    return { name, uid: Number(uid?.stdout), gid: Number(gid?.stdout) };
  } catch {
    return undefined;
  }
}

/** Whether the account may enter a directory: its own mode and that of every parent decide. */
export async function mayEnter(account: Account | undefined, directory: string): Promise<boolean> {
  if (account === undefined) return true;
  try {
    await execute('test', ['-x', directory], { ...identity(account), env: environment(undefined), cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
