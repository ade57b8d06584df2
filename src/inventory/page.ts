import type { Principal } from '../domain/access.js';
import { decodeCursor, directionOf, encodeCursor, type Page, type PageRequest, type Place } from '../domain/page.js';

export function comparePlaces(a: Place, b: Place): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const d = compareParts(a[i] ?? null, b[i] ?? null);
    if (d !== 0) return d;
  }
  return 0;
}

/** Unknown values come last; numbers by size, texts by code unit. */
function compareParts(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  if (typeof a === typeof b) return a < b ? -1 : 1;
  return typeof a === 'number' ? -1 : 1;
}

/** How a list is sorted: `sorted` ascends by `placeOf`, and `descending` reads it from its end. */
export interface SortedList<T> {
  readonly order: string;
  readonly sorted: readonly T[];
  readonly descending: boolean;
  placeOf(item: T): Place;
}

/** One page of a sorted list, by keyset: rows that come or go meanwhile shift nothing. */
export function pageOf<T>(
  principal: Principal,
  list: SortedList<T>,
  keep: ((item: T) => boolean) | undefined,
  request: PageRequest,
): Page<T> {
  const { backward, size, from } = directionOf(principal, request);
  const cursorOf = (item: T) => encodeCursor(list.order, list.placeOf(item));
  const step = backward === list.descending ? 1 : -1;
  const found: T[] = [];
  const { sorted } = list;
  let more = false;
  for (let i = startAt(list, from, step, backward); i >= 0 && i < sorted.length; i += step) {
    const item = sorted[i] as T;
    if (keep !== undefined && !keep(item)) continue;
    if (found.length === size) {
      more = true;
      break;
    }
    found.push(item);
  }
  if (backward) found.reverse();
  return {
    items: found,
    hasNextPage: backward ? from !== undefined : more,
    hasPreviousPage: backward ? more : from !== undefined,
    cursorOf,
    totalCount: () => (keep === undefined ? sorted.length : sorted.reduce((n, item) => n + (keep(item) ? 1 : 0), 0)),
  };
}

/** Where reading begins: just beyond the cursor's place, in the direction of reading. */
function startAt<T>(list: SortedList<T>, cursor: string | undefined, step: number, backward: boolean): number {
  const { sorted } = list;
  if (cursor === undefined) return step > 0 ? 0 : sorted.length - 1;
  const place = decodeCursor(list.order, cursor, backward ? 'before' : 'after');
  let low = 0;
  let high = sorted.length;
  // Reading upward starts at the first item above the place, reading downward at the last one below it.
  while (low < high) {
    const middle = (low + high) >>> 1;
    const d = comparePlaces(list.placeOf(sorted[middle] as T), place);
    if (d < 0 || (d === 0 && step > 0)) low = middle + 1;
    else high = middle;
  }
  return step > 0 ? low : low - 1;
}
