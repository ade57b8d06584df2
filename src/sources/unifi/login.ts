import type { UnifiSettings } from '../../domain/settings.js';
import { PassFailure } from '../service-pass.js';
import type { HttpsAnswer } from '../transport/https.js';
import { type WireObject, wireObject, wireText } from '../wire-values.js';
import { errorCode, isOwnError, notUnifi, objectOf, SEE_LOG, unifiWords } from './words.js';

/** A controller of its own, or the Network application of a UniFi OS console, which lies behind a prefix. */
export interface Console {
  readonly kind: 'os' | 'classic';
  readonly prefix: string;
  readonly loginPath: string;
}

const CLASSIC: Console = { kind: 'classic', prefix: '', loginPath: '/api/login' };
const OS: Console = { kind: 'os', prefix: '/proxy/network', loginPath: '/api/auth/login' };

/** What the answer for `/` tells. */
export function consoleOf(answer: HttpsAnswer, url: string): Console {
  const { location } = answer.headers;
  if (answer.status === 200) return OS;
  if (answer.status >= 500 && isOwnError(answer))
    throw new PassFailure(`${url} fails at /: ${unifiWords(answer)}; ${SEE_LOG}`);
  if (answer.status < 300 || answer.status >= 400) throw new PassFailure(notUnifi(answer, url, '/'));
  if (typeof location === 'string' && /^(?:https?:\/\/[^/]+)?\/manage\b/.test(location)) return CLASSIC;
  const where = typeof location === 'string' ? ` to ${location}` : '';
  throw new PassFailure(`${url} redirects (${answer.status}${where}); give the address that the controller answers at`);
}

/** What later requests carry. */
export interface Session {
  readonly cookie: string;
  readonly csrf: string | undefined;
}

type Login = Extract<UnifiSettings['login'], { kind: 'password' }>;

/** The session that a login gave; else why there is none, as a sentence for whoever keeps the settings. */
export function sessionOf(answer: HttpsAnswer, { kind, loginPath }: Console, login: Login, url: string): Session {
  const body = objectOf(answer);
  const foreign = () => new PassFailure(notUnifi(answer, url, loginPath));
  if (asksForMore(answer)) throw new PassFailure(secondFactor(login, url));
  if (body === undefined) throw foreign();
  if (answer.status !== 200 || isError(body)) {
    throw isOwnError(answer) ? new PassFailure(refused(answer, login, url)) : foreign();
  }
  const cookies = cookiesOf(answer);
  const isThere = kind === 'os' ? cookies.has('TOKEN') : cookies.has('unifises');
  if (!isThere) throw foreign();
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return { cookie, csrf: csrfOf(answer) ?? cookies.get('csrf_token') };
}

/** A console renews its token against forgery from time to time. */
export function csrfOf({ headers }: HttpsAnswer): string | undefined {
  return wireText(headers['x-updated-csrf-token']) ?? wireText(headers['x-csrf-token']);
}

function isError(body: WireObject): boolean {
  return wireObject(body.meta)?.rc === 'error';
}

/** 499 is a console that wants a second factor; a controller says so in its error. */
function asksForMore(answer: HttpsAnswer): boolean {
  return answer.status === 499 || /2fa|MFA/i.test(errorCode(answer) ?? '');
}

function secondFactor({ username }: Login, url: string): string {
  return `${url} asks ${username} for a second factor, which a program cannot give; create a local user without it that may only view, and name it as username, or give an API key (apiKeyEnv or apiKeyFile)`;
}

function refused(answer: HttpsAnswer, { username }: Login, url: string): string {
  const words = unifiWords(answer);
  if (answer.status === 429) {
    return `${url} takes no more logins for now: ${words}; check username and the password that passwordEnv or passwordFile names: they were refused too often`;
  }
  if (answer.status >= 500) return `${url} fails at the login: ${words}; ${SEE_LOG}`;
  return `${url} refuses the login of ${username}: ${words}; check username and the password that passwordEnv or passwordFile names, and that the user is a local one`;
}

function cookiesOf({ headers }: HttpsAnswer): ReadonlyMap<string, string> {
  const set = headers['set-cookie'];
  const lines = set === undefined ? [] : typeof set === 'string' ? [set] : set;
  return new Map(
    lines.flatMap((line) => {
      const [, name, value] = /^\s*([^=;\s]+)=([^;]*)/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    }),
  );
}
