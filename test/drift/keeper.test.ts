import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { type DriftKeeper, driftKeeper } from '../../src/drift/keeper.js';
import { openReplica, type Replica } from '../../src/inventory/replica.js';
import type { Store } from '../../src/store/store.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { learnedOf, SETTINGS, THEN } from '../testkit/view.js';

const TABLE = 'ALL_VMIDS_ENDPOINTS.md';
const OPENED = ['drift.detected GUEST_NOT_DECLARED:main/7@1:'];

interface Comparer {
  readonly keeper: DriftKeeper;
  readonly replica: Replica;
  readonly failures: unknown[];
}

describe('comparing', () => {
  let kit: TestStore;
  const keepers: DriftKeeper[] = [];
  let now = THEN + 1_000;

  beforeEach(async () => {
    now = THEN + 1_000;
    kit = await createTestStore();
    const guests = [{ vmid: 7 }];
    const { opened, reads, states } = learnedOf({ guests, declared: { [TABLE]: [{ vmid: 8 }] } });
    for (const state of states) {
      const mine = opened.filter(({ source }) => source === state.source);
      const writes = mine.map((version) => ({ op: 'put' as const, version }));
      const read = reads.filter(({ source }) => source === state.source);
      await kit.store.transaction((tx) => tx.batches.apply({ writes, reads: read, state }));
    }
  });
  afterEach(async () => {
    for (const keeper of keepers.splice(0)) await keeper.stop();
    await kit.close();
  });

  async function comparer(store: Partial<Store> = {}): Promise<Comparer> {
    const replica = await openReplica(kit.store, SETTINGS);
    const failures: unknown[] = [];
    const keeper = driftKeeper({
      store: { ...kit.store, ...store },
      view: () => replica.view(),
      policy: () => DEFAULT_POLICY,
      now: () => now,
      mayCompare: () => true,
      learned: (changed, _comparison, at, seq) => {
        if (seq !== null) replica.learnFindings(changed, at, seq);
      },
      catchUp: async () => {
        await replica.catchUp();
        await replica.catchUpFindings();
      },
      asked: () => {},
      measured: () => {},
      failed: (error) => failures.push(error),
    });
    keepers.push(keeper);
    return { keeper, replica, failures };
  }

  const told = async () => {
    const events = await kit.store.events.after(0n, ['drift.detected', 'drift.updated', 'drift.resolved'], 50);
    return events.map(({ topic, payload }) => `${topic} ${(payload as { findingId: string }).findingId}`);
  };
  /** A lock whose loss is never noticed: as when the server has ended a session and nobody has told the client yet. */
  const alwaysGiven: Store['lock'] = async () => ({ lost: new AbortController().signal, release: async () => {} });

  it('is for one replica at a time: the other learns what became of findings', async () => {
    const one = await comparer();
    const other = await comparer();
    expect([await one.keeper.compareNow(), await other.keeper.compareNow()]).toEqual([true, false]);
    await other.replica.catchUpFindings();
    expect([...other.replica.view().findings.byId.keys()]).toEqual([...one.replica.view().findings.byId.keys()]);
    expect(await told()).toEqual(OPENED);
  });

  it('goes on elsewhere when the replica that did it is gone, though nothing is learned any more', async () => {
    const one = await comparer();
    const other = await comparer();
    expect([await one.keeper.compareNow(), await other.keeper.compareNow()]).toEqual([true, false]);
    await one.keeper.stop();
    await vi.waitFor(() => expect(other.keeper.compares()).toBe(true), 10_000);
    await other.keeper.idle();
    expect(await told()).toEqual(OPENED);
  });

  it('by a replica that lost the lock unnoticed tells nothing a second time', async () => {
    let open = () => {};
    const wait = new Promise<void>((resolve) => (open = resolve));
    const late = await comparer({
      lock: alwaysGiven,
      transaction: async (work) => {
        await wait;
        return kit.store.transaction(work);
      },
    });
    const quick = await comparer({ lock: alwaysGiven });
    const slowly = late.keeper.compareNow();
    expect(await quick.keeper.compareNow()).toBe(true);
    open();
    await slowly;
    await late.keeper.idle();
    expect(await told()).toEqual(OPENED);
    expect(late.failures).toEqual([]);
    expect(late.replica.view().findings.byId).toEqual(quick.replica.view().findings.byId);
  });

  it('whose commit was made and not heard of tells nothing a second time', async () => {
    let isDeaf = true;
    const one = await comparer({
      async transaction(work) {
        const result = await kit.store.transaction(work);
        if (isDeaf) throw new Error('the connection was lost before the answer came');
        return result;
      },
    });
    await one.keeper.compareNow();
    isDeaf = false;
    await one.keeper.compareNow();
    expect(one.failures).toHaveLength(1);
    expect(await told()).toEqual(OPENED);
  });

  it('keeps of what is over when it was last seen: by the reads before those that showed it over, also after a restart', async () => {
    const seen = async (declared: readonly number[], at: number) => {
      const { opened, reads, states } = learnedOf({
        guests: [{ vmid: 7 }],
        declared: { [TABLE]: declared.map((vmid) => ({ vmid })) },
      });
      for (const state of states) {
        const mine = opened.filter(({ source }) => source === state.source && source === `declared:${TABLE}`);
        const writes = mine.map((version) => ({ op: 'put' as const, version }));
        const read = reads.filter(({ source }) => source === state.source);
        await kit.store.transaction((tx) =>
          tx.batches.apply({ writes, reads: read, state: { ...state, lastSuccessAt: at } }),
        );
      }
    };
    const one = await comparer();
    await one.keeper.compareNow();
    await seen([8], THEN + 4_000);
    await one.replica.catchUp();
    await one.keeper.compareNow();
    await one.keeper.stop();
    const other = await comparer();
    await seen([8, 7], THEN + 9_000);
    now = THEN + 9_500;
    await other.replica.catchUp();
    await other.keeper.compareNow();
    const [over] = await kit.store.findings.page({ states: ['RESOLVED'], limit: 5 });
    expect(over).toMatchObject({
      id: 'GUEST_NOT_DECLARED:main/7@1:',
      lastSeenAt: THEN + 4_000,
      resolvedAt: THEN + 9_500,
    });
  });
});
