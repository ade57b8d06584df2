import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DomainError } from '../../src/domain/errors.js';
import { cursorText, parseCursor } from '../../src/feed/cursor.js';
import { type Feed, feed } from '../../src/feed/feed.js';
import { driftOpened, EventLog } from '../testkit/event-log.js';
import { caller } from '../testkit/principal.js';
import { THEN } from '../testkit/view.js';

const admin = caller();

function feedOver(log: EventLog, more: { stillValid?: () => boolean } = {}): Feed {
  return feed({
    store: { events: log.events },
    onEvents: log.onEvents,
    stillValid: () => true,
    matchesGuest: () => false,
    onTrouble: () => {},
    ...more,
  });
}

async function take<T>(stream: AsyncIterator<T>, n: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < n) {
    const next = await stream.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}

const forever = new AbortController().signal;
const vmidsOf = (events: readonly { findingId: string }[]) =>
  events.map((e) => Number(/\/(\d+)@/.exec(e.findingId)?.[1]));

describe('a cursor', () => {
  it('comes back as it went out, and a mistyped one is told', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fc.bigInt({ min: 1n, max: 1000n }), (cursor, off) => {
        expect(parseCursor(cursorText(cursor))).toBe(cursor);
        const forged = cursorText(cursor).slice(0, 3) + (cursor + off).toString(36);
        expect(() => parseCursor(forged)).toThrowError(/not a cursor/);
      }),
    );
    for (const text of ['', '12', 'c00', 'not one', `${cursorText(5n)} `])
      expect(() => parseCursor(text)).toThrowError(/not a cursor/);
  });
});

describe('a follower', () => {
  it('that names a cursor gets what came since, in order, then what comes', async () => {
    const log = new EventLog();
    const first = log.append(driftOpened(1));
    log.append(driftOpened(2));
    log.append(driftOpened(3));
    const stream = feedOver(log).driftEvents(admin, { after: cursorText(first) }, forever);
    expect(vmidsOf(await take(stream, 2))).toEqual([2, 3]);
    log.append(driftOpened(4));
    expect(vmidsOf(await take(stream, 1))).toEqual([4]);
    await stream.return?.();
    expect(log.listeners).toBe(0);
  });

  it('without a cursor gets what happens from now on', async () => {
    const log = new EventLog();
    log.append(driftOpened(1));
    const stream = feedOver(log).driftEvents(admin, {}, forever);
    const next = take(stream, 1);
    await expect.poll(() => log.reads).toBeGreaterThan(0);
    log.append(driftOpened(2));
    expect(vmidsOf(await next)).toEqual([2]);
  });

  it('waiting for an event that never comes ends at once when it leaves or is cut off', async () => {
    const log = new EventLog();
    const gone = new AbortController();
    const one = feedOver(log).driftEvents(admin, {}, gone.signal);
    const other = feedOver(log).driftEvents(admin, {}, forever);
    const waiting = Promise.all([one.next(), other.next()]);
    await expect.poll(() => log.reads).toBeGreaterThan(1);
    gone.abort();
    await other.return?.();
    expect((await waiting).map((next) => next.done)).toEqual([true, true]);
    expect(log.listeners).toBe(0);
  });

  it('whose cursor the log no longer reaches back to is told so, and so is one from the future', async () => {
    const log = new EventLog();
    const first = log.append(driftOpened(1));
    log.append(driftOpened(2));
    const last = log.append(driftOpened(3));
    log.prune(last);
    const end = (after: bigint) =>
      feedOver(log)
        .driftEvents(admin, { after: cursorText(after) }, forever)
        .next();
    await expect(end(first)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' } satisfies Partial<DomainError>);
    await expect(end(last + 50n)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    expect(log.listeners).toBe(0);
  });

  it('too slow for its queue reads the rest from the log and misses nothing', async () => {
    const log = new EventLog();
    const stream = feedOver(log).driftEvents(admin, {}, forever);
    const first = take(stream, 1);
    await expect.poll(() => log.reads).toBeGreaterThan(0);
    log.append(driftOpened(0));
    await first;
    const many = 2_700;
    for (let i = 1; i <= many; i++) log.append(driftOpened(i));
    await expect.poll(() => log.reads).toBeGreaterThan(5);
    expect(vmidsOf(await take(stream, many))).toEqual(Array.from({ length: many }, (_, i) => i + 1));
    log.append(driftOpened(9_999));
    expect(vmidsOf(await take(stream, 1))).toEqual([9_999]);
    await stream.return?.();
  });

  it('outlives a database that is away for a while', async () => {
    const log = new EventLog();
    const first = log.append(driftOpened(1));
    log.append(driftOpened(2));
    let away = 3;
    log.beforeRead = async () => {
      if (away-- > 0) throw new Error('ECONNREFUSED');
    };
    const stream = feedOver(log).driftEvents(admin, { after: cursorText(first) }, forever);
    const next = take(stream, 1);
    log.append(driftOpened(3));
    expect(vmidsOf(await next)).toEqual([2]);
    expect(vmidsOf(await take(stream, 1))).toEqual([3]);
    await stream.return?.();
  });

  it('sees every event once and in order, whenever it joins and however reads and commits fall', async () => {
    const step = fc.record({ waits: fc.integer({ min: 0, max: 3 }), announce: fc.boolean() });
    const plan = fc.record({
      before: fc.integer({ min: 1, max: 4 }),
      steps: fc.array(step, { minLength: 1, maxLength: 20 }),
      joins: fc.array(fc.nat({ max: 19 }), { minLength: 1, maxLength: 4 }),
      delays: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 30 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ before, steps, joins, delays }) => {
        const log = new EventLog();
        let read = 0;
        const pause = async (turns: number) => {
          for (let i = 0; i < turns; i++) await Promise.resolve();
        };
        log.beforeRead = () => pause(delays[read++ % delays.length] ?? 0);
        const all = feedOver(log);
        const start = log.append(driftOpened(1));
        for (let i = 2; i <= before; i++) log.append(driftOpened(i));
        const total = before + steps.length;
        const followers: Promise<number[]>[] = [];
        for (const [i, { waits, announce }] of steps.entries()) {
          for (const _ of joins.filter((at) => at === i)) {
            const stream = all.driftEvents(admin, { after: cursorText(start) }, forever);
            followers.push(take(stream, total - 1).then(vmidsOf));
          }
          await pause(waits);
          log.append(driftOpened(before + 1 + i), announce || i === steps.length - 1);
        }
        const expected = Array.from({ length: total - 1 }, (_, i) => i + 2);
        for (const seen of await Promise.all(followers)) expect(seen).toEqual(expected);
        await all.stop();
      }),
      { numRuns: 150 },
    );
  });
});

