import type { QuietHours } from '../domain/notify.js';
import { type Instant, MINUTE } from '../domain/time.js';

const DAY_MINUTES = 24 * 60;
const clocks = new Map<string, Intl.DateTimeFormat>();

/**
 * When the quiet that holds at `at` ends; undefined: it is not quiet. On the night of a clock change the answer may be
 * an hour off: whoever waited until then asks again.
 */
export function quietUntil({ from, to, timezone }: QuietHours, at: Instant): Instant | undefined {
  const now = minuteOfDay(timezone, at);
  const isQuiet = from < to ? now >= from && now < to : now >= from || now < to;
  if (!isQuiet) return undefined;
  const left = (to - now + DAY_MINUTES) % DAY_MINUTES;
  return at - (at % MINUTE) + left * MINUTE;
}

function minuteOfDay(timezone: string, at: Instant): number {
  let clock = clocks.get(timezone);
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-GB', {
      timeZone: timezone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    clocks.set(timezone, clock);
  }
  const [hours = '0', minutes = '0'] = clock.format(at).split(':');
  return Number(hours) * 60 + Number(minutes);
}
