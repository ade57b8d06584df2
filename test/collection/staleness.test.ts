import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Staleness } from '../../src/collection/staleness.js';
import { MINUTE } from '../../src/domain/time.js';
import { neverCollected, type SourceState } from '../../src/domain/version.js';
import { openReplica } from '../../src/inventory/replica.js';
import { type OpenedStore, openStore } from '../../src/store/open.js';
import { createTestDatabase, type TestDatabase } from '../testkit/postgres.js';
import { SETTINGS } from '../testkit/view.js';

const NPM = { source: 'npm:edge-proxy', kind: 'npm' as const, cluster: '' };
const FILE = { source: 'declared:ip-addresses.conf', kind: 'declared' as const, cluster: '' };
const HOUR = 60 * MINUTE;

describe('a source that falls silent', () => {
  let database: TestDatabase;
  let store: OpenedStore;
  let now = 1_800_000_000_000;

  beforeEach(async () => {
    database = await createTestDatabase();
    store = await openStore({ url: database.url, maxConnections: 3 });
  });
  afterEach(async () => {
    await store.close();
    await database.drop();
  });

  const apply = (state: SourceState) =>
    store.transaction((tx) => tx.batches.apply({ writes: [], reads: [], state })).then(() => undefined);
  const succeeded = (named: typeof NPM | typeof FILE, at: number): SourceState => ({
    ...{ ...neverCollected(named), outcome: 'OBSERVED' },
    ...{ firstSuccessAt: at, lastSuccessAt: at },
  });
  async function look(contract = SETTINGS.contract): Promise<void> {
    const replica = await openReplica(store, { ...SETTINGS, contract });
    await new Staleness({ store, view: () => replica.view(), now: () => now }).look();
  }
  async function told() {
    const events = await store.events.after(0n, ['collector.stale', 'collector.recovered'], 100);
    return events.map(({ topic, at, payload }) => ({ topic, at, payload }));
  }

  it('is told once, by whichever replica looks, and once more when it speaks again', async () => {
    const start = now;
    await apply(succeeded(NPM, start));
    await look();
    expect(await told()).toEqual([]);

    // Its contract allows two hours, twice its interval.
    now = start + 2 * HOUR + 1;
    await Promise.all([look(), look()]);
    await look();
    const silent = { source: 'npm:edge-proxy', collector: 'npm', lastSuccessAt: start, reason: null };
    expect(await told()).toEqual([{ topic: 'collector.stale', at: now, payload: silent }]);

    const back = now + MINUTE;
    await apply(succeeded(NPM, back));
    now = back + 1;
    await look();
    await look();
    expect((await told()).slice(1)).toEqual([
      { topic: 'collector.recovered', at: now, payload: { ...silent, lastSuccessAt: back } },
    ]);
  });

  it('is not told, nor that it is back, where the contract says that its word is left out while it fails', async () => {
    const { contract } = SETTINGS;
    const collectors = { ...contract.collectors, npm: { ...contract.collectors.npm, onFailure: 'omit' as const } };
    const start = now;
    await apply(succeeded(NPM, start));
    now = start + 2 * HOUR + 1;
    await look({ ...contract, collectors });
    await apply(succeeded(NPM, now));
    await look({ ...contract, collectors });
    expect(await told()).toEqual([]);
  });

  it('is not told of a source that never answered, nor of a file, which is watched', async () => {
    await apply({ ...neverCollected(NPM), outcome: 'UNREACHABLE', reason: 'refused', lastAttemptAt: now });
    await apply(succeeded(FILE, now));
    now += 400 * 24 * HOUR;
    await look();
    expect(await told()).toEqual([]);
  });
});
