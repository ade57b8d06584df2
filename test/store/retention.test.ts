import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { OpenedStore } from '../../src/store/open.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { apply, end, put, run, T0 } from './words.js';

let kit: TestStore;
let store: OpenedStore;
beforeAll(async () => {
  kit = await createTestStore();
  store = kit.store;
});
beforeEach(() => kit.empty());
afterAll(() => kit.close());

async function rows<Row extends pg.QueryResultRow>(statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: kit.url });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

it('what ended long ago goes; what still holds stays, however old it is', async () => {
  await apply(store, { writes: [put('1', 'a'), put('2', 'never changed'), put('3', 'gone')] });
  await apply(store, { writes: [put('1', 'b', { validFrom: T0 + 1_000 }), end('3', T0 + 5_000)] });
  expect(await store.retention.versions(T0 + 5_000)).toBe(1);
  expect(await rows('SELECT body FROM versions ORDER BY id')).toEqual([
    { body: 'never changed' },
    { body: 'gone' },
    { body: 'b' },
  ]);
  expect(await store.retention.versions(T0 + 99_999_999)).toBe(1);
  const open = await store.versions.open();
  expect(open.opened.map((version) => version.body)).toEqual(['never changed', 'b']);
});

it('old versions go in batches until none is left, and what was asked to stop goes no further', async () => {
  const many = Array.from({ length: 12_000 }, (_, n) => put(String(n), 'a'));
  await apply(store, { writes: many });
  await apply(store, { writes: many.map((_, n) => end(String(n), T0 + 1_000)) });
  await expect(store.retention.versions(T0 + 2_000, AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  expect(await store.retention.versions(T0 + 2_000)).toBe(12_000);
  expect(await store.retention.versions(T0 + 2_000)).toBe(0);
});

it('the last run of a source stays, however old: the schedule goes by it', async () => {
  const add = (id: string, source: string, finishedAt: number) =>
    store.transaction((tx) => tx.runs.add(run(id, { source, finishedAt })));
  await add('old', 'proxmox:main', T0);
  await add('last', 'proxmox:main', T0 + 1_000);
  await add('only', 'npm:edge', T0);
  expect(await store.retention.runs(T0 + 9_000)).toBe(1);
  expect([...(await store.runs.latestBySource()).values()].map(({ id }) => id).sort()).toEqual(['last', 'only']);
});

it('the log is not pruned beyond the place that a reader keeps', async () => {
  const event = { topic: 'guest.moved', at: T0, subject: { kind: 'GUEST', id: 'main/1@1' }, payload: {} };
  await store.transaction((tx) => tx.events.append([event, event, event, event]));
  expect(await store.events.prune(T0 + 1, { keepAfter: 2n })).toBe(2);
  expect(await store.events.prune(T0 + 1, { keepAfter: 2n })).toBe(0);
  expect(await store.events.bounds()).toEqual({ last: 4n, resumableAfter: 2n });
  expect((await store.events.after(2n, ['guest.moved'], 9)).map(({ cursor }) => cursor)).toEqual([3n, 4n]);
  expect(await store.events.prune(T0 + 1)).toBe(2);
});
