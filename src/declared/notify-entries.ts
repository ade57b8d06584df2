import { createHash } from 'node:crypto';
import { DEFAULT_TENANT } from '../domain/access.js';
import { type Cidr, cidr, ipAddress } from '../domain/address.js';
import { SEVERITIES } from '../domain/finding.js';
import {
  DIGEST,
  type Digest,
  MAIL_DIGEST,
  type MailTarget,
  type NotifyTarget,
  type QuietHours,
  REDIS_TARGET,
  TOPICS,
  type Topic,
  topicsLike,
  type WebhookTarget,
} from '../domain/notify.js';
import { isLocalName, refusedAddress, refusedPort } from '../domain/target-address.js';
import { duration } from './duration.js';
import type { Fields } from './fields.js';
import { didYouMean } from './nearest-word.js';

const COMMON_KEYS = ['name', 'topics', 'minSeverity', 'tenant', 'digest', 'quiet'];
const WEBHOOK_KEYS = ['url', 'urlEnv', 'secretEnv', 'format', 'allow'];
const MAIL_KEYS = ['email', 'from'];
const DIGEST_KEYS = ['after', 'window'];
const QUIET_KEYS = ['from', 'to', 'timezone'];
/** Refused by a message of its own: secrets are named, never written. */
const REFUSED_KEYS = ['secret'];

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const MAIL_ADDRESS = /^[^\s@<>,;"]+@[^\s@<>,;"]+$/;
const LONGEST_WINDOW = 24 * 60 * 60_000;

/** Whom to tell, as policy.yaml's `notify` lists it. Bad entries are reported, and no part of the answer. */
export function notifyTargets(top: Fields): readonly NotifyTarget[] {
  const told: NotifyTarget[] = [];
  for (const [index] of (top.list('notify') ?? []).entries()) {
    const entry = top.listEntry('notify', index);
    const target = entry === undefined ? undefined : targetOf(entry);
    if (entry === undefined || target === undefined) continue;
    if (told.some(({ id }) => id === target.id))
      entry.report('name', `"${target.id}" is there twice: give each of the two a name of its own`);
    else told.push(target);
  }
  return told;
}

function targetOf(entry: Fields): NotifyTarget | undefined {
  if (entry.has('secret')) entry.report('secret', 'is refused: secrets are named here (secretEnv), never written');
  const web = ['url', 'urlEnv'].find((key) => entry.has(key));
  if (web !== undefined && entry.has('email')) {
    entry.report('email', `and ${web} are both written: keep one of them, and make the other an entry of its own`);
    return undefined;
  }
  if (entry.has('email')) return mailOf(entry);
  if (web !== undefined) return webhookOf(entry);
  entry.report('url', 'is missing: say where to tell it, by url, urlEnv or email');
  return undefined;
}

function webhookOf(entry: Fields): WebhookTarget | undefined {
  entry.allow([...COMMON_KEYS, ...WEBHOOK_KEYS, ...REFUSED_KEYS]);
  if (entry.has('url') && entry.has('urlEnv')) entry.report('urlEnv', 'and url are both written: keep one of them');
  const format = entry.oneOf('format', ['json', 'slack']) ?? 'json';
  const allow = allowed(entry);
  const secretEnv = variable(entry, 'secretEnv') ?? null;
  const url = urlOf(entry, allow);
  if (url === undefined) return undefined;
  const place = 'written' in url ? url.written : `env ${url.env}`;
  const shown = 'written' in url ? new URL(url.written).host : url.env;
  const common = commonOf(entry, DIGEST, `${shown}-${shortHash([place, format, entry.raw('tenant')])}`);
  return common === undefined ? undefined : { ...common, kind: 'webhook', url, secretEnv, format, allow };
}

function mailOf(entry: Fields): MailTarget | undefined {
  entry.allow([...COMMON_KEYS, ...MAIL_KEYS, ...REFUSED_KEYS]);
  const list = typeof entry.raw('email') === 'string' ? [entry.raw('email')] : (entry.list('email') ?? []);
  const to = list.map(String);
  for (const [index, address] of to.entries())
    if (!MAIL_ADDRESS.test(address)) entry.reportItem('email', index, `"${address}" is no mail address`);
  if (to.length === 0) entry.report('email', 'must name at least one mail address');
  const from = entry.text('from') ?? null;
  if (from !== null && !MAIL_ADDRESS.test(from)) entry.report('from', `"${from}" is no mail address`);
  const common = commonOf(entry, MAIL_DIGEST, `mail-${shortHash([...to].sort().concat(String(entry.raw('tenant'))))}`);
  return common === undefined ? undefined : { ...common, kind: 'mail', to, from };
}

type Common = Omit<MailTarget, 'kind' | 'to' | 'from'>;

