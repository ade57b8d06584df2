import type { lookup } from 'node:dns';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cidr, ipAddress } from '../../src/domain/address.js';
import { Secret } from '../../src/domain/settings.js';
import { refusedAddress } from '../../src/domain/target-address.js';
import { lacksOf } from '../../src/domain/target-lack.js';
import { postWebhook, type WebhookNeeds } from '../../src/notifications/webhook.js';
import { testCa } from '../sources/scripted-server.js';
import { answers, hangs, type Receiver, receiver } from './receiver.js';
import { hook } from './rig.js';

const message = { id: 'one', topic: 'drift.detected', body: '{"a":1}', events: 1, upto: 1n };
let site: Receiver;
beforeEach(async () => {
  site = await receiver(() => 0);
});
afterEach(() => site.close());

const post = (url: string, more: Parameters<typeof hook>[1] = {}, needs: Partial<WebhookNeeds> = {}) =>
  postWebhook(hook(url, more), message, { secret: () => new Secret('key'), ...needs }, AbortSignal.timeout(10_000));
/** A name server of the test's own. */
const resolving = (...addresses: string[]): WebhookNeeds['reach'] => ({
  lookup: ((_name: string, _options: object, callback: (...told: unknown[]) => void) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )) as unknown as typeof lookup,
});

describe('what a receiver answers', () => {
  it('is a success with any 2xx, whatever comes with it', async () => {
    site.behave(answers(200, { 'content-type': 'application/json' }, '\u0000<<<{not json'));
    expect(await post(site.url)).toEqual({ kind: 'delivered', status: '200' });
    site.behave((response) => void response.writeHead(202).write('an answer that never ends'));
    expect(await post(site.url)).toEqual({ kind: 'delivered', status: '202' });
  });

  it('is a failure with anything else, and says what came but not what was in it', async () => {
    site.behave(answers(401, {}, 'the secret of an inner service'));
    const attempt = await post(site.url);
    expect(attempt).toEqual({
      kind: 'failed',
      reason: expect.stringMatching(/^127\.0\.0\.1:\d+ answered 401 Unauthorized$/),
    });
  });

  it('that is a redirect is not followed', async () => {
    const other = await receiver(() => 0);
    site.behave(answers(308, { location: other.url }));
    const attempt = await post(site.url);
    expect(attempt).toMatchObject({ kind: 'failed', reason: expect.stringContaining('redirects are not followed') });
    expect(other.received).toEqual([]);
    await other.close();
  });

  it('and that does not come in time is a failure', async () => {
    site.behave(hangs);
    expect(await post(site.url, {}, { reach: { answerWithin: 200 } })).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/did not answer within 0\.2 s$/),
    });
  });

  it('from nobody, as nobody listens there', async () => {
    await site.close();
    expect(await post(site.url)).toMatchObject({ kind: 'failed', reason: expect.stringContaining('ECONNREFUSED') });
    site = await receiver(() => 0);
  });
});

describe('over TLS', () => {
  it('a message goes to a receiver whose certificate an authority signed, and to no other', async () => {
    const [known, unknown] = await Promise.all([receiver(() => 0, 'signed'), receiver(() => 0, 'node')]);
    expect(await post(known.url, {}, { reach: { ca: testCa } })).toMatchObject({ kind: 'delivered' });
    expect(await post(unknown.url, {}, { reach: { ca: testCa } })).toMatchObject({ kind: 'failed' });
    expect([known.received.length, unknown.received.length]).toEqual([1, 0]);
    await Promise.all([known.close(), unknown.close()]);
  });
});

