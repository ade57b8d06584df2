import { afterEach, beforeEach, expect, it } from 'vitest';
import { cursorText } from '../../src/feed/cursor.js';
import { feed } from '../../src/feed/feed.js';
import { driftOpened } from '../testkit/event-log.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';

const admin = caller();
let kit: TestStore;
beforeEach(async () => {
  kit = await createTestStore();
});
afterEach(() => kit.close());

it('a follower of the log sees every commit once and in order, while several write', async () => {
  const wakes = new Set<() => void>();
  const wakeAll = () => {
    for (const wake of wakes) wake();
  };
  const stop = await kit.store.listen((channel) => {
    if (channel === 'events') wakeAll();
  }, wakeAll);
  const all = feed({
    store: kit.store,
    onEvents: (wake) => {
      wakes.add(wake);
      return () => wakes.delete(wake);
    },
    learned: async () => {},
    stillValid: () => true,
    matchesGuest: () => false,
    onTrouble: (cause) => {
      throw cause;
    },
  });
  const [start] = await kit.store.transaction((tx) => tx.events.append([driftOpened(0)]));
  const total = 8 * 15;
  const follow = async () => {
    const seen: string[] = [];
    const stream = all.driftEvents(admin, { after: cursorText(start ?? 0n) }, AbortSignal.timeout(20_000));
    for await (const event of stream) if (seen.push(event.cursor) === total) break;
    return seen;
  };
  const early = [follow(), follow()];
  const writer = async (w: number) => {
    for (let i = 0; i < 15; i++) await kit.store.transaction((tx) => tx.events.append([driftOpened(w * 100 + i)]));
  };
  await Promise.all(Array.from({ length: 8 }, (_, w) => writer(w)));
  const [first, ...others] = await Promise.all([...early, follow()]);
  const log = await kit.store.events.after(start ?? 0n, ['drift.detected'], 1_000);
  expect(first).toEqual(log.map((event) => cursorText(event.cursor)));
  for (const other of others) expect(other).toEqual(first);
  await all.stop();
  await stop();
});
