import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
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
import { type Cost, costOf, medianCost } from './measure.js';
import { withDatabase, withPostgres } from './postgres.js';
import { ms, type Table, times, versionOf } from './report.js';

interface Size {
  readonly guests: number;
  readonly nodes: number;
  readonly rounds: number;
}
const SIZES: readonly Size[] = [
  { guests: 1_500, nodes: 5, rounds: 5 },
  { guests: 15_000, nodes: 500, rounds: 3 },
];
const WIDTH = 8;
const POLLS = 3;
const NOTHING_KNOWN: KnownCluster = { guests: new Map(), power: new Map(), vmids: new Map(), activityMark: null };

interface Round {
  readonly read: Cost;
  readonly rest: Cost;
  readonly bare: Cost;
  readonly requests: number;
  /** A poll that finds nothing new: list, slice, store and compare. */
  readonly poll: Cost;
  readonly pollRequests: number;
  /** What the process held when all of it was known, in MiB. */
  readonly residentMiB: number;
}

/** A first pass over HTTPS, every part read, stored and compared, and polls after it; held against a bare loop over the same calls. */
export async function benchRead(): Promise<readonly Table[]> {
  const tables: Table[] = [];
  for (const size of SIZES) tables.push(await benchSize(size));
  return tables;
}

async function benchSize({ guests, nodes, rounds: count }: Size): Promise<Table> {
  const child = fork(fileURLToPath(new URL('./simulate.js', import.meta.url)), [String(guests), String(nodes)]);
  const [told] = (await once(child, 'message')) as [{ cluster: SimulatedCluster; declaredDir: string }];
  try {
    const rounds = await withPostgres(async (url) => {
      const all: Round[] = [];
      for (let i = 0; i < count; i++) all.push(await withDatabase(url, (own) => round(own, told.cluster)));
      return all;
    });
    return table({ guests, nodes, rounds: count }, rounds);
  } finally {
    await ended(child);
    await rm(told.declaredDir, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  child.disconnect();
  await once(child, 'exit');
}

async function round(url: string, cluster: SimulatedCluster): Promise<Round> {
  const tls = { kind: 'fingerprint' as const, sha256: [cluster.fingerprint.replaceAll(':', '').toLowerCase()] };
  const api = { urls: [cluster.url], tokenId: cluster.tokenId, tokenSecret: new Secret(cluster.tokenSecret), tls };
  const settings = { ...unnamedCluster('bench', ''), broken: null, api };
  const store = await openStore({ url, migrate: true });
  const source = proxmoxSource(settings, { now: Date.now });
  try {
    const { result: outcome, cost: read } = await costOf(() =>
      source.collect(
        { known: NOTHING_KNOWN, plan: { mode: 'all', slice: 0, asked: [] } },
        AbortSignal.timeout(120_000),
      ),
    );
    if (outcome.kind !== 'observed') throw new Error(`the simulated estate was not read: ${outcome.reason}`);
    const replica = await emptyReplica(store);
    const { cost: rest } = await costOf(() => keepAndCompare(store, replica, outcome.value));
    const polls: Polled[] = [];
    for (let i = 0; i < POLLS; i++) polls.push(await onePoll(source, store, replica));
    const residentMiB = process.memoryUsage.rss() / 1024 / 1024;
    const { cost: bare } = await costOf(() => bareLoop(cluster, pathsOf(outcome.value)));
    const [{ requests: pollRequests } = { requests: 0 }] = polls;
    const poll = medianCost(polls.map(({ cost }) => cost));
    return { read, rest, bare, requests: outcome.requests, poll, pollRequests, residentMiB };
  } finally {
    await source.close();
    await store.close();
  }
}

type OpenedStore = Awaited<ReturnType<typeof openStore>>;

async function emptyReplica(store: OpenedStore): Promise<Replica> {
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

async function keepAndCompare(store: OpenedStore, replica: Replica, seen: ProxmoxObservation): Promise<void> {
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

interface Polled {
  readonly cost: Cost;
  readonly requests: number;
}

/** What the gateway does every few seconds: as its collector does it, with what the view knows. */
async function onePoll(source: ProxmoxSource, store: OpenedStore, replica: Replica): Promise<Polled> {
  const settings = { ...unnamedCluster('bench', ''), broken: null };
  const binding = () => replica.binding();
  const collector = proxmoxCollector(settings, { proxmox: source, now: Date.now, binding });
  const request = { mode: 'POLL' as const, view: replica.view(), asked: [], progress: () => {} };
  const { result, cost } = await costOf(async () => {
    const { batch, requests } = await collector.run(request, AbortSignal.timeout(120_000));
    const { seq, follows } = await store.transaction(async (tx) => ({
      follows: await tx.batches.apply(batch),
      seq: tx.seq,
    }));
    await replica.learnOwn(batch, seq, follows);
    compare(replica.view(), DEFAULT_POLICY, Date.now());
    return requests;
  });
  return { cost, requests: result };
}

/** What each pass asks first; the version is asked once for all. */
const LIST = ['/cluster/resources', '/cluster/status', '/cluster/tasks', '/cluster/log?max=500'];

/** The calls that the pass made: the list, and what was asked for its parts. */
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

async function bareLoop(cluster: SimulatedCluster, paths: readonly string[]): Promise<void> {
  // Unpinned, for the bench alone: what a loop costs that checks nothing.
  const dispatcher = new Agent({ connections: WIDTH, connect: { rejectUnauthorized: false } });
  const headers = { authorization: `PVEAPIToken=${cluster.tokenId}=${cluster.tokenSecret}` };
  let next = 0;
  const worker = async () => {
    while (next < paths.length) {
      const path = paths[next++];
      const { body } = await request(`${cluster.url}/api2/json${path}`, { dispatcher, headers });
      await body.json();
    }
  };
  try {
    await Promise.all(Array.from({ length: WIDTH }, worker));
  } finally {
    await dispatcher.close();
  }
}

function table({ guests, nodes }: Size, rounds: readonly Round[]): Table {
  const cost = (pick: (round: Round) => Cost): Cost => medianCost(rounds.map(pick));
  const [read, rest, bare, poll] = [cost((r) => r.read), cost((r) => r.rest), cost((r) => r.bare), cost((r) => r.poll)];
  const { requests = 0, pollRequests = 0 } = rounds[0] ?? {};
  const resident = Math.max(...rounds.map(({ residentMiB }) => residentMiB));
  return {
    title: `read: ${guests.toLocaleString('en')} guests on ${nodes} nodes over HTTPS, every part`,
    notes: [
      `Reading reaches ${Math.round((100 * bare.ms) / read.ms)} % of the rate of a bare loop over the same calls, for ${times(read.cpuMs / bare.cpuMs)} its CPU (${versionOf('undici')}, ${WIDTH} at a time, nothing checked).`,
      'Reach: 70 %, less than 2 × the CPU, resident memory under 512 MB; a poll that finds nothing new under 500 ms of CPU.',
      `Read, store and compare: ${ms(read.ms + rest.ms)} ms for ${requests} requests; a poll makes ${pollRequests}. Resident: ${ms(resident)} MiB, the bare loop and the bench in it.`,
      `Medians of ${rounds.length} first passes and ${POLLS * rounds.length} polls; the simulated estate is another process on the same machine.`,
    ],
    head: ['step', 'ms', 'CPU ms'],
    rows: [
      ['read', ms(read.ms), ms(read.cpuMs)],
      ['absorb, store, learn, compare', ms(rest.ms), ms(rest.cpuMs)],
      ['poll that finds nothing new, whole', ms(poll.ms), ms(poll.cpuMs)],
      ['bare loop', ms(bare.ms), ms(bare.cpuMs)],
    ],
  };
}
