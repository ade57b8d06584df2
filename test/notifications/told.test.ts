import { describe, expect, it } from 'vitest';
import { DIGEST, TOPICS } from '../../src/domain/notify.js';
import { HOUR, isoTime, MINUTE, SECOND } from '../../src/domain/time.js';
import { cursorText } from '../../src/feed/cursor.js';
import { compose, eventJson } from '../../src/notifications/message.js';
import { nextMessage, type Waiting } from '../../src/notifications/next-message.js';
import { quietUntil } from '../../src/notifications/quiet.js';
import { isTold, shownTo } from '../../src/notifications/told.js';
import type { LogEvent, NewLogEvent } from '../../src/store/store.js';
import { changeStep, driftOpened } from '../testkit/event-log.js';
import { THEN } from '../testkit/view.js';
import { hook } from './rig.js';

const logged = (event: NewLogEvent, cursor = 7n): LogEvent => ({ ...event, cursor });
const facts = (severity: 'INFO' | 'WARNING' | 'CRITICAL', guests: readonly string[] = ['main/1@1']) =>
  ({ state: 'OPEN', kind: 'NAME_DIFFERS', severity, category: 'STATE', clusters: ['main'], guests }) as const;
const drift = (severity: 'INFO' | 'WARNING' | 'CRITICAL', before: 'INFO' | 'CRITICAL' | null = null): LogEvent =>
  logged(driftOpened(1, { after: facts(severity), before: before === null ? null : facts(before) }));
const other = (topic: string, id: string, payload: object = {}): LogEvent =>
  logged({ topic, at: THEN, subject: { kind: 'GUEST', id }, payload });
const everything = hook('https://a.example.org', { topics: TOPICS });

