import { type Instant, SECOND } from '../../domain/time.js';
import type { HttpsAnswer } from './https.js';

// The `Date` header has whole seconds, and the way there and back takes its time too.
const NOISE = 5 * SECOND;
const STEP = 10 * SECOND;

/**
 * How far the peer's clock is ahead of ours (behind: negative), by its `Date` header. Nothing below the header's own
 * blur; above it in steps and rather too far ahead than too little, so that nothing it saw is ever taken for later than it was.
 */
export function clockAhead({ headers }: Pick<HttpsAnswer, 'headers'>, at: Instant): number {
  const { date } = headers;
  const theirs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  const ahead = theirs - at;
  if (!Number.isFinite(ahead) || Math.abs(ahead) < NOISE) return 0;
  return Math.ceil(ahead / STEP) * STEP;
}

/** How long a `Retry-After` asks to wait, in milliseconds; undefined: it does not say. */
export function retryAfter({ headers }: Pick<HttpsAnswer, 'headers'>, at: Instant): number | undefined {
  const said = headers['retry-after'];
  if (typeof said !== 'string') return undefined;
  const ms = /^\d+$/.test(said) ? Number(said) * SECOND : Date.parse(said) - at;
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}
