import type { Principal } from '../domain/access.js';
import type { DriftFindingFilter } from '../domain/filters.js';
import type { Finding } from '../domain/finding.js';
import type { GuestId } from '../domain/guest.js';
import { directionOf, encodeCursor, type Page, type PageRequest } from '../domain/page.js';
import { seesFinding } from '../domain/sees-finding.js';
import type { Instant } from '../domain/time.js';
import type { FindingQuery, Store } from '../store/store.js';
import { FINDING_ORDER, findingCursor, findingQuery, walkFindings } from './finding-walk.js';
import { DEFAULT_STATES } from './findings.js';
import type { FindingRecord } from './records.js';

/** All that there are: these are never shown as pages. */
const EVERY = Number.MAX_SAFE_INTEGER;

/** Findings as they were at a moment, newest first, for who may see them now. */
export async function findingsAsOf(
  principal: Principal,
  store: Pick<Store, 'findings'>,
  at: Instant,
  filter: DriftFindingFilter,
  request: PageRequest,
): Promise<Page<FindingRecord>> {
  const { backward, size, from } = directionOf(principal, request);
  const wanted = findingQuery({ ...filter, states: filter.states ?? DEFAULT_STATES });
  const ask = (query: FindingQuery) => store.findings.pageAsOf(at, query);
  const keep = (finding: Finding) => seesFinding(principal, finding);
  const found = await walkFindings(ask, { ...wanted, backward, from, most: size + 1 }, keep);
  const items = found.slice(0, size).map((finding) => recordOfThen(finding, at));
  if (backward) items.reverse();
  const more = found.length > size;
  return {
    items,
    hasNextPage: backward ? from !== undefined : more,
    hasPreviousPage: backward ? more : from !== undefined,
    cursorOf: (finding) => encodeCursor(FINDING_ORDER, findingCursor(finding)),
    totalCount: async () => {
      if (principal.tenants === 'all') return store.findings.countAsOf(at, { ...wanted, limit: 0 });
      const most = Number.MAX_SAFE_INTEGER;
      return (await walkFindings(ask, { ...wanted, backward: false, from: undefined, most }, keep)).length;
    },
  };
}

/** `lastSeenAt` is that of the step it was at: which reads covered it later is not known of then. */
function recordOfThen(finding: Finding, at: Instant): FindingRecord {
  const { kind, subject, field } = finding.identity;
  return { ...finding, kind, subject, field: field === '' ? null : field, asOf: at };
}

/** The findings that these guests had at a moment, in whatever state, newest first. */
export async function guestFindingsAsOf(
  principal: Principal,
  store: Pick<Store, 'findings'>,
  at: Instant,
  ids: readonly GuestId[],
): Promise<ReadonlyMap<GuestId, readonly FindingRecord[]>> {
  const found = await store.findings.pageAsOf(at, { guests: ids, limit: EVERY });
  const records = found.filter((finding) => seesFinding(principal, finding)).map((one) => recordOfThen(one, at));
  const wanted = new Set(ids);
  const byGuest = new Map<GuestId, FindingRecord[]>();
  for (const record of records)
    for (const id of record.guests.filter((guest) => wanted.has(guest)))
      byGuest.set(id, [...(byGuest.get(id) ?? []), record]);
  return byGuest;
}

/** The guests with a finding that was open at a moment and that the caller may see. */
export async function guestsWithOpenAsOf(
  principal: Principal,
  store: Pick<Store, 'findings'>,
  at: Instant,
): Promise<ReadonlySet<GuestId>> {
  const open = await store.findings.pageAsOf(at, { states: ['OPEN'], limit: EVERY });
  return new Set(open.filter((finding) => seesFinding(principal, finding)).flatMap(({ guests }) => guests));
}
