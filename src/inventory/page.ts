import { may, type Principal } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';

/** Which part of a list: forward from a cursor, or backward. `first` is 50 where nothing is said. */
export interface PageRequest {
  readonly first?: number | undefined;
  readonly after?: string | undefined;
  readonly last?: number | undefined;
  readonly before?: string | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  /** The cursor of one of `items`. */
  cursorOf(item: T): string;
  /** Counted only when called. */
  totalCount(): number | Promise<number>;
}

export const DEFAULT_FIRST = 50;
export const MAX_FIRST = 500;
export const MAX_EXPORT = 50_000;

export interface Direction {
  readonly backward: boolean;
  readonly size: number;
  readonly from: string | undefined;
}

/** Checks a page request: one direction, a size within what the caller may ask. */
export function directionOf(principal: Principal, page: PageRequest): Direction {
  const backward = page.last !== undefined || page.before !== undefined;
  if (backward && (page.first !== undefined || page.after !== undefined)) {
    throw new DomainError('VALIDATION_ERROR', 'ask for first/after or for last/before, not for both', {
      field: ['last'],
    });
  }
  const name = backward ? 'last' : 'first';
  const size = (backward ? page.last : page.first) ?? DEFAULT_FIRST;
  const most = may(principal, 'inventory:export') ? MAX_EXPORT : MAX_FIRST;
  if (!Number.isInteger(size) || size < 0 || size > most) {
    const hint = most === MAX_FIRST ? `; up to ${MAX_EXPORT} need the permission inventory:export` : '';
    throw new DomainError('VALIDATION_ERROR', `${name} must be from 0 to ${most}${hint}`, { field: [name] });
  }
  return { backward, size, from: backward ? page.before : page.after };
}

/** A place in a sorted list: the name of the order, and the sort key of the item there. */
export type Place = readonly (string | number | null)[];

export function encodeCursor(order: string, place: Place): string {
  return Buffer.from(JSON.stringify([order, ...place])).toString('base64url');
}

/** The place a cursor names; a cursor of another list or order is refused, as it would silently skip items. */
export function decodeCursor(order: string, cursor: string, field: string): Place {
  const [name, ...place] = parsed(cursor);
  if (name !== order || place.length === 0) {
    throw new DomainError('VALIDATION_ERROR', `${field} is not a cursor of this list and order; start without it`, {
      field: [field],
    });
  }
  return place;
}

function parsed(cursor: string): Place {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    const isPlace = (v: unknown): v is Place =>
      Array.isArray(v) && v.every((part) => part === null || typeof part === 'string' || typeof part === 'number');
    return isPlace(value) ? value : [];
  } catch {
    return [];
  }
}

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
