import type { z } from 'zod';
import type { Principal } from '../domain/access.js';
import { type Instant, isoTime } from '../domain/time.js';
import type {
  CollectorRecord,
  DriftFacts,
  FindingRecord,
  GuestRecord,
  InventoryFreshness,
  NodeRecord,
  SummaryRecord,
} from '../inventory/records.js';
import type { InventoryVerbs } from '../inventory/verbs.js';
import type { Collector, Drift, DriftFinding, Guest, Node, Summary } from './schemas.js';

type Of<S extends z.ZodType> = z.infer<S>;

/** What begins every inventory answer. */
export function beginning({ collectedAt, stale, seedUnreachable, notes }: InventoryFreshness) {
  return { collected_at: timeOf(collectedAt), stale, seed_unreachable: seedUnreachable, notes: [...notes] };
}

export function summaryBody(summary: SummaryRecord, collectors: readonly CollectorRecord[]): Of<typeof Summary> {
  const { clusters, nodes, guests, drift, healthScore, health } = summary;
  return {
    ...beginning(summary.freshness),
    clusters,
    nodes,
    guests,
    drift: {
      open: drift.open,
      acknowledged: drift.acknowledged,
      by_kind: Object.fromEntries(drift.byKind.map(({ kind, count }) => [kind, count])),
      by_severity: Object.fromEntries(drift.bySeverity.map(({ severity, count }) => [severity, count])),
    },
    collectors: collectors.map(collectorBody),
    health_score: healthScore,
    health_score_parts: {
      critical: health.critical,
      warning: health.warning,
      info: health.info,
      guests: health.guests,
      stale_collectors: health.staleCollectors,
      lost_by_findings: health.lostByFindings,
      lost_by_staleness: health.lostByStaleness,
    },
  };
}

function collectorBody({ name, freshness, outcome }: CollectorRecord): Of<typeof Collector> {
  return {
    name,
    last_success_at: timeOf(freshness.collectedAt),
    stale: freshness.stale,
    outcome: OUTCOMES[outcome],
  };
}

const OUTCOMES = {
  OBSERVED: 'observed',
  UNREACHABLE: 'unreachable',
  NEVER: 'never',
  NOT_CONFIGURED: 'not_configured',
  DISABLED: 'disabled',
} as const;

/** The legacy clients know no pause: a paused guest holds its memory and its address like a running one. */
const STATUSES = { RUNNING: 'running', PAUSED: 'running', STOPPED: 'stopped', UNKNOWN: 'unknown' } as const;
const TYPES = { QEMU: 'qemu', LXC: 'lxc' } as const;
const NODE_STATUSES = { ONLINE: 'online', OFFLINE: 'offline', UNKNOWN: 'unknown' } as const;

export type GuestEdges = Pick<InventoryVerbs, 'freshnessOf' | 'primaryAddress'>;

export function guestBody(verbs: GuestEdges, guest: GuestRecord): Of<typeof Guest> {
  return {
    cluster: guest.cluster,
    vmid: String(guest.vmid),
    name: guest.name,
    type: TYPES[guest.kind],
    status: STATUSES[guest.status],
    node: guest.nodeName,
    ip: verbs.primaryAddress(guest),
    ips: [...new Set(guest.addresses.map(({ address }) => address))],
    mac: guest.interfaces.find(({ mac }) => mac !== null)?.mac ?? null,
    tags: [...guest.tags],
    collected_at: timeOf(verbs.freshnessOf(guest).collectedAt),
    template: guest.template,
  };
}

export function nodeBody(node: NodeRecord): Of<typeof Node> {
  return {
    cluster: node.cluster,
    node: node.name,
    status: NODE_STATUSES[node.status],
    maintenance: node.maintenance,
    ip: node.ip,
    cores: node.cores,
    memory_bytes: node.memoryBytes,
    disk_bytes: node.diskBytes,
  };
}

export function driftBody(facts: DriftFacts): Of<typeof Drift> {
  const text = <T extends { readonly vmid: number }>(row: T) => ({ ...row, vmid: String(row.vmid) });
  return {
    ...beginning(facts.freshness),
    ip_addresses_conf_ips_not_on_guests: [...facts.ipAddressesConfIpsNotOnGuests],
    guest_ips_not_declared: facts.guestIpsNotDeclared.map(text),
    vmids_not_declared: facts.vmidsNotDeclared.map(text),
    declared_vmids_not_live: facts.declaredVmidsNotLive.map(text),
    mismatches: facts.mismatches.map(text),
    duplicate_ips: facts.duplicateIps.map(({ ip, vmids }) => ({ ip, vmids: vmids.map(String) })),
    declarations_in_conflict: facts.declarationsInConflict.map((conflict) => ({
      ...conflict,
      facts: conflict.facts.map(({ value, source, location }) => ({ value, source, location })),
    })),
    findings: facts.findings.map(findingBody),
  };
}

function findingBody(finding: FindingRecord): Of<typeof DriftFinding> {
  return {
    id: finding.id,
    kind: finding.kind,
    state: finding.state,
    severity: finding.severity,
    category: finding.category,
    subject: finding.subject,
    field: finding.field,
    declared: finding.declared,
    declared_by: [...finding.declaredBy],
    observed: finding.observed,
    evidence: finding.evidence.map(({ source, text, at }) => ({ source, text, at: timeOf(at) })),
    message: finding.message,
    first_seen_at: isoTime(finding.firstSeenAt),
    last_seen_at: isoTime(finding.lastSeenAt),
    onset_after: timeOf(finding.onsetAfter),
    onset_before: isoTime(finding.onsetBefore),
    resolved_at: timeOf(finding.resolvedAt),
    occurrences: finding.occurrences,
    suppressed_until: timeOf(finding.suppressedUntil),
    reason: finding.reason,
  };
}

export function timeOf(at: Instant | null): string | null {
  return at === null ? null : isoTime(at);
}

/** Every node that the caller may see: the verb gives them in pages. */
export function everyNode(
  verbs: Pick<InventoryVerbs, 'nodes'>,
  principal: Principal,
  filter: NonNullable<Parameters<InventoryVerbs['nodes']>[1]['filter']>,
  first: number,
): readonly NodeRecord[] {
  const found: NodeRecord[] = [];
  let after: string | undefined;
  for (;;) {
    const page = verbs.nodes(principal, { filter, first, after });
    found.push(...page.items);
    const last = page.items.at(-1);
    if (!page.hasNextPage || last === undefined) return found;
    after = page.cursorOf(last);
  }
}
