import type { NpmSettings } from '../../domain/settings.js';
import type { Instant } from '../../domain/time.js';
import { type PassAsk, PassFailure } from '../service-pass.js';
import { askNamed } from '../transport/asked-for.js';
import { type HttpsAnswer, type HttpsLimits, type HttpsRequest, httpsClient } from '../transport/https.js';
import { jsonBody } from '../transport/json-body.js';
import { type WireObject, wireInteger, wireObject } from '../wire-values.js';
import { LOGIN, type NpmToken, notNpm, npmToken, npmWords } from './login.js';

/** What came of asking for one list. `kept`: not for this user, or not in this version. */
export type NpmList =
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] }
  | { readonly kind: 'kept'; readonly status: 403 | 404; readonly words: string };

/** One proxy manager, signed in when it must be. What ends a pass is thrown: TransportError, PassFailure, or the signal's reason. */
export interface NpmClient {
  /** At most one login from here to the next `begin`, however often a token is refused. */
  begin(): void;
  list(path: string, ask: PassAsk): Promise<NpmList>;
  /** The user's own row; undefined where it may not be read. */
  user(ask: PassAsk): Promise<WireObject | undefined>;
  /** `2.15.1`; undefined where it does not say. */
  version(ask: PassAsk): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface NpmNeeds {
  readonly now: () => Instant;
  readonly limits?: Partial<HttpsLimits>;
}

export function npmClient(settings: NpmSettings, { now, limits }: NpmNeeds): NpmClient {
  const https = httpsClient({
    ...{ urls: [settings.url], tls: settings.tls, headers: () => ({}) },
    ...(limits === undefined ? {} : { limits }),
  });
  let token: NpmToken | undefined;
  let isFresh = false;
  // Its lists are a household's, and a login is one look into its database: whatever lasts longer than at the door hangs.
  const ask = (request: HttpsRequest) => askNamed(https, { ...request, isDoor: true });
  const login = async (by: PassAsk) => {
    isFresh = true;
    token = undefined;
    const json = { identity: settings.identity, secret: settings.secret.reveal() };
    const answer = await ask({ path: LOGIN, json, ...by });
    token = npmToken(answer, settings, now());
    return token;
  };
  const get = async (path: string, by: PassAsk): Promise<HttpsAnswer> => {
    const held = token !== undefined && (isFresh || token.goodUntil > now()) ? token : await login(by);
    const asking = ({ text }: NpmToken) => ask({ path, headers: { authorization: `Bearer ${text}` }, ...by });
    const answer = await asking(held);
    return isFresh || !mayBeTheToken(answer) ? answer : asking(await login(by));
  };

  return {
    begin() {
      isFresh = false;
    },
    async list(path, by) {
      const answer = await get(path, by);
      // A token that was refused once is not offered again: the next pass signs in anew.
      if (mayBeTheToken(answer)) token = undefined;
      return readList(answer, settings, path);
    },
    async user(by) {
      const answer = await get('/api/users/me?expand=permissions', by);
      const read = jsonBody(answer);
      return answer.status === 200 && read.kind === 'json' ? wireObject(read.value) : undefined;
    },
    async version(by) {
      const answer = await ask({ path: '/api/', ...by });
      const read = jsonBody(answer);
      return read.kind === 'json' ? versionText(wireObject(wireObject(read.value)?.version)) : undefined;
    },
    close: () => https.close(),
  };
}

/** An expired token is a 401 or, from 2.13 on, a 400; one that another key signed (a new installation) is a 500. */
function mayBeTheToken({ status }: HttpsAnswer): boolean {
  return status === 400 || status === 401 || status === 500;
}

function readList(answer: HttpsAnswer, settings: NpmSettings, path: string): NpmList {
  const { status } = answer;
  const words = npmWords(answer);
  if (status === 403 || status === 404) return { kind: 'kept', status, words };
  const read = jsonBody(answer);
  if (status === 200 && read.kind === 'json' && Array.isArray(read.value)) return { kind: 'rows', rows: read.value };
  if (status >= 200 && status < 400) throw new PassFailure(notNpm(answer, settings, path));
  throw new PassFailure(`${settings.url} fails at ${path}: ${words}; see the log of Nginx Proxy Manager`);
}

function versionText(version: WireObject | undefined): string | undefined {
  const parts = [version?.major, version?.minor, version?.revision].map(wireInteger);
  return parts.includes(undefined) ? undefined : parts.join('.');
}
