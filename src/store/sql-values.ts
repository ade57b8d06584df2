import pg from 'pg';
import type { Instant } from '../domain/time.js';

const TIMESTAMPTZ = 1184;
const INT8 = 20;

const parseTimestamptz = pg.types.getTypeParser(TIMESTAMPTZ) as (text: string) => Date;

/**
 * How values of this store's connections are read: timestamptz as milliseconds, int8 as bigint.
 * Set per connection and not on pg's global table, which belongs to everyone in the process.
 */
export const TYPES: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format: 'text' | 'binary' = 'text') => {
    if (format === 'text' && oid === TIMESTAMPTZ) return (text: string): Instant => parseTimestamptz(text).getTime();
    if (format === 'text' && oid === INT8) return BigInt;
    return format === 'text' ? pg.types.getTypeParser(oid, 'text') : pg.types.getTypeParser(oid, 'binary');
  }) as typeof pg.types.getTypeParser,
};

/** An instant as Postgres reads it back to the millisecond. */
export function timestamp(at: Instant): string;
export function timestamp(at: Instant | null): string | null;
export function timestamp(at: Instant | null): string | null {
  if (at === null) return null;
  const second = Math.floor(at / 1_000);
  if (second !== lastSecond) {
    lastSecond = second;
    untilSecond = new Date(second * 1_000).toISOString().slice(0, -4);
  }
  return `${untilSecond}${String(at - second * 1_000).padStart(3, '0')}Z`;
}

/** Thousands of parts are read within one second: its text is made once. */
let lastSecond = Number.NaN;
let untilSecond = '';

/**
 * JSON that jsonb accepts. It refuses NUL and lone surrogates, which a guest's name may contain all the same;
 * one such name must not keep a whole estate from being stored, so they become U+FFFD.
 */
export function json(value: unknown): string {
  return jsonText(JSON.stringify(value) ?? 'null');
}

/** The same of a value that is JSON already. */
export function jsonText(text: string): string {
  if (!text.includes('\\u')) return text;
  // JSON.stringify escapes a surrogate only where it stands alone; `.` steps over every other escape.
  return text.replace(/\\(?:u0000|ud[89a-f][0-9a-f]{2}|.)/g, (found) => (found.length === 6 ? '\ufffd' : found));
}

/** Text that a text column accepts: Postgres has no NUL. */
export function text(value: string): string;
export function text(value: string | null): string | null;
export function text(value: string | null): string | null {
  return value?.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;
}
