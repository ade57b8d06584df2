import type { UnifiSettings } from '../../domain/settings.js';
import { type Instant, MINUTE } from '../../domain/time.js';
import { type PassAsk, PassFailure } from '../service-pass.js';
import { askNamed } from '../transport/asked-for.js';
import { type HttpsAnswer, type HttpsLimits, type HttpsRequest, httpsClient } from '../transport/https.js';
import { retryAfter } from '../transport/peer-clock.js';
import { TransportError } from '../transport/transport-error.js';
import { type Console, consoleOf, csrfOf, type Session, sessionOf } from './login.js';
import { errorCode } from './words.js';

/** One controller, found out and signed in when it must be. What ends a pass is thrown: TransportError, PassFailure, or the signal's reason. */
export interface UnifiClient {
  /**
   * At most one login from here to the next `begin`, however often a session is refused. Which console it is is found out
   * anew: it may be another one since, and a page that costs it nothing tells sooner than a list that it hangs.
   */
  begin(): void;
  /** Asks below the Network application: `/api/…`, `/integration/v1/…`. */
  get(path: string, ask: PassAsk): Promise<HttpsAnswer>;
  /** Known once something was asked. */
  console(): Console | undefined;
  close(): Promise<void>;
}

export interface UnifiNeeds {
  readonly now: () => Instant;
  readonly limits?: Partial<HttpsLimits>;
}

/** How long a console that takes no more logins is left alone where it does not say, and at most. */
const LOCKED_OUT = MINUTE;
const LONGEST_LOCK_OUT = 60 * MINUTE;

export function unifiClient(settings: UnifiSettings, { now, limits }: UnifiNeeds): UnifiClient {
  const { url, login } = settings;
  const https = httpsClient({
    ...{ urls: [url], tls: settings.tls, headers: () => ({}) },
    ...(limits === undefined ? {} : { limits }),
  });
  let found: Console | undefined;
  let session: Session | undefined;
  let isFresh = false;
  let lockedOut: { readonly until: Instant; readonly reason: string } | undefined;

  const asking = (request: HttpsRequest) =>
    askNamed(https, request).catch((thrown: unknown) => {
      throw isBehindConsole(thrown, found) ? starting(thrown) : thrown;
    });
  const findOut = async (ask: PassAsk) => {
    found ??= consoleOf(await asking({ path: '/', isDoor: true, ...ask }), url);
    return found;
  };
  const signIn = async (at: Console, by: Extract<typeof login, { kind: 'password' }>, ask: PassAsk) => {
    isFresh = true;
    session = undefined;
    const { username, password } = by;
    const remember = at.kind === 'os' ? { rememberMe: false } : { remember: false };
    const json = { username, password: password.reveal(), ...remember };
    const answer = await asking({ path: at.loginPath, json, isDoor: true, ...ask });
    try {
      session = sessionOf(answer, at, by, url);
    } catch (refused) {
      if (answer.status === 429 && refused instanceof PassFailure) {
        const wait = Math.min(retryAfter(answer, now()) ?? LOCKED_OUT, LONGEST_LOCK_OUT);
        lockedOut = { until: now() + wait, reason: refused.message };
      }
      throw refused;
    }
    return session;
  };
  const asSession = async (at: Console, path: string, held: Session, ask: PassAsk) => {
    const headers = { cookie: held.cookie, ...(held.csrf === undefined ? {} : { 'x-csrf-token': held.csrf }) };
    const answer = await asking({ path: at.prefix + path, headers, ...ask });
    if (session === held) session = { ...held, csrf: csrfOf(answer) ?? held.csrf };
    return answer;
  };

  return {
    begin() {
      isFresh = false;
      found = undefined;
    },
    async get(path, ask) {
      const mustSignIn = login.kind === 'password' && session === undefined;
      if (mustSignIn && lockedOut !== undefined && now() < lockedOut.until) throw new PassFailure(lockedOut.reason);
      const at = await findOut(ask);
      if (login.kind === 'apiKey') {
        return asking({ path: at.prefix + path, headers: { 'x-api-key': login.key.reveal() }, ...ask });
      }
      const answer = await asSession(at, path, session ?? (await signIn(at, login, ask)), ask);
      if (!isSignedOut(answer)) return answer;
      if (!isFresh) return asSession(at, path, await signIn(at, login, ask), ask);
      session = undefined;
      return answer;
    },
    console: () => found,
    close: () => https.close(),
  };
}

function isSignedOut(answer: HttpsAnswer): boolean {
  return answer.status === 401 || errorCode(answer) === 'api.err.LoginRequired';
}

/** A console is itself the proxy in front of its applications, and is well while one of them starts. */
function isBehindConsole(thrown: unknown, found: Console | undefined): thrown is TransportError {
  return thrown instanceof TransportError && thrown.setback === 'door' && found?.kind === 'os';
}

function starting(error: TransportError): TransportError {
  return new TransportError(
    error.setback,
    `${error.message}; the console answers, its Network application may be starting`,
    error,
  );
}
