import { DEFAULT_CONTRACT } from '../../src/declared/contract-file.js';
import { absorb } from '../../src/domain/absorb.js';
import { absorbDeclared } from '../../src/domain/absorb-declared.js';
import { compare } from '../../src/domain/compare/compare.js';
import { live } from '../../src/domain/lifecycle.js';
import type { ProxmoxObservation } from '../../src/domain/observation.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { unnamedCluster } from '../../src/domain/settings.js';
import type { Batch } from '../../src/domain/version.js';
import { neverCollected } from '../../src/domain/version.js';
import { openReplica, type Replica } from '../../src/inventory/replica.js';
import { openStore } from '../../src/store/open.js';
import type { Store } from '../../src/store/store.js';
import { plainCopy } from './copy-floor.js';
import { benchEstate } from './estate.js';
import { type Cost, costOf, median, medianCost, NOTHING, plus } from './measure.js';
import { withDatabase, withPostgres } from './postgres.js';
import { ms, type Table, times } from './report.js';

const STEPS = ['absorb', 'store', 'learn', 'compare', 'live', 'findings'] as const;
type Step = (typeof STEPS)[number];
type Pass = Readonly<Record<Step, Cost>>;

const ROUNDS = 5;
const POLLS = 7;
const PARTS_PER_POLL = 50;

/** One pass over an estate, from parsed values in memory to findings in the database: the first one, and one that finds nothing new. */
export async function benchPass(): Promise<readonly Table[]> {
  return withPostgres(async (url) => [await passTable(url, 1_500, 5), await passTable(url, 15_000, 500)]);
}

async function passTable(url: string, guests: number, nodes: number): Promise<Table> {
  const firsts: Pass[] = [];
  const polls: Pass[] = [];
  const floors: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const round = await withDatabase(url, (own) => onePass(own, guests, nodes));
    firsts.push(round.first);
    polls.push(...round.unchanged);
    floors.push(round.floor);
  }
  const [cold] = firsts;
  const first = medianPass(firsts);
  const unchanged = medianPass(polls);
  const floor = median(floors);
  const row = (name: string, pick: (pass: Pass) => Cost) => {
    const figures = [cold ?? first, first, unchanged].map(pick);
    return [name, ...figures.flatMap((cost) => [ms(cost.ms), ms(cost.cpuMs)])];
  };
  const total = sum(first).ms;
  return {
    title: `pass: ${guests.toLocaleString('en')} guests on ${nodes} nodes, from parsed values`,
    notes: [
      `First pass: ${times(total / floor)} the time of a plain COPY of the same rows into tables without an index (${ms(floor)} ms).`,
      `Reach at 15,000: first < 1,500 ms, unchanged < 300 ms. Medians of ${ROUNDS} first passes and ${ROUNDS * POLLS} polls of ${PARTS_PER_POLL} parts;`,
      '`cold` is the first of all, before anything was compiled. CPU is the gateway’s own, without PostgreSQL.',
    ],
    head: ['step', 'cold ms', 'CPU', 'first ms', 'CPU', 'unchanged ms', 'CPU'],
    rows: [...STEPS.map((step) => row(step, (pass) => pass[step])), row('total', sum)],
  };
}

function sum(pass: Pass): Cost {
  return STEPS.reduce((total, step) => plus(total, pass[step]), NOTHING);
}

function medianPass(passes: readonly Pass[]): Pass {
  return passOf((step) => medianCost(passes.map((pass) => pass[step])));
}

function passOf(cost: (step: Step) => Cost): Pass {
  return Object.fromEntries(STEPS.map((step) => [step, cost(step)])) as Record<Step, Cost>;
}

async function onePass(url: string, guests: number, nodes: number) {
  const store = await openStore({ url, migrate: true });
  try {
    const estate = benchEstate(guests, nodes);
    const replica = await openReplica(store, SETTINGS);
    await introduce(store, replica, estate.declared);
    const pass = await timedPass(store, replica, estate.observation);
    const unchanged: Pass[] = [];
    for (let i = 0; i < POLLS; i++) {
      const poll = await timedPass(store, replica, (at) => estate.poll(at, i * 25, PARTS_PER_POLL));
      unchanged.push(poll.costs);
    }
    return { first: pass.costs, unchanged, floor: await plainCopy(url, pass.batch) };
  } finally {
    await store.close();
  }
}

const SETTINGS = {
  contract: DEFAULT_CONTRACT,
  precedence: DEFAULT_POLICY.precedence,
  declaredOff: [],
  cluster: (name: string) => unnamedCluster(name, 'bench'),
};

/** An empty replica that knows its cluster and has read its declared file. */
async function introduce(
  store: Store,
  replica: Replica,
  declared: ReturnType<typeof benchEstate>['declared'],
): Promise<void> {
  const put = (batch: Batch) => store.transaction((tx) => tx.batches.apply(batch)).then(() => replica.catchUp());
  const file = { source: 'declared:ALL_VMIDS_ENDPOINTS.md', kind: 'declared' as const, cluster: '' };
  await put({
    writes: [],
    reads: [],
    state: neverCollected({ source: 'proxmox:bench', kind: 'proxmox', cluster: 'bench' }),
  });
  await put({ writes: [], reads: [], state: neverCollected(file) });
  const now = await store.now();
  const kept = replica.view().declared.get(file.source);
  if (kept === undefined) throw new Error('the declared source was not introduced');
  await put(absorbDeclared(kept, { kind: 'observed', at: now, value: declared(now), contentHash: 'x' }, now));
}

/** What collection and drift do with one observation, each step timed. */
async function timedPass(store: Store, replica: Replica, observe: (at: number) => ProxmoxObservation) {
  const costs: Partial<Record<Step, Cost>> = {};
  const timed = async <T>(step: Step, work: () => T | Promise<T>): Promise<T> => {
    const { result, cost } = await costOf(work);
    costs[step] = cost;
    return result;
  };
  const seen = observe(await store.now());
  const cluster = replica.view().clusters.get('bench');
  if (cluster === undefined) throw new Error('the bench cluster was not introduced');
  const { batch } = await timed('absorb', () => absorb(replica.view(), cluster, seen, seen.askedAt));
  const { seq, follows } = await timed('store', () =>
    store.transaction(async (tx) => ({ follows: await tx.batches.apply(batch), seq: tx.seq })),
  );
  await timed('learn', () => replica.learnOwn(batch, seq, follows));
  const at = await store.now();
  const comparison = await timed('compare', () => compare(replica.view(), DEFAULT_POLICY, at));
  const lived = await timed('live', () => live(replica.view().findings.byId, comparison, at));
  await timed('findings', async () => {
    if (lived.changed.length === 0) return;
    const written = await store.transaction(async (tx) => {
      const history = lived.events.map((step) => ({ ...step, cursor: null }));
      await tx.findings.save(lived.changed, history);
      return tx.seq;
    });
    replica.learnFindings(lived.changed, at, written);
  });
  return { costs: passOf((step) => costs[step] ?? NOTHING), batch };
}
