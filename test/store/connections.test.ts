import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findPostmaster, stopPostmaster } from '../../src/store/embedded/postmaster.js';
import { type Embedded, startEmbedded } from '../../src/store/embedded/start.js';
import { type OpenedStore, openStore } from '../../src/store/open.js';
import type { Channel } from '../../src/store/store.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { apply, T0 } from './words.js';

describe('announcements', () => {
  let kit: TestStore;
  beforeEach(async () => {
    kit = await createTestStore();
  });
  afterEach(() => kit.close());

  it('are heard by another replica when the rows can be read, and never for what was rolled back', async () => {
    const other = await openStore({ url: kit.url });
    const heard: [Channel, string][] = [];
    const stop = await other.listen(
      (channel, payload) => heard.push([channel, payload]),
      () => undefined,
    );
    await kit.store
      .transaction(async (tx) => {
        await tx.asks.add('proxmox:rolled-back', [{ part: 'config', key: '1' }]);
        throw new Error('no');
      })
      .catch(() => undefined);
    const seq = await kit.store.transaction(async (tx) => {
      await tx.asks.add('proxmox:main', [{ part: 'config', key: '101' }]);
      await tx.events.append([{ topic: 't', at: T0, subject: { kind: 'GUEST', id: 'x' }, payload: null }]);
      await tx.events.append([{ topic: 't', at: T0, subject: { kind: 'GUEST', id: 'y' }, payload: null }]);
      return tx.seq;
    });
    const applied = await apply(kit.store, {});
    await vi.waitFor(() => expect(heard).toContainEqual(['inventory', `proxmox:main:${applied}`]));
    expect(heard.slice(0, 3)).toEqual([
      ['asks', 'proxmox:main'],
      ['events', '1'],
      ['events', '2'],
    ]);
    expect(applied).toBe(seq + 1n);
    await stop();
    await other.close();
  });

  it('go on after the connection was cut, and the cut is told', async () => {
    const heard: string[] = [];
    let reconnects = 0;
    await kit.store.listen(
      (channel) => heard.push(channel),
      () => reconnects++,
    );
    await cut(kit.url, 'test listen');
    await vi.waitFor(() => expect(reconnects).toBe(1), { timeout: 10_000 });
    await apply(kit.store, {});
    await vi.waitFor(() => expect(heard).toEqual(['inventory']), { timeout: 10_000 });
  });
});

describe('locks', () => {
  let kit: TestStore;
  let other: OpenedStore;
  beforeEach(async () => {
    kit = await createTestStore();
    other = await openStore({ url: kit.url, applicationName: 'other' });
  });
  afterEach(async () => {
    await other.close();
    await kit.close();
  });

  it('are had by one at a time, in this process or another', async () => {
    const mine = await kit.store.lock('proxmox:main');
    expect(mine).toBeDefined();
    expect(await other.lock('proxmox:main')).toBeUndefined();
    expect(await kit.store.lock('proxmox:main')).toBeUndefined();
    expect(await other.lock('proxmox:edge')).toBeDefined();
    await mine?.release();
    await mine?.release();
    const theirs = await other.lock('proxmox:main');
    expect(theirs).toBeDefined();
    expect(mine?.lost.aborted).toBe(false);
    expect(await kit.store.lock('proxmox:main')).toBeUndefined();
  });

  it('are lost with their connection, and the holder is told', async () => {
    const mine = await kit.store.lock('proxmox:main');
    await cut(kit.url, 'test locks');
    await vi.waitFor(() => expect(mine?.lost.aborted).toBe(true), { timeout: 10_000 });
    const theirs = await other.lock('proxmox:main');
    expect(theirs).toBeDefined();
    await mine?.release();
    expect(await kit.store.lock('proxmox:main')).toBeUndefined();
    await theirs?.release();
    expect(await kit.store.lock('proxmox:main')).toBeDefined();
  });

  it('are free when the store is closed', async () => {
    const mine = await other.lock('proxmox:main');
    await other.close();
    expect(mine?.lost.aborted).toBe(true);
    await vi.waitFor(async () => expect(await kit.store.lock('proxmox:main')).toBeDefined(), { timeout: 10_000 });
    other = await openStore({ url: kit.url });
  });
});

describe('a server that was stopped', () => {
  let dataDir: string;
  let server: Embedded;
  let store: OpenedStore;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sankofa-faults-'));
    // mkdtemp gives 0700, which PostgreSQL's own user could not enter when the tests run as root.
    await chmod(dataDir, 0o755);
    server = await startEmbedded({ dataDir, settings: { fsync: 'off' } });
    store = await openStore({ url: server.url, migrate: true });
  });
  afterEach(async () => {
    await store.close();
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it('is answered with UNAVAILABLE, started again, and used again without a new store', async () => {
    await store.transaction((tx) => tx.marks.put('before', 'kept'));
    let reconnects = 0;
    await store.listen(
      () => undefined,
      () => reconnects++,
    );
    const lock = await store.lock('proxmox:main');
    const during = store.transaction(async (tx) => {
      await tx.marks.put('during', 'lost');
      await stopPostmaster(join(server.stateDir, 'data'));
      await tx.marks.put('during', 'lost');
    });
    await expect(during).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(lock?.lost.aborted).toBe(true);

    await vi.waitFor(() => store.ping(), { timeout: 20_000, interval: 100 });
    await vi.waitFor(() => expect(reconnects).toBe(1), { timeout: 20_000 });
    expect(await store.transaction((tx) => tx.marks.get('before'))).toBe('kept');
    expect(await store.transaction((tx) => tx.marks.get('during'))).toBeUndefined();
    expect(await store.lock('proxmox:main')).toBeDefined();
    expect(await findPostmaster(join(server.stateDir, 'data'))).toMatchObject({ ready: true });
  });
});

async function cut(url: string, applicationName: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()',
    [applicationName],
  );
  await client.end();
  expect(rowCount).toBe(1);
}
