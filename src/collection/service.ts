import { failedState } from '../domain/absorb.js';
import { absorbService } from '../domain/absorb-service.js';
import type { CollectorName } from '../domain/contract.js';
import type { Outcome, Progress } from '../domain/observation.js';
import type { ServiceObservation } from '../domain/record.js';
import { MINUTE, SECOND } from '../domain/time.js';
import { neverCollected, type ServiceKind, type SourceState } from '../domain/version.js';
import type { InventoryView } from '../domain/view.js';
import type { CollectedSource, RunResult } from './source.js';

/** A service as whoever reads it gives it: one pass, everything or nothing of each kind of record. */
export interface ServiceSource {
  collect(request: { readonly progress: Progress }, signal: AbortSignal): Promise<Outcome<ServiceObservation>>;
  close(): Promise<void>;
}

interface Needs {
  readonly kind: ServiceKind;
  readonly name: string;
  /** '' where it belongs to none. */
  readonly cluster: string;
  readonly source: ServiceSource;
  /** As the contract says now. */
  intervalSeconds(): number;
  now(): number;
}

/** A source that keeps failing is asked ever less often, up to its interval and an hour at most. */
const FIRST_BACK_OFF = 15 * SECOND;
const LONGEST_BACK_OFF = 60 * MINUTE;

export function backOffAfter(failures: number, intervalMs: number): number {
  return Math.min(FIRST_BACK_OFF * 2 ** Math.min(failures, 10), LONGEST_BACK_OFF, Math.max(intervalMs, FIRST_BACK_OFF));
}

export function serviceSourceName(kind: ServiceKind, name: string): string {
  return `${kind}:${name}`;
}

/** A service on its collector's schedule. What was read of it last stays while it does not answer. */
export function serviceCollector({ kind, name, cluster, source, intervalSeconds, now }: Needs): CollectedSource {
  const named = { source: serviceSourceName(kind, name), kind, cluster };
  const collector: CollectorName = kind;
  const intervalMs = () => intervalSeconds() * SECOND;
  return {
    ...named,
    collector,
    atStart: false,
    intervalMs,
    async run({ view, progress }, signal): Promise<RunResult> {
      const known = stateIn(view, named);
      const outcome = await source.collect({ progress }, signal);
      const requests = outcome.kind === 'disabled' ? 0 : outcome.requests;
      if (outcome.kind === 'observed') {
        const batch = absorbService(view, known, outcome.value, now());
        const rows = outcome.value.records.length;
        const coverage = { rows, parts: 0, failed: 0 };
        return { batch: { ...batch, state: { ...batch.state, requests } }, events: [], requests, coverage };
      }
      const state = failedState(known, outcome.reason, now(), backOffAfter(known.failures, intervalMs()));
      const coverage = { rows: 0, parts: 0, failed: 0 };
      return { batch: { writes: [], reads: [], state: { ...state, requests } }, events: [], requests, coverage };
    },
    close: () => source.close(),
  };
}

function stateIn(view: InventoryView, named: Pick<SourceState, 'source' | 'kind' | 'cluster'>): SourceState {
  const known = view.services.get(named.source);
  return known === undefined || known.cluster !== named.cluster ? neverCollected(named) : known;
}
