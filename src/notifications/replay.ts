import type { NotifyTarget } from '../domain/notify.js';
import type { DeadLetter, Message } from '../store/delivery-words.js';
import { isNarrowed, letterTo, meantFor, narrowed, ownReason, type Refusal, said } from './recipients.js';
import type { TenureNeeds } from './target-tenure.js';

interface Replay {
  readonly broken: AbortSignal;
  /** One arrived. */
  went(): Promise<void>;
  /** Some went; more may be queued. */
  someWent(): Promise<void>;
}

type ReplayNeeds = Pick<TenureNeeds, 'store' | 'deliver' | 'measured' | 'now'>;
/** Recipients who were refused in this replay, and what the server said. */
type Stuck = Map<string, string>;
type Fate = 'went' | 'set aside' | 'stop';

const AT_ONCE = 20;

/**
 * Sends the letters again that somebody queued: oldest first, and no further than the first that fails, as they were to
 * be told in this order. A mail's recipients have an order each: who is refused holds up his own letters, and no other's.
 */
export async function replayLetters(
  target: NotifyTarget,
  needs: ReplayNeeds,
  { broken, went, someWent }: Replay,
): Promise<void> {
  const stuck: Stuck = new Map();
  for (;;) {
    const letters = await needs.store.deliveries.queued(target.id, AT_ONCE);
    if (letters.length === 0) return;
    for (const letter of letters) {
      const fate = await replayOne(target, letter, stuck, needs, broken);
      if (fate === 'stop') return;
      if (fate === 'went') await went();
    }
    await someWent();
  }
}

async function replayOne(
  target: NotifyTarget,
  letter: DeadLetter,
  stuck: Stuck,
  needs: ReplayNeeds,
  broken: AbortSignal,
): Promise<Fate> {
  if (target.kind !== 'mail') return resend(target, letter, { message: letter, heldUp: [], stuck }, needs, broken);
  const { deliveries } = needs.store;
  const { meant, still } = meantFor(target, letter);
  if (still.length === 0) {
    const reason = `${meant.join(', ')}: no recipient of this target any more, nothing was sent`;
    await deliveries.setAside(letter, { reason, at: needs.now() });
    return 'set aside';
  }
  const open = still.filter((address) => !stuck.has(address));
  if (open.length === 0) {
    await deliveries.setAside(letter, null);
    return 'set aside';
  }
  const heldUp = still.flatMap((address) => {
    const answer = stuck.get(address);
    return answer === undefined ? [] : [{ address, answer }];
  });
  const message = open.length < meant.length ? narrowed(letter, open) : letter;
  return resend(target, letter, { message, heldUp, stuck }, needs, broken);
}

interface Sending {
  /** What of the letter is sent. */
  readonly message: Message;
  /** For whom it is not even tried: an older letter of theirs has not arrived. */
  readonly heldUp: readonly Pick<Refusal, 'address' | 'answer'>[];
  readonly stuck: Stuck;
}

async function resend(
  target: NotifyTarget,
  letter: DeadLetter,
  { message, heldUp, stuck }: Sending,
  { deliver, measured, now, store: { deliveries } }: ReplayNeeds,
  broken: AbortSignal,
): Promise<Fate> {
  const attempt = await deliver(target, message, broken);
  const refusals = attempt.kind === 'refused' ? attempt.refusals : [];
  if (attempt.kind === 'failed' || (attempt.kind === 'refused' && attempt.taken === 0)) {
    if (broken.aborted) return 'stop';
    // Where all are refused it may be the server that refuses; where these alone were asked, it is about them.
    if (attempt.kind === 'failed' || !isNarrowed(target, message)) {
      await deliveries.replayFailed(letter, ownReason(target, message, attempt.reason), now());
      return 'stop';
    }
    for (const { address, answer } of refusals) stuck.set(address, answer);
    await deliveries.setAside(letter, { reason: said([...heldUp, ...refusals]), at: now() });
    return 'set aside';
  }
  for (const { address, answer } of refusals) stuck.set(address, answer);
  const left = [...heldUp, ...refusals].map((refusal) => letterTo(letter, refusal));
  if (left.length > 0) {
    await deliveries.laid(target.id, left, now());
    measured(target.id, 'dead', left.length);
  }
  await deliveries.replayed(letter, now());
  measured(target.id, 'delivered', 1);
  return 'went';
}
