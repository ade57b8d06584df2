import type { Principal } from '../domain/access.js';
import type { DriftFindingFilter } from '../domain/filters.js';
import type { DriftFindingState, Finding, FindingId } from '../domain/finding.js';
import { lastSeen } from '../domain/last-seen.js';
import { directionOf, encodeCursor, type Page, type PageRequest } from '../domain/page.js';
import { placeOfGuest, seesFinding } from '../domain/sees-finding.js';
import type { InventoryView } from '../domain/view.js';
import type { Store } from '../store/store.js';
import { FINDING_ORDER, findingCursor, findingQuery, walkFindings } from './finding-walk.js';
import { comparePlaces, pageOf, type SortedList } from './page.js';
import type { FindingRecord } from './records.js';

/** What a caller is shown who does not say which states. */
export const DEFAULT_STATES: readonly DriftFindingState[] = ['OPEN', 'ACKNOWLEDGED'];

const recordsByView = new WeakMap<InventoryView, Map<Finding, FindingRecord>>();

export function findingRecord(view: InventoryView, finding: Finding): FindingRecord {
  let records = recordsByView.get(view);
  if (records === undefined) {
    records = new Map();
    recordsByView.set(view, records);
  }
  let record = records.get(finding);
  if (record === undefined) {
    const { kind, subject, field } = finding.identity;
    record = {
      ...finding,
      kind,
      subject,
      field: field === '' ? null : field,
      lastSeenAt: lastSeen(view, finding),
      asOf: null,
    };
    // Resolved ones come from the database anew each time: remembering those would only fill the map.
    if (finding.state !== 'RESOLVED') records.set(finding, record);
  }
  return record;
}

const placeOf = findingCursor;

const lists = new WeakMap<InventoryView, SortedList<FindingRecord>>();

/** Findings that are not resolved, read newest first, ties by id downward: the store pages the resolved ones alike. */
export function livingFindings(view: InventoryView): SortedList<FindingRecord> {
  let list = lists.get(view);
  if (list === undefined) {
    const sorted = [...view.findings.byId.values()]
      .map((finding) => findingRecord(view, finding))
      .sort((a, b) => comparePlaces(placeOf(a), placeOf(b)));
    list = { order: FINDING_ORDER, sorted, descending: true, placeOf };
    lists.set(view, list);
  }
  return list;
}

/** Whether a finding in this state passes the filter. */
export function findingKeeper(principal: Principal, filter: DriftFindingFilter): (finding: FindingRecord) => boolean {
  const states = filter.states ?? DEFAULT_STATES;
  const { kinds, severities, categories, cluster, vmid, since } = filter;
  return (finding) =>
    states.includes(finding.state) &&
    (kinds === undefined || kinds.includes(finding.kind)) &&
    (severities === undefined || severities.includes(finding.severity)) &&
    (categories === undefined || categories.includes(finding.category)) &&
    (cluster === undefined || clustersIn(finding).has(cluster)) &&
    (vmid === undefined || vmidsIn(finding).has(vmid)) &&
    (since === undefined || finding.firstSeenAt >= since) &&
    seesFinding(principal, finding);
}

function clustersIn(finding: FindingRecord): Set<string> {
  return new Set([...finding.clusters, ...finding.guests.map((id) => placeOfGuest(id).cluster)]);
}

function vmidsIn(finding: FindingRecord): Set<number> {
  const vmids = new Set(finding.guests.map((id) => placeOfGuest(id).vmid));
  if (finding.subject.kind === 'GUEST') vmids.add(placeOfGuest(finding.subject.id).vmid);
  return vmids;
}

/** A page over the view and, where RESOLVED is asked for, the store: one order over both. */
export async function findingPage(
  principal: Principal,
  { view, store }: { view: InventoryView; store: Pick<Store, 'findings'> },
  filter: DriftFindingFilter,
  request: PageRequest,
): Promise<Page<FindingRecord>> {
  const keep = findingKeeper(principal, filter);
  const living = livingFindings(view);
  if (!(filter.states ?? DEFAULT_STATES).includes('RESOLVED')) return pageOf(principal, living, keep, request);
  const { backward, size, from } = directionOf(principal, request);
  const here = pageOf(principal, living, keep, request);
  const told = (finding: Finding) => findingRecord(view, finding);
  const walk = { ...findingQuery({ ...filter, states: ['RESOLVED'] }), backward, from };
  const ask = (most: number) =>
    walkFindings(
      (query) => store.findings.page(query),
      { ...walk, most },
      (finding) => keep(told(finding)),
    );
  const more = backward ? here.hasPreviousPage : here.hasNextPage;
  const merged = merge(here.items, (await ask(size + 1)).map(told), { backward, more });
  const items = backward ? merged.slice(Math.max(0, merged.length - size)) : merged.slice(0, size);
  const hasMore = more || merged.length > size;
  return {
    items,
    hasNextPage: backward ? from !== undefined : hasMore,
    hasPreviousPage: backward ? hasMore : from !== undefined,
    cursorOf: (finding) => encodeCursor(FINDING_ORDER, placeOf(finding)),
    totalCount: async () => {
      const inView = living.sorted.reduce((n, finding) => n + (keep(finding) ? 1 : 0), 0);
      const query = findingQuery({ ...filter, states: ['RESOLVED'] });
      if (principal.tenants === 'all') return inView + (await store.findings.count({ ...query, limit: 0 }));
      const whole = { ...query, backward: false, from: undefined, most: Number.MAX_SAFE_INTEGER };
      return inView + (await walkFindings(store.findings.page, whole, (finding) => keep(told(finding)))).length;
    },
  };
}

/**
 * Merges two pieces of one order, newest first. What both have (it was resolved a moment ago) is told as the store has it.
 * Where the living ones go on (`more`), nothing beyond the last of them is told yet: it would step over those.
 */
function merge(
  living: readonly FindingRecord[],
  resolved: readonly FindingRecord[],
  { backward, more }: { readonly backward: boolean; readonly more: boolean },
): FindingRecord[] {
  const ids = new Set<FindingId>(resolved.map((finding) => finding.id));
  const edge = more ? living.at(backward ? 0 : -1) : undefined;
  const within = (finding: FindingRecord): boolean => {
    if (edge === undefined) return true;
    const beyond = comparePlaces(placeOf(finding), placeOf(edge));
    return backward ? beyond <= 0 : beyond >= 0;
  };
  return [...living.filter((finding) => !ids.has(finding.id)), ...resolved.filter(within)].sort((a, b) =>
    comparePlaces(placeOf(b), placeOf(a)),
  );
}
