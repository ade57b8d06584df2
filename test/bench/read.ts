import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Agent, request } from 'undici';
import { DEFAULT_CONTRACT } from '../../src/declared/contract-file.js';
import { absorb } from '../../src/domain/absorb.js';
import { compare } from '../../src/domain/compare/compare.js';
import type { KnownCluster, ProxmoxObservation } from '../../src/domain/observation.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { Secret, unnamedCluster } from '../../src/domain/settings.js';
import { neverCollected } from '../../src/domain/version.js';
import { openReplica } from '../../src/inventory/replica.js';
import type { SimulatedCluster } from '../../src/simulator/simulator.js';
import { proxmoxSource } from '../../src/sources/proxmox/source.js';
import { openStore } from '../../src/store/open.js';
import { type Cost, costOf, medianCost } from './measure.js';
import { withDatabase, withPostgres } from './postgres.js';
import { ms, type Table, times, versionOf } from './report.js';

const GUESTS = 1_500;
const NODES = 5;
const ROUNDS = 5;
const WIDTH = 8;
const NOTHING_KNOWN: KnownCluster = { guests: new Map(), power: new Map(), vmids: new Map(), activityMark: null };

interface Round {
  readonly read: Cost;
  readonly rest: Cost;
  readonly bare: Cost;
  readonly requests: number;
}

/** A first pass over HTTPS: every part read, stored and compared; held against a bare loop over the same calls. */
export async function benchRead(): Promise<readonly Table[]> {
  const child = fork(fileURLToPath(new URL('./simulate.js', import.meta.url)), [String(GUESTS), String(NODES)]);
  const [told] = (await once(child, 'message')) as [{ cluster: SimulatedCluster; declaredDir: string }];
  try {
    const rounds = await withPostgres(async (url) => {
      const all: Round[] = [];
      for (let i = 0; i < ROUNDS; i++) all.push(await withDatabase(url, (own) => round(own, told.cluster)));
      return all;
    });
    return [table(rounds)];
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
    const { cost: rest } = await costOf(() => keepAndCompare(store, outcome.value));
    const { cost: bare } = await costOf(() => bareLoop(cluster, pathsOf(outcome.value)));
    return { read, rest, bare, requests: outcome.requests };
  } finally {
    await source.close();
    await store.close();
  }
}

async function keepAndCompare(store: Awaited<ReturnType<typeof openStore>>, seen: ProxmoxObservation): Promise<void> {
  const settings = {
    contract: DEFAULT_CONTRACT,
    precedence: DEFAULT_POLICY.precedence,
    declaredOff: [],
    cluster: (name: string) => unnamedCluster(name, 'bench'),
  };
  const replica = await openReplica(store, settings);
  const named = { source: 'proxmox:bench', kind: 'proxmox' as const, cluster: 'bench' };
  await store.transaction((tx) => tx.batches.apply({ writes: [], reads: [], state: neverCollected(named) }));
  await replica.catchUp();
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

/** The calls that the pass made for its parts. */
function pathsOf({ rows, parts }: ProxmoxObservation): readonly string[] {
  const home = new Map(rows.map((row) => [String(row.vmid), row]));
  return parts.flatMap(({ key, result }): readonly string[] => {
    if (result.kind === 'none') return [];
    if (result.part === 'power') return [`/nodes/${key}/qemu?full=1`];
    if (result.part === 'vmid') return [`/cluster/nextid?vmid=${key}`];
    const row = home.get(key);
    if (row === undefined) return [];
    const guest = `/nodes/${row.node}/${row.kind === 'QEMU' ? 'qemu' : 'lxc'}/${key}`;
    if (result.part === 'config') return [`${guest}/config`];
    return [row.kind === 'QEMU' ? `${guest}/agent/network-get-interfaces` : `${guest}/interfaces`];
  });
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

function table(rounds: readonly Round[]): Table {
  const [read, rest, bare] = [rounds.map((r) => r.read), rounds.map((r) => r.rest), rounds.map((r) => r.bare)].map(
    medianCost,
  );
  const requests = rounds[0]?.requests ?? 0;
  const [r, k, b] = [read, rest, bare].map((cost) => cost ?? { ms: 0, cpuMs: 0 }) as [Cost, Cost, Cost];
  return {
    title: `read: ${GUESTS.toLocaleString('en')} guests on ${NODES} nodes over HTTPS, every part`,
    notes: [
      `Reading takes ${times(r.ms / b.ms)} the time and ${times(r.cpuMs / b.cpuMs)} the CPU of a bare loop over the same calls (${versionOf('undici')}, ${WIDTH} at a time, nothing checked).`,
      `Reach: read + store + compare < 2,000 ms. Here: ${ms(r.ms + k.ms)} ms for ${requests} requests. Medians of ${ROUNDS} first passes; the simulated estate is another process on the same machine.`,
    ],
    head: ['step', 'ms', 'CPU ms'],
    rows: [
      ['read', ms(r.ms), ms(r.cpuMs)],
      ['absorb, store, learn, compare', ms(k.ms), ms(k.cpuMs)],
      ['bare loop', ms(b.ms), ms(b.cpuMs)],
    ],
  };
}
