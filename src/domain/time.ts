/** A moment in milliseconds since 1970-01-01 UTC, read from the database's clock. */
export type Instant = number;

/**
 * When something changed, as far as reads can tell.
 * `after`: the last read that still showed the old value (null: there was none).
 * `before`: the first read that showed the new one (null: it was so at the very first look at its source).
 */
export interface ChangeInterval {
  readonly after: Instant | null;
  readonly before: Instant | null;
}

export const FIRST_LOOK: ChangeInterval = { after: null, before: null };

export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export function isoTime(at: Instant): string {
  return new Date(at).toISOString();
}