describe('what a target hears', () => {
  it('is of its topics, and of its severity before or after the step', () => {
    const graver = hook('https://a.example.org', { topics: TOPICS, minSeverity: 'WARNING' });
    expect(
      [drift('INFO'), drift('WARNING'), drift('CRITICAL'), drift('INFO', 'CRITICAL')].map((e) => isTold(e, graver)),
    ).toEqual([false, true, true, true]);
    expect(isTold(other('guest.moved', 'main/1@1'), graver)).toBe(false);
    expect(isTold(other('collector.stale', 'proxmox:main'), graver)).toBe(true);
    expect(isTold(other('guest.moved', 'main/1@1'), hook('https://a.example.org'))).toBe(false);
  });

  it('is what its tenant may see: its guests and clusters, and nothing that belongs to nobody', () => {
    const ours = { ...everything, tenant: 'default' };
    const theirs = { ...everything, tenant: 'acme' };
    const nobodys = ['account.changed', 'contract.changed', 'collection.finished'].map((topic) => other(topic, 'x'));
    const inTenant = [drift('INFO'), other('guest.moved', 'main/1@1'), other('node.added', 'main/a')];
    expect([...inTenant, ...nobodys].map((event) => isTold(event, ours))).toEqual([
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect([...inTenant, ...nobodys].map((event) => isTold(event, theirs))).toEqual(Array(6).fill(false));
    expect(nobodys.map((event) => isTold(event, everything))).toEqual([true, true, true]);
  });

  it('of change requests is those whose subject is its tenant’s, before the change or after it', () => {
    const ours = { ...everything, tenant: 'acme' };
    const of = (...tenants: string[]) => isTold(logged(changeStep('REQUESTED', { tenants })), ours);
    expect([of('acme'), of('other', 'acme'), of('other'), of()]).toEqual([true, true, false, false]);
    expect(isTold(logged(changeStep('REQUESTED', { tenants: [] })), everything)).toBe(true);
  });

  it('leaves out guests and values that are another tenant’s', () => {
    const event = logged(driftOpened(1, { after: facts('INFO', ['main/1@1', 'main/2@1']) }));
    expect(shownTo({ tenant: 'default' }, event)).toEqual(event);
    expect(shownTo({ tenant: 'acme' }, event).payload).toMatchObject({
      declared: null,
      observed: null,
      after: { guests: [] },
    });
  });
});

describe('when it hears it', () => {
  const waiting = (count: number, readAt = THEN, severity: 'WARNING' | 'CRITICAL' = 'WARNING'): Waiting[] =>
    Array.from({ length: count }, () => ({ event: drift(severity), readAt }));
  const calm = { toldAt: [], isFull: false };

  it('few: one by one, a moment after the last came', () => {
    expect(nextMessage([], everything, calm, THEN)).toEqual({ kind: 'idle' });
    expect(nextMessage(waiting(3), everything, calm, THEN)).toEqual({ kind: 'wait', until: THEN + 200 });
    expect(nextMessage(waiting(3), everything, calm, THEN + 200)).toEqual({ kind: 'send', count: 1 });
    const trickle = [...waiting(1), ...waiting(1, THEN + 450)];
    expect(nextMessage(trickle, everything, calm, THEN + 500)).toEqual({ kind: 'send', count: 1 });
  });

  it('many: together, when the burst is over, and within its window at the latest', () => {
    expect(nextMessage(waiting(11), everything, calm, THEN)).toEqual({ kind: 'wait', until: THEN + 3 * SECOND });
    expect(nextMessage(waiting(11), everything, calm, THEN + 3 * SECOND)).toEqual({ kind: 'send', count: 11 });
    const lasting = [...waiting(11), ...waiting(1, THEN + 29 * SECOND)];
    expect(nextMessage(lasting, everything, calm, THEN + 29 * SECOND)).toEqual({
      kind: 'wait',
      until: THEN + 30 * SECOND,
    });
    expect(nextMessage(lasting, everything, calm, THEN + 30 * SECOND)).toEqual({ kind: 'send', count: 12 });
  });

  it('what was told one by one within the window counts', () => {
    const toldAt = Array.from({ length: 10 }, (_, i) => THEN - i);
    expect(nextMessage(waiting(1), everything, { toldAt, isFull: false }, THEN + SECOND)).toEqual({
      kind: 'wait',
      until: THEN + 3 * SECOND,
    });
    const now = THEN + DIGEST.window + SECOND;
    expect(nextMessage(waiting(1, now - SECOND), everything, { toldAt, isFull: false }, now)).toEqual({
      kind: 'send',
      count: 1,
    });
  });

  it('never while it is quiet, unless something critical came', () => {
    const at = Date.UTC(2026, 2, 1, 23, 15);
    const asleep = { ...everything, quiet: { from: 22 * 60, to: 6 * 60, timezone: 'UTC' } };
    const until = Date.UTC(2026, 2, 2, 6, 0);
    expect(nextMessage(waiting(40, at), asleep, { toldAt: [], isFull: true }, at + MINUTE)).toEqual({
      kind: 'wait',
      until,
    });
    const loud = [...waiting(2, at), ...waiting(1, at, 'CRITICAL')];
    expect(nextMessage(loud, asleep, calm, at + MINUTE)).toEqual({ kind: 'send', count: 1 });
  });

  it('is quiet by the clock of its place, over midnight and through the day', () => {
    const night = { from: 22 * 60, to: 6 * 60, timezone: 'Europe/Berlin' };
    expect(quietUntil(night, Date.UTC(2026, 6, 1, 20, 30))).toBe(Date.UTC(2026, 6, 2, 4, 0));
    expect(quietUntil(night, Date.UTC(2026, 6, 1, 19, 30))).toBeUndefined();
    expect(quietUntil(night, Date.UTC(2026, 0, 1, 20, 30))).toBeUndefined();
    const noon = { from: 12 * 60, to: 13 * 60, timezone: 'UTC' };
    expect(quietUntil(noon, Date.UTC(2026, 6, 1, 12, 20, 31))).toBe(Date.UTC(2026, 6, 1, 13, 0));
    expect(quietUntil(noon, Date.UTC(2026, 6, 1, 12, 0) + HOUR)).toBeUndefined();
  });
});

describe('what a chat reads', () => {
  const chat = hook('https://a.example.org', { format: 'slack', topics: TOPICS });
  const needs = { cursorText, findingMessages: async () => new Map([['NAME_DIFFERS:main/1@1:name', 'a <b> & c\nd']]) };
  const said = async (...events: LogEvent[]) =>
    (JSON.parse((await compose(chat, events, needs)).body) as { text: string }).text;

  it('is one line an event, with what Slack would take for markup made harmless', async () => {
    expect(await said(drift('CRITICAL'))).toBe('CRITICAL New drift: a &lt;b&gt; &amp; c d');
    const moved = other('guest.moved', 'main/1@1', { name: 'web', from: 'a', to: 'b' });
    expect(await said(moved)).toBe('INFO guest.moved main/1@1 (web): a → b');
  });

  it('of many is a count and the gravest twenty', async () => {
    const many = [...Array.from({ length: 40 }, () => drift('WARNING')), drift('CRITICAL')];
    const lines = (await said(...many)).split('\n');
    expect([lines[0], lines[1], lines.length, lines.at(-1)]).toEqual([
      '41 events: 41 drift.detected; 1 CRITICAL, 40 WARNING',
      '• CRITICAL New drift: a &lt;b&gt; &amp; c d',
      22,
      '… and 21 more',
    ]);
  });
});

describe('a moment that leaves', () => {
  const run = { id: 'r1', startedAt: THEN, finishedAt: THEN + 1_500, requests: 4, coverage: { rows: 3 }, reason: null };
  const events = [
    other('collection.finished', 'main', run),
    other('collector.stale', 'main', { source: 'main', lastSuccessAt: THEN, reason: null }),
    other('collector.stale', 'npm', { source: 'npm', lastSuccessAt: null, reason: null }),
    other('account.changed', 'k1', { change: 'created', expiresAt: THEN }),
  ];
  const iso = isoTime(THEN);
  const told = [
    { ...run, startedAt: iso, finishedAt: isoTime(THEN + 1_500) },
    { source: 'main', lastSuccessAt: iso, reason: null },
    { source: 'npm', lastSuccessAt: null, reason: null },
    { change: 'created', expiresAt: iso },
  ];
  const json = hook('https://a.example.org', { topics: TOPICS });
  const needs = { cursorText, findingMessages: async () => new Map() };

  it('is ISO 8601 in UTC, in each payload and in a digest of several', async () => {
    for (const [i, event] of events.entries()) {
      const { body } = await compose(json, [event], needs);
      expect(JSON.parse(body)).toMatchObject({ at: iso, payload: told[i] });
    }
    const { body } = await compose(json, events, needs);
    const { payload } = JSON.parse(body) as { payload: { events: { payload: unknown }[] } };
    expect(payload.events.map((event) => event.payload)).toEqual(told);
  });

  it('leaves counts and what a guest is called as they are', () => {
    const event = other('guest.moved', 'main/1@1', { name: 'at', vmid: 5_000, from: 'a', to: 'b', at: 'noon' });
    expect(eventJson(event, needs).payload).toEqual(event.payload);
  });
});
