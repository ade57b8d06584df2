import type { NetboxSettings } from '../../domain/settings.js';
import { askNamed } from '../transport/asked-for.js';
import { type HttpsClient, type HttpsLimits, httpsClient } from '../transport/https.js';
import { TransportError } from '../transport/transport-error.js';
import { readAnswer } from './parse/answer.js';

/** Why NetBox could not be read, in one sentence: what was asked, what came, what to do. It ends the pass. */
export class NetboxTrouble extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'NetboxTrouble';
  }
}

export interface Ask {
  readonly signal: AbortSignal;
  /** Called for each request sent, also for the repeated ones. */
  readonly onAttempt: () => void;
  /** It is the first question of a pass. */
  readonly isDoor?: boolean;
}

export interface Got {
  readonly content: unknown;
  /** `API-Version`, which NetBox puts on every answer: `4.2`; null where something took it away. */
  readonly apiVersion: string | null;
}

/** Asks one NetBox. Throws NetboxTrouble, or the signal's reason. */
export interface NetboxClient {
  /** Its address, without a slash at its end. */
  readonly url: string;
  /** `path` below `/api`, with the slash at its end that NetBox redirects to otherwise. */
  get(path: string, query: string, permission: string | null, ask: Ask): Promise<Got>;
  close(): Promise<void>;
}

// A page of 1,000 VMs takes NetBox seconds to put together, and longer where its database is busy.
const LIMITS: Partial<HttpsLimits> = {
  concurrency: 4,
  headersMs: 90_000,
  bodyMs: 30_000,
  attemptMs: 180_000,
  maxBodyBytes: 48 * 1024 * 1024,
};

export function netboxClient(settings: NetboxSettings, limits: Partial<HttpsLimits> = {}): NetboxClient {
  const base = settings.url.replace(/\/+$/, '');
  const token = settings.token.reveal().trim();
  const version = token.startsWith('nbt_') ? 'v2' : 'v1';
  const https: HttpsClient = httpsClient({
    urls: [base],
    tls: settings.tls,
    headers: () => ({ authorization: version === 'v2' ? `Bearer ${token}` : `Token ${token}` }),
    limits: { ...LIMITS, ...limits },
  });

  return {
    url: base,
    async get(path, query, permission, ask) {
      const request = { path: `/api${path}${query === '' ? '' : `?${query}`}`, ...ask };
      const answer = await askNamed(https, request).catch((thrown: unknown) => {
        ask.signal.throwIfAborted();
        if (!(thrown instanceof TransportError)) throw thrown;
        throw new NetboxTrouble(thrown.message, thrown);
      });
      const read = readAnswer(answer, { permission, token: version });
      if (read.kind === 'refused') throw new NetboxTrouble(`${base}/api${path}: ${read.words}`);
      const { 'api-version': apiVersion } = answer.headers;
      return { content: read.content, apiVersion: typeof apiVersion === 'string' ? apiVersion : null };
    },
    close: () => https.close(),
  };
}
