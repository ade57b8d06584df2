import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'vitest';

const present = spawnSync('redis-server', ['--version']).status === 0;

/** A group of tests against a real Redis: skipped by name without it, failing where all parts are required. */
export function describeRedis(name: string, tests: () => void): void {
  if (present) describe(name, tests);
  else if (process.env.REQUIRE_ALL_PARTS === '1') {
    it(`${name}: needs redis-server`, () => {
      throw new Error('redis-server is missing: install redis-server');
    });
  } else describe.skip(`${name} (redis-server is missing: install redis-server)`, tests);
}

/** A Redis server of its own on the loopback, that keeps its data over a kill. */
export interface Redis {
  readonly url: string;
  readonly port: number;
  start(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<Redis> {
  const dir = mkdtempSync(join(tmpdir(), 'redis-'));
  const port = await freePort();
  let child: ChildProcess | undefined;
  let dismiss = () => {};
  const start = async () => {
    const keeping = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--daemonize', 'no'];
    child = spawn('redis-server', [...place, ...keeping], { stdio: 'ignore' });
    dismiss = guard(child, dir);
    await answering(port);
  };
  const kill = async () => {
    const ended = child;
    child = undefined;
    dismiss();
    if (ended === undefined || ended.exitCode !== null) return;
    const gone = new Promise((resolve) => ended.once('exit', resolve));
    ended.kill('SIGKILL');
    await gone;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    start,
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    async stop() {
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/**
 * Ends a server, and takes its folder away, where this process ends before it could: a shell of its own reads from it, and
 * hears the end of that however it came. Gives the way to send the shell home.
 */
function guard({ pid }: ChildProcess, dir: string): () => void {
  if (pid === undefined) return () => {};
  const deed = ['-c', 'read -r _; kill -9 "$0" 2>/dev/null; rm -rf "$1"', String(pid), dir];
  const shell = spawn('sh', deed, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  shell.unref();
  return () => void shell.kill('SIGKILL');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Until it answers PONG: while it reads its data it listens already. */
async function answering(port: number): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (await pong(port)) return;
    await sleep(20);
  }
  throw new Error('redis-server does not answer');
}

function pong(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
}
