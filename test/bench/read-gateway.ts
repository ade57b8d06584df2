import { keepHeapSmall } from '../../src/app/heap-pace.js';
import { proxmoxCollector } from '../../src/collection/proxmox.js';
import { DEFAULT_CONTRACT } from '../../src/declared/contract-file.js';
import { absorb } from '../../src/domain/absorb.js';
import { compare } from '../../src/domain/compare/compare.js';
import type { KnownCluster, ProxmoxObservation } from '../../src/domain/observation.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { Secret, unnamedCluster } from '../../src/domain/settings.js';
import { neverCollected } from '../../src/domain/version.js';
import { openReplica, type Replica } from '../../src/inventory/replica.js';
import type { SimulatedCluster } from '../../src/simulator/simulator.js';
import { type ProxmoxSource, proxmoxSource } from '../../src/sources/proxmox/source.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { serveParent } from './child.js';
import { type Cost, costOf } from './measure.js';

export interface RoundOrder {
  /** An empty database. */
  readonly url: string;
  readonly cluster: SimulatedCluster;
  readonly polls: number;
}

export interface Round {
  readonly read: Cost;
  readonly rest: Cost;
  readonly requests: number;
  /** Polls that find nothing new: list, slice, store and compare. */
  readonly polls: readonly Cost[];
  readonly pollRequests: number;
  /** The most that this process ever held, in MB (1000²). */
  readonly peakMB: number;
  /** The calls that the pass made. */
  readonly paths: readonly string[];
}

const NOTHING_KNOWN: KnownCluster = { guests: new Map(), power: new Map(), vmids: new Map(), activityMark: null };

/** The gateway's side of the bench, in a process of its own: what it costs and what it holds is the gateway's alone. */
keepHeapSmall();
serveParent<RoundOrder, Round>(round);

async function round({ url, cluster, polls: count }: RoundOrder): Promise<Round> {
  const tls = { kind: 'fingerprint' as const, sha256: [cluster.fingerprint.replaceAll(':', '').toLowerCase()] };
  const api = { urls: [cluster.url], tokenId: cluster.tokenId, tokenSecret: new Secret(cluster.tokenSecret), tls };
  const store = await openStore({ url, migrate: true });
  const source = proxmoxSource({ ...unnamedCluster('bench', ''), broken: null, api }, { now: Date.now });
  try {
    const replica = await emptyReplica(store);
    const first = await firstPass(source, store, replica);
    const polls: Cost[] = [];
    let pollRequests = 0;
    for (let i = 0; i < count; i++) {
      const { result, cost } = await costOf(() => onePoll(source, store, replica));
      pollRequests = result;
      polls.push(cost);
    }
    return { ...first, polls, pollRequests, peakMB: (process.resourceUsage().maxRSS * 1_024) / 1e6 };
  } finally {
    await source.close();
    await store.close();
  }
}

async function emptyReplica(store: Store): Promise<Replica> {
  const replica = await openReplica(store, {
    contract: DEFAULT_CONTRACT,
    precedence: DEFAULT_POLICY.precedence,
    declaredOff: [],
    cluster: (name: string) => unnamedCluster(name, 'bench'),
  });
  const named = { source: 'proxmox:bench', kind: 'proxmox' as const, cluster: 'bench' };
  await store.transaction((tx) => tx.batches.apply({ writes: [], reads: [], state: neverCollected(named) }));
  await replica.catchUp();
  return replica;
}

async function firstPass(source: ProxmoxSource, store: Store, replica: Replica) {
  const { result: outcome, cost: read } = await costOf(() =>
    source.collect({ known: NOTHING_KNOWN, plan: { mode: 'all', slice: 0, asked: [] } }, AbortSignal.timeout(120_000)),
  );
  if (outcome.kind !== 'observed') throw new Error(`the simulated estate was not read: ${JSON.stringify(outcome)}`);
  const { cost: rest } = await costOf(() => keepAndCompare(store, replica, outcome.value));
  return { read, rest, requests: outcome.requests, paths: pathsOf(outcome.value) };
}

async function keepAndCompare(store: Store, replica: Replica, seen: ProxmoxObservation): Promise<void> {
  const cluster = replica.view().clusters.get('bench');
  if (cluster === undefined) throw new Error('the bench cluster was not introduced');
  const { batch } = absorb(replica.view(), cluster, seen, seen.askedAt);
  const { seq, follows } = await store.transaction(async (tx) => ({
    follows: await tx.batches.apply(batch),
    seq: tx.seq,
  }));
  await replica.learnOwn(batch, seq, follows);
  compare(replica.view(), DEFAULT_POLICY, seen.askedAt + 1);
}

/** What the gateway does every few seconds: as its collector does it, with what the view knows. Gives the number of requests. */
async function onePoll(source: ProxmoxSource, store: Store, replica: Replica): Promise<number> {
  const settings = { ...unnamedCluster('bench', ''), broken: null };
  const binding = () => replica.binding();
  const collector = proxmoxCollector(settings, { proxmox: source, now: Date.now, binding });
  const request = { mode: 'POLL' as const, view: replica.view(), asked: [], progress: () => {} };
  const { batch, requests } = await collector.run(request, AbortSignal.timeout(120_000));
  const { seq, follows } = await store.transaction(async (tx) => ({
    follows: await tx.batches.apply(batch),
    seq: tx.seq,
  }));
  await replica.learnOwn(batch, seq, follows);
  compare(replica.view(), DEFAULT_POLICY, Date.now());
  return requests;
}

/** What each pass asks first; the version is asked once for all. */
const LIST = ['/cluster/resources', '/cluster/status', '/cluster/tasks', '/cluster/log?max=500'];

/** The calls that the pass made: the list, and what was asked for its parts, in the order in which it came. */
function pathsOf({ rows, parts }: ProxmoxObservation): readonly string[] {
  const home = new Map(rows.map((row) => [String(row.vmid), row]));
  const calls = parts.flatMap(({ key, result }): readonly string[] => {
    if (result.kind === 'none') return [];
    if (result.part === 'power') return [`/nodes/${key}/qemu?full=1`];
    if (result.part === 'vmid') return [`/cluster/nextid?vmid=${key}`];
    const row = home.get(key);
    if (row === undefined) return [];
    const guest = `/nodes/${row.node}/${row.kind === 'QEMU' ? 'qemu' : 'lxc'}/${key}`;
    if (result.part === 'config') return [`${guest}/config`];
    return [row.kind === 'QEMU' ? `${guest}/agent/network-get-interfaces` : `${guest}/interfaces`];
  });
  return [...LIST, ...calls];
}
