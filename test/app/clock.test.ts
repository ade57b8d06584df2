import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Clock, databaseClock } from '../../src/app/clock.js';

const HOUR = 3_600_000;
const MINUTE = 60_000;

describe('the clock of the process', () => {
  let clock: Clock;
  let database: () => number;
  const begin = 1_800_000_000_000;
  let step = 0;

  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['performance', 'setInterval', 'clearInterval'] });
    const started = performance.now();
    step = 0;
    database = () => begin + performance.now() - started + step;
    clock = await databaseClock(
      async () => database(),
      () => {},
    );
  });
  afterEach(() => {
    clock.stop();
    vi.useRealTimers();
  });

  it("is the database's, and follows it when that is set forward", async () => {
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(clock.now()).toBe(database());
    step = HOUR;
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(clock.now()).toBe(database());
  });

  it('neither goes back nor stands still when the database is set back, and meets it again', async () => {
    await vi.advanceTimersByTimeAsync(MINUTE);
    step = -10 * MINUTE;
    let last = clock.now();
    for (let i = 0; i < 10; i++) {
      await vi.advanceTimersByTimeAsync(MINUTE);
      expect(clock.now() - last).toBeGreaterThanOrEqual(MINUTE / 2 - 1);
      last = clock.now();
    }
    await vi.advanceTimersByTimeAsync(30 * MINUTE);
    expect(Math.abs(clock.now() - database())).toBeLessThan(2_000);
  });
});
