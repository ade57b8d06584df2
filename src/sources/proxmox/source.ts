import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
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
import { gate } from '../transport/gate.js';
import type { HttpsLimits } from '../transport/https.js';
import { type ProxmoxClient, proxmoxClient } from './client.js';
import { type Begun, NODE_WIDTH, Passes } from './passes.js';
import { chooseReads, type Reads } from './plan.js';
import { type Poll, type PollMemory, poll, pollMemory } from './poll.js';
import { type PartsRead, Pass } from './read-parts.js';

export interface ProxmoxRequest {
  readonly known: KnownCluster;
  readonly plan: ReadPlan;
  readonly progress?: Progress;
}

/** One Proxmox cluster (or standalone node), over its API or over SSH. */
export interface ProxmoxSource {
  /**
   * One pass: the poll and the parts read with it, also those that an earlier pass left under way. Unreachable is an outcome; only cancelling throws (the signal's reason).
   */
  collect(request: ProxmoxRequest, signal: AbortSignal): Promise<Outcome<ProxmoxObservation>>;
  /** Ends also what goes on in the background. */
  close(): Promise<void>;
}

export interface ProxmoxSourceNeeds {
  readonly now: () => Instant;
  /** Time-outs, concurrency and retries other than the defaults. */
  readonly limits?: Partial<HttpsLimits>;
  /** Waits so long, or until cancelled; other than by the clock on the wall. Never rejects. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const DEFAULT_WIDTH = 8;
// New guests' and the slice's addresses wait for a later poll once a pass has lasted this long: dead agents cost 3 s each.
const PATIENCE_MS = 10 * SECOND;
/**
 * A slice is handed over so long after the poll, whatever is still under way: healthy nodes answer within it many times
 * over, and what the list tells must not wait for a dead agent (3 s) or a node that hangs (half a minute).
 */
export const HAND_OVER_MS = SECOND;
/** So long the hand-over waits for proofs, and for who lives on a node that is known to hang. */
export const LONGEST_HAND_OVER_MS = 5 * SECOND;

export function proxmoxSource(settings: ClusterSettings, needs: ProxmoxSourceNeeds): ProxmoxSource {
  const { api, broken } = settings;
  if (broken !== null || api === null) return closedSource(broken, needs.now);
  const client = proxmoxClient(api, needs);
  const passes = new Passes(needs.limits?.concurrency ?? DEFAULT_WIDTH);
  const parts: Parts = { client, passes, memory: pollMemory(), needs, sent: { requests: 0 } };
  return {
    async collect(request, signal) {
      signal.throwIfAborted();
      return collect(parts, request, signal);
    },
    async close() {
      await passes.close();
      await client.close();
    },
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
  readonly passes: Passes;
  readonly memory: PollMemory;
  readonly needs: ProxmoxSourceNeeds;
  /** Requests sent since the last outcome, in the background too. */
  readonly sent: { requests: number };
}

async function collect(
  parts: Parts,
  request: ProxmoxRequest,
  signal: AbortSignal,
): Promise<Outcome<ProxmoxObservation>> {
  const { client, memory, needs, passes, sent } = parts;
  const at = needs.now();
  const own = ownSignal(signal);
  const ask = { signal: own.signal, onAttempt: () => (sent.requests += 1) };
  const polled = await poll({ client, memory, ask }, request.known).finally(own.end);
  if (typeof polled === 'string') return { kind: 'unreachable', at, reason: polled, requests: counted(sent) };

  const { known, plan } = request;
  // Everything is read anew: what an earlier pass still reads would only be in the way.
  if (plan.mode === 'all') await passes.end(new Error('everything is read anew'));
  const underWay = passes.underWay();
  const reads = chooseReads({ ...polled, at: polled.askedAt, touched: polled.activity.touched, underWay, known, plan });
  passes.forget(reads.outdated);
  await readParts(parts, request, reads, signal);
  const value = observation(polled, passes.take(), request);
  passes.forget(new Set(reads.vmids.map((vmid) => `vmid ${vmid}`)));
  return { kind: 'observed', at: polled.askedAt, value, requests: counted(sent) };
}

function counted(sent: { requests: number }): number {
  const { requests } = sent;
  sent.requests = 0;
  return requests;
}

/** Reads the parts until they are all read or it is time to hand over; then the rest goes on without the caller. */
async function readParts(
  { client, passes, needs, sent }: Parts,
  { known, plan, progress }: ProxmoxRequest,
  reads: Reads,
  signal: AbortSignal,
): Promise<void> {
  const all = plan.mode === 'all';
  const concurrency = needs.limits?.concurrency ?? DEFAULT_WIDTH;
  const places = gate(concurrency);
  const hanging = passes.hanging();
  let isHandedOver = false;
  const make = (own: AbortSignal) =>
    new Pass(reads, {
      ...{ client, known, now: needs.now },
      ask: { signal: own, onAttempt: () => (sent.requests += 1) },
      width: all ? concurrency : NODE_WIDTH,
      patienceMs: all ? Number.POSITIVE_INFINITY : PATIENCE_MS,
      progress: (done, total) => {
        if (!isHandedOver) progress?.(done, total);
      },
      enter(node, cancelled) {
        if (all) return places.enter(cancelled);
        return node === null ? undefined : passes.enter(node, cancelled);
      },
    });
  const begun = passes.begin(signal, make);
  try {
    await (all ? begun.done : Promise.race([begun.done, handOver(begun, hanging, needs.wait ?? wait)]));
    signal.throwIfAborted();
  } catch (thrown) {
    await begun.drop();
    throw thrown;
  } finally {
    isHandedOver = true;
    begun.letGo();
  }
}

/**
 * Ends when it is time to hand over: not before it is known who lives under the VMIDs that are new or changed. A proof is
 * only good beside the list that it was asked with, so it is waited for too, or else left.
 */
async function handOver(
  { pass, done }: Begun,
  hanging: ReadonlySet<string>,
  waitFor: NonNullable<ProxmoxSourceNeeds['wait']>,
): Promise<void> {
  const over = new AbortController();
  const ended = () => over.abort();
  done.then(ended, ended);
  const longest = waitFor(LONGEST_HAND_OVER_MS, over.signal);
  try {
    await Promise.all([waitFor(HAND_OVER_MS, over.signal), pass.decided(hanging)]);
    await Promise.race([longest, Promise.all([pass.decided(), pass.proven()])]);
  } finally {
    over.abort();
  }
}

async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
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

const OF_A_GUEST: readonly PartRead['result']['part'][] = ['config', 'addresses'];

/** Rights that are missing are one note with the first example. Guests are told of by their own parts, and not here again. */
function refusals(parts: readonly PartRead[]): readonly string[] {
  const refused = parts.flatMap(({ result }) =>
    result.kind === 'failed' && !OF_A_GUEST.includes(result.part) && result.reason.startsWith('403')
      ? [result.reason]
      : [],
  );
  return refused.length === 0
    ? []
    : [
        `the token may not read ${refused.length === 1 ? 'one part' : `${refused.length} parts`}, for one: ${refused[0]}`,
      ];
}
