import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { median } from './measure.js';
import { withDirectory } from './postgres.js';
import { ms, type Table } from './report.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const ROUNDS = 3;
/** A start that takes longer than this has failed. */
const LONGEST = 60_000;

interface Started {
  readonly listening: number;
  readonly ready: number;
}

/** From the command to the first good answer: with an empty DATA_DIR (embedded database, simulated estate), and again on what that left. */
export async function benchStart(): Promise<readonly Table[]> {
  const firsts: Started[] = [];
  const agains: Started[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    await withDirectory(async (directory) => {
      firsts.push(await oneStart(directory));
      agains.push(await oneStart(directory));
    });
  }
  const row = (name: string, starts: readonly Started[]) => [
    name,
    ms(median(starts.map((one) => one.ready))),
    ms(median(starts.map((one) => one.listening))),
  ];
  return [
    {
      title: 'start: from the command to /readyz answering 200',
      notes: [
        `Reach: first start < 6,000 ms with the embedded database and nothing there, < 2,000 ms on what is there. Medians of ${ROUNDS}.`,
        'Ready is: migrated, listening, and the first look at the simulated estate over HTTPS is over.',
      ],
      head: ['start', 'ready ms', 'listening ms'],
      rows: [row('first, empty DATA_DIR', firsts), row('again', agains)],
    },
  ];
}

async function oneStart(directory: string): Promise<Started> {
  const begun = performance.now();
  const child = spawn(process.execPath, [MAIN, 'serve'], {
    cwd: directory,
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', DATA_DIR: join(directory, 'data'), SIMULATE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const signal = AbortSignal.timeout(LONGEST);
  try {
    const url = await urlOf(child, signal);
    const listening = performance.now() - begun;
    while (!(await isReady(url, signal))) await sleep(10, undefined, { signal });
    return { listening, ready: performance.now() - begun };
  } finally {
    await stop(child);
  }
}

/** The address in its line `listening`. What it says later is read too, or its pipe would fill. */
function urlOf(child: ChildProcess, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code} before it listened`)));
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    if (child.stdout === null) return;
    createInterface(child.stdout).on('line', (line) => {
      if (!line.includes('"msg":"listening"')) return;
      resolve((JSON.parse(line) as { url: string }).url);
    });
  });
}

async function isReady(url: string, signal: AbortSignal): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`, { signal });
  await answer.text();
  return answer.status === 200;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await exit;
  clearTimeout(killer);
}
