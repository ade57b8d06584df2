import { createHash } from 'node:crypto';
import type { MailTarget, NotifyTarget } from '../domain/notify.js';
import type { Message } from '../store/delivery-words.js';

/** A recipient for whom a mail server did not take a mail. */
export interface Refusal {
  readonly address: string;
  /** What the server said. */
  readonly answer: string;
  /** 5xx: it will say so again. Else it may take it later. */
  readonly isFinal: boolean;
}

/** A mail as it is kept until it is sent. */
interface MailBody {
  readonly subject: string;
  readonly text: string;
  /** Only these; left out: all whom the target names. */
  readonly to?: readonly string[];
}

export function mailBody({ body }: Pick<Message, 'body'>): MailBody {
  return JSON.parse(body) as MailBody;
}

/** Whether it is for some of the recipients only, as the others were told already. */
export function isNarrowed(target: NotifyTarget, message: Message | null): boolean {
  return target.kind === 'mail' && message !== null && mailBody(message).to !== undefined;
}

/** Whom it was meant for, and who of them the target still names; one that was taken out is told nothing any more. */
export function meantFor(target: MailTarget, message: Message) {
  const { to: meant = target.to } = mailBody(message);
  const named = new Set(target.to.map((address) => address.toLowerCase()));
  return { meant, still: meant.filter((address) => named.has(address.toLowerCase())) };
}

/** The same message, for these alone. */
export function narrowed<T extends Message>(message: T, to: readonly string[]): T {
  return { ...message, body: JSON.stringify({ ...mailBody(message), to }) };
}

/** What is left for some, without those who were taken out of the target meanwhile; undefined: for nobody. */
export function forThoseStillNamed(target: NotifyTarget, message: Message): Message | undefined {
  if (target.kind !== 'mail' || !isNarrowed(target, message)) return message;
  const { meant, still } = meantFor(target, message);
  if (still.length === meant.length) return message;
  return still.length === 0 ? undefined : narrowed(message, still);
}

/** The message for a recipient who did not get it, as one of its own: made twice it has the same id. */
export function letterTo(
  { topic, body, events, upto, id }: Message,
  { address, answer }: Pick<Refusal, 'address' | 'answer'>,
) {
  const own = `${id}-${createHash('sha256').update(address).digest('hex').slice(0, 8)}`;
  return { ...narrowed({ topic, body, events, upto, id: own }, [address]), reason: said([{ address, answer }]) };
}

/** What a dead letter says of those whom it did not reach. */
export function said(refusals: readonly Pick<Refusal, 'address' | 'answer'>[]): string {
  return refusals.map(({ address, answer }) => `${address}: ${answer}`).join('; ');
}

/** A letter for some alone says whose it is, whatever it failed of. */
export function ownReason(target: NotifyTarget, message: Message, reason: string): string {
  return target.kind === 'mail' && isNarrowed(target, message)
    ? `${meantFor(target, message).meant.join(', ')}: ${reason}`
    : reason;
}

export type RecipientTurn =
  | { readonly kind: 'recipient-refused'; readonly recipient: string; readonly reason: string }
  | { readonly kind: 'recipient-taken'; readonly recipient: string };

/** Who of a target's recipients is refused at the moment, by what this replica has seen itself. */
export class RefusedRecipients {
  /** true: refused for now through a whole plan, so that nobody waits for this one any more. */
  readonly #refused = new Map<string, boolean>();

  /** Takes up what came of one mail to all but those who were told before. Gives what is new. */
  heard(refusals: readonly Refusal[], others: readonly string[]): readonly RecipientTurn[] {
    const named = new Set(refusals.map(({ address }) => address));
    const turns: RecipientTurn[] = [];
    for (const recipient of others)
      if (!named.has(recipient) && this.#refused.delete(recipient)) turns.push({ kind: 'recipient-taken', recipient });
    for (const { address, answer } of refusals) {
      if (this.#refused.has(address)) continue;
      this.#refused.set(address, false);
      turns.push({ kind: 'recipient-refused', recipient: address, reason: answer });
    }
    return turns;
  }

  /** Who of them is worth another attempt, and who is left behind. `isLast`: nobody is waited for any longer. */
  sorted(refusals: readonly Refusal[], isLast: boolean) {
    if (isLast) for (const { address } of refusals) this.#refused.set(address, true);
    const isWaitedFor = ({ address, isFinal }: Refusal) => !isFinal && this.#refused.get(address) !== true;
    return { waiting: refusals.filter(isWaitedFor), left: refusals.filter((refusal) => !isWaitedFor(refusal)) };
  }
}
