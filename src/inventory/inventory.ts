import { demand, type Principal, seesTenant } from '../domain/access.js';
import type { GuestFilter } from '../domain/filters.js';
import type { FindingId } from '../domain/finding.js';
import { placeOfGuest, seesFinding } from '../domain/sees-finding.js';
import { tenantOf } from '../domain/tenancy.js';
import { primaryAddress } from './addresses.js';
import { originOf, pastBinding, pastFreshness, pastNode, pastOf } from './as-of.js';
import { findingsAsOf, guestFindingsAsOf, guestsWithOpenAsOf } from './as-of-findings.js';
import { refuseFuture } from './as-of-freshness.js';
import { driftFacts } from './drift-facts.js';
import { estateVerbs, networkEdges } from './estate-verbs.js';
import { DEFAULT_STATES, findingPage, findingRecord } from './findings.js';
import { clusterFreshness, guestFreshness, inventoryFreshness } from './freshness.js';
import { guestRecord, nodeRecord, nodeRecordOf } from './guest-record.js';
import { guestKeeper, guestList, guestsUnder, oneGuest, seesGuest, sortGuests } from './guests.js';
import type { InventoryNeeds, Verbs } from './needs.js';
import { pageOf } from './page.js';
import type { FindingRecord, GuestRecord } from './records.js';
import { driftTimeline } from './timeline.js';
import type { InventoryVerbs } from './verbs.js';

export function inventoryVerbs(needs: InventoryNeeds): InventoryVerbs {
  return {
    ...guestVerbs(needs),
    ...estateVerbs(needs),
    ...driftVerbs(needs),
    ...guestEdges(needs),
    ...networkEdges(needs),
  };
}

function guestVerbs(
  needs: InventoryNeeds,
): Verbs<
  'guests' | 'allGuests' | 'guest' | 'guestById' | 'matchesGuest' | 'guestsAsOf' | 'guestAsOf' | 'guestsByIdAsOf'
> {
  const { view, store, now } = needs;
  const hasOpenNow = (guest: GuestRecord) =>
    (view().findings.byGuest.get(guest.id) ?? []).some((finding) => finding.state === 'OPEN');
  const keeper = (principal: Principal, filter: GuestFilter | undefined, hasOpen = hasOpenNow) => {
    demand(principal, 'inventory:read');
    if (filter?.withOpenFindings !== undefined) demand(principal, 'drift:read');
    return guestKeeper(principal, filter, hasOpen);
  };
  return {
    guests(principal, query) {
      const keep = keeper(principal, query.filter);
      return pageOf(principal, guestList(view(), query.orderBy), keep, query);
    },
    allGuests(principal, filter) {
      const keep = keeper(principal, filter);
      const { sorted } = guestList(view(), undefined);
      return keep === undefined ? sorted : sorted.filter(keep);
    },
    guest(principal, cluster, vmid) {
      demand(principal, 'inventory:read');
      return oneGuest(principal, guestsUnder(view(), vmid), cluster, vmid);
    },
    guestById(principal, id) {
      demand(principal, 'inventory:read');
      const known = view().guests.get(id) ?? view().guestsByKey.get(id);
      return known !== undefined && seesGuest(principal, known) ? guestRecord(known) : undefined;
    },
    matchesGuest(principal, id, filter) {
      const keep = keeper(principal, filter);
      const known = view().guests.get(id);
      if (known === undefined || !seesGuest(principal, known)) return false;
      return keep === undefined || keep(guestRecord(known));
    },
    async guestsAsOf(principal, at, query) {
      refuseFuture(at, now());
      let open: ReadonlySet<string> = new Set();
      const keep = keeper(principal, query.filter, ({ id }) => open.has(id));
      const { cluster, withOpenFindings } = query.filter ?? {};
      if (withOpenFindings !== undefined) open = await guestsWithOpenAsOf(principal, store, at);
      const past = await pastOf({ store, view: view() }, at, cluster === undefined ? {} : { cluster });
      return pageOf(principal, sortGuests(past.guests, query.orderBy), keep, query);
    },
    async guestAsOf(principal, at, cluster, vmid) {
      demand(principal, 'inventory:read');
      refuseFuture(at, now());
      const past = await pastOf({ store, view: view() }, at, {
        vmids: [vmid],
        ...(cluster !== undefined && { cluster }),
      });
      return oneGuest(principal, past.guests, cluster, vmid);
    },
    async guestsByIdAsOf(principal, at, ids) {
      demand(principal, 'inventory:read');
      const wanted = new Set(ids);
      const vmids = [...new Set(ids.map((id) => placeOfGuest(id).vmid))];
      const past = await pastOf({ store, view: view() }, at, { vmids });
      const seen = past.guests.filter((guest) => wanted.has(guest.id) && seesTenant(principal, tenantOf(guest)));
      return new Map(seen.map((guest) => [guest.id, guest]));
    },
  };
}

