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

/** How the fields that hold a moment are called everywhere: `at`, `startedAt`, `onsetAfter`, `suppressedUntil`. */
const MOMENT = /^(?:at|since|until)$|(?:At|After|Before|Until|Since)$/;

/** A value as the outside reads it: every moment in it ISO 8601 in UTC, at any depth, told by the name of its field. */
export function withIsoTimes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withIsoTimes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      typeof item === 'number' && MOMENT.test(key) ? isoTime(item) : withIsoTimes(item),
    ]),
  );
}
