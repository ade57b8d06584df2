import { type WireObject, wireObject, wireText } from './wire-values.js';

/** What could be made of the rows of a list. */
export interface Understood<T> {
  readonly rows: readonly T[];
  /** Every row was understood: only then is what the list does not name gone. */
  readonly isWhole: boolean;
  /** Why each of the others could not be. */
  readonly odd: readonly string[];
  readonly notes: readonly string[];
}

/** Reads row by row, so that one that makes no sense is a note and not the loss of the others. `read` gives why it could not. */
export function understood<T extends object>(
  rows: readonly unknown[],
  what: string,
  read: (row: WireObject) => T | string,
): Understood<T> {
  const good: T[] = [];
  const bad: string[] = [];
  for (const raw of rows) {
    const row = wireObject(raw);
    const result = row === undefined ? 'a row that is no object' : read(row);
    if (typeof result === 'string') bad.push(result);
    else good.push(result);
  }
  const notes =
    bad.length === 0
      ? []
      : [`${bad.length} of ${rows.length} ${what} could not be understood, for one: ${bad[0]}; the others are kept`];
  return { rows: good, isWhole: bad.length === 0, odd: bad, notes };
}

/** Where rows came and not one of any list could be understood, something else answers: why nothing is taken from it. */
export function noneUnderstood(lists: readonly Understood<object>[], product: string): string | undefined {
  const odd = lists.flatMap((list) => list.odd);
  if (odd.length === 0 || lists.some(({ rows }) => rows.length > 0)) return undefined;
  const came = odd.length === 1 ? 'the one row that came' : `not one of the ${odd.length} rows that came`;
  const could = odd.length === 1 ? 'could not be understood' : 'could be understood';
  return `answers, but perhaps not as ${product} does: ${came} ${could} (for one: ${odd[0]}), so nothing is taken from it; check url and its port`;
}

const LONGEST_TEXT = 500;

/** A text that strangers may have written (a client's host name): bounded, and without what no database takes. */
export function plainText(value: unknown): string | null {
  const text = wireText(value)
    ?.slice(0, LONGEST_TEXT)
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
  return text === undefined || text === '' ? null : text;
}