function driftVerbs(
  needs: InventoryNeeds,
): Verbs<
  | 'driftFindings'
  | 'driftFindingsAsOf'
  | 'guestFindingsAsOf'
  | 'driftTimeline'
  | 'driftFinding'
  | 'driftFindingsById'
  | 'driftHistory'
  | 'driftFacts'
> {
  const { view, binding, differences, store, now } = needs;
  const byId = async (principal: Principal, ids: readonly FindingId[]) => {
    demand(principal, 'drift:read');
    const known = view();
    const living = ids.flatMap((id) => known.findings.byId.get(id) ?? []);
    const missing = ids.filter((id) => !known.findings.byId.has(id));
    const resolved = missing.length === 0 ? [] : [...(await store.findings.byIds(missing)).values()];
    const seen = [...living, ...resolved].filter((finding) => seesFinding(principal, finding));
    return new Map(seen.map((finding) => [finding.id, findingRecord(known, finding)]));
  };
  return {
    driftFindingsById: byId,
    async driftFindings(principal, filter, page) {
      demand(principal, 'drift:read');
      return await findingPage(principal, { view: view(), store }, filter, page);
    },
    async driftFindingsAsOf(principal, at, filter, page) {
      demand(principal, 'drift:read');
      refuseFuture(at, now());
      return await findingsAsOf(principal, store, at, filter, page);
    },
    async guestFindingsAsOf(principal, at, ids) {
      demand(principal, 'drift:read');
      return await guestFindingsAsOf(principal, store, at, ids);
    },
    driftTimeline: (principal, query) => driftTimeline(principal, store, query),
    async driftFinding(principal, id) {
      return (await byId(principal, [id])).get(id);
    },
    async driftHistory(principal, ids) {
      const seen = await byId(principal, ids);
      return seen.size === 0 ? new Map() : await store.findings.history([...seen.keys()]);
    },
    driftFacts(principal) {
      demand(principal, 'inventory:read');
      demand(principal, 'drift:read');
      const known = { view: view(), binding: binding(), differences: differences() };
      return driftFacts(principal, known, inventoryFreshness(principal, known.view, now()));
    },
  };
}

function guestEdges(
  needs: InventoryNeeds,
): Verbs<'nodeOf' | 'findingsOf' | 'declaredOf' | 'freshnessOf' | 'primaryAddress'> {
  const { view, binding, now } = needs;
  return {
    nodeOf(guest) {
      const past = originOf(guest);
      if (past !== undefined) return pastNode(past, guest);
      const node = view().nodes.get(`${guest.cluster}/${guest.nodeName}`);
      return node === undefined ? nodeRecordOf(guest.cluster, guest.nodeName, undefined, null) : nodeRecord(node);
    },
    findingsOf(principal, guest, states = DEFAULT_STATES) {
      demand(principal, 'drift:read');
      const known = view();
      const findings = known.findings.byGuest.get(guest.id);
      if (findings === undefined) return NONE;
      return findings
        .filter((finding) => states.includes(finding.state) && seesFinding(principal, finding))
        .map((finding) => findingRecord(known, finding));
    },
    declaredOf(guest) {
      const past = originOf(guest);
      return (past === undefined ? binding() : pastBinding(past)).factsOf(guest.id);
    },
    freshnessOf(guest) {
      const known = view();
      const past = pastFreshness(guest);
      if (past !== undefined) return past;
      const cluster = clusterFreshness(known, known.clusters.get(guest.cluster), now());
      return guestFreshness(known.guests.get(guest.id), cluster);
    },
    primaryAddress(guest) {
      const past = originOf(guest);
      const known = (past ?? view()).guests.get(guest.id);
      if (known === undefined) return null;
      return primaryAddress(known, past === undefined ? binding() : pastBinding(past));
    },
  };
}

const NONE: readonly FindingRecord[] = [];
