import { DAY, HOUR, MINUTE, SECOND } from '../domain/time.js';

const UNITS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };
const LONGEST = 3650 * DAY;

/** `30s`, `5m`, `1h`, `90d` in milliseconds; undefined for anything else, as a number without a unit would be a guess. */
export function duration(value: unknown): number | undefined {
  const parts = typeof value === 'string' ? /^(\d{1,9})\s*([smhd])$/.exec(value.trim()) : null;
  const length = Number(parts?.[1]) * (UNITS[parts?.[2] ?? ''] ?? Number.NaN);
  return length <= LONGEST ? length : undefined;
}
