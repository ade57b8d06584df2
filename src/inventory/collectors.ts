import { type Principal, seesTenant } from '../domain/access.js';
import { COLLECTOR_NAMES, type CollectorName, switchedOffWords } from '../domain/contract.js';
import { collectorOf, scheduledStates, sourceStale } from '../domain/coverage.js';
import { foreignHost } from '../domain/foreign-hosts.js';
import { tenantOf } from '../domain/tenancy.js';
import type { Instant } from '../domain/time.js';
import type { SourceState } from '../domain/version.js';
import type { InventoryView } from '../domain/view.js';
import type { RunRecord } from '../store/store.js';
import { freshness, troublesOf } from './freshness.js';
import type { CollectorRecord, CollectorSourceRecord, DeclaredSourceRecord, RunSummary } from './records.js';

function runSummary(run: RunRecord): RunSummary {
  const { id, startedAt, finishedAt, outcome, requests, coverage } = run;
  return { id, startedAt, finishedAt, outcome, requests, coverage };
}

/** The sources of the estate that the caller may see: clusters, hosts and services. */
export function collectorSources(
  principal: Principal,
  view: InventoryView,
  runs: ReadonlyMap<string, RunRecord>,
  now: Instant,
): CollectorSourceRecord[] {
  return scheduledStates(view)
    .filter(({ cluster }) => seesTenant(principal, tenantOf({ cluster })))
    .map((state) => {
      const run = runs.get(state.source);
      return {
        name: state.source,
        collector: collectorOf(state),
        cluster: state.cluster,
        outcome: state.outcome === 'RETIRED' ? 'NEVER' : state.outcome,
        reason: state.reason,
        notes: notesOf(view, state),
        lastSuccessAt: state.lastSuccessAt,
        lastAttemptAt: state.lastAttemptAt,
        stale: sourceStale(state, view, now),
        breaker: state.backOffUntil === null ? null : { failures: state.failures, until: state.backOffUntil },
        lastRun: run === undefined ? null : runSummary(run),
      };
    });
}

function notesOf(view: InventoryView, state: SourceState): readonly string[] {
  if (state.kind === 'proxmox') return [...state.notes, ...troublesOf(view, state.cluster)];
  const foreign = foreignHost(view, state);
  return foreign === null ? state.notes : [foreign, ...state.notes];
}

/** One record per name of the contract. */
export function collectorRecords(
  view: InventoryView,
  sources: readonly CollectorSourceRecord[],
  now: Instant,
): CollectorRecord[] {
  return COLLECTOR_NAMES.map((name) => {
    const own = sources.filter(({ collector }) => collector === name);
    return collectorRecord(view, name, own, now);
  });
}

const BADNESS = { UNREACHABLE: 2, NEVER: 1, OBSERVED: 0 } as const;

function collectorRecord(
  view: InventoryView,
  name: CollectorName,
  sources: readonly CollectorSourceRecord[],
  now: Instant,
): CollectorRecord {
  const terms = view.contract.collectors[name];
  if (sources.length === 0) {
    const isOff = view.collectorsOff.includes(name);
    const reason = isOff ? switchedOffWords(terms) : 'no source is configured for it';
    return {
      name,
      terms,
      outcome: isOff ? 'DISABLED' : 'NOT_CONFIGURED',
      reason,
      freshness: freshness(null, false, reason, now),
      lastRun: null,
      sources: [],
    };
  }
  const worst = sources.reduce((a, b) => (BADNESS[b.outcome] > BADNESS[a.outcome] ? b : a));
  const oldest = sources.some((source) => source.lastSuccessAt === null)
    ? null
    : Math.min(...sources.map((source) => source.lastSuccessAt ?? 0));
  const reason = worst.outcome === 'OBSERVED' ? null : `${worst.name}: ${worst.reason ?? 'not polled yet'}`;
  const runs = sources.flatMap((source) => source.lastRun ?? []);
  const lastRun = runs.length === 0 ? null : runs.reduce((a, b) => (b.startedAt > a.startedAt ? b : a));
  const stale = sources.some((source) => source.stale);
  return {
    name,
    terms,
    outcome: worst.outcome,
    reason,
    freshness: freshness(oldest, stale, reason, now),
    lastRun,
    sources,
  };
}

export function declaredSourceRecords(view: InventoryView): DeclaredSourceRecord[] {
  return view.declarations.map(({ name, state, rows, problems }) => ({
    name,
    state: ({ never: 'NEVER', covered: 'COVERED', unreachable: 'UNREACHABLE' } as const)[state.kind],
    reason: state.kind === 'covered' ? null : state.reason,
    readAt: state.kind === 'never' || state.readAt === 0 ? null : state.readAt,
    rows: rows.length,
    problems,
  }));
}
