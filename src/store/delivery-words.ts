import type { Instant } from '../domain/time.js';

/** A message as it is sent, again and again until it is taken. `body` is sent byte for byte. */
export interface Message {
  /** The idempotency key: the same over all attempts. */
  readonly id: string;
  readonly topic: string;
  readonly body: string;
  /** How many events are in it. */
  readonly events: number;
  /** Cursor of the last event that it settles. */
  readonly upto: bigint;
}

/** Where a target stands. */
export interface TargetState {
  readonly id: string;
  /** Everything up to here was delivered, is of no interest to it, or is a dead letter. */
  readonly cursor: bigint;
  /** Failed attempts since the last success. */
  readonly failures: number;
  /** The retry plan is spent: what is new gets one attempt, until one succeeds. */
  readonly spent: boolean;
  readonly nextAttemptAt: Instant | null;
  readonly lastSuccessAt: Instant | null;
  readonly lastFailureAt: Instant | null;
  /** Why the last attempt failed; null once one has succeeded. */
  readonly reason: string | null;
  readonly pending: Message | null;
}

export interface DeadLetter extends Message {
  /** Its place in the list. */
  readonly place: bigint;
  readonly target: string;
  readonly diedAt: Instant;
  readonly reason: string;
  /** Somebody asked to send it again, and it has not been tried yet. */
  readonly queuedAt: Instant | null;
  readonly replayedAt: Instant | null;
}

export interface DeadLetterQuery {
  readonly targets: readonly string[];
  readonly replayed: boolean;
  /** Only those behind this place, or before it. */
  readonly after?: bigint;
  readonly before?: bigint;
  /** The last so many instead of the first; in the order of the list all the same. */
  readonly backward?: boolean;
  readonly ids?: readonly string[];
  readonly limit: number;
}

export interface Failure {
  readonly at: Instant;
  readonly reason: string;
  readonly failures: number;
  readonly spent: boolean;
  readonly nextAttemptAt: Instant | null;
  /** Some of its recipients were told all the same. */
  readonly toldSome?: boolean;
}

/**
 * What became of the event log on its way out. Whoever writes holds the target's lock; each statement names what it
 * expects to find, so that a holder who lost the lock meanwhile changes nothing.
 */
export interface Deliveries {
  /** The target's place; a new one begins at the end of the log. */
  open(target: string): Promise<TargetState>;
  states(targets: readonly string[]): Promise<readonly TargetState[]>;
  /** Keeps a message before its first attempt. false: somebody else has moved on with this target. */
  hold(target: string, from: bigint, message: Message): Promise<boolean>;
  /** Moves on where nothing was to be told. */
  pass(target: string, from: bigint, to: bigint): Promise<boolean>;
  /** `reason`: whom of its recipients it was not told, where it goes on without them. */
  delivered(target: string, message: Message, at: Instant, reason: string | null): Promise<boolean>;
  /** What is sent at the next attempt is `message` as it is given here: it may be for fewer recipients. */
  failed(target: string, message: Message | null, failure: Failure): Promise<boolean>;
  /** The plan is spent: all that waits becomes dead letters, in order, and the target goes on behind it. */
  bury(target: string, waiting: readonly Message[], upto: bigint, failure: Failure): Promise<boolean>;
  /** Dead letters beside the target's way: it goes on as it does. One that is there already stays as it is. */
  laid(target: string, letters: readonly (Message & { readonly reason: string })[], at: Instant): Promise<void>;
  /** Forgets what the last failures were: an attempt of another kind has shown that the target takes messages. */
  recovered(target: string, at: Instant): Promise<void>;
  /** Forgets them too, as they were none of the target's own; nothing is said of a success. */
  mended(target: string): Promise<void>;
  letters(query: DeadLetterQuery): Promise<readonly DeadLetter[]>;
  /** Waiting ones, by target. */
  countLetters(targets: readonly string[], replayed: boolean): Promise<ReadonlyMap<string, number>>;
  /** Asks the holder of the target's lock to send them again. Gives those that were not replayed already. */
  queue(target: string, ids: readonly string[] | undefined, at: Instant): Promise<readonly string[]>;
  queued(target: string, limit: number): Promise<readonly DeadLetter[]>;
  replayed(letter: DeadLetter, at: Instant): Promise<void>;
  /** It failed again: those behind it are not tried, they keep their order. */
  replayFailed(letter: DeadLetter, reason: string, at: Instant): Promise<void>;
  /** This one alone stays a dead letter; null: it was not even tried, and says what it said. */
  setAside(letter: DeadLetter, failure: Pick<Failure, 'reason' | 'at'> | null): Promise<void>;
  /** Letters that died before this time go. */
  prune(before: Instant): Promise<number>;
}
