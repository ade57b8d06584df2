import { spawn } from 'node:child_process';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Account, environment, identity } from './account.js';
import type { Binaries } from './binaries.js';
import { anyoneIn, birthOf, commandOf } from './processes.js';

const READY_TIMEOUT = 60_000;
const LEFTOVERS_TIMEOUT = 10_000;
const FAST_STOP = 8_000;
const HARD_STOP = 2_000;
const LONGEST_LOG = 5_000_000;

export interface Postmaster {
  readonly pid: number;
  readonly port: number;
}

/** The living postmaster of a data directory, ready or about to be. */
export async function findPostmaster(data: string): Promise<(Postmaster & { readonly ready: boolean }) | undefined> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n');
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 1) return undefined;
  // The number may belong to somebody else by now: after a reboot, or in a container.
  if (!isPostmasterOf(await commandOf(pid), data)) return undefined;
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' };
}

function isPostmasterOf(command: string, data: string): boolean {
  return /(^|\/)postgres\b/.test(command) && `${command} `.includes(` -D ${data} `);
}

/** Waits until a postmaster that another gateway started answers. */
export async function awaitReady(data: string): Promise<Postmaster | undefined> {
  const until = performance.now() + READY_TIMEOUT;
  while (performance.now() < until) {
    const found = await findPostmaster(data);
    if (found === undefined || found.ready) return found;
    await sleep(50);
  }
  throw new Error(`PostgreSQL in ${data} runs but does not become ready: see its log beside that directory`);
}

interface Start {
  readonly binaries: Binaries;
  readonly data: string;
  readonly logFile: string;
  readonly account: Account | undefined;
  /** A port that must be had again, since others know it; undefined: any free one. */
  readonly port: number | undefined;
  readonly configure: (port: number) => Promise<void>;
}

/** Starts a postmaster and waits until it answers. It outlives us if we are killed: the next gateway finds it. */
export async function startPostmaster(start: Start): Promise<Postmaster> {
  await clearForeignPidFile(start.data);
  await rotate(start.logFile);
  const leftoversUntil = performance.now() + LEFTOVERS_TIMEOUT;
  for (let attempt = 1; ; attempt++) {
    const port = start.port ?? (await freePort());
    await start.configure(port);
    const outcome = await launch(start, port);
    if (typeof outcome !== 'string') return outcome;
    // Backends of a killed postmaster hold its shared memory until they notice; somebody may have taken the port.
    const leftovers =
      /shared memory block|lock file .* already exists/.test(outcome) && performance.now() < leftoversUntil;
    const portTaken = start.port === undefined && /could not (bind|create any TCP)/.test(outcome) && attempt < 5;
    if (!leftovers && !portTaken) throw new Error(`PostgreSQL does not start in ${start.data}: ${lastLines(outcome)}`);
    await sleep(leftovers ? 250 : 0);
  }
}

/** A postmaster that answers, or what it wrote to its log before it ended. */
async function launch(start: Start, port: number): Promise<Postmaster | string> {
  const { binaries, data, logFile, account } = start;
  const log = await open(logFile, 'a', 0o600);
  const from = (await log.stat()).size;
  const child = spawn(join(binaries.directory, 'postgres'), ['-D', data], {
    ...identity(account),
    env: environment(binaries.libraries),
    cwd: '/',
    // A session of its own: Ctrl-C in a terminal stops us, and then we stop it.
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  });
  let failure: string | undefined;
  child.on('error', (error) => {
    failure = error.message;
  });
  child.on('exit', (code, signal) => {
    failure = `ended with ${signal ?? `code ${code}`}`;
  });
  child.unref();
  await log.close();
  const until = performance.now() + READY_TIMEOUT;
  while (failure === undefined && performance.now() < until) {
    const found = await findPostmaster(data);
    if (found?.ready && found.pid === child.pid) return { pid: found.pid, port };
    await sleep(20);
  }
  if (failure === undefined && child.pid !== undefined) process.kill(child.pid, 'SIGQUIT');
  const written = (await readFile(logFile, 'utf8').catch(() => '')).slice(from).trim();
  return written === '' ? (failure ?? 'it did not become ready in time') : written;
}

function lastLines(text: string): string {
  return text
    .split('\n')
    .filter((line) => !/HINT:|LOG: {2}(starting|listening|database system is shut down)/.test(line))
    .slice(-4)
    .map((line) => line.replace(/^[\d-]+ [\d:.]+ UTC \[\d+\] /, ''))
    .join(' · ');
}

/**
 * PostgreSQL will not start while its pid file names any living process of its user. Where that is certainly none of
 * its own (the number was given away again), the file goes; while anything still works in the directory, it stays.
 */
async function clearForeignPidFile(data: string): Promise<void> {
  const file = join(data, 'postmaster.pid');
  const pid = Number((await readFile(file, 'utf8').catch(() => '')).split('\n')[0]);
  if (!Number.isInteger(pid) || pid <= 1 || (await birthOf(pid)) === undefined) return;
  const command = await commandOf(pid);
  if (process.platform !== 'linux' || /postgres/.test(command) || (await anyoneIn(data))) return;
  await rm(file, { force: true });
}

async function rotate(logFile: string): Promise<void> {
  const { size } = await stat(logFile).catch(() => ({ size: 0 }));
  if (size > LONGEST_LOG) await rename(logFile, `${logFile}.1`);
}

/** Fast shutdown; where that takes too long an immediate one, which the next start recovers from. */
export async function stopPostmaster(data: string): Promise<void> {
  const found = await findPostmaster(data);
  if (found === undefined) return;
  const birth = await birthOf(found.pid);
  if (birth === undefined) return;
  if (await ends(found.pid, birth, 'SIGINT', FAST_STOP)) return;
  if (await ends(found.pid, birth, 'SIGQUIT', HARD_STOP)) return;
  throw new Error(`PostgreSQL (process ${found.pid}) does not end: stop it by hand`);
}

async function ends(pid: number, birth: string, signal: NodeJS.Signals, within: number): Promise<boolean> {
  process.kill(pid, signal);
  const until = performance.now() + within;
  while (performance.now() < until) {
    if ((await birthOf(pid)) !== birth) return true;
    await sleep(20);
  }
  return false;
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no free port on the loopback'));
        else resolve(address.port);
      });
    });
  });
}
