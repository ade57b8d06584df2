import type { ProxmoxApiSettings } from '../../domain/settings.js';
import type { Instant } from '../../domain/time.js';
import { type HttpsClient, type HttpsLimits, httpsClient } from '../transport/https.js';
import { type Setback, TransportError } from '../transport/transport-error.js';
import { type Answer, type RawAnswer, readAnswer } from './parse/answer.js';
import type { WantedKeys } from './parse/wanted-json.js';

/** What came of asking for one path. `silent`: no answer; the words name the URLs. */
export type Reply = {
  /** When the request was sent (the last attempt of it). */
  readonly askedAt: Instant;
} & (
  | (Answer & { readonly url: string })
  | { readonly kind: 'silent'; readonly setback: Setback; readonly words: string }
);

export interface Ask {
  readonly signal: AbortSignal;
  readonly headersMs?: number;
  /** What is taken of the answer's objects; undefined: all of it. */
  readonly wanted?: WantedKeys;
  /** The first question of a poll: a URL that is silent, or behind which no Proxmox API answers, is given up for the next. */
  readonly atTheDoor?: boolean;
  /** Called for each request sent, also for the repeated ones. */
  readonly onAttempt: () => void;
}

/** Asks the API of one cluster. Only cancelling throws. */
export interface ProxmoxClient {
  get(path: string, ask: Ask): Promise<Reply>;
  setbacks(): ReadonlyMap<string, string>;
  close(): Promise<void>;
}

export function proxmoxClient(
  settings: ProxmoxApiSettings,
  needs: { readonly now: () => Instant; readonly limits?: Partial<HttpsLimits> },
): ProxmoxClient {
  const https: HttpsClient = httpsClient({
    urls: settings.urls,
    tls: settings.tls,
    headers: () => ({ authorization: `PVEAPIToken=${settings.tokenId}=${settings.tokenSecret.reveal()}` }),
    ...(needs.limits === undefined ? {} : { limits: needs.limits }),
  });

  return {
    async get(path, ask) {
      let askedAt = needs.now();
      // Judged at the door, the answer is not taken apart a second time: the list of a large cluster has megabytes.
      let judged: Answer | undefined;
      const unfit = (raw: RawAnswer) => {
        judged = readAnswer(raw, ask.wanted);
        return unfitAtTheDoor(judged);
      };
      try {
        const answer = await https.ask({
          path: `/api2/json${path}`,
          signal: ask.signal,
          headersMs: ask.headersMs,
          onSilence: ask.atTheDoor === true ? 'next-url' : 'fail',
          unfit: ask.atTheDoor === true ? unfit : undefined,
          onAttempt: () => {
            askedAt = needs.now();
            ask.onAttempt();
          },
        });
        return reply(judged ?? readAnswer(answer, ask.wanted), answer.url, askedAt);
      } catch (thrown) {
        ask.signal.throwIfAborted();
        if (!(thrown instanceof TransportError)) throw thrown;
        return { kind: 'silent', setback: thrown.setback, words: thrown.message, askedAt };
      }
    },
    setbacks: () => https.setbacks(),
    close: () => https.close(),
  };
}

function reply(answer: Answer, url: string, askedAt: Instant): Reply {
  // Nearly all are content, and naming its fields is much cheaper than a spread.
  return answer.kind === 'content'
    ? { kind: 'content', content: answer.content, url, askedAt }
    : { ...answer, url, askedAt };
}

/** What to look at where the token itself is refused; else nothing. */
export function refusedToken(reply: Reply): string {
  const isRefused = reply.kind === 'refused' && reply.status === 401;
  return isRefused ? ' (check tokenId, and the secret that tokenSecretEnv or tokenSecretFile names)' : '';
}

/** A node whose own services fail (500, 595 to 599) may stand beside a healthy one; a token that is refused is refused by all. */
function unfitAtTheDoor(answer: Answer): string | undefined {
  if (answer.kind === 'foreign') return answer.words;
  return answer.kind === 'refused' && answer.status >= 500
    ? `${answer.words}; see the journal of that node`
    : undefined;
}