describe('what a follower is told', () => {
  it('passes a filter by the state before the event or after it', async () => {
    const log = new EventLog();
    const { after } = driftOpened(1).payload as { after: { state: string } };
    const stream = feedOver(log).driftEvents(admin, { filter: { states: ['OPEN'], vmid: 7 } }, forever);
    const next = take(stream, 2);
    await expect.poll(() => log.reads).toBeGreaterThan(0);
    log.append(driftOpened(6));
    log.append(driftOpened(7));
    const resolved = {
      type: 'RESOLVED',
      before: after,
      after: { ...after, state: 'RESOLVED', guests: ['main/7@1'] },
    } as object;
    log.append({ ...driftOpened(7, resolved), topic: 'drift.resolved' });
    expect((await next).map((event) => event.type)).toEqual(['OPENED', 'RESOLVED']);
    await stream.return?.();
  });

  it('is nothing of tenants it does not see, and nothing at all once its credentials have ended', async () => {
    const log = new EventLog();
    const start = log.append(driftOpened(1));
    log.append(driftOpened(2));
    const stranger = caller(['viewer'], { tenants: ['elsewhere'] });
    const gone = new AbortController();
    const blind = feedOver(log)
      .driftEvents(stranger, { after: cursorText(start) }, gone.signal)
      .next();
    const revoked = feedOver(log, { stillValid: () => false }).driftEvents(
      admin,
      { after: cursorText(start) },
      forever,
    );
    await expect(revoked.next()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    gone.abort();
    expect((await blind).done).toBe(true);
    expect(() => feedOver(log).driftEvents(caller([]), {}, forever)).toThrowError(/drift:read/);
  });

  it('of guests: by cluster, kind, name and place as of the event, even of a guest that is gone', async () => {
    const log = new EventLog();
    const happened = (topic: string, payload: object) =>
      log.append({
        topic,
        at: THEN,
        subject: { kind: 'GUEST', id: '' },
        payload: { name: 'web', kind: 'QEMU', from: null, to: null, ...payload },
      });
    const start = log.append(driftOpened(1));
    happened('guest.moved', { type: 'MOVED', guest: 'main/1@1', from: 'pve1', to: 'pve2' });
    happened('guest.power_changed', { type: 'POWER_CHANGED', guest: 'main/1@1', from: 'RUNNING', to: 'STOPPED' });
    happened('guest.removed', { type: 'REMOVED', guest: 'edge/1@1', name: 'db' });
    const seen = async (filter: object, n: number) => {
      const stream = feedOver(log).inventoryEvents(admin, { after: cursorText(start), filter }, forever);
      const events = await take(stream, n);
      await stream.return?.();
      return events.map((event) => event.type);
    };
    expect(await seen({}, 3)).toEqual(['MOVED', 'POWER_CHANGED', 'REMOVED']);
    expect(await seen({ cluster: 'edge' }, 1)).toEqual(['REMOVED']);
    expect(await seen({ node: 'pve2' }, 1)).toEqual(['MOVED']);
    expect(await seen({ statuses: ['STOPPED'] }, 1)).toEqual(['POWER_CHANGED']);
    expect(await seen({ search: 'DB' }, 1)).toEqual(['REMOVED']);
  });
});
