import { type Principal, seesTenant } from '../domain/access.js';
import { DRIFT_KINDS, SEVERITIES } from '../domain/finding.js';
import { seesFinding } from '../domain/sees-finding.js';
import { tenantOf } from '../domain/tenancy.js';
import type { Instant } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import { collectorRecords, collectorSources, declaredSourceRecords } from './collectors.js';
import { livingFindings } from './findings.js';
import { inventoryFreshness } from './freshness.js';
import { seesGuest } from './guests.js';
import { healthOf } from './health.js';
import type { CollectorSourceRecord, FindingRecord, SummaryRecord } from './records.js';

/** The tiles. Counted over what the caller may see. */
export function summaryRecord(principal: Principal, view: InventoryView, now: Instant): SummaryRecord {
  const nodes = [...view.nodes.values()].filter((node) => seesTenant(principal, tenantOf(node)));
  const guests = guestTiles(principal, view);
  const findings = livingFindings(view).sorted.filter((finding) => seesFinding(principal, finding));
  const open = findings.filter((finding) => finding.state === 'OPEN');
  const sources = collectorSources(principal, view, new Map(), now);
  // What the contract omits while it is silent is missed by nobody.
  const stale = collectorRecords(view, sources, now).filter(
    ({ freshness, terms }) => freshness.stale && terms.onFailure !== 'omit',
  ).length;
  const fresh = inventoryFreshness(principal, view, now);
  const health = healthOf(open, guests.total, stale);
  return {
    clusters: sources.filter(({ collector }) => collector === 'proxmox_guest_ipam').length,
    nodes: { total: nodes.length, online: nodes.filter((node) => node.row.status === 'ONLINE').length },
    guests,
    drift: { ...driftTiles(findings, open), comparedAt: view.findings.comparedAt },
    healthScore: health.score,
    health: health.parts,
    policy: takenPolicy(view),
    freshness: { ...fresh, notes: [...fresh.notes, ...serviceNotes(sources)] },
    sources,
    declaredSources: declaredSourceRecords(view),
  };
}

/** Services out of reach: tiles rest on them, too. Clusters and declarations are told already. */
function serviceNotes(sources: readonly CollectorSourceRecord[]): string[] {
  return sources
    .filter(({ name, outcome }) => outcome === 'UNREACHABLE' && !/^(?:proxmox|declared):/.test(name))
    .map(({ name, reason }) => `${name}: unreachable${reason === null ? '' : `: ${reason}`}`);
}

function guestTiles(principal: Principal, view: InventoryView): SummaryRecord['guests'] {
  const tiles = { total: 0, running: 0, stopped: 0, unknown: 0, templates: 0 };
  for (const guest of view.guests.values()) {
    if (!seesGuest(principal, guest)) continue;
    if (guest.row.template) {
      tiles.templates++;
      continue;
    }
    tiles.total++;
    if (guest.status === 'RUNNING' || guest.status === 'PAUSED') tiles.running++;
    else if (guest.status === 'STOPPED') tiles.stopped++;
    else tiles.unknown++;
  }
  return tiles;
}

function driftTiles(
  findings: readonly FindingRecord[],
  open: readonly FindingRecord[],
): Omit<SummaryRecord['drift'], 'comparedAt'> {
  const inState = (state: string) => findings.filter((finding) => finding.state === state).length;
  const byKind = DRIFT_KINDS.map((kind) => ({ kind, count: open.filter((f) => f.kind === kind).length }));
  return {
    open: open.length,
    acknowledged: inState('ACKNOWLEDGED'),
    suppressed: inState('SUPPRESSED'),
    ignored: inState('IGNORED'),
    byKind: byKind.filter(({ count }) => count > 0),
    bySeverity: SEVERITIES.map((severity) => ({
      severity,
      count: open.filter((finding) => finding.severity === severity).length,
    })),
  };
}

/** Its text is for those who may read settings. */
function takenPolicy({ policy }: InventoryView): SummaryRecord['policy'] {
  const taken = policy?.taken ?? null;
  return taken === null ? null : { contentHash: taken.contentHash, since: taken.since };
}
