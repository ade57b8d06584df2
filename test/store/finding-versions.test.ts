import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DriftEventType, Finding } from '../../src/domain/finding.js';
import { HOUR } from '../../src/domain/time.js';
import type { OpenedStore } from '../../src/store/open.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { finding, step, T0 } from './words.js';

let kit: TestStore;
let store: OpenedStore;
beforeAll(async () => {
  kit = await createTestStore();
  store = kit.store;
});
beforeEach(() => kit.empty());
afterAll(() => kit.close());

/** One step of a finding's life at a time; `null`: a silent one, of which no event tells. */
async function lives(is: Finding, at: number, type: DriftEventType | null): Promise<void> {
  const history = type === null ? [] : [step(is, { at, type })];
  await store.transaction((tx) => tx.findings.save([is], history));
}

const opened = finding('main/101@1', { severity: 'WARNING' });

describe('a finding as it was', () => {
  const asOf = async (at: number) =>
    (await store.findings.pageAsOf(at, { limit: 10 })).map(({ state, observed, reason }) => [state, observed, reason]);

  it('has the state and the values of then', async () => {
    await lives(opened, T0, 'OPENED');
    await lives({ ...opened, state: 'ACKNOWLEDGED', reason: 'planned' }, T0 + HOUR, 'ACKNOWLEDGED');
    await lives({ ...opened, state: 'OPEN', observed: 'web-3' }, T0 + 2 * HOUR, 'REOPENED');
    await lives({ ...opened, state: 'RESOLVED', resolvedAt: T0 + 3 * HOUR }, T0 + 3 * HOUR, 'RESOLVED');
    expect(await asOf(T0 - 1)).toEqual([]);
    expect(await asOf(T0)).toEqual([['OPEN', 'web-2', null]]);
    expect(await asOf(T0 + HOUR - 1)).toEqual([['OPEN', 'web-2', null]]);
    expect(await asOf(T0 + HOUR)).toEqual([['ACKNOWLEDGED', 'web-2', 'planned']]);
    expect(await asOf(T0 + 2 * HOUR)).toEqual([['OPEN', 'web-3', null]]);
    expect(await asOf(T0 + 9 * HOUR)).toEqual([['RESOLVED', 'web-2', null]]);
    const [whole] = await store.findings.pageAsOf(T0, { limit: 1 });
    expect(whole).toEqual({ ...opened, decided: null });
  });

  it('was silenced without an event, and is told so from that moment on', async () => {
    await lives(opened, T0, 'OPENED');
    const before = await store.now();
    await lives({ ...opened, state: 'SUPPRESSED', suppressedUntil: T0 + HOUR }, 0, null);
    expect(await asOf(before - 1)).toEqual([['OPEN', 'web-2', null]]);
    expect(await asOf(before + HOUR)).toEqual([['SUPPRESSED', 'web-2', null]]);
  });

  it('is one version while it says the same, however often it is saved', async () => {
    await lives(opened, T0, 'OPENED');
    await lives({ ...opened, lastSeenAt: T0 + HOUR }, T0 + HOUR, null);
    const [first] = await store.findings.pageAsOf(T0 + 9 * HOUR, { limit: 1 });
    expect(first?.lastSeenAt).toBe(opened.lastSeenAt);
  });

  it('is found by the filter of a list, as it was then', async () => {
    await lives(opened, T0, 'OPENED');
    await lives({ ...opened, severity: 'CRITICAL' }, T0 + HOUR, 'UPDATED');
    const ids = async (at: number, more: object) =>
      (await store.findings.pageAsOf(at, { limit: 5, ...more })).map(({ id }) => id);
    expect(await ids(T0, { severities: ['CRITICAL'] })).toEqual([]);
    expect(await ids(T0 + HOUR, { severities: ['CRITICAL'] })).toEqual([opened.id]);
    expect(await ids(T0, { cluster: 'main', vmid: 101 })).toEqual([opened.id]);
    expect(await ids(T0, { cluster: 'mai_', vmid: 101 })).toEqual([]);
    expect(await ids(T0, { vmid: 1 })).toEqual([]);
    expect(await store.findings.countAsOf(T0, { states: ['OPEN'], limit: 0 })).toBe(1);
    expect(await store.findings.countAsOf(T0 - 1, { limit: 0 })).toBe(0);
  });
});

it('openings, ends and what was open between are counted by the histories', async () => {
  const second = finding('main/102@1', { severity: 'INFO' });
  await lives(opened, T0 - HOUR, 'OPENED');
  await lives(second, T0 + 1, 'OPENED');
  await lives({ ...opened, state: 'RESOLVED' }, T0 + HOUR, 'RESOLVED');
  await lives({ ...second, severity: 'CRITICAL' }, T0 + HOUR + 1, 'UPDATED');
  await lives(opened, T0 + 2 * HOUR, 'REOPENED');
  const times = { from: T0, to: T0 + 3 * HOUR };
  const told = await store.findings.timeline(times, HOUR, undefined);
  expect(told.before).toEqual([{ severity: 'WARNING', count: 1 }]);
  expect([...told.steps].sort((a, b) => a.n - b.n || (a.type < b.type ? -1 : 1))).toEqual([
    { n: 0, type: 'OPENED', count: 1 },
    { n: 1, type: 'RESOLVED', count: 1 },
    { n: 1, type: 'UPDATED', count: 1 },
    { n: 2, type: 'REOPENED', count: 1 },
  ]);
  expect([...told.moves].sort((a, b) => a.n - b.n || (a.severity < b.severity ? -1 : 1))).toEqual([
    { n: 0, severity: 'INFO', count: 1 },
    { n: 1, severity: 'CRITICAL', count: 1 },
    { n: 1, severity: 'INFO', count: -1 },
    { n: 1, severity: 'WARNING', count: -1 },
    { n: 2, severity: 'WARNING', count: 1 },
  ]);
  const mine = await store.findings.timeline(times, HOUR, [second.id]);
  expect(mine.before).toEqual([]);
  expect(mine.steps.map(({ type }) => type).sort()).toEqual(['OPENED', 'UPDATED']);
  const touching = await store.findings.touching({ from: T0, to: T0 + 1 });
  expect(touching.map(({ id }) => id)).toEqual([opened.id]);
});

it('a place in the log is told in a history while the log reaches back to it', async () => {
  const event = { topic: 'drift.detected', at: T0, subject: { kind: 'GUEST', id: 'main/101@1' }, payload: {} };
  await store.transaction(async (tx) => {
    const [one = null, two = null] = await tx.events.append([event, { ...event, at: T0 + HOUR }]);
    await tx.findings.save(
      [opened],
      [
        { ...step(opened), cursor: one },
        { ...step(opened, { type: 'UPDATED', at: T0 + HOUR }), cursor: two },
      ],
    );
  });
  await store.events.prune(T0 + HOUR);
  const cursors = async () => (await store.findings.history([opened.id])).get(opened.id)?.map(({ cursor }) => cursor);
  expect(await cursors()).toEqual([1n, 2n]);
  await store.events.prune(T0 + 2 * HOUR);
  expect(await cursors()).toEqual([null, 2n]);
});
