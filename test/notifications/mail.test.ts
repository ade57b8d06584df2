import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MAIL_DIGEST, type MailTarget, topicsLike } from '../../src/domain/notify.js';
import { Secret } from '../../src/domain/settings.js';
import { MINUTE, SECOND } from '../../src/domain/time.js';
import { mailer } from '../../src/notifications/mail.js';
import { driftOpened } from '../testkit/event-log.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
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
    await clock.until(() => one.measured['ops failed'] === 1);
    const failedAt = clock.now();
    const [state] = await kit.store.deliveries.states(['ops']);
    expect([state?.reason, (state?.nextAttemptAt ?? 0) - failedAt]).toEqual([
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

  it('ends when the gateway does, though the server hangs, and shows no password', async () => {
    smtp.hang();
    const url = new Secret(smtp.url.replace('smtp://', 'smtp://it:hunter2@'));
    const message = { id: 'x', topic: 'digest', body: '{"subject":"s","text":"t"}', events: 1, upto: 1n };
    const attempt = await mailer(url)(ops, message, AbortSignal.timeout(200));
    expect(attempt.kind).toBe('failed');
    expect(JSON.stringify(attempt)).not.toContain('hunter2');
  });
});
