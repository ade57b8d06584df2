import { SECOND } from '../domain/time.js';
import type { Core } from './core.js';

const PING_EVERY = 2 * SECOND;
const PING_TIMEOUT = 2 * SECOND;

export interface Readiness {
  now(): { readonly ok: boolean; readonly reasons: readonly string[] };
  stop(): void;
}

/**
 * Whether the gateway can answer: the database does, and each source that was ever read is in the first view.
 * A source that is out of reach is a state that answers show, and no reason to take the gateway out of service.
 */
export function readiness({ database, replica }: Core): Readiness {
  let trouble: string | undefined;
  const ping = async () => {
    try {
      await database.store.ping(AbortSignal.timeout(PING_TIMEOUT));
      trouble = undefined;
    } catch {
      trouble = 'the database does not answer';
    }
  };
  const timer = setInterval(() => void ping(), PING_EVERY);
  timer.unref();
  return {
    now() {
      const view = replica.view();
      const waiting = [...view.clusters.values()].filter(
        ({ state }) => state.outcome === 'NEVER' && state.lastAttemptAt === null,
      );
      const reasons = [
        ...(trouble === undefined ? [] : [trouble]),
        ...waiting.map(({ name }) => `the first look at ${name} is not over`),
      ];
      return { ok: reasons.length === 0, reasons };
    },
    stop: () => clearInterval(timer),
  };
}
