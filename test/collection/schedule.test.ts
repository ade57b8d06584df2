import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Collection, collection } from '../../src/collection/collection.js';
import { policyCollector } from '../../src/collection/policy.js';
import type { CollectedSource, RunRequest, RunResult } from '../../src/collection/source.js';
import type { Batch } from '../../src/domain/version.js';
import { neverCollected } from '../../src/domain/version.js';
import { openReplica, type Replica } from '../../src/inventory/replica.js';
import { type OpenedStore, openStore } from '../../src/store/open.js';
import { createTestDatabase, type TestDatabase } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';
import { learnedOf, SETTINGS } from '../testkit/view.js';

const NAMED = { source: 'proxmox:main', kind: 'proxmox' as const, cluster: 'main' };
const REACHED = { ...neverCollected(NAMED), outcome: 'OBSERVED' as const, firstSuccessAt: 1, lastSuccessAt: 1 };
const FAILED = { ...neverCollected(NAMED), outcome: 'UNREACHABLE' as const, reason: 'nobody answers' };

interface House {
  readonly store: OpenedStore;
  readonly replica: Replica;
  readonly collection: Collection;
  readonly failures: unknown[];
  readonly elsewhere: string[];
}

describe('sources', () => {
  let database: TestDatabase;
  const houses: House[] = [];
  const stops: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
    for (const { store } of houses.splice(0)) await store.close();
    await database.drop();
  });

  /** One replica's collection over the common database. `gate` comes before every lock it asks for. */
  async function house(gate: () => Promise<void> = async () => {}): Promise<House> {
    const store = await openStore({ url: database.url, maxConnections: 3 });
    const replica = await openReplica(store, SETTINGS);
    const failures: unknown[] = [];
    const elsewhere: string[] = [];
    const unlisten = await store.listen(
      (channel, payload) => {
        if (channel === 'asks') opened.collection.wake(payload);
      },
      () => {},
    );
    stops.push(unlisten);
    const opened: House = {
      store,
      replica,
      failures,
      elsewhere,
      collection: collection({
        store: {
          ...store,
          lock: async (name) => {
            await gate();
            return store.lock(name);
          },
        },
        view: () => replica.view(),
        catchUp: () => replica.catchUp(),
        learnOwn: (...own) => replica.learnOwn(...own),
        now: Date.now,
        measured: () => {},
        heldElsewhere: (source) => elsewhere.push(source),
        failed: (_source, error) => failures.push(error),
      }),
    };
    houses.push(opened);
    return opened;
  }

  function source(run: (request: RunRequest, signal: AbortSignal) => Promise<Batch>): CollectedSource {
    return {
      ...NAMED,
      collector: 'proxmox_guest_ipam',
      atStart: true,
      intervalMs: () => 3_600_000,
      async run(request, signal): Promise<RunResult> {
        const batch = await run(request, signal);
        return { batch, events: [], requests: 1, coverage: { rows: 0, parts: 0, failed: 0 } };
      },
      async close() {},
    };
  }
  const reached = () => source(async () => ({ writes: [], reads: [], state: REACHED }));
  const start = (of: House) => {
    const stop = of.collection.start();
    stops.unshift(stop);
    return stop;
  };
  const never = AbortSignal.timeout(60_000);

  it('let go while their lock is asked for leave it to others', async () => {
    let open = () => {};
    let wait: Promise<void> = Promise.resolve();
    const one = await house(() => wait);
    const other = await house();
    await one.collection.configure([reached()]);
    wait = new Promise((resolve) => (open = resolve));
    start(one);
    const gone = one.collection.configure([]);
    open();
    await gone;
    const lock = await other.store.lock('source:proxmox:main');
    expect(lock).toBeDefined();
  });

  it('that are services are run for what is asked of them, and not once more where that was answered meanwhile', async () => {
    const named = { source: 'npm:edge-proxy', kind: 'npm' as const, cluster: '' };
    const runs: unknown[] = [];
    const service: CollectedSource = {
      ...{ ...named, collector: 'npm', atStart: false, intervalMs: () => 7 * 86_400_000 },
      async run({ mode, asked }): Promise<RunResult> {
        runs.push([mode, asked]);
        const good = { ...neverCollected(named), outcome: 'OBSERVED' as const };
        const state = { ...good, firstSuccessAt: Date.now(), lastSuccessAt: Date.now() };
        const coverage = { rows: 0, parts: 0, failed: 0 };
        return { batch: { writes: [], reads: [], state }, events: [], requests: 1, coverage };
      },
      async close() {},
    };
    const one = await house();
    await one.collection.configure([service]);
    start(one);
    await expect.poll(() => runs, { timeout: 10_000 }).toEqual([['FULL', []]]);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await one.store.transaction((tx) => tx.asks.add('npm:edge-proxy', [{ part: 'vm', key: 'main/7' }]));
    await expect.poll(() => runs.length, { timeout: 10_000 }).toBe(2);
    expect(runs[1]).toEqual(['POLL', [{ part: 'vm', key: 'main/7' }]]);
    // The word that somebody asks comes again, and late.
    one.collection.wake('npm:edge-proxy');
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(runs).toHaveLength(2);
    await one.store.transaction((tx) => tx.asks.add('npm:edge-proxy', [{ part: 'all', key: '' }]));
    await expect.poll(() => runs.length, { timeout: 10_000 }).toBe(3);
    expect(runs[2]).toEqual(['FULL', []]);
  });

  it('that are due once a week are not read again by a restart', async () => {
    const named = { source: 'npm:edge-proxy', kind: 'npm' as const, cluster: '' };
    const modes: string[] = [];
    const weekly = (lastSuccessAt: number | null): CollectedSource => ({
      ...{ ...named, collector: 'npm', atStart: false, intervalMs: () => 7 * 86_400_000 },
      async run({ mode }): Promise<RunResult> {
        modes.push(mode);
        const good = { ...neverCollected(named), outcome: 'OBSERVED' as const };
        const state = { ...good, firstSuccessAt: lastSuccessAt, lastSuccessAt: lastSuccessAt ?? Date.now() };
        const coverage = { rows: 0, parts: 0, failed: 0 };
        return { batch: { writes: [], reads: [], state }, events: [], requests: 1, coverage };
      },
      async close() {},
    });
    const first = await house();
    await first.collection.configure([weekly(null)]);
    const stop = start(first);
    await vi.waitFor(() => expect(modes).toEqual(['FULL']), 10_000);
    stops.splice(stops.indexOf(stop), 1);
    await stop();
    // The next process, and a source whose last success is a week ago: that one is read, the other is not.
    const next = await house();
    const old = { ...named, source: 'npm:old' };
    const eightDays = Date.now() - 8 * 86_400_000;
    const state = { ...neverCollected(old), outcome: 'OBSERVED' as const, firstSuccessAt: eightDays };
    await next.store.transaction((tx) =>
      tx.batches.apply({ writes: [], reads: [], state: { ...state, lastSuccessAt: eightDays } }),
    );
    await next.replica.catchUp();
    const read: string[] = [];
    await next.collection.configure([
      weekly(null),
      {
        ...weekly(null),
        source: 'npm:old',
        async run(): Promise<RunResult> {
          read.push('npm:old');
          const batch: Batch = { writes: [], reads: [], state: { ...state, lastSuccessAt: Date.now() } };
          return { batch, events: [], requests: 1, coverage: { rows: 0, parts: 0, failed: 0 } };
        },
      },
    ]);
    start(next);
    await vi.waitFor(() => expect(read).toEqual(['npm:old']), 10_000);
    expect(modes).toEqual(['FULL']);
  });

  it('are run once for all who want them while the lock is asked for', async () => {
    let runs = 0;
    const one = await house();
    await one.collection.configure([
      source(async () => {
        runs += 1;
        return { writes: [], reads: [], state: REACHED };
      }),
    ]);
    const [first, second] = await Promise.all([
      one.collection.collectNow(['proxmox:main'], never),
      one.collection.collectNow(['proxmox:main'], never),
    ]);
    expect([runs, one.elsewhere]).toEqual([1, []]);
    expect(first).toEqual(second);
  });

  it('leave nothing waiting once whoever wanted them was answered', async () => {
    const one = await house();
    await one.collection.configure([source(async () => ({ writes: [], reads: [], state: REACHED }))]);
    const asker = new AbortController();
    await one.collection.run(caller(), { waitSeconds: 60 }, asker.signal);
    expect(getEventListeners(asker.signal, 'abort')).toEqual([]);
  });

  it('that another replica holds are read by that one when somebody wants them now', async () => {
    const one = await house();
    const other = await house();
    const asked: string[] = [];
    await one.collection.configure([
      source(async ({ mode }) => {
        asked.push(mode);
        return { writes: [], reads: [], state: REACHED };
      }),
    ]);
    start(one);
    await one.collection.collectNow(['proxmox:main'], never);
    await other.collection.configure([source(() => Promise.reject(new Error('it is not ours')))]);
    const runs = await other.collection.run(caller(), { waitSeconds: 20 }, never);
    expect(runs).toMatchObject([{ source: 'proxmox:main', state: 'FINISHED', outcome: 'OBSERVED' }]);
    expect(await one.store.asks.open('proxmox:main')).toEqual([]);
  });

  it('that somebody wanted from a replica that went away in mid-run are read by the one that is left', async () => {
    const one = await house();
    const other = await house();
    // Not due for an hour, as a service is not for a week.
    const young = { ...REACHED, lastSuccessAt: Date.now() };
    let begun = () => {};
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    let isSlow = false;
    const slow = source((_request, signal) => {
      if (!isSlow) return Promise.resolve({ writes: [], reads: [], state: young });
      begun();
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    });
    await one.collection.configure([slow]);
    const leave = start(one);
    await one.collection.collectNow(['proxmox:main'], never);
    await other.replica.catchUp();
    await other.collection.configure([source(async () => ({ writes: [], reads: [], state: young }))]);
    start(other);
    await vi.waitFor(() => expect(other.elsewhere).not.toEqual([]));
    isSlow = true;
    const refused = other.elsewhere.length;
    const runs = other.collection.run(caller(), { waitSeconds: 20 }, never);
    await hasBegun;
    // Once as it was asked, and once as it heard, like everybody, that a pass is wanted.
    await vi.waitFor(() => expect(other.elsewhere.length).toBeGreaterThanOrEqual(refused + 2), 10_000);
    await leave();
    expect(await runs).toMatchObject([{ source: 'proxmox:main', state: 'FINISHED', outcome: 'OBSERVED' }]);
    expect(await other.store.asks.open('proxmox:main')).toEqual([]);
  });

  it('that are watched are looked at by another replica soon after the one that watched them went away', async () => {
    const [one, other] = [await house(), await house()];
    const looks: string[] = [];
    const file = (who: string) =>
      policyCollector({
        now: Date.now,
        async look() {
          looks.push(who);
          return { kind: 'absent' };
        },
      });
    await one.collection.configure([file('one')]);
    const leave = start(one);
    await vi.waitFor(() => expect(looks).toEqual(['one']));
    await other.collection.configure([file('other')]);
    start(other);
    // It asks again by itself: nobody tells it that the lock is free.
    await vi.waitFor(() => expect(other.elsewhere.length).toBeGreaterThan(1), 10_000);
    expect(looks).not.toContain('other');
    await leave();
    await vi.waitFor(() => expect(looks).toContain('other'), 10_000);
  }, 30_000);

  it('that were read by another replica in the end are retired with all that it saw', async () => {
    const one = await house();
    const other = await house();
    await one.collection.configure([reached()]);
    await one.collection.collectNow(['proxmox:main'], never);
    await one.collection.configure([]);
    const { opened, reads } = learnedOf({ guests: [{ vmid: 7 }] });
    const writes = opened.filter(({ kind }) => kind === 'guest').map((version) => ({ op: 'put' as const, version }));
    await other.store.transaction((tx) => tx.batches.apply({ writes, reads, state: REACHED }));
    expect(one.replica.view().guests.size).toBe(0);
    expect(await one.collection.retire(['proxmox:main'])).toEqual([]);
    const left = (await one.store.versions.open()).opened.filter(({ kind }) => kind !== 'guest.identity');
    expect(left).toEqual([]);
  });

  it('that another replica collects are not retired under its hands', async () => {
    const one = await house();
    const other = await house();
    await other.collection.configure([reached()]);
    await other.collection.collectNow(['proxmox:main'], never);
    await one.replica.catchUp();
    expect(await one.collection.retire(['proxmox:main'])).toEqual(['proxmox:main']);
    await other.collection.configure([]);
    expect(await one.collection.retire(['proxmox:main'])).toEqual([]);
  });

  it('are not introduced anew over what another replica has seen of them', async () => {
    const one = await house();
    const other = await house();
    await one.collection.configure([reached()]);
    await one.collection.collectNow(['proxmox:main'], never);
    expect(other.replica.view().clusters.size).toBe(0);
    await other.collection.configure([reached()]);
    const { states } = await other.store.versions.open();
    expect(states).toMatchObject([{ source: 'proxmox:main', outcome: 'OBSERVED' }]);
  });

  it('that nobody reaches answer whoever asked for a pass, and are no news each time', async () => {
    const one = await house();
    await one.collection.configure([source(async () => ({ writes: [], reads: [], state: FAILED }))]);
    start(one);
    await one.store.transaction((tx) => tx.asks.add('proxmox:main', [{ part: 'all', key: '' }]));
    await expect.poll(() => one.store.asks.open('proxmox:main'), { timeout: 10_000 }).toEqual([]);
    const kept = async () => (await one.store.events.after(0n, ['collection.finished'], 50)).length;
    const before = await kept();
    for (let i = 0; i < 2; i++) await wokenAgain(one);
    expect(await kept()).toBe(before);
  });

  it('whose run breaks off tell its end to whoever follows it, and are run again', async () => {
    const one = await house();
    let broken = true;
    await one.collection.configure([
      source(async () => {
        if (broken) throw new Error('a defect');
        return { writes: [], reads: [], state: REACHED };
      }),
    ]);
    const [run] = await one.collection.run(caller(), {}, never);
    expect(run).toMatchObject({ state: 'FINISHED', outcome: null, reason: expect.stringContaining('broke off') });
    expect(one.failures).toHaveLength(1);
    broken = false;
    const [again] = await one.collection.run(caller(), {}, never);
    expect(again).toMatchObject({ state: 'FINISHED', outcome: 'OBSERVED' });
  });

  /** Wakes the source, and waits for the end of a run that began after that. */
  async function wokenAgain({ collection: it, store }: House): Promise<void> {
    const before = (await store.versions.open()).seq;
    it.wake('proxmox:main');
    await expect.poll(async () => (await store.versions.open()).seq > before, { timeout: 10_000 }).toBe(true);
  }
});
