import { ipAddress } from './address.js';
import type { NotifyTarget, WebhookTarget } from './notify.js';
import type { Secret } from './settings.js';
import { refusedAddress, refusedPort } from './target-address.js';

/** What this gateway has to send with. */
export interface Means {
  /** Of an environment variable; undefined: it is not set. */
  secret(name: string): Secret | undefined;
  /** Where mail goes; null: nowhere. */
  readonly smtpUrl: Secret | null;
}

/** Why nothing can be sent to a target as things are set here: the field of its entry, and the words for it. No secret is in them. */
export interface Lack {
  readonly field: 'url' | 'urlEnv' | 'secretEnv' | 'email';
  readonly message: string;
}

export const NO_SMTP = 'SMTP_URL is not set: no mail can be sent';
const NO_ADDRESS = 'is not set: it must hold the address';
const NO_SUCH_ADDRESS = 'holds no address that begins with https:// and has no user in it';
const UNSIGNED = 'is not set: nothing is sent unsigned';

/** Empty: it may be tried. What only the attempt can tell (nobody listens, the key is a wrong one) is not asked here. */
export function lacksOf(target: NotifyTarget, { secret, smtpUrl }: Means): readonly Lack[] {
  if (target.kind === 'mail') return smtpUrl === null ? [{ field: 'email', message: NO_SMTP }] : [];
  const url = hookUrl(target, { secret });
  const why = typeof url === 'string' ? url : refusedLiteral(url, target);
  const lacks: Lack[] = [];
  if (why !== undefined && 'written' in target.url) lacks.push({ field: 'url', message: why });
  if (why !== undefined && 'env' in target.url)
    lacks.push({ field: 'urlEnv', message: typeof url === 'string' ? why : `${target.url.env} is refused: ${why}` });
  const { secretEnv } = target;
  if (secretEnv !== null && secret(secretEnv) === undefined)
    lacks.push({ field: 'secretEnv', message: unsigned(secretEnv) });
  return lacks;
}

/** Where a hook leads, or why that is not known. What the variable holds instead is not repeated: it may be a secret of another kind. */
export function hookUrl({ url }: WebhookTarget, { secret }: Pick<Means, 'secret'>): URL | string {
  if ('written' in url) return new URL(url.written);
  const text = secret(url.env)?.reveal();
  if (text === undefined) return `${url.env} ${NO_ADDRESS}`;
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  const isWeb = parsed?.protocol === 'https:' || parsed?.protocol === 'http:';
  return parsed !== undefined && isWeb && parsed.username === '' && parsed.password === ''
    ? parsed
    : `${url.env} ${NO_SUCH_ADDRESS}`;
}

/** Why nothing may be sent to the address and port that a URL itself names; undefined: it may, or it names a host. */
export function refusedLiteral(
  { protocol, hostname, port }: URL,
  { allow }: Pick<WebhookTarget, 'allow'>,
): string | undefined {
  const literal = ipAddress(hostname.replace(/^\[|\]$/g, ''));
  if (literal === undefined) return refusedPort({ port });
  return (
    refusedPort({ port }) ??
    refusedAddress(literal, { protocol: protocol === 'http:' ? 'http:' : 'https:', host: literal, allow })
  );
}

/** Whoever is to check the signature would take an unsigned message for a forged one. */
export function unsigned(secretEnv: string): string {
  return `${secretEnv} ${UNSIGNED}`;
}

/** What an attempt says that sent nothing, because the address may not be reached. */
export function nothingSent(why: string): string {
  return `${NOTHING_SENT}${why}`;
}

const NOTHING_SENT = 'nothing was sent: ';

/**
 * Whether an attempt that ended so failed for a lack, whichever variable it was: then it says nothing of the target. An
 * address that may not be reached is one where a variable holds it, as that may hold another by now.
 */
export function isLack(reason: string, target: NotifyTarget): boolean {
  const isRefused = target.kind === 'webhook' && 'env' in target.url && reason.startsWith(NOTHING_SENT);
  return isRefused || [NO_SMTP, NO_ADDRESS, NO_SUCH_ADDRESS, UNSIGNED].some((words) => reason.endsWith(words));
}
