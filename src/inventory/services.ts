import { type Principal, seesTenant } from '../domain/access.js';
import { type CollectorName, isOmitted, switchedOffWords } from '../domain/contract.js';
import { collectorOf, sourceStale } from '../domain/coverage.js';
import { foreignHost, isForeign } from '../domain/foreign-hosts.js';
import type { KeptRecord, RecordBodies, RecordKind } from '../domain/record.js';
import { tenantOf } from '../domain/tenancy.js';
import type { Instant } from '../domain/time.js';
import type { SourceState } from '../domain/version.js';
import type { InventoryView } from '../domain/view.js';
import type { InventoryFreshness } from './records.js';

/** What a service said of one thing, with when it was last read. */
export interface ServiceItem<K extends RecordKind = RecordKind> extends KeptRecord<RecordBodies[K]> {
  readonly kind: K;
  readonly collectedAt: Instant | null;
}

/** Everything that a collector's services said last, or that none is configured. */
export interface ServiceInventory {
  readonly isConfigured: boolean;
  readonly freshness: InventoryFreshness;
  readonly items: readonly ServiceItem[];
}

/** Collectors whose services are kept as records, with the kinds of these. */
export const SERVICE_RECORDS = {
  npm: ['npm.proxy_host', 'npm.redirection', 'npm.stream', 'npm.certificate'],
  unifi: ['unifi.device', 'unifi.network', 'unifi.client'],
  ip_neigh: ['neighbour'],
  hardware: ['hardware', 'hardware.health', 'hardware.updates'],
} as const satisfies Partial<Record<CollectorName, readonly RecordKind[]>>;
export type RecordCollector = keyof typeof SERVICE_RECORDS;

export function serviceInventory(
  principal: Principal,
  view: InventoryView,
  collector: RecordCollector,
  now: Instant,
): ServiceInventory {
  const states = new Map(
    [...view.services.values()]
      .filter((state) => collectorOf(state) === collector && seesTenant(principal, tenantOf(state)))
      .map((state) => [state.source, state]),
  );
  // The contract's `on_failure: omit`: its word is left out while it does not answer; `keep_last` shows it with its age.
  const omits = isOmitted(view.contract, collector);
  const shown = new Map([...states].filter(([, { outcome }]) => !(omits && outcome === 'UNREACHABLE')));
  const items = SERVICE_RECORDS[collector].flatMap((kind) => itemsOf(view, kind, shown));
  return { isConfigured: states.size > 0, freshness: freshnessOf(collector, [...states.values()], view, now), items };
}

function itemsOf(
  view: InventoryView,
  kind: RecordKind,
  states: ReadonlyMap<string, SourceState>,
): readonly ServiceItem[] {
  const items: ServiceItem[] = [];
  for (const record of view.records[kind].values()) {
    const state = states.get(record.source);
    // A node's hardware under a name that none has would be a machine that is not there.
    const isNobodys = kind.startsWith('hardware') && isForeign(view, record.cluster, record.key);
    if (state !== undefined && !isNobodys) items.push({ ...record, kind, collectedAt: state.lastSuccessAt });
  }
  return items.sort((a, b) => compareTexts(a.source, b.source) || compareTexts(a.key, b.key));
}

/** `2` before `10`: ids and ports are numbers in text. */
function compareTexts(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

function freshnessOf(
  collector: RecordCollector,
  states: readonly SourceState[],
  view: InventoryView,
  now: Instant,
): InventoryFreshness {
  if (states.length === 0) {
    const notes = [
      view.collectorsOff.includes(collector)
        ? switchedOffWords(view.contract.collectors[collector])
        : 'no source is configured for it: name one in sources.yaml',
    ];
    return { collectedAt: null, stale: true, seedUnreachable: false, notes };
  }
  const successes = states.map(({ lastSuccessAt }) => lastSuccessAt);
  return {
    collectedAt: successes.includes(null) ? null : Math.min(...successes.map((at) => at ?? 0)),
    stale: states.some((state) => sourceStale(state, view, now)),
    seedUnreachable: states.some(({ outcome }) => outcome === 'UNREACHABLE'),
    notes: states.flatMap((state) => notesOf(view, state)),
  };
}

function notesOf(view: InventoryView, state: SourceState): string[] {
  const { source, outcome, reason, notes } = state;
  const own = [foreignHost(view, state) ?? [], ...notes].flat().map((note) => `${source}: ${note}`);
  if (outcome === 'NEVER') return [`${source}: not read yet`, ...own];
  if (outcome === 'UNREACHABLE') return [`${source}: unreachable${reason === null ? '' : `: ${reason}`}`, ...own];
  return own;
}
