import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAIL_DIGEST, type MailTarget, topicsLike } from '../../src/domain/notify.js';
import { Secret } from '../../src/domain/settings.js';
import { MINUTE, SECOND } from '../../src/domain/time.js';
import type { DeadLetterRecord } from '../../src/notifications/letters.js';
import { mailer } from '../../src/notifications/mail.js';
import { driftOpened } from '../testkit/event-log.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';
import { THEN } from '../testkit/view.js';
import { OwnClock } from './clock.js';
import { type Rig, rig } from './rig.js';
import { type SmtpServer, smtpServer } from './smtp-server.js';

const ops: MailTarget = {
  kind: 'mail',
  id: 'ops',
  to: ['ops@example.org', 'night@example.org'],
  from: null,
  topics: topicsLike('drift.*'),
  minSeverity: null,
  tenant: null,
  digest: MAIL_DIGEST,
  quiet: null,
};

let kit: TestStore;
let smtp: SmtpServer;
let clock: OwnClock;
let one: Rig;
beforeEach(async () => {
  [kit, smtp] = await Promise.all([createTestStore(), smtpServer()]);
  clock = new OwnClock(THEN);
  one = await rig(kit.store, [ops], { clock, smtpUrl: new Secret(smtp.url) });
});
afterEach(async () => {
  await one.stop();
  await smtp.close();
  await kit.close();
});

const header = (mail: { lines: readonly string[] } | undefined, name: string) =>
  mail?.lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
