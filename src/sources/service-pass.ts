import type { Outcome } from '../domain/observation.js';
import type { ObservedRecord, ServiceObservation } from '../domain/record.js';
import type { Instant } from '../domain/time.js';
import { TransportError } from './transport/transport-error.js';

/** Ends a pass over a service: what was read of it so far is dropped, and the message is the sentence a person reads. */
export class PassFailure extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PassFailure';
  }
}

/** What each request of a pass carries. */
export interface PassAsk {
  readonly signal: AbortSignal;
  /** Counts the requests, also the repeated ones. */
  readonly onAttempt: () => void;
}

/** One pass as an outcome: trouble of the service is a reason, and only cancelling throws. */
export async function servicePass(
  now: () => Instant,
  signal: AbortSignal,
  read: (ask: PassAsk) => Promise<ServiceObservation>,
): Promise<Outcome<ServiceObservation>> {
  signal.throwIfAborted();
  const at = now();
  let requests = 0;
  try {
    const seen = await read({ signal, onAttempt: () => (requests += 1) });
    return { kind: 'observed', at: seen.askedAt, value: { ...seen, records: onceEach(seen.records) }, requests };
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof PassFailure) && !(thrown instanceof TransportError)) throw thrown;
    return { kind: 'unreachable', at, reason: thrown.message, requests };
  }
}

/** A list that names a thing twice tells one thing: two versions of it at once would be none. */
function onceEach(records: readonly ObservedRecord[]): readonly ObservedRecord[] {
  return [...new Map(records.map((record) => [`${record.kind} ${record.key}`, record])).values()];
}

/** A service that is named but cannot be asked is unreachable, not gone: what is known of it stays. */
export function brokenService(broken: string, now: () => Instant) {
  return {
    async collect(_: unknown, signal: AbortSignal): Promise<Outcome<ServiceObservation>> {
      signal.throwIfAborted();
      return { kind: 'unreachable', at: now(), reason: broken, requests: 0 };
    },
    async close() {},
  };
}
