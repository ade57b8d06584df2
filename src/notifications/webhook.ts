import { createHmac } from 'node:crypto';
import { type LookupAddress, lookup } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { ipAddress } from '../domain/address.js';
import type { WebhookTarget } from '../domain/notify.js';
import type { Secret } from '../domain/settings.js';
import { type Destination, refusedAddress } from '../domain/target-address.js';
import { hookUrl, nothingSent, refusedLiteral, unsigned } from '../domain/target-lack.js';
import { SECOND } from '../domain/time.js';
import type { Message } from '../store/delivery-words.js';
import type { Refusal } from './recipients.js';

/** What came of one attempt. `reason` says what was tried and what came, and holds neither a secret nor the answer's body. */
export type Attempt =
  | { readonly kind: 'delivered'; readonly status: string }
  | { readonly kind: 'failed'; readonly reason: string }
  /** A mail server took it for so many of its recipients (none: 0), and not for these. */
  | {
      readonly kind: 'refused';
      readonly reason: string;
      readonly taken: number;
      readonly refusals: readonly Refusal[];
    };

export interface WebhookNeeds {
  secret(name: string): Secret | undefined;
  /** How the world is reached, where that is not as usual: another look-up of names, another authority, another patience in ms. */
  readonly reach?: { readonly lookup?: typeof lookup; readonly ca?: string; readonly answerWithin?: number };
}

/** A receiver that has not answered by then is taken to hang. */
const ANSWER_WITHIN = 10 * SECOND;

/** Posts a message, once. Any 2xx is a success, whatever comes with it; nothing else is, and no redirect is followed. */
export async function postWebhook(
  target: WebhookTarget,
  message: Message,
  needs: WebhookNeeds,
  signal: AbortSignal,
): Promise<Attempt> {
  const url = hookUrl(target, needs);
  if (typeof url === 'string') return { kind: 'failed', reason: url };
  const refused = refusedLiteral(url, target);
  if (refused !== undefined) return { kind: 'failed', reason: nothingSent(refused) };
  const signature = signatureOf(target, message, needs);
  if (typeof signature === 'string') return { kind: 'failed', reason: signature };
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'sankofa-it',
    'x-sankofa-event': message.topic,
    'x-sankofa-delivery': message.id,
    ...signature,
  };
  return post(url, { headers, body: message.body, allow: target.allow, ...needs.reach }, signal);
}

/** The hex HMAC-SHA256 of the raw body; a text: why there is none. */
function signatureOf(
  target: WebhookTarget,
  { body }: Message,
  { secret }: WebhookNeeds,
): Readonly<Record<string, string>> | string {
  if (target.secretEnv === null) return {};
  const key = secret(target.secretEnv);
  if (key === undefined) return unsigned(target.secretEnv);
  return { 'x-sankofa-signature': `sha256=${createHmac('sha256', key.reveal()).update(body).digest('hex')}` };
}

interface Posting {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly allow: Destination['allow'];
  readonly lookup?: typeof lookup;
  readonly ca?: string;
  readonly answerWithin?: number;
}

function post(
  url: URL,
  { headers, body, allow, lookup: ask = lookup, ca, answerWithin = ANSWER_WITHIN }: Posting,
  signal: AbortSignal,
): Promise<Attempt> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const destination = { protocol: url.protocol === 'http:' ? 'http:' : 'https:', host, allow } as const;
  const timeout = AbortSignal.timeout(answerWithin);
  return new Promise((resolve) => {
    const failed = (cause: unknown) =>
      resolve({
        kind: 'failed',
        reason: timeout.aborted
          ? `${url.host} did not answer within ${answerWithin / SECOND} s`
          : failureOf(url, cause),
      });
    const send = url.protocol === 'http:' ? requestHttp : requestHttps;
    const request = send(url, {
      method: 'POST',
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      // No connection is kept: each one is checked, and none outlives a change of the policy.
      agent: false,
      signal: AbortSignal.any([signal, timeout]),
      lookup: guarded(destination, ask),
      ...(ca !== undefined && { ca }),
    });
    request.on('error', failed);
    request.on('response', (response) => {
      resolve(attemptOf(url, response.statusCode ?? 0, response.statusMessage ?? '', response.headers.location));
      // What the answer holds is of no interest, however long it is.
      response.on('error', () => undefined);
      response.destroy();
    });
    request.end(body);
  });
}

function attemptOf(url: URL, status: number, words: string, location: string | undefined): Attempt {
  if (status >= 200 && status < 300) return { kind: 'delivered', status: String(status) };
  const answer = `${url.host} answered ${status}${words === '' ? '' : ` ${words.slice(0, 80)}`}`;
  if (status < 300 || status >= 400 || location === undefined) return { kind: 'failed', reason: answer };
  const to = URL.canParse(location, url.href) ? new URL(location, url.href).host : 'elsewhere';
  return {
    kind: 'failed',
    reason: `${answer}, a redirect to ${to}: redirects are not followed, write the final address`,
  };
}

function failureOf(url: URL, cause: unknown): string {
  if (cause instanceof RefusedAddress) return nothingSent(cause.message);
  const code = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
  const words = cause instanceof AggregateError ? cause.errors.map(wordsOf).join('; ') : wordsOf(cause);
  return `${url.host} could not be reached: ${words}${words.includes(code.trim()) ? '' : code}`;
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

class RefusedAddress extends Error {}

/**
 * Looks a name up for the connection itself, and lets it have only addresses that may be reached. What is checked is so
 * what is connected to: a second look-up between check and connection could answer something else.
 */
function guarded(destination: Destination, ask: typeof lookup): LookupFunction {
  return (hostname, options, callback) => {
    ask(hostname, { ...options, all: true }, (error, found: readonly LookupAddress[]) => {
      if (error !== null) return callback(error, []);
      const judged = found.map((one) => ({ one, refused: judge(one.address, destination) }));
      const allowed = judged.filter(({ refused }) => refused === undefined).map(({ one }) => one);
      const [first] = allowed;
      if (first === undefined)
        return callback(new RefusedAddress(judged[0]?.refused ?? `${hostname} has no address`), []);
      if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

function judge(text: string, destination: Destination): string | undefined {
  const address = ipAddress(text.replace(/%.*$/, ''));
  return address === undefined ? `${text} is no address` : refusedAddress(address, destination);
}
