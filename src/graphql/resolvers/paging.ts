import type { PageRequest } from '../../domain/page.js';

/** The four arguments of a connection as a page request; null is as good as left out. */
export function paging(
  first: number | null | undefined,
  after: string | null | undefined,
  last: number | null | undefined,
  before: string | null | undefined,
): PageRequest {
  return {
    first: first ?? undefined,
    after: after ?? undefined,
    last: last ?? undefined,
    before: before ?? undefined,
  };
}

export const FIRST = {
  nullable: true,
  description: 'At most this many from the start; 50 where nothing is said, at most 500 (50,000 with inventory:export)',
};
export const AFTER = { nullable: true, description: 'Only what follows this cursor' };
export const LAST = { nullable: true, description: 'At most this many from the end, instead of `first`' };
export const BEFORE = { nullable: true, description: 'Only what comes before this cursor' };
export const AS_OF = { nullable: true, description: 'As it was at this moment; left out: as it is now' };
