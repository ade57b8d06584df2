import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { birthOf } from './processes.js';

const LONGEST_WAIT = 120_000;

/** Lets one gateway at a time start or stop the database of a DATA_DIR. A dead holder's lock is taken over. */
export async function alone<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const file = join(dataDir, 'postgres.lock');
  const mine = `${await signature()} ${randomBytes(6).toString('hex')}\n`;
  const until = performance.now() + LONGEST_WAIT;
  while (!(await claim(file, mine))) {
    if (performance.now() > until)
      throw new Error(`${file} is held by another gateway that neither starts nor ends: stop it`);
    await sleep(50);
  }
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

// Written beside and linked into place: whoever finds the lock finds its holder's name in it.
async function claim(file: string, mine: string): Promise<boolean> {
  const draft = `${file}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(draft, { force: true });
  }
  const holder = await readFile(file, 'utf8').catch(() => undefined);
  if (holder === undefined || (await isAlive(holder))) return false;
  // Removed only while it still is the dead one's; two that do this at once meet at the link above.
  if ((await readFile(file, 'utf8').catch(() => undefined)) === holder) await rm(file, { force: true });
  return false;
}

/** Notes that this gateway uses the database. Returns the way to sign out, which tells whether nobody else is left. */
export async function attend(dataDir: string): Promise<() => Promise<boolean>> {
  const directory = usersOf(dataDir);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const mine = join(directory, `${process.pid}-${randomBytes(4).toString('hex')}`);
  await writeFile(mine, `${await signature()}\n`, { mode: 0o600 });
  return async () => {
    await rm(mine, { force: true });
    return !(await isAttended(dataDir));
  };
}

/** Whether a living gateway uses the database of a DATA_DIR. The dead ones are struck off. */
export async function isAttended(dataDir: string): Promise<boolean> {
  const directory = usersOf(dataDir);
  for (const name of await readdir(directory).catch(() => [])) {
    const file = join(directory, name);
    const written = await readFile(file, 'utf8').catch(() => '');
    if (await isAlive(written)) return true;
    await rm(file, { force: true });
  }
  return false;
}

function usersOf(dataDir: string): string {
  return join(dataDir, 'postgres-users');
}

async function signature(): Promise<string> {
  return `${process.pid} ${await birthOf(process.pid)}`;
}

async function isAlive(written: string): Promise<boolean> {
  const match = /^(\d+) (.+?)(?: [0-9a-f]{12})?\n$/.exec(written);
  return match !== null && (await birthOf(Number(match[1]))) === match[2];
}
