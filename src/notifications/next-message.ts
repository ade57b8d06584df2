import type { NotifyTarget } from '../domain/notify.js';
import { type Instant, SECOND } from '../domain/time.js';
import type { LogEvent } from '../store/store.js';
import { quietUntil } from './quiet.js';
import { severityOf } from './told.js';

/** An event that waits to be told, and when it was read: the log's own times say when things happened, not when we knew. */
export interface Waiting {
  readonly event: LogEvent;
  readonly readAt: Instant;
}

export type Next =
  | { readonly kind: 'idle' }
  | { readonly kind: 'wait'; readonly until: Instant }
  /** The first `count` of those that wait, as one message. */
  | { readonly kind: 'send'; readonly count: number };

/** One event seldom comes alone: that long, in ms, is waited for the next, and no longer than that in all. */
const PAUSE = 200;
const LONGEST_PAUSE = 500;
/** A burst is over when nothing came for this part of the window. */
const LULL = 1 / 10;

export interface Burst {
  /** When events were told one by one, newest last. */
  readonly toldAt: readonly Instant[];
  /** More than fits into one message may wait in the log. */
  readonly isFull: boolean;
}

/** What to send next to a target for which these events wait, in order. */
export function nextMessage(
  waiting: readonly Waiting[],
  { digest, quiet }: Pick<NotifyTarget, 'digest' | 'quiet'>,
  { toldAt, isFull }: Burst,
  now: Instant,
): Next {
  const [first, last] = [waiting[0], waiting.at(-1)];
  if (first === undefined || last === undefined) return { kind: 'idle' };
  // Something critical ends the quiet, for all that waits before it too: a target is told in order.
  const isCritical = waiting.some(({ event }) => severityOf(event) === 'CRITICAL');
  const silence = quiet === null || isCritical ? undefined : quietUntil(quiet, now);
  if (silence !== undefined) return { kind: 'wait', until: silence };
  if (digest === null) return { kind: 'send', count: 1 };
  if (isFull) return { kind: 'send', count: waiting.length };
  const lately = toldAt.filter((at) => at > now - digest.window).length;
  const isBurst = waiting.length + lately > digest.after;
  const [lull, longest] = isBurst
    ? [Math.min(digest.window * LULL, 30 * SECOND), digest.window]
    : [PAUSE, LONGEST_PAUSE];
  const ready = Math.min(last.readAt + lull, first.readAt + longest);
  if (now < ready) return { kind: 'wait', until: ready };
  return { kind: 'send', count: isBurst ? waiting.length : 1 };
}