function commonOf(entry: Fields, usual: Digest, madeName: string): Common | undefined {
  const name = entry.text('name');
  if (name !== undefined && !NAME.test(name))
    entry.report('name', 'must be 1 to 64 letters, digits, dots, dashes or underscores');
  if (name === REDIS_TARGET) entry.report('name', `"${REDIS_TARGET}" is the name of the Redis stream`);
  const tenant = entry.text('tenant') ?? null;
  if (tenant !== null && tenant !== DEFAULT_TENANT)
    entry.report('tenant', `"${tenant}" is no tenant: there is only "${DEFAULT_TENANT}"`);
  return {
    id: name ?? madeName,
    topics: topicsOf(entry),
    minSeverity: entry.oneOf('minSeverity', SEVERITIES) ?? null,
    tenant,
    digest: digestOf(entry, usual),
    quiet: quietOf(entry),
  };
}

function topicsOf(entry: Fields): readonly Topic[] {
  const patterns = entry.list('topics')?.map(String) ?? ['drift.*'];
  if (patterns.length === 0) entry.report('topics', 'must name at least one topic, such as drift.*');
  const told = patterns.flatMap((pattern, index) => {
    const like = topicsLike(pattern);
    if (like.length === 0)
      entry.reportItem('topics', index, `"${pattern}" is no topic and fits none${didYouMean(pattern, TOPICS)}`);
    return like;
  });
  return TOPICS.filter((topic) => told.includes(topic));
}

function digestOf(entry: Fields, usual: Digest): Digest | null {
  if (entry.raw('digest') === 'off') return null;
  const map = entry.map('digest');
  if (map === undefined) return usual;
  map.allow(DIGEST_KEYS);
  const after = map.wholeNumber('after', 0, 1_000) ?? usual.after;
  const window = map.raw('window') === undefined ? usual.window : duration(map.raw('window'));
  if (window === undefined || window > LONGEST_WINDOW)
    map.report('window', 'must be a time with its unit, such as 30s or 5m, and at most 24h');
  return { after, window: window ?? usual.window };
}

function quietOf(entry: Fields): QuietHours | null {
  const map = entry.map('quiet');
  if (map === undefined) return null;
  map.allow(QUIET_KEYS);
  map.require(['from', 'to']);
  const [from, to] = [timeOfDay(map, 'from'), timeOfDay(map, 'to')];
  const timezone = map.text('timezone') ?? 'UTC';
  if (!isTimezone(timezone))
    map.report('timezone', `"${timezone}" is no time zone: write UTC, or a name such as Europe/Berlin`);
  if (from === undefined || to === undefined) return null;
  if (from === to) map.report('to', 'is the same as from: there would be no quiet, or nothing else');
  return { from, to, timezone };
}

function timeOfDay(map: Fields, key: string): number | undefined {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(String(map.raw(key))) ?? [];
  if (hours !== undefined && minutes !== undefined && Number(hours) < 24 && Number(minutes) < 60)
    return Number(hours) * 60 + Number(minutes);
  if (map.raw(key) !== undefined) map.report(key, 'must be a time of day such as "22:00"');
  return undefined;
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function allowed(entry: Fields): readonly Cidr[] {
  return (entry.list('allow') ?? []).flatMap((item, index) => {
    const network = cidr(String(item));
    if (network === undefined)
      entry.reportItem('allow', index, 'must be an address or a prefix such as 169.254.7.0/24');
    return network === undefined ? [] : [network];
  });
}

function variable(entry: Fields, key: string): string | undefined {
  const name = entry.text(key);
  if (name === undefined || VARIABLE.test(name)) return name;
  entry.report(key, 'must be the name of an environment variable, not the secret itself');
  return undefined;
}

function urlOf(entry: Fields, allow: readonly Cidr[]): WebhookTarget['url'] | undefined {
  if (entry.has('urlEnv')) {
    const env = variable(entry, 'urlEnv');
    return env === undefined ? undefined : { env };
  }
  const text = entry.text('url');
  if (text === undefined) return undefined;
  const why = refusedUrl(text, allow);
  if (why === undefined) return { written: new URL(text).href };
  entry.report('url', why);
  return undefined;
}

/** Why nothing can be sent to this URL, as far as its text tells; undefined: it may do. Never repeats a password. */
export function refusedUrl(text: string, allow: readonly Cidr[]): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL such as https://chat.example.org/hooks/it';
  const url = new URL(text);
  const { protocol } = url;
  if (protocol !== 'https:' && protocol !== 'http:') return `must begin with https://, not with ${protocol}//`;
  if (url.username !== '' || url.password !== '') return 'must not hold a user or a password';
  const unheard = refusedPort(url);
  if (unheard !== undefined) return `is refused: ${unheard}`;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const address = ipAddress(host);
  if (address !== undefined) {
    const why = refusedAddress(address, { protocol, host: address, allow });
    return why === undefined ? undefined : `is refused: ${why}`;
  }
  if (protocol === 'http:' && !isLocalName(host))
    return `is plain http to ${host}, which is no loopback or private address: use https`;
  return undefined;
}

function shortHash(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8);
}