describe('an address that nothing is sent to', () => {
  const port = () => new URL(site.url).port;

  it.each([
    ['169.254.169.254', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['169.254.7.7', 'link-local'],
    ['fe80::7', 'link-local'],
    ['::ffff:169.254.169.254', 'metadata'],
    ['192.0.0.192', 'metadata'],
    ['fd20:ce::254', 'metadata'],
    ['64:ff9b::a9fe:a9fe', '64:ff9b::a9fe:a9fe stands for 169.254.169.254, a metadata service'],
    ['64:ff9b:1:a9fe:0:707::', 'stands for 169.254.0.7, a link-local'],
    ['64:ff9b:1::a9fe:a9fe', 'stands for 169.254.169.254, a metadata'],
    ['2002:a9fe:a9fe::1', 'stands for 169.254.169.254, a metadata'],
    ['2001:0:5ef5:79fd:0:59a:5601:5601', 'stands for 169.254.169.254, a metadata'],
    ['fd00:1::5efe:a9fe:707', 'stands for 169.254.7.7, a link-local'],
    ['2a00:1450::200:5efe:7f00:1', 'stands for 127.0.0.1, an address of this machine'],
    ['::ffff:0:169.254.7.7', 'stands for 169.254.7.7, a link-local'],
    ['::a9fe:a9fe', 'stands for 169.254.169.254, a metadata'],
    ['64:ff9b::7f00:1', 'stands for 127.0.0.1, an address of this machine'],
    ['0.0.0.0', 'no address of a host'],
    ['224.0.0.1', 'no address of a host'],
  ])('is %s, written or found for a name', async (address, why) => {
    const literal = address.includes(':') ? `[${address}]` : address;
    expect(await post(`https://${literal}/hook`)).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining(why),
    });
    const found = await post('https://hooks.example.org/', {}, { reach: resolving(address) });
    expect(found).toMatchObject({ kind: 'failed', reason: expect.stringMatching(`^nothing was sent: .*${why}`) });
  });

  it('is this machine, where a name leads to it that does not say so', async () => {
    const rebound = await post(`http://hooks.example.org:${port()}/`, {}, { reach: resolving('127.0.0.1') });
    expect(rebound).toMatchObject({ kind: 'failed', reason: expect.stringContaining('leads to 127.0.0.1') });
    expect(site.received).toEqual([]);
    expect(await post(`http://localhost:${port()}/`, {}, { reach: resolving('127.0.0.1') })).toMatchObject({
      kind: 'delivered',
    });
  });

  it('is one at a port that nobody can listen on, also where a variable holds it', async () => {
    const more = { url: { env: 'CHAT_URL' } } as const;
    const needs = { secret: () => new Secret('https://hooks.example.org:0/'), reach: resolving('93.184.216.34') };
    const refused = { kind: 'failed', reason: 'nothing was sent: nobody listens on port 0' };
    expect(await post('', more, needs)).toEqual(refused);
    expect(lacksOf(hook('', { ...more, secretEnv: null }), { ...needs, smtpUrl: null })).toEqual([
      { field: 'urlEnv', message: 'CHAT_URL is refused: nobody listens on port 0' },
    ]);
  });

  it('is a public one over plain http', async () => {
    expect(await post('http://hooks.example.org/', {}, { reach: resolving('93.184.216.34') })).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('use https'),
    });
  });

  it('says what opens it, where the policy can', async () => {
    const why = async (host: string, found?: string) => {
      const attempt = await post(`https://${host}/`, {}, found === undefined ? {} : { reach: resolving(found) });
      return attempt.kind === 'delivered' ? attempt.status : attempt.reason;
    };
    expect(await why('169.254.7.7')).toBe(
      'nothing was sent: 169.254.7.7 is a link-local address; if it is meant, write allow: ["169.254.7.7"]',
    );
    expect(await why('hooks.example.org', 'fe80::7')).toContain('allow: ["fe80::7"]');
    expect(await why('hooks.example.org', '127.0.0.1')).toContain('allow: ["127.0.0.1"]');
    expect(await why('0.0.0.0')).not.toContain('allow');
  });

  it('opens by the address that an IPv6 one stands for, too, and no other is taken for one', () => {
    const judged = (text: string, ...allow: string[]) => {
      const address = ipAddress(text);
      if (address === undefined) throw new Error(text);
      const networks = allow.map(cidr).filter((network) => network !== undefined);
      return refusedAddress(address, { protocol: 'https:', host: address, allow: networks });
    };
    expect(judged('64:ff9b::a9fe:707', '169.254.7.0/24')).toBeUndefined();
    expect(judged('64:ff9b::a9fe:707', '64:ff9b::/96')).toBeUndefined();
    const open = [
      '64:ff9b::5db8:d822',
      '2002:5db8:d822::1',
      '2a00:1450::a9fe:a9fe',
      'fd00::a9fe:a9fe',
      '2a00:1450::5efe:5db8:d822',
      '2a00:1450:0:5efe::a9fe:707',
      '::1',
      '10.0.0.1',
    ];
    expect(open.map((text) => judged(text))).toEqual(open.map(() => undefined));
  });

  it('is left out where a name has others, and open where the policy allows it', async () => {
    const url = `http://hooks.example.org:${port()}/`;
    const allow = [cidr('127.0.0.0/8')].filter((network) => network !== undefined);
    const both = { reach: resolving('169.254.169.254', '127.0.0.1') };
    expect(await post(url, { allow }, both)).toMatchObject({ kind: 'delivered' });
    expect(await post(url, {}, both)).toMatchObject({ kind: 'failed' });
  });
});

describe('a secret that is missing', () => {
  it('closes the way: nothing is sent unsigned', async () => {
    expect(await post(site.url, {}, { secret: () => undefined })).toEqual({
      kind: 'failed',
      reason: 'HOOK_SECRET is not set: nothing is sent unsigned',
    });
    expect(site.received).toEqual([]);
  });

  it('may be the address itself, which no answer repeats', async () => {
    const more = { url: { env: 'CHAT_URL' } } as const;
    const needs = (text: string | undefined) => ({
      secret: (name: string) => (name === 'CHAT_URL' && text === undefined ? undefined : new Secret(text ?? 'key')),
    });
    expect(await post('', more, needs(site.url))).toMatchObject({ kind: 'delivered' });
    expect(await post('', more, needs(undefined))).toMatchObject({
      reason: 'CHAT_URL is not set: it must hold the address',
    });
    expect(JSON.stringify(await post('', more, needs('ftp://hunter2@chat')))).not.toContain('hunter2');
  });
});
