import { SECOND } from '../domain/time.js';

const SYNCHRONISE_EVERY = 30 * SECOND;

/** The one clock of the process: the database's time, kept going between looks by a counter that nobody can set back. */
export interface Clock {
  now(): number;
  stop(): void;
}

/**
 * `ask` reads the database's clock. Between two answers time goes on by the process's monotonic counter, and it never
 * steps back: a host whose clock is wrong, or set, changes nothing.
 */
export async function databaseClock(ask: () => Promise<number>, failed: (error: unknown) => void): Promise<Clock> {
  let offset = 0;
  let latest = 0;
  const synchronise = async () => {
    const asked = performance.now();
    const told = await ask();
    offset = told - (asked + performance.now()) / 2;
  };
  await synchronise();
  const timer = setInterval(() => void synchronise().catch(failed), SYNCHRONISE_EVERY);
  timer.unref();
  return {
    now() {
      latest = Math.max(latest, Math.floor(performance.now() + offset));
      return latest;
    },
    stop: () => clearInterval(timer),
  };
}
