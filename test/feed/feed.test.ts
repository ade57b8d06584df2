import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../src/domain/access.js';
import type { DomainError } from '../../src/domain/errors.js';
import { cursorText, parseCursor } from '../../src/feed/cursor.js';
import { type Feed, type FeedNeeds, feed } from '../../src/feed/feed.js';
import { changeStep, driftOpened, EventLog } from '../testkit/event-log.js';
import { caller } from '../testkit/principal.js';
import { THEN } from '../testkit/view.js';

const admin = caller();

function feedOver(log: EventLog, more: Partial<FeedNeeds> = {}): Feed {
  return feed({
    store: { events: log.events },
    onEvents: log.onEvents,
    learned: async () => {},
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

  it('that does not keep up keeps nobody else from what happens, and is told all of it later', async () => {
    const log = new EventLog();
    const all = feedOver(log, { patience: 60 });
    const slow = all.driftEvents(admin, {}, forever);
    const quick = all.driftEvents(admin, {}, forever);
    const begun = Promise.all([take(slow, 1), take(quick, 1)]);
    await expect.poll(() => log.reads).toBeGreaterThan(0);
    log.append(driftOpened(0));
    await begun;
    const many = 2_700;
    for (let i = 1; i <= many; i++) log.append(driftOpened(i));
    const expected = Array.from({ length: many }, (_, i) => i + 1);
    expect(vmidsOf(await take(quick, many))).toEqual(expected);
    expect(vmidsOf(await take(slow, many))).toEqual(expected);
    const next = Promise.all([take(slow, 1), take(quick, 1)]);
    log.append(driftOpened(many + 1));
    expect((await next).map(vmidsOf)).toEqual([[many + 1], [many + 1]]);
    await all.stop();
  });

  it('takes a burst at its own pace where nobody else is quicker', async () => {
    const log = new EventLog();
    const all = feedOver(log, { patience: 60 });
    const stream = all.driftEvents(admin, {}, forever);
    const first = take(stream, 1);
    await expect.poll(() => log.reads).toBeGreaterThan(0);
    log.append(driftOpened(0));
    await first;
    for (let i = 1; i <= 2_700; i++) log.append(driftOpened(i));
    const seen: number[] = [];
    while (seen.length < 2_700) {
      seen.push(...vmidsOf(await take(stream, 100)));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(seen).toEqual(Array.from({ length: 2_700 }, (_, i) => i + 1));
    await all.stop();
  });

  it('that comes back soon, or joins others, costs the log no look', async () => {
    const log = new EventLog();
    const all = feedOver(log);
    const start = log.append(driftOpened(1));
    const other = all.driftEvents(admin, {}, forever);
    const others = take(other, 3);
    await expect.poll(() => log.reads).toBeGreaterThan(0);
    const cursors = [2, 3, 4].map((vmid) => cursorText(log.append(driftOpened(vmid))));
    await others;
    const before = log.reads;
    const back = all.driftEvents(admin, { after: cursorText(start) }, forever);
    expect(vmidsOf(await take(back, 3))).toEqual([2, 3, 4]);
    const late = all.driftEvents(admin, { after: cursors[1] }, forever);
    expect(vmidsOf(await take(late, 1))).toEqual([4]);
    expect(log.reads).toBe(before);
    const next = Promise.all([back, late, all.driftEvents(admin, {}, forever)].map((stream) => take(stream, 1)));
    await Promise.resolve();
    log.append(driftOpened(5));
    expect((await next).map(vmidsOf)).toEqual([[5], [5], [5]]);
    await all.stop();
  });

  it('is told nothing before its finding is known here, however the event was found', async () => {
    for (const announced of [true, false]) {
      const log = new EventLog();
      let known = 0;
      // What is learned is what was committed when the look began.
      const learned = async () => {
        const { length } = log.rows;
        await new Promise((resolve) => setTimeout(resolve, 5));
        known = length;
      };
      const all = feedOver(log, { learned });
      const start = log.append(driftOpened(0));
      const streams = [{}, { after: cursorText(start) }].map((following) => all.driftEvents(admin, following, forever));
      const seen: boolean[] = [];
      const followers = streams.map(async (stream) => {
        for (let i = 0; i < 4; i++) {
          const [event] = await take(stream, 1);
          seen.push(log.rows.findIndex(({ cursor }) => cursorText(cursor) === event?.cursor) < known);
        }
      });
      await expect.poll(() => log.reads).toBeGreaterThan(0);
      for (let i = 1; i <= 4; i++) {
        log.append(driftOpened(i), announced);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      await Promise.all(followers);
      expect(seen).toEqual(Array.from({ length: 8 }, () => true));
      await all.stop();
    }
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

  it('of change requests: all steps, and those alone, with who, why and what was decided', async () => {
    const log = new EventLog();
    const start = log.append(driftOpened(1));
    log.append(changeStep('REQUESTED'));
    log.append(driftOpened(2));
    const decided = log.append(changeStep('DECIDED', { actor: 'bob', reason: null, decision: 'APPROVED' }));
    log.append(changeStep('APPLIED', { actor: null }));
    log.append(changeStep('EXPIRED', { changeRequestId: 'change-2', actor: null }));
    const stream = feedOver(log).changeRequestEvents(admin, { after: cursorText(start) }, forever);
    const told = await take(stream, 4);
    expect(told.map(({ type, changeRequestId }) => [type, changeRequestId])).toEqual([
      ['REQUESTED', 'change-1'],
      ['DECIDED', 'change-1'],
      ['APPLIED', 'change-1'],
      ['EXPIRED', 'change-2'],
    ]);
    expect(told[1]).toEqual({
      cursor: cursorText(decided),
      at: THEN,
      type: 'DECIDED',
      changeRequestId: 'change-1',
      subject: { kind: 'API', id: 'payments' },
      tenants: ['default'],
      actor: 'bob',
      reason: null,
      contentHash: 'ab12',
      decision: 'APPROVED',
    });
    await stream.return?.();
  });

  it('of change requests: those of its tenants, before the change or after it; those of nobody only where it sees all', async () => {
    const log = new EventLog();
    const start = log.append(changeStep('REQUESTED'));
    const steps: readonly (readonly [string, readonly string[]])[] = [
      ['ours', ['acme']],
      ['coming', ['other', 'acme']],
      ['theirs', ['other']],
      ['nobodys', []],
      ['last', ['acme', 'other']],
    ];
    for (const [changeRequestId, tenants] of steps) log.append(changeStep('REQUESTED', { changeRequestId, tenants }));
    const seen = async (who: Principal, n: number) => {
      const stream = feedOver(log).changeRequestEvents(who, { after: cursorText(start) }, forever);
      const told = await take(stream, n);
      await stream.return?.();
      return told.map(({ changeRequestId }) => changeRequestId);
    };
    expect(await seen(caller(['viewer'], { tenants: ['acme'] }), 3)).toEqual(['ours', 'coming', 'last']);
    expect(await seen(admin, 5)).toEqual(steps.map(([id]) => id));
    const blind = caller(['viewer'], { permissions: new Set(['drift:read', 'inventory:read']) });
    expect(() => feedOver(log).changeRequestEvents(blind, {}, forever)).toThrowError(/metadata:read/);
  });
});
