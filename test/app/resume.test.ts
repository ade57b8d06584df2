import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { cursorText } from '../../src/feed/cursor.js';
import { CHANGE_TOPICS, DRIFT_TOPICS, INVENTORY_TOPICS } from '../../src/feed/events.js';
import type { NewLogEvent } from '../../src/store/store.js';
import { changeStep, driftOpened } from '../testkit/event-log.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { THEN } from '../testkit/view.js';

const execute = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KEY = 'a-key-for-the-tests-only';
const DRIFT = 'subscription ($after: String) { driftEvents(after: $after) { cursor finding { id } } }';
const INVENTORY = 'subscription ($after: String) { inventoryEvents(after: $after) { cursor guest { id } } }';
const CHANGES = 'subscription ($after: String) { changeRequestEvents(after: $after) { cursor type } }';

let kit: TestStore;
let folder: string;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  kit = await createTestStore();
  folder = await mkdtemp(join(tmpdir(), 'sankofa-resume-'));
  // A build of its own: another test may be building at the same time.
  const build = ['tsc', '-p', 'tsconfig.build.json', '--outDir', join(folder, 'dist'), '--incremental', 'false'];
  await execute('npx', [...build, '--tsBuildInfoFile', 'null'], { cwd: ROOT });
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'sources.yaml'), 'clusters: []\n');
}, 120_000);

afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await kit?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A gateway in a process of its own, on the test's database. */
async function startGateway(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [join(folder, 'dist/src/main.js'), 'serve'], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      PORT: '0',
      DATABASE_URL: kit.url,
      DATA_DIR: join(folder, 'data'),
      CONFIG_DIR: folder,
      INIT_ADMIN_API_KEY: KEY,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const url = await new Promise<string>((resolve, reject) => {
    const said: string[] = [];
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${said.join('\n')}`)));
    createInterface(child.stdout).on('line', (line) => {
      said.push(line);
      if (line.includes('"msg":"listening"')) resolve((JSON.parse(line) as { url: string }).url);
    });
  });
  return { child, url: `${url.replace('http', 'ws')}/graphql` };
}

/** A subscriber that holds on: whatever ends its socket, it comes back with the last cursor it was told. */
class Follower {
  readonly cursors: string[] = [];
  readonly #query: string;
  readonly #url: () => string;
  #after: string;
  #socket: WebSocket | undefined;
  #stopped = false;
  connections = 0;

  constructor(query: string, after: string, url: () => string) {
    this.#query = query;
    this.#after = after;
    this.#url = url;
  }

  async follow(): Promise<void> {
    while (!this.#stopped) {
      await this.#connection().catch(() => undefined);
      await sleep(20);
    }
  }

  cut(): void {
    this.#socket?.terminate();
  }

  stop(): void {
    this.#stopped = true;
    this.cut();
  }

  async #connection(): Promise<void> {
    const socket = new WebSocket(this.#url(), 'graphql-transport-ws');
    this.#socket = socket;
    socket.on('error', () => undefined);
    socket.on('open', () => socket.send(JSON.stringify({ type: 'connection_init', payload: { 'x-api-key': KEY } })));
    socket.on('message', (bytes) => {
      const message = JSON.parse(String(bytes)) as {
        type: string;
        payload?: { data?: Record<string, { cursor: string }> };
      };
      if (message.type === 'connection_ack') {
        this.connections += 1;
        const payload = { query: this.#query, variables: { after: this.#after } };
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
      }
      if (message.type !== 'next') return;
      const [event] = Object.values(message.payload?.data ?? {});
      if (event === undefined) throw new Error(String(bytes));
      this.#after = event.cursor;
      this.cursors.push(event.cursor);
    });
    await once(socket, 'close');
  }
}

function guestMoved(vmid: number): NewLogEvent {
  const guest = `main/${vmid}@1`;
  const payload = { type: 'MOVED', guest, name: 'web', kind: 'QEMU', from: 'pve1', to: 'pve2' };
  return { topic: 'guest.moved', at: THEN, subject: { kind: 'GUEST', id: guest }, payload };
}

/** The first error with which a subscription from `after` ends. */
async function refusalOf(url: string, after: string): Promise<unknown> {
  const socket = new WebSocket(url, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { 'x-api-key': KEY } }));
  await once(socket, 'message');
  socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: DRIFT, variables: { after } } }));
  const [bytes] = await once(socket, 'message');
  socket.terminate();
  const { type, payload } = JSON.parse(String(bytes)) as { type: string; payload: { errors?: object[] } | object[] };
  const [error] = Array.isArray(payload) ? payload : (payload.errors ?? []);
  return { type, error };
}

it('a follower misses nothing, hears nothing twice and all in order, while sockets are cut, the gateway is killed and many commit', async () => {
  const { store } = kit;
  let gateway = await startGateway();
  const [start = 0n] = await store.transaction((tx) => tx.events.append([driftOpened(0)]));
  const followers = [DRIFT, DRIFT, INVENTORY, INVENTORY, CHANGES].map(
    (query) => new Follower(query, cursorText(start), () => gateway.url),
  );
  const following = followers.map((follower) => follower.follow());

  let committing = true;
  let committed = 0;
  const writer = async () => {
    while (committing) {
      await store.transaction(async (tx) => {
        const events = Array.from({ length: 1 + Math.floor(Math.random() * 5) }, () => {
          const vmid = Math.floor(Math.random() * 100);
          const happened = [driftOpened, guestMoved, (n: number) => changeStep('DECIDED', { changeRequestId: `${n}` })];
          return (happened[Math.floor(Math.random() * happened.length)] ?? driftOpened)(vmid);
        });
        await tx.events.append(events);
        committed += events.length;
        if (Math.random() < 0.2) await sleep(Math.random() * 20);
      });
      await sleep(Math.random() * 40);
    }
  };
  const cutter = async () => {
    while (committing) {
      await sleep(Math.random() * 400);
      followers[Math.floor(Math.random() * followers.length)]?.cut();
    }
  };
  const disturbing = [writer(), writer(), writer(), writer(), cutter()];

  for (let kill = 0; kill < 3; kill++) {
    await sleep(500 + Math.random() * 1_000);
    const { child } = gateway;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
    gateway = await startGateway();
  }
  await sleep(500);
  committing = false;
  await Promise.all(disturbing);

  const logged = async (topics: readonly string[]) =>
    (await store.events.after(start, topics, 100_000)).map(({ cursor }) => cursorText(cursor));
  const drift = await logged(DRIFT_TOPICS);
  const inventory = await logged(INVENTORY_TOPICS);
  const changes = await logged(CHANGE_TOPICS);
  expect(drift.length + inventory.length + changes.length).toBe(committed);
  const expected = [drift, drift, inventory, inventory, changes];
  await expect
    .poll(() => followers.map(({ cursors }) => cursors.length), { timeout: 20_000 })
    .toEqual(expected.map(({ length }) => length));
  // Time enough for a repeat to come.
  await sleep(300);
  for (const follower of followers) follower.stop();
  await Promise.all(following);
  for (const [i, { cursors }] of followers.entries()) expect(cursors).toEqual(expected[i]);
  expect(Math.min(...followers.map(({ connections }) => connections))).toBeGreaterThan(3);

  await store.events.prune(Date.now());
  const expired = { code: 'CURSOR_EXPIRED', field: ['after'] };
  expect(await refusalOf(gateway.url, cursorText(start))).toMatchObject({
    type: 'error',
    error: { extensions: expired },
  });
  expect(await refusalOf(gateway.url, 'cursor-of-another')).toMatchObject({
    type: 'error',
    error: {
      message: expect.stringMatching(/^after: this is not a cursor of the event log/),
      extensions: { code: 'VALIDATION_ERROR' },
    },
  });
}, 120_000);
