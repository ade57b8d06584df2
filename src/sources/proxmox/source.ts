import { setMaxListeners } from 'node:events';
import type {
  KnownCluster,
  Outcome,
  PartRead,
  Progress,
  ProxmoxObservation,
  ReadPlan,
} from '../../domain/observation.js';
import type { ClusterSettings } from '../../domain/settings.js';
import { type Instant, SECOND } from '../../domain/time.js';
import type { HttpsLimits } from '../transport/https.js';
import { type ProxmoxClient, proxmoxClient } from './client.js';
import { chooseReads } from './plan.js';
import { type Poll, type PollMemory, poll, pollMemory } from './poll.js';
import { type PartsRead, readParts } from './read-parts.js';

export interface ProxmoxRequest {
  readonly known: KnownCluster;
  readonly plan: ReadPlan;
  readonly progress?: Progress;
}

/** One Proxmox cluster (or standalone node), over its API or over SSH. */
export interface ProxmoxSource {
  /** One pass: the poll and the parts read with it. Unreachable is an outcome; only cancelling throws (the signal's reason). */
  collect(request: ProxmoxRequest, signal: AbortSignal): Promise<Outcome<ProxmoxObservation>>;
  close(): Promise<void>;
}

export interface ProxmoxSourceNeeds {
  readonly now: () => Instant;
  /** Time-outs, concurrency and retries other than the defaults. */
  readonly limits?: Partial<HttpsLimits>;
}

const DEFAULT_WIDTH = 8;
// New guests' and the slice's addresses wait for a later poll once a pass has lasted this long: dead agents cost 3 s each.
const PATIENCE_MS = 10 * SECOND;

export function proxmoxSource(settings: ClusterSettings, needs: ProxmoxSourceNeeds): ProxmoxSource {
  const { api, broken } = settings;
  if (broken !== null || api === null) return closedSource(broken, needs.now);
  const client = proxmoxClient(api, needs);
  const memory = pollMemory();
  return {
    async collect(request, signal) {
      signal.throwIfAborted();
      const own = ownSignal(signal);
      try {
        return await collect({ client, memory, needs }, request, own.signal);
      } finally {
        own.end();
      }
    },
    close: () => client.close(),
  };
}

/** Every request under way listens for the end: on a signal of the pass, so that the caller's is not crowded. */
export function ownSignal(outer: AbortSignal): { readonly signal: AbortSignal; end(): void } {
  const inner = new AbortController();
  setMaxListeners(0, inner.signal);
  const cancelled = () => inner.abort(outer.reason);
  outer.addEventListener('abort', cancelled, { once: true });
  return { signal: inner.signal, end: () => outer.removeEventListener('abort', cancelled) };
}

/** A cluster that is named but cannot be asked is unreachable, not gone: what is known of it stays. */
export function closedSource(broken: string | null, now: () => Instant): ProxmoxSource {
  return {
    async collect() {
      if (broken === null) return { kind: 'disabled', reason: 'neither an API nor SSH is configured for this cluster' };
      return { kind: 'unreachable', at: now(), reason: broken, requests: 0 };
    },
    async close() {},
  };
}

interface Parts {
  readonly client: ProxmoxClient;
  readonly memory: PollMemory;
  readonly needs: ProxmoxSourceNeeds;
}

async function collect(
  { client, memory, needs }: Parts,
  request: ProxmoxRequest,
  signal: AbortSignal,
): Promise<Outcome<ProxmoxObservation>> {
  const at = needs.now();
  let requests = 0;
  const ask = { signal, onAttempt: () => (requests += 1) };
  const polled = await poll({ client, memory, ask }, request.known);
  if (typeof polled === 'string') return { kind: 'unreachable', at, reason: polled, requests };

  const { known, plan } = request;
  const reads = chooseReads({ ...polled, at: polled.askedAt, touched: polled.activity.touched, known, plan });
  const read = await readParts(reads, {
    ...{ client, ask, known, now: needs.now },
    width: needs.limits?.concurrency ?? DEFAULT_WIDTH,
    patienceMs: plan.mode === 'all' ? Number.POSITIVE_INFINITY : PATIENCE_MS,
    progress: request.progress ?? (() => {}),
  });
  return { kind: 'observed', at: polled.askedAt, value: observation(polled, read, request), requests };
}

function observation(polled: Poll, read: PartsRead, { plan }: ProxmoxRequest): ProxmoxObservation {
  const { activity, notes, ...seen } = polled;
  return {
    ...seen,
    parts: [...read.parts, ...listedVmids(polled, plan)],
    full: plan.mode === 'all',
    activityMark: activity.mark,
    notes: [...notes, ...read.notes, ...refusals(read.parts)],
  };
}

/** Asked whether a VMID is free, the list itself answers where it shows a guest under it. */
export function listedVmids(
  { rows, askedAt }: Pick<Poll, 'rows' | 'askedAt'>,
  { asked }: ReadPlan,
): readonly PartRead[] {
  const listed = new Set(rows.map((row) => String(row.vmid)));
  return asked
    .filter(({ part, key }) => part === 'vmid' && listed.has(key))
    .map(({ key }) => ({ key, askedAt, result: { kind: 'read', part: 'vmid', value: { free: false } } }));
}

/** Rights that are missing are one note with the first example, not one for each guest. */
function refusals(parts: readonly PartRead[]): readonly string[] {
  const refused = parts.flatMap(({ result }) =>
    result.kind === 'failed' && result.reason.startsWith('403') ? [result.reason] : [],
  );
  return refused.length === 0 ? [] : [`the token may not read ${refused.length} parts, for one: ${refused[0]}`];
}
