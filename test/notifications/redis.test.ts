import { createClient } from '@redis/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Secret } from '../../src/domain/settings.js';
import { isoTime } from '../../src/domain/time.js';
import { cursorText } from '../../src/feed/cursor.js';
import { driftOpened } from '../testkit/event-log.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';
import { THEN } from '../testkit/view.js';
import { OwnClock } from './clock.js';
import { receiver } from './receiver.js';
import { describeRedis, type Redis, startRedis } from './redis-server.js';
import { hook, type Rig, rig } from './rig.js';

const STREAM = 'sankofa.events';
const consumer = (url: string) => createClient({ url });

describeRedis('the Redis stream', () => {
  let kit: TestStore;
  let redis: Redis;
  let clock: OwnClock;
  let open: Rig[] = [];
  beforeEach(async () => {
    [kit, redis] = await Promise.all([createTestStore(), startRedis()]);
    clock = new OwnClock(THEN);
  });
  afterEach(async () => {
    for (const one of open) await one.stop();
    open = [];
    await redis.stop();
    await kit.close();
  });

  async function streaming(targets: Parameters<typeof rig>[1] = [], maxLength = 100_000): Promise<Rig> {
    const more = { clock, redisUrl: new Secret(redis.url), maxLength: () => maxLength };
    const made = await rig(kit.store, targets, more);
    open.push(made);
    return made;
  }

  async function asking<T>(ask: (client: ReturnType<typeof consumer>) => Promise<T>): Promise<T> {
    const client = consumer(redis.url);
    await client.connect();
    try {
      return await ask(client);
    } finally {
      client.destroy();
    }
  }
  const entries = () => asking(async (client) => (await client.xRange(STREAM, '-', '+')) ?? []);
  const ids = async () => (await entries()).map(({ message }) => message.id);
  const length = () => asking((client) => client.xLen(STREAM));
  const burst = (count: number, from = 1) => Array.from({ length: count }, (_, i) => driftOpened(from + i));

  it('holds every event of the log in order, with its id as key, its topic, moment, subject and payload', async () => {
    const { commit } = await streaming();
    const event = driftOpened(101);
    const changed = {
      topic: 'contract.changed',
      at: THEN,
      subject: { kind: 'CONTRACT', id: 'x' },
      payload: { startedAt: THEN },
    };
    const cursors = await commit(event, changed);
    await clock.until(async () => (await length()) === 2);
    const [first, second] = (await entries()).map(({ message }) => ({ ...message }));
    expect(first).toEqual({
      id: cursorText(cursors[0] ?? 0n),
      topic: 'drift.detected',
      at: isoTime(event.at),
      subject: JSON.stringify(event.subject),
      payload: expect.any(String),
    });
    expect(JSON.parse(String(first?.payload))).toEqual(event.payload);
    expect([second?.id, second?.topic]).toEqual([cursorText(cursors[1] ?? 0n), 'contract.changed']);
    expect(JSON.parse(String(second?.payload))).toEqual({ startedAt: isoTime(THEN) });
  });

  it('loses nothing and doubles nothing when Redis is killed and started again in the middle', async () => {
    const { commit, measured } = await streaming();
    const before = await commit(...burst(700));
    await clock.until(async () => (await length()) > 0);
    await redis.kill();
    const during = await commit(...burst(900, 1_000));
    await clock.until(() => (measured['redis failed'] ?? 0) > 2);
    await redis.start();
    const after = await commit(...burst(5, 5_000));
    await clock.until(async () => (await length()) >= 1_605);
    expect(await ids()).toEqual([...before, ...during, ...after].map(cursorText));
  });

  it('goes on in a new process without a gap, and does not repeat what the old one had no time to note', async () => {
    const one = await streaming();
    const first = await one.commit(...burst(3));
    await clock.until(async () => (await length()) === 3);
    await clock.pass(1_000);
    await one.stop();
    open = [];
    // As if the process had ended between the answer of Redis and its own note.
    await kit.store.deliveries.pass('redis', first[2] ?? 0n, first[0] ?? 0n);
    const later = await kit.store.transaction((tx) => tx.events.append(burst(2, 10)));
    await streaming();
    await clock.until(async () => (await length()) >= 5);
    expect(await ids()).toEqual([...first, ...later].map(cursorText));
  });

  it('serves consumer groups that were made before the first event, and keeps about as many entries as the policy says', async () => {
    await asking((client) => client.xGroupCreate(STREAM, 'portal', '$', { MKSTREAM: true }));
    const { commit } = await streaming([], 100);
    await commit(...burst(900));
    await clock.until(async () => {
      const [group] = await asking((client) => client.xInfoGroups(STREAM));
      return Number(group?.['entries-read'] ?? 0) === 0 && (await ids()).at(-1) !== undefined && (await length()) < 400;
    });
    const read = await asking((client) =>
      client.xReadGroup('portal', 'one', { key: STREAM, id: '>' }, { COUNT: 1_000 }),
    );
    expect(read).not.toBeNull();
    expect(await length()).toBeGreaterThanOrEqual(100);
  });

  it('delays no webhook while Redis is away or hangs, and says of itself that it fails', async () => {
    const site = await receiver(clock.now);
    redis.freeze();
    const { commit, told, turns } = await streaming([hook(site.url)]);
    await commit(driftOpened(1));
    await clock.until(() => site.received.length === 1, 1);
    redis.thaw();
    await redis.kill();
    await commit(driftOpened(2));
    await clock.until(() => site.received.length === 2, 1);
    await clock.until(async () => (await told.verbs.targets(caller()))[1]?.state === 'FAILING', 1);
    const [, stream] = await told.verbs.targets(caller());
    expect(stream).toMatchObject({ name: 'redis', kind: 'REDIS', address: STREAM, reason: expect.any(String) });
    expect(await told.verbs.test(caller(), 'redis', AbortSignal.timeout(5_000))).toMatchObject({ kind: 'failed' });
    await redis.start();
    await clock.until(async () => (await length()) === 2, 1);
    expect(await told.verbs.test(caller(), 'redis', AbortSignal.timeout(5_000))).toMatchObject({ kind: 'delivered' });
    await clock.until(() => turns.length === 2, 1);
    expect(turns).toEqual([
      { target: 'redis', kind: 'failing', reason: expect.any(String) },
      { target: 'redis', kind: 'recovered' },
    ]);
    await site.close();
  });
});
