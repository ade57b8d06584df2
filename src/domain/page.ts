import { may, type Principal } from './access.js';
import { DomainError } from './errors.js';

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
  if (may(principal, 'inventory:export')) return directionWithin(page, MAX_EXPORT);
  return directionWithin(page, MAX_FIRST, `; up to ${MAX_EXPORT} need the permission inventory:export`);
}

/** The same, of a list that gives everybody at most so many at once. */
export function directionWithin(page: PageRequest, most: number, hint = ''): Direction {
  const backward = page.last !== undefined || page.before !== undefined;
  if (backward && (page.first !== undefined || page.after !== undefined)) {
    throw new DomainError('VALIDATION_ERROR', 'ask for first/after or for last/before, not for both', {
      field: [page.last === undefined ? 'before' : 'last'],
    });
  }
  const name = backward ? 'last' : 'first';
  const size = (backward ? page.last : page.first) ?? DEFAULT_FIRST;
  if (!Number.isInteger(size) || size < 0 || size > most)
    throw new DomainError('VALIDATION_ERROR', `${name} must be from 0 to ${most}${hint}`, { field: [name] });
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
