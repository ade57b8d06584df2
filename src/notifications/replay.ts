import type { NotifyTarget } from '../domain/notify.js';
import type { DeadLetter } from '../store/delivery-words.js';
import { letterTo } from './recipients.js';
import type { TenureNeeds } from './target-tenure.js';

interface Replay {
  readonly broken: AbortSignal;
  /** One arrived. */
  went(): Promise<void>;
  /** Some went; more may be queued. */
  someWent(): Promise<void>;
}

const AT_ONCE = 20;

/** Sends the letters again that somebody queued: oldest first, and no further than the first that fails, as they were to be told in this order. */
export async function replayLetters(
  target: NotifyTarget,
  needs: Pick<TenureNeeds, 'store' | 'deliver' | 'measured' | 'now'>,
  { broken, went, someWent }: Replay,
): Promise<void> {
  for (;;) {
    const letters = await needs.store.deliveries.queued(target.id, AT_ONCE);
    if (letters.length === 0) return;
    for (const letter of letters) {
      if (!(await resend(target, letter, needs, broken))) return;
      await went();
    }
    await someWent();
  }
}

async function resend(
  target: NotifyTarget,
  letter: DeadLetter,
  { deliver, measured, now, store: { deliveries } }: Pick<TenureNeeds, 'store' | 'deliver' | 'measured' | 'now'>,
  broken: AbortSignal,
): Promise<boolean> {
  const attempt = await deliver(target, letter, broken);
  const isTaken = attempt.kind === 'delivered' || (attempt.kind === 'refused' && attempt.taken > 0);
  if (!isTaken) {
    if (!broken.aborted) await deliveries.replayFailed(letter, attempt.reason, now());
    return false;
  }
  if (attempt.kind === 'refused') {
    const left = attempt.refusals.map((refusal) => letterTo(letter, refusal));
    await deliveries.laid(target.id, left, now());
    measured(target.id, 'dead', left.length);
  }
  await deliveries.replayed(letter, now());
  measured(target.id, 'delivered', 1);
  return true;
}
