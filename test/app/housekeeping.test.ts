import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { targetNames, tidyOnce } from '../../src/app/housekeeping.js';
import { REDIS_TARGET } from '../../src/domain/notify.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { Secret } from '../../src/domain/settings.js';
import { DAY } from '../../src/domain/time.js';
import { type OpenedStore, openStore } from '../../src/store/open.js';
import type { NewLogEvent } from '../../src/store/store.js';
import { apply, end, put, run } from '../store/words.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';

let kit: TestStore;
let store: OpenedStore;
beforeAll(async () => {
  kit = await createTestStore();
  store = kit.store;
});
beforeEach(() => kit.empty());
afterAll(() => kit.close());

const NEVER = new AbortController().signal;

function needs(more: { readers?: readonly string[]; store?: OpenedStore } = {}) {
  const [pruned, said]: [string[], string[]] = [[], []];
  const log = {
    info: () => undefined,
    warn: (fields: { readers: readonly string[] }) => void said.push(...fields.readers),
    error: () => undefined,
  };
  return {
    pruned,
    said,
    all: {
      store: more.store ?? store,
      retention: () => DEFAULT_POLICY.retention,
      readers: () => more.readers ?? [],
      pruned: (what: string, rows: number) => void pruned.push(`${what} ${rows}`),
      log,
    },
  };
}

const event = (at: number): NewLogEvent => ({
  topic: 'guest.moved',
  at,
  subject: { kind: 'GUEST', id: 'main/1@1' },
  payload: {},
});

it('each kind of row is kept for as long as the policy says', async () => {
  const now = await store.now();
  const age = (days: number) => now - days * DAY;
  await store.transaction((tx) => tx.events.append([event(age(91)), event(age(89))]));
  for (const [id, days] of [
    ['a', 31],
    ['b', 29],
    ['c', 0],
  ] as const)
    await store.transaction((tx) => tx.runs.add(run(id, { finishedAt: age(days) })));
  await apply(store, { writes: [put('1', 'x', { validFrom: age(900) }), put('2', 'y', { validFrom: age(900) })] });
  await apply(store, { writes: [end('1', age(401))] });
  const { pruned, all } = needs();
  expect(await tidyOnce(all, NEVER)).toBe(true);
  expect(pruned).toEqual(['events 1', 'runs 1', 'versions 1']);
  expect(await tidyOnce(all, NEVER)).toBe(true);
  expect(pruned.slice(3)).toEqual(['events 0', 'runs 0', 'versions 0']);
});

it('one gateway at a time', async () => {
  const other = await openStore({ url: kit.url, applicationName: 'other' });
  const held = await other.lock('housekeeping');
  const { pruned, all } = needs();
  expect(await tidyOnce(all, NEVER)).toBe(false);
  expect(pruned).toEqual([]);
  await held?.release();
  expect(await tidyOnce(all, NEVER)).toBe(true);
  await other.close();
});

it('what a webhook was not told yet waits for it, for twice the time and no longer', async () => {
  await store.deliveries.open('hook');
  const now = await store.now();
  await store.transaction((tx) => tx.events.append([event(now - 181 * DAY), event(now - 100 * DAY), event(now)]));
  const waiting = needs({ readers: ['hook'] });
  await tidyOnce(waiting.all, NEVER);
  expect(waiting.pruned[0]).toBe('events 1');
  expect(waiting.said).toEqual(['hook']);
  expect(await store.events.bounds()).toEqual({ last: 3n, resumableAfter: 1n });
  // A target that the policy no longer names holds nothing back.
  const nobody = needs();
  await tidyOnce(nobody.all, NEVER);
  expect(nobody.pruned[0]).toBe('events 1');
  expect(nobody.said).toEqual([]);
});

it('nothing is deleted once it was told to stop', async () => {
  const now = await store.now();
  await store.transaction((tx) => tx.events.append([event(now - 99 * DAY)]));
  await expect(tidyOnce(needs().all, AbortSignal.abort(new Error('stopping')))).rejects.toThrow('stopping');
  expect((await store.events.bounds()).resumableAfter).toBe(0n);
  // The lock was given back all the same.
  expect(await tidyOnce(needs().all, NEVER)).toBe(true);
});

it('Redis keeps a place where it is set', () => {
  expect(targetNames({ notify: [] }, { redisUrl: null })).toEqual([]);
  expect(targetNames({ notify: [] }, { redisUrl: new Secret('redis://127.0.0.1') })).toEqual([REDIS_TARGET]);
});
