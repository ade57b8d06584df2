import { SECOND } from '../domain/time.js';

const SYNCHRONISE_EVERY = 30 * SECOND;
/** How slowly time may go while the database's clock is waited for. */
const SLOWEST = 0.5;

/** The one clock of the process: the database's time, kept going between looks by a counter that nobody can set back. */
export interface Clock {
  now(): number;
  stop(): void;
}

/**
 * `ask` reads the database's clock. Between two answers time goes on by the process's monotonic counter, and it never
 * steps back: a host whose clock is wrong, or set, changes nothing. Where the database's clock was set back, time goes
 * slower until that has caught up: one that stood still would put off everything that is due.
 */
export async function databaseClock(ask: () => Promise<number>, failed: (error: unknown) => void): Promise<Clock> {
  let from = { at: performance.now(), time: 0, rate: 1 };
  let latest = 0;
  const now = (): number => {
    latest = Math.max(latest, Math.floor(from.time + (performance.now() - from.at) * from.rate));
    return latest;
  };
  const synchronise = async () => {
    const asked = performance.now();
    const told = await ask();
    const at = performance.now();
    const time = told + (at - asked) / 2;
    const ahead = now() - time;
    from =
      ahead <= 0
        ? { at, time, rate: 1 }
        : { at, time: time + ahead, rate: Math.max(SLOWEST, 1 - ahead / SYNCHRONISE_EVERY) };
  };
  await synchronise();
  const timer = setInterval(() => void synchronise().catch(failed), SYNCHRONISE_EVERY);
  timer.unref();
  return { now, stop: () => clearInterval(timer) };
}
