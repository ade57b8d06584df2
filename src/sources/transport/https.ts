import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { TlsPin } from '../../domain/settings.js';
import { gate } from './gate.js';
import { pinnedConnector } from './pinned-connector.js';
import { doorWords, overPlainHttp, type Setback, TransportError, transportError } from './transport-error.js';
import { type WholeAnswer, wholeAnswer } from './whole-answer.js';

export interface HttpsLimits {
  /** Requests under way at once, over all URLs. */
  readonly concurrency: number;
  readonly connectMs: number;
  readonly headersMs: number;
  /** The same for a question that any peer which is well answers at once. */
  readonly doorMs: number;
  /** Longest silence within a body. */
  readonly bodyMs: number;
  /** Longest life of one attempt, however it drips. */
  readonly attemptMs: number;
  readonly maxBodyBytes: number;
  /** Further rounds over the URLs after the first. */
  readonly retries: number;
  readonly backOffMs: number;
  /** Rounds that may be spent before successes earn new ones: ten successes earn one. */
  readonly retryBudget: number;
}

// Proxmox waits 30 s for a node it proxies to, so an honest answer may take a little longer than that.
const DEFAULTS: HttpsLimits = {
  concurrency: 8,
  connectMs: 5_000,
  headersMs: 35_000,
  doorMs: 15_000,
  bodyMs: 15_000,
  attemptMs: 120_000,
  maxBodyBytes: 64 * 1024 * 1024,
  retries: 2,
  backOffMs: 250,
  retryBudget: 10,
};

export interface HttpsSettings {
  /** `https://host:port` or `http://…`, tried in order. A path is kept as a prefix. */
  readonly urls: readonly string[];
  readonly tls: TlsPin;
  /** Asked anew for each request, so that no secret lies about. */
  readonly headers: () => Readonly<Record<string, string>>;
  readonly limits?: Partial<HttpsLimits>;
}

export interface HttpsRequest {
  readonly path: string;
  /** What is sent, as JSON: then it is a POST. Only what may be sent twice: a cut connection is tried again. */
  readonly json?: unknown;
  /** Beside the client's own. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly headersMs?: number | undefined;
  /** The first question of a pass, which is to be a light one: a peer that hangs is then found out soon. */
  readonly isDoor?: boolean;
  /** Whether a peer that took the connection and then says nothing is given up for the next URL. */
  readonly onSilence?: 'fail' | 'next-url' | undefined;
  /** Why this answer cannot come from the peer that is meant (a login page, say): then the next URL is asked. */
  readonly unfit?: ((answer: HttpsAnswer) => string | undefined) | undefined;
  /** Called just before each attempt. */
  readonly onAttempt?: () => void;
}