/** Soft line breaks of quoted-printable undone, and its escapes. */
const textOf = (mail: { lines: readonly string[] } | undefined) =>
  Buffer.from(
    (mail?.lines ?? [])
      .slice((mail?.lines ?? []).indexOf('') + 1)
      .join('\n')
      .replaceAll('=\n', '')
      .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8');

describe('mail', () => {
  it('tells a minute of findings in one plain text, to all who are named', async () => {
    await one.commit(...Array.from({ length: 30 }, (_, i) => driftOpened(i + 1)));
    await clock.until(() => smtp.mails.length > 0);
    await clock.pass(3 * MINUTE);
    const [mail] = smtp.mails;
    expect(smtp.mails.length).toBe(1);
    expect([mail?.from, mail?.to]).toEqual(['sankofa-it@[127.0.0.1]', ['ops@example.org', 'night@example.org']]);
    expect(header(mail, 'Subject')).toBe('sankofa-it: 30 events: 30 drift.detected; 30 WARNING');
    expect(header(mail, 'Content-Type')).toBe('text/plain; charset=utf-8');
    const text = textOf(mail);
    expect(text.split('\n')[1]).toBe('• WARNING New drift: words of NAME_DIFFERS:main/1@1:name');
    expect(text).toContain('… and 10 more');
  });

  it('is tried again by the same plan, as the same mail', async () => {
    smtp.refuse('450 4.2.1 mailbox busy');
    await one.commit(driftOpened(1));
    await clock.until(async () => (await kit.store.deliveries.states(['ops']))[0]?.failures === 1);
    const [state] = await kit.store.deliveries.states(['ops']);
    expect([state?.reason, (state?.nextAttemptAt ?? 0) - (state?.lastFailureAt ?? 0)]).toEqual([
      expect.stringContaining('450 4.2.1 mailbox busy'),
      60 * SECOND,
    ]);
    smtp.refuse(undefined);
    await clock.until(() => smtp.mails.length === 1);
    expect(header(smtp.mails[0], 'X-Sankofa-Delivery')).toBe(state?.pending?.id);
    expect(header(smtp.mails[0], 'Message-ID')).toBe(`<${state?.pending?.id}@sankofa-it>`);
  });

  it('is not sent where nobody said how: each attempt says what is missing', async () => {
    const message = { id: 'x', topic: 'digest', body: '{"subject":"s","text":"t"}', events: 1, upto: 1n };
    expect(await mailer(null)(ops, message, AbortSignal.timeout(5_000))).toEqual({
      kind: 'failed',
      reason: 'SMTP_URL is not set: no mail can be sent',
    });
  });

  it('is sent at once by a gateway that is started with what was missing, which then says no more that it is', async () => {
    await one.stop();
    one = await rig(kit.store, [ops], { clock, smtpUrl: null });
    await one.commit(driftOpened(1));
    await clock.until(async () => (await kit.store.deliveries.states(['ops']))[0]?.failures === 5);
    const stoppedAt = clock.now();
    await one.stop();
    one = await rig(kit.store, [ops], { clock, smtpUrl: new Secret(smtp.url) });
    await clock.until(() => smtp.mails.length === 1, 2);
    expect(clock.now() - stoppedAt).toBeLessThan(MINUTE);
    await clock.until(() => one.measured['ops delivered'] === 1, 2);
    expect((await one.told.verbs.targets(caller()))[0]).toMatchObject({ state: 'HEALTHY', failures: 0, reason: null });
    expect(one.turns).toEqual([{ target: 'ops', kind: 'recovered' }]);
  });

  it('that was given up for a lack is as new once the lack is mended, and waits on while it is not', async () => {
    await one.stop();
    one = await rig(kit.store, [ops], { clock, smtpUrl: null });
    await one.commit(driftOpened(1));
    await clock.until(() => one.measured['ops dead'] === 1);
    await one.stop();
    const standing = async (smtpUrl: Secret | null) => {
      one = await rig(kit.store, [ops], { clock, smtpUrl });
      await clock.pass(5 * SECOND);
      const [state] = await kit.store.deliveries.states(['ops']);
      await one.stop();
      return [state?.spent, state?.failures, state?.reason];
    };
    expect(await standing(null)).toEqual([true, 6, 'SMTP_URL is not set: no mail can be sent']);
    expect(await standing(new Secret(smtp.url))).toEqual([false, 0, null]);
  });

  it('ends when the gateway does, though the server hangs, and shows no password', async () => {
    smtp.hang();
    const url = new Secret(smtp.url.replace('smtp://', 'smtp://it:hunter2@'));
    const message = { id: 'x', topic: 'digest', body: '{"subject":"s","text":"t"}', events: 1, upto: 1n };
    const attempt = await mailer(url)(ops, message, AbortSignal.timeout(200));
    expect(attempt.kind).toBe('failed');
    expect(JSON.stringify(attempt)).not.toContain('hunter2');
  });
});

describe('a recipient that the server refuses', () => {
  const [GOOD, BAD] = ['ops@example.org', 'night@example.org'];
  const admin = caller();
  beforeEach(() => one.told.configure([{ ...ops, digest: null }]));
  const told = () => smtp.mails.map((mail) => [mail.to.join(' '), /main\/(\d+)@/.exec(textOf(mail))?.[1]]);
  const state = async () => (await kit.store.deliveries.states(['ops']))[0];
  const letters = async () => (await one.told.verbs.deadLetters(admin, {})).items;
  /** Time stands still while a letter is sent: whoever waits for it sleeps, and so does the target behind it. */
  async function replayed() {
    let done: readonly DeadLetterRecord[] | undefined;
    const replay = one.told.verbs.replay(admin, { target: 'ops' }, AbortSignal.timeout(10_000));
    const noted = replay.then((found) => {
      done = found;
    });
    await clock.until(() => done !== undefined, 2);
    await noted;
    return replay;
  }

  it('for good, holds up nobody: the others are told once, and what it missed is a dead letter of its own', async () => {
    smtp.refuse('550 5.1.1 no such user', BAD);
    await one.commit(driftOpened(1), driftOpened(2));
    await clock.until(() => smtp.mails.length === 2);
    await clock.pass(2 * MINUTE);
    expect(told()).toEqual([
      [GOOD, '1'],
      [GOOD, '2'],
    ]);
    expect(await letters()).toMatchObject([
      { target: 'ops', topic: 'drift.detected', events: 1, reason: `${BAD}: 550 5.1.1 no such user` },
      { target: 'ops', topic: 'drift.detected', events: 1, reason: `${BAD}: 550 5.1.1 no such user` },
    ]);
    expect(await one.told.verbs.targets(admin)).toMatchObject([
      {
        state: 'HEALTHY',
        reason: expect.stringMatching(/refused night@example\.org \(550 .*\); the others were told$/),
      },
    ]);
    expect(one.turns).toEqual([
      { target: 'ops', kind: 'recipient-refused', recipient: BAD, reason: '550 5.1.1 no such user' },
    ]);

    smtp.refuse(undefined, BAD);
    smtp.mails.length = 0;
    await replayed();
    await one.commit(driftOpened(3));
    await clock.until(() => smtp.mails.length === 3);
    expect(told()).toEqual([
      [BAD, '1'],
      [BAD, '2'],
      [`${GOOD} ${BAD}`, '3'],
    ]);
    await clock.until(() => one.turns.length === 2);
    expect(one.turns[1]).toEqual({ target: 'ops', kind: 'recipient-taken', recipient: BAD });
    expect([await letters(), (await state())?.reason]).toEqual([[], null]);
  });

  it('for now, is tried again alone, with the same mail, while the others are told once', async () => {
    smtp.refuse('450 4.2.1 greylisted', BAD);
    await one.commit(driftOpened(1));
    await clock.until(() => one.measured['ops failed'] === 1);
    const failedAt = clock.now();
    expect(await state()).toMatchObject({
      ...{ failures: 1, nextAttemptAt: failedAt + 60 * SECOND },
      // The others have their mail.
      ...{ lastSuccessAt: failedAt, lastFailureAt: failedAt },
    });
    smtp.refuse(undefined, BAD);
    await one.commit(driftOpened(2));
    await clock.until(() => smtp.mails.length === 3);
    expect(told()).toEqual([
      [GOOD, '1'],
      [BAD, '1'],
      [`${GOOD} ${BAD}`, '2'],
    ]);
    expect(header(smtp.mails[0], 'Message-ID')).toBe(header(smtp.mails[1], 'Message-ID'));
    await clock.until(async () => (await state())?.failures === 0);
    expect([await letters(), (await state())?.reason]).toEqual([[], null]);
  });

  it('for now and ever again, holds the others up for six minutes once, and then no more', async () => {
    smtp.refuse('452 4.2.2 mailbox full', BAD);
    await one.commit(driftOpened(1), driftOpened(2), driftOpened(3));
    const start = clock.now();
    await clock.until(() => smtp.mails.length === 3);
    expect(told()).toEqual([
      [GOOD, '1'],
      [GOOD, '2'],
      [GOOD, '3'],
    ]);
    expect(Math.round((clock.now() - start) / MINUTE)).toBe(6);
    await clock.until(async () => (await letters()).length === 3);
    expect(one.turns).toEqual([
      { target: 'ops', kind: 'recipient-refused', recipient: BAD, reason: '452 4.2.2 mailbox full' },
    ]);
  });

  it('together with all others is a failure of the whole: it may be the server that refuses', async () => {
    smtp.refuse('554 5.7.1 relay access denied');
    await one.commit(driftOpened(1));
    await clock.until(async () => (await state())?.failures === 2);
    expect([(await state())?.failures, await letters(), one.turns]).toEqual([
      2,
      [],
      [{ target: 'ops', kind: 'failing', reason: expect.stringContaining('554 5.7.1 relay access denied') }],
    ]);
    smtp.refuse(undefined);
    await clock.until(() => smtp.mails.length === 1);
    expect(told()).toEqual([[`${GOOD} ${BAD}`, '1']]);
  });

  it('for now, is the only one who is told after a restart', async () => {
    smtp.refuse('450 4.2.1 greylisted', BAD);
    await one.commit(driftOpened(1));
    await clock.until(() => one.measured['ops failed'] === 1);
    await one.stop();
    smtp.refuse(undefined, BAD);
    one = await rig(kit.store, [{ ...ops, digest: null }], { clock, smtpUrl: new Secret(smtp.url) });
    await clock.until(() => one.measured['ops delivered'] === 1);
    expect(told()).toEqual([
      [GOOD, '1'],
      [BAD, '1'],
    ]);
  });

  it('when a letter to all is replayed, leaves one for this recipient alone', async () => {
    smtp.refuse('554 5.7.1 relay access denied');
    await one.commit(driftOpened(1));
    await clock.until(() => one.measured['ops dead'] === 1);
    smtp.refuse(undefined);
    smtp.refuse('550 5.1.1 no such user', BAD);
    const [letter] = await letters();
    const [sent] = await replayed();
    expect([sent?.id, typeof sent?.replayedAt, told()]).toEqual([letter?.id, 'number', [[GOOD, '1']]]);
    expect((await letters()).map(({ body, reason }) => [(JSON.parse(body) as { to: unknown }).to, reason])).toEqual([
      [[BAD], `${BAD}: 550 5.1.1 no such user`],
    ]);
    expect(await replayed()).toMatchObject([{ replayedAt: null, reason: `${BAD}: 550 5.1.1 no such user` }]);
    expect((await letters()).length).toBe(1);
  });

  it('for good, holds up no letter of another that is replayed, nor the order of its own', async () => {
    const THIRD = 'third@example.org';
    await one.told.configure([{ ...ops, digest: null, to: [GOOD, BAD, THIRD] }]);
    smtp.refuse('550 5.1.1 no such user', BAD);
    smtp.refuse('550 5.2.1 disabled', THIRD);
    await one.commit(driftOpened(1), driftOpened(2));
    await clock.until(async () => (await letters()).length === 4);
    smtp.refuse(undefined, THIRD);
    smtp.mails.length = 0;
    const tried = (await replayed()).map(({ reason, replayedAt }) => [reason, replayedAt !== null]);
    expect(tried).toEqual([
      [`${BAD}: 550 5.1.1 no such user`, false],
      [`${THIRD}: 550 5.2.1 disabled`, true],
      [`${BAD}: 550 5.1.1 no such user`, false],
      [`${THIRD}: 550 5.2.1 disabled`, true],
    ]);
    expect(told()).toEqual([
      [THIRD, '1'],
      [THIRD, '2'],
    ]);
    expect((await letters()).map(({ queuedAt }) => queuedAt)).toEqual([null, null]);
  });

  it('in a replay, is not asked for a later letter to all, and has one of its own from it', async () => {
    smtp.refuse('550 5.1.1 no such user', BAD);
    await one.commit(driftOpened(1));
    await clock.until(async () => (await letters()).length === 1);
    smtp.refuse('554 5.7.1 relay access denied');
    await one.commit(driftOpened(2));
    await clock.until(() => one.measured['ops dead'] === 2);
    smtp.refuse(undefined);
    smtp.mails.length = 0;
    await replayed();
    expect(told()).toEqual([[GOOD, '2']]);
    expect((await letters()).map(({ body, reason }) => [(JSON.parse(body) as { to: unknown }).to, reason])).toEqual([
      [[BAD], `${BAD}: 550 5.1.1 no such user`],
      [[BAD], `${BAD}: 550 5.1.1 no such user`],
    ]);
  });

  it('and that the policy names no more is sent nothing, neither what waits nor a letter that is replayed', async () => {
    smtp.refuse('550 5.1.1 no such user', BAD);
    await one.commit(driftOpened(1));
    await clock.until(async () => (await letters()).length === 1);
    smtp.refuse('450 4.2.1 greylisted', BAD);
    await one.commit(driftOpened(2));
    await clock.until(() => one.measured['ops failed'] === 1);
    smtp.refuse(undefined, BAD);
    await one.told.configure([{ ...ops, digest: null, to: [GOOD] }]);
    expect(await replayed()).toMatchObject([
      { replayedAt: null, reason: `${BAD}: no recipient of this target any more, nothing was sent` },
    ]);
    await one.commit(driftOpened(3));
    await clock.until(() => smtp.mails.length === 3);
    expect(told()).toEqual([
      [GOOD, '1'],
      [GOOD, '2'],
      [GOOD, '3'],
    ]);
  });

  it('has letters that say whose they are, also where the server went away before they could be tried again', async () => {
    smtp.refuse('450 4.2.1 greylisted', BAD);
    await one.commit(driftOpened(1));
    await clock.until(() => one.measured['ops failed'] === 1);
    await smtp.close();
    await one.commit(driftOpened(2));
    await clock.until(() => one.measured['ops dead'] === 2);
    const away = expect.stringMatching(/^127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    const own = expect.stringMatching(/^night@example\.org: 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    expect((await letters()).map(({ reason }) => reason)).toEqual([own, away]);
    expect((await state())?.reason).toEqual(away);
  });

  it('is called as the policy calls it, however the server is asked', async () => {
    const written = ['Ops@EXAMPLE.org', 'night@Bücher.example'];
    smtp.refuse('550 5.1.1 no such user');
    const message = { id: 'x', topic: 'digest', body: '{"subject":"s","text":"t"}', events: 1, upto: 1n };
    const attempt = await mailer(new Secret(smtp.url))({ ...ops, to: written }, message, AbortSignal.timeout(5_000));
    expect(attempt).toMatchObject({ kind: 'refused', taken: 0, refusals: written.map((address) => ({ address })) });
  });

  it('is named by a test call, which is no success then', async () => {
    smtp.refuse('550 5.1.1 no such user', BAD);
    const attempt = await one.told.verbs.test(admin, 'ops', AbortSignal.timeout(5_000));
    expect(attempt).toMatchObject({ kind: 'refused', reason: expect.stringContaining(`${BAD} (550 5.1.1`) });
  });
});
