import { createHash } from 'node:crypto';
import { access, chmod, chown, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Account, mayEnter } from './account.js';

const NOTE = 'postgres-is-elsewhere.txt';

/** Where the database of a DATA_DIR lies already, or would by default. */
export async function knownPlace(dataDir: string): Promise<string> {
  return (await noted(dataDir)) ?? join(dataDir, 'postgres');
}

/**
 * Makes the directory in which the database lives: `DATA_DIR/postgres`; where PostgreSQL's user cannot get there, one
 * below the system's state directory, with a note in DATA_DIR. Where a database was once, it stays.
 */
export async function makePlace(
  dataDir: string,
  account: Account | undefined,
  systemDir: string,
  log: (line: string) => void,
): Promise<string> {
  const elsewhere = await noted(dataDir);
  if (elsewhere !== undefined) return elsewhere;
  const near = join(dataDir, 'postgres');
  const was = await exists(join(near, 'data'));
  await makeOwned(near, account);
  if (await mayEnter(account, near)) return near;
  if (was) {
    throw new Error(
      `the database in ${near} cannot be reached by ${account?.name ?? 'its user'} any more: give that user access (chmod o+x) to each directory above it`,
    );
  }
  await rmdir(near).catch(() => undefined);
  const far = await freeBelow(systemDir, dataDir);
  await mkdir(systemDir, { recursive: true, mode: 0o755 });
  await writeFile(
    join(dataDir, NOTE),
    `The database of this directory lies in\n${far}\nbecause PostgreSQL, which does not run as root, cannot reach this one.\n`,
  );
  await makeOwned(far, account);
  if (!(await mayEnter(account, far))) {
    throw new Error(`neither ${near} nor ${far} can be reached by ${account?.name}: set DATA_DIR to one that can`);
  }
  log(`the database lies in ${far}, as ${account?.name} cannot reach ${dataDir}`);
  return far;
}

async function noted(dataDir: string): Promise<string | undefined> {
  const note = await readFile(join(dataDir, NOTE), 'utf8').catch(() => undefined);
  const place = note?.split('\n')[1];
  if (place === undefined || !place.startsWith('/')) return undefined;
  if (await exists(place)) return place;
  throw new Error(
    `${join(dataDir, NOTE)} says that the database lies in ${place}, which is not there: put it back, or delete the note to begin with an empty database`,
  );
}

/** A name made of DATA_DIR's; a directory that an earlier DATA_DIR of that name left behind is not ours to touch. */
async function freeBelow(systemDir: string, dataDir: string): Promise<string> {
  const name = createHash('sha256').update(dataDir).digest('hex').slice(0, 16);
  for (let n = 1; ; n++) {
    const place = join(systemDir, n === 1 ? name : `${name}-${n}`);
    if (!(await exists(place))) return place;
  }
}

async function makeOwned(directory: string, account: Account | undefined): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if (account === undefined) return;
  await chown(directory, account.uid, account.gid);
  await chmod(directory, 0o700);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