export interface HttpsAnswer {
  /** The URL that answered. */
  readonly url: string;
  readonly status: number;
  /** The reason phrase: up to PVE 8.3 the only place where an error says its words. */
  readonly reason: string;
  readonly contentType: string;
  /** By lower-case name; several of one name (`set-cookie`) as a list. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

export interface HttpsClient {
  /** Every answer with a status is an answer, whatever the status, but 502 to 504. Else throws TransportError, or the signal's reason. */
  ask(request: HttpsRequest): Promise<HttpsAnswer>;
  /** URLs that failed when last tried, and why; one leaves when it answers again. */
  setbacks(): ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** A client for one peer that may be reached at several URLs. It stays with the one that answered last. */
export function httpsClient(settings: HttpsSettings): HttpsClient {
  const limits = { ...DEFAULTS, ...settings.limits };
  const doors = settings.urls.map((url) => door(url, settings, limits));
  const setbacks = new Map<string, string>();
  const places = gate(limits.concurrency);
  const budget = retryBudget(limits.retryBudget);
  let good = 0;

  /** Asks the good URL, then the others; throws what the round came to. */
  const round = async (request: HttpsRequest): Promise<HttpsAnswer> => {
    const failures: { url: string; error: TransportError }[] = [];
    const first = good;
    for (let turn = 0; turn < doors.length; turn++) {
      const index = (first + turn) % doors.length;
      const tried = doors[index];
      if (tried === undefined) continue;
      try {
        const answer = await tried.ask(request);
        setbacks.delete(tried.url);
        good = index;
        return answer;
      } catch (thrown) {
        request.signal.throwIfAborted();
        const error = transportError(thrown);
        failures.push({ url: tried.url, error });
        setbacks.set(tried.url, error.message);
        if (!movesOn(error.setback, request)) break;
      }
    }
    throw roundFailure(failures);
  };

  return {
    async ask(request) {
      const leave = await places.enter(request.signal);
      try {
        for (let spent = 0; ; spent++) {
          try {
            const answer = await round(request);
            budget.earn();
            return answer;
          } catch (thrown) {
            request.signal.throwIfAborted();
            const error = transportError(thrown);
            if (!mayHeal(error.setback) || spent >= limits.retries || !budget.spend()) throw error;
            await pause(limits.backOffMs * 2 ** spent, request.signal);
          }
        }
      } finally {
        leave();
      }
    },
    setbacks: () => setbacks,
    async close() {
      await Promise.all(doors.map((each) => each.close()));
    },
  };
}

interface Door {
  readonly url: string;
  ask(request: HttpsRequest): Promise<HttpsAnswer>;
  close(): Promise<void>;
}

function door(url: string, settings: HttpsSettings, limits: HttpsLimits): Door {
  const base = new URL(url);
  const pool = new Pool(base.origin, {
    connections: limits.concurrency,
    pipelining: 1,
    connect: pinnedConnector(settings.tls, limits.connectMs),
    maxResponseSize: limits.maxBodyBytes,
    bodyTimeout: limits.bodyMs,
  });
  const prefix = base.pathname.replace(/\/$/, '');

  return {
    url,
    close: () => pool.destroy(),
    async ask(request) {
      request.signal.throwIfAborted();
      request.onAttempt?.();
      const headersTimeout = headersMs(request, limits);
      const isPost = request.json !== undefined;
      const answer = await wholeAnswer(
        pool,
        {
          method: isPost ? 'POST' : 'GET',
          ...(isPost && { body: JSON.stringify(request.json) }),
          path: prefix + request.path,
          headers: {
            ...common,
            ...(isPost && { 'content-type': 'application/json' }),
            ...settings.headers(),
            ...request.headers,
          },
          headersTimeout,
        },
        { signal: request.signal, longestMs: limits.attemptMs },
      ).catch((thrown: unknown) => {
        request.signal.throwIfAborted();
        const error = transportError(thrown, { ...limits, headersMs: headersTimeout });
        throw base.protocol === 'http:' ? overPlainHttp(error) : error;
      });
      return checked(said(url, answer), request);
    },
  };
}

function headersMs({ headersMs: own, isDoor }: HttpsRequest, limits: HttpsLimits): number {
  const patience = own ?? limits.headersMs;
  return Math.min(isDoor === true ? Math.min(patience, limits.doorMs) : patience, limits.attemptMs);
}

const common = { accept: 'application/json', 'user-agent': 'sankofa-it-api' };

function said(url: string, { status, reason, headers, body }: WholeAnswer): HttpsAnswer {
  const type = headers['content-type'];
  return { url, status, reason, headers, contentType: typeof type === 'string' ? type : '', body };
}

function checked(answer: HttpsAnswer, request: HttpsRequest): HttpsAnswer {
  if (answer.status >= 502 && answer.status <= 504) {
    throw new TransportError('door', doorWords(answer.status, answer.reason));
  }
  const unfit = request.unfit?.(answer);
  if (unfit !== undefined) throw new TransportError('unfit', unfit);
  return answer;
}

function movesOn(setback: Setback, request: HttpsRequest): boolean {
  return setback === 'timeout' ? request.onSilence === 'next-url' : setback !== 'too-large';
}

/** What may be gone a moment later. A wrong certificate or name is not; a silent peer already cost its time-out. */
function mayHeal(setback: Setback): boolean {
  return setback === 'refused' || setback === 'unreachable' || setback === 'cut' || setback === 'door';
}

/** One error for a whole round: it names every URL, and heals if any of them may. */
function roundFailure(failures: readonly { url: string; error: TransportError }[]): TransportError {
  const healing = failures.find(({ error }) => mayHeal(error.setback)) ?? failures[0];
  if (healing === undefined) return new TransportError('unreachable', 'no URL is configured');
  const words = failures.map(({ url, error }) => `${url}: ${error.message}`).join('; ');
  return new TransportError(healing.error.setback, words, healing.error);
}

/** Half of the pause is fixed and half is chance, so that many callers do not return in step. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms / 2 + Math.random() * (ms / 2), undefined, { signal }).catch(() => signal.throwIfAborted());
}

function retryBudget(most: number): { spend(): boolean; earn(): void } {
  let left = most;
  return {
    spend() {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    earn() {
      left = Math.min(most, left + 0.1);
    },
  };
}
