import type { DriftFindingFilter } from '../domain/filters.js';
import type { Finding } from '../domain/finding.js';
import { decodeCursor, type Place } from '../domain/page.js';
import type { FindingQuery } from '../store/store.js';

export const FINDING_ORDER = 'findings';
const MOST_AT_ONCE = 1_000;

export function findingCursor(finding: Pick<Finding, 'firstSeenAt' | 'id'>): Place {
  return [finding.firstSeenAt, finding.id];
}

/** A caller's filter as the store is asked. */
export function findingQuery(filter: DriftFindingFilter): Omit<FindingQuery, 'limit' | 'after' | 'before'> {
  const { states, kinds, severities, categories, cluster, vmid, since } = filter;
  return {
    ...(states !== undefined && { states }),
    ...(kinds !== undefined && { kinds }),
    ...(severities !== undefined && { severities }),
    ...(categories !== undefined && { categories }),
    ...(cluster !== undefined && { cluster }),
    ...(vmid !== undefined && { vmid }),
    ...(since !== undefined && { since }),
  };
}

interface Walk extends Omit<FindingQuery, 'limit' | 'after' | 'before'> {
  /** Oldest first, before the cursor; else newest first, after it. */
  readonly backward: boolean;
  readonly from: string | undefined;
  readonly most: number;
}

/**
 * Up to `most` findings that pass `keep`, in reading order. The store knows no rights: it is asked again until enough are
 * the caller's or there are no more, so that a page is never short because of what it hides.
 */
export async function walkFindings(
  ask: (query: FindingQuery) => Promise<readonly Finding[]>,
  { backward, from, most, ...query }: Walk,
  keep: (finding: Finding) => boolean,
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  let place = from === undefined ? undefined : placeOf(from, backward ? 'before' : 'after');
  while (found.length < most) {
    const limit = Math.min(MOST_AT_ONCE, most);
    const beyond = place === undefined ? {} : { [backward ? 'before' : 'after']: place };
    const rows = await ask({ ...query, ...beyond, fromTheEnd: backward, limit });
    for (const row of rows) if (found.length < most && keep(row)) found.push(row);
    const last = rows.at(-1);
    if (last === undefined || rows.length < limit) break;
    place = { firstSeenAt: last.firstSeenAt, id: last.id };
  }
  return found;
}

function placeOf(cursor: string, field: string): { readonly firstSeenAt: number; readonly id: string } {
  const [firstSeenAt, id] = decodeCursor(FINDING_ORDER, cursor, field);
  return { firstSeenAt: Number(firstSeenAt), id: String(id) };
}
