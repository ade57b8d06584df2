import { neverCollected } from '../../src/collection/source.js';
import { DEFAULT_CONTRACT } from '../../src/declared/contract-file.js';
import { absorb } from '../../src/domain/absorb.js';
import { absorbDeclared } from '../../src/domain/absorb-declared.js';
import { compare } from '../../src/domain/compare/compare.js';
import { live } from '../../src/domain/lifecycle.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { unnamedCluster } from '../../src/domain/settings.js';
import type { Batch } from '../../src/domain/version.js';
import { openReplica } from '../../src/inventory/replica.js';
import { openStore } from '../../src/store/open.js';
import { benchEstate } from './estate.js';

/** Milliseconds of each step of one pass, from parsed values in memory to findings in the database. */
export interface PassFigures {
  readonly step: string;
  readonly first: number;
  readonly unchanged: number;
}

export async function benchPass(url: string, guests: number, nodes: number): Promise<readonly PassFigures[]> {
  const store = await openStore({ url, migrate: true });
  try {
    await store.forgetCollected();
    const settings = {
      contract: DEFAULT_CONTRACT,
      precedence: DEFAULT_POLICY.precedence,
      declaredOff: [],
      cluster: (name: string) => unnamedCluster(name, 'bench'),
    };
    const estate = benchEstate(guests, nodes);
    const replica = await openReplica(store, settings);
    const introduce = (batch: Batch) =>
      store.transaction((tx) => tx.batches.apply(batch)).then(() => replica.catchUp());
    const named = { source: 'proxmox:bench', kind: 'proxmox' as const, cluster: 'bench' };
    await introduce({ writes: [], reads: [], state: neverCollected(named) });
    const file = { source: 'declared:ALL_VMIDS_ENDPOINTS.md', kind: 'declared' as const, cluster: '' };
    await introduce({ writes: [], reads: [], state: neverCollected(file) });
    const now = await store.now();
    const kept = replica.view().declared.get(file.source);
    if (kept === undefined) throw new Error('the declared source was not introduced');
    await introduce(
      absorbDeclared(kept, { kind: 'observed', at: now, value: estate.declared(now), contentHash: 'x' }, now),
    );

    const first = await timedPass(store, replica, (at) => estate.observation(at));
    const again: Record<string, number>[] = [];
    for (let i = 0; i < 5; i++) again.push(await timedPass(store, replica, (at) => estate.poll(at, i * 25, 50)));
    return Object.keys(first).map((step) => ({
      step,
      first: first[step] ?? 0,
      unchanged: median(again.map((one) => one[step] ?? 0)),
    }));
  } finally {
    await store.close();
  }
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function timedPass(
  store: Awaited<ReturnType<typeof openStore>>,
  replica: Awaited<ReturnType<typeof openReplica>>,
  observe: (at: number) => Parameters<typeof absorb>[2],
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  const timed = async <T>(step: string, work: () => T | Promise<T>): Promise<T> => {
    const start = performance.now();
    const result = await work();
    figures[step] = performance.now() - start;
    return result;
  };
  const seen = observe(await store.now());
  const cluster = replica.view().clusters.get('bench');
  if (cluster === undefined) throw new Error('the bench cluster was not introduced');
  const begun = performance.now();
  const { batch } = await timed('absorb', () => absorb(replica.view(), cluster, seen, seen.askedAt));
  const { seq, follows } = await timed('store', () =>
    store.transaction(async (tx) => ({ follows: await tx.batches.apply(batch), seq: tx.seq })),
  );
  await timed('learn', () => replica.learnOwn(batch, seq, follows));
  const at = await store.now();
  const comparison = await timed('compare', () => compare(replica.view(), DEFAULT_POLICY, at));
  const lived = await timed('live', () => live(replica.view().findings.byId, comparison, at));
  await timed('findings', () =>
    lived.changed.length === 0
      ? undefined
      : store.transaction(async (tx) => {
          const history = lived.events.map(({ before: _, ...event }) => ({ ...event, cursor: null }));
          await tx.findings.save(lived.changed, history);
        }),
  );
  replica.learnFindings(lived.changed, at);
  figures.total = performance.now() - begun;
  figures.differences = comparison.so.size;
  return figures;
}
