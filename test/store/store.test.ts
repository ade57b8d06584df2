import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OpenedStore } from '../../src/store/open.js';
import type { ApiKeyRow, NewLogEvent } from '../../src/store/store.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { apply, finding, put, run, state, step, T0 } from './words.js';

let kit: TestStore;
let store: OpenedStore;
beforeAll(async () => {
  kit = await createTestStore();
  store = kit.store;
});
beforeEach(() => kit.empty());
afterAll(() => kit.close());

const event = (topic: string, n: number, at = T0 + n): NewLogEvent => ({
  topic,
  at,
  subject: { kind: 'GUEST', id: `main/${n}@1` },
  payload: { n },
});

const append = (...events: readonly NewLogEvent[]): Promise<readonly bigint[]> =>
  store.transaction((tx) => tx.events.append(events));

describe('time', () => {
  it('is the same for all that one transaction writes, and never goes back', async () => {
    const times = [await store.now()];
    for (let i = 0; i < 5; i++) times.push(await store.transaction(async (tx) => tx.now));
    times.push(await store.now());
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.every(Number.isInteger)).toBe(true);
  });

  it('does not go back when the server clock does', async () => {
    const ahead = (await store.now()) + 3_600_000;
    await onServer(`UPDATE write_head SET at = '${new Date(ahead).toISOString()}'`);
    expect(await store.now()).toBe(ahead);
    expect(await store.transaction(async (tx) => tx.now)).toBe(ahead);
  });
});

describe('runs', () => {
  it('are found by source, the latest first', async () => {
    await store.transaction((tx) => tx.runs.add(run('a', { finishedAt: T0 + 9_000 })));
    await store.transaction((tx) => tx.runs.add(run('b', { outcome: 'UNREACHABLE', reason: 'no route' })));
    await store.transaction((tx) => tx.runs.add(run('c', { source: 'declared:ip-addresses.conf' })));
    expect(await store.runs.latest('proxmox:main')).toEqual(run('b', { outcome: 'UNREACHABLE', reason: 'no route' }));
    expect(await store.runs.latest('proxmox:edge')).toBeUndefined();
    expect([...(await store.runs.latestBySource()).values()].map((r) => r.id).sort()).toEqual(['b', 'c']);
  });

  it('of the simulated estate and of files are not real ones', async () => {
    await store.transaction((tx) => tx.runs.add(run('a', { source: 'proxmox:sim-main' })));
    await apply(store, { state: state({ source: 'declared:ip-addresses.conf', kind: 'declared', cluster: '' }) });
    await apply(store, { state: state({ outcome: 'UNREACHABLE' }) });
    expect(await store.runs.everReal()).toBe(false);
    await apply(store, { state: state() });
    expect(await store.runs.everReal()).toBe(true);
  });

  it('once real stay so after they are pruned', async () => {
    await store.transaction((tx) => tx.runs.add(run('a')));
    await onServer('DELETE FROM runs');
    expect(await store.runs.everReal()).toBe(true);
  });
});

describe('the event log', () => {
  it('gives what is wanted after a cursor, oldest first', async () => {
    const cursors = await append(event('drift.detected', 1), event('guest.moved', 2), event('drift.resolved', 3));
    expect(cursors).toEqual([1n, 2n, 3n]);
    expect(await store.events.after(0n, ['drift.detected', 'drift.resolved'], 10)).toEqual([
      { ...event('drift.detected', 1), cursor: 1n },
      { ...event('drift.resolved', 3), cursor: 3n },
    ]);
    expect((await store.events.after(1n, ['drift.detected', 'guest.moved'], 1)).map((e) => e.cursor)).toEqual([2n]);
    expect(await store.events.after(0n, [], 10)).toEqual([]);
    expect(await store.events.bounds()).toEqual({ last: 3n, resumableAfter: 0n });
  });

  it('leaves no hole where a transaction was rolled back', async () => {
    await append(event('guest.moved', 1));
    await store
      .transaction(async (tx) => {
        await tx.events.append([event('guest.moved', 2)]);
        throw new Error('no');
      })
      .catch(() => undefined);
    expect(await append(event('guest.moved', 3))).toEqual([2n]);
  });

  it('loses only its beginning when pruned, and says from where one may go on', async () => {
    // The third is old but stands behind a young one: it stays.
    await append(event('a', 1), event('a', 500), event('a', 2), event('a', 600));
    expect(await store.events.prune(T0 + 100)).toBe(1);
    expect(await store.events.bounds()).toEqual({ last: 4n, resumableAfter: 1n });
    expect(await store.events.prune(T0 + 9_999)).toBe(3);
    expect(await store.events.bounds()).toEqual({ last: 4n, resumableAfter: 4n });
    expect(await store.events.prune(T0 + 9_999)).toBe(0);
    expect(await append(event('a', 5))).toEqual([5n]);
  });

  it('is pruned in turns of bounded length', async () => {
    await append(...Array.from({ length: 12_000 }, (_, n) => event('a', n, T0)));
    expect(await store.events.prune(T0 + 1)).toBe(12_000);
    expect(await store.events.bounds()).toEqual({ last: 12_000n, resumableAfter: 12_000n });
  });
});

describe('findings', () => {
  const save = (...findings: ReturnType<typeof finding>[]): Promise<void> =>
    store.transaction((tx) =>
      tx.findings.save(
        findings,
        findings.map((f) => step(f)),
      ),
    );

  it('come back as they were saved, with their history in order', async () => {
    const opened = finding('main/101@1');
    const resolved = { ...opened, state: 'RESOLVED', resolvedAt: T0 + 50, observed: null } as const;
    await store.transaction(async (tx) => {
      const [cursor = null] = await tx.events.append([event('drift.detected', 1)]);
      await tx.findings.save([opened], [step(opened, { actor: 'anna' })]);
      await tx.findings.save([resolved], [{ ...step(resolved, { type: 'RESOLVED', at: T0 + 50 }), cursor }]);
    });
    expect((await store.findings.byIds([opened.id, 'unknown'])).get(opened.id)).toEqual(resolved);
    expect(await store.findings.living()).toEqual([]);
    expect(await store.findings.history([opened.id, 'unknown'])).toEqual(
      new Map([
        [
          opened.id,
          [step(opened, { actor: 'anna' }), { ...step(resolved, { type: 'RESOLVED', at: T0 + 50 }), cursor: 1n }],
        ],
        ['unknown', []],
      ]),
    );
  });

  it('are paged newest first without a gap or a repeat, ties by id', async () => {
    const all = Array.from({ length: 7 }, (_, i) => finding(`main/10${i}@1`, { firstSeenAt: T0 + Math.floor(i / 3) }));
    await save(...all);
    const expected = [...all].sort((a, b) => b.firstSeenAt - a.firstSeenAt || (a.id < b.id ? 1 : -1)).map((f) => f.id);
    const seen: string[] = [];
    let after: { firstSeenAt: number; id: string } | undefined;
    for (;;) {
      const page = await store.findings.page({ limit: 2, ...(after === undefined ? {} : { after }) });
      seen.push(...page.map((f) => f.id));
      after = page.at(-1);
      if (page.length < 2) break;
    }
    expect(seen).toEqual(expected);
    expect(await store.findings.count({ limit: 0 })).toBe(7);
  });

  it.each([
    ['state', { states: ['IGNORED'] }, ['main/102@1']],
    ['kind', { kinds: ['DUPLICATE_MAC'] }, ['main/bc:24:11:00:00:01']],
    ['severity', { severities: ['CRITICAL', 'WARNING'] }, ['main/102@1']],
    ['category', { categories: ['NETWORK'] }, ['main/bc:24:11:00:00:01']],
    ['cluster, by its guests', { cluster: 'edge' }, ['main/bc:24:11:00:00:01']],
    ['cluster that is only named', { cluster: 'lab' }, ['*/103']],
    ['VMID, by its guests or its subject', { vmid: 103 }, ['*/103', 'main/bc:24:11:00:00:01']],
    ['VMID in a cluster', { vmid: 103, cluster: 'edge' }, ['main/bc:24:11:00:00:01']],
    ['VMID of another cluster', { vmid: 102, cluster: 'edge' }, []],
    ['beginning', { since: T0 + 1 }, ['*/103']],
  ])('are filtered by %s', async (_, query, expected) => {
    const mac = { kind: 'DUPLICATE_MAC', subject: { kind: 'MAC', id: 'main/bc:24:11:00:00:01' }, field: '' } as const;
    const missing = { kind: 'GUEST_MISSING', subject: { kind: 'GUEST', id: '*/103' }, field: '' } as const;
    await save(
      finding('main/101@1'),
      finding('main/102@1', { state: 'IGNORED', severity: 'CRITICAL' }),
      finding('', { identity: mac, category: 'NETWORK', guests: ['main/101@1', 'edge/103@2'] }),
      finding('', { identity: missing, guests: [], clusters: ['lab'], firstSeenAt: T0 + 1 }),
    );
    const page = await store.findings.page({ ...query, limit: 10 });
    expect(page.map((f) => f.identity.subject.id).sort()).toEqual(expected);
    expect(await store.findings.count({ ...query, limit: 1 })).toBe(expected.length);
  });
});

describe('API keys', () => {
  const key: ApiKeyRow = {
    id: 'k1',
    prefix: 'sk_abc',
    hash: 'ff00',
    name: 'portal',
    person: 'anna',
    roles: ['viewer'],
    tenants: null,
    createdAt: T0,
    createdBy: 'bootstrap',
    expiresAt: T0 + 1_000,
    revokedAt: null,
  };

  it('are found by prefix and stay listed when revoked', async () => {
    expect(await store.transaction((tx) => tx.apiKeys.any())).toBe(false);
    await store.transaction((tx) => tx.apiKeys.add(key));
    await store.transaction((tx) => tx.apiKeys.add({ ...key, id: 'k2', prefix: 'sk_def', tenants: ['acme'] }));
    expect(await store.transaction((tx) => tx.apiKeys.any())).toBe(true);
    expect(await store.apiKeys.byPrefix('sk_abc')).toEqual(key);
    expect(await store.apiKeys.byPrefix('sk_xyz')).toBeUndefined();
    expect(await store.transaction((tx) => tx.apiKeys.revoke('k1', T0 + 5))).toEqual({ ...key, revokedAt: T0 + 5 });
    // Revoking twice does not move the moment.
    expect(await store.transaction((tx) => tx.apiKeys.revoke('k1', T0 + 9))).toEqual({ ...key, revokedAt: T0 + 5 });
    expect(await store.transaction((tx) => tx.apiKeys.revoke('k9', T0))).toBeUndefined();
    expect((await store.apiKeys.all()).map((k) => [k.id, k.tenants])).toEqual([
      ['k1', null],
      ['k2', ['acme']],
    ]);
  });
});

describe('small things', () => {
  it('the latest comparison is the one of the highest sequence number', async () => {
    expect(await store.comparisons.latest()).toBeUndefined();
    await store.transaction((tx) => tx.comparisons.record({ seq: 7n, at: T0 }));
    await store.transaction((tx) => tx.comparisons.record({ seq: 5n, at: T0 + 9 }));
    expect(await store.comparisons.latest()).toEqual({ seq: 7n, at: T0 });
    expect(await store.transaction((tx) => tx.comparisons.latest())).toEqual({ seq: 7n, at: T0 });
  });

  it('marks are put, put again and read', async () => {
    await store.transaction((tx) => tx.marks.put('contract', 'v1'));
    await store.transaction((tx) => tx.marks.put('contract', 'v2'));
    expect(await store.transaction((tx) => tx.marks.get('contract'))).toBe('v2');
    expect(await store.transaction((tx) => tx.marks.get('nothing'))).toBeUndefined();
  });

  it('asking for a part twice is asking once, until it is cleared', async () => {
    const parts = [
      { part: 'config', key: '101' },
      { part: 'vmid', key: '205' },
    ];
    await store.transaction((tx) => tx.asks.add('proxmox:main', parts));
    await store.transaction((tx) => tx.asks.add('proxmox:main', parts.slice(1)));
    expect(await store.asks.open('proxmox:main')).toEqual(parts);
    expect(await store.asks.open('proxmox:edge')).toEqual([]);
    await store.transaction((tx) => tx.asks.clear('proxmox:main', parts.slice(0, 1)));
    expect(await store.asks.open('proxmox:main')).toEqual(parts.slice(1));
  });

  it('what a demo collected is forgotten, and readers of its events are told', async () => {
    const sim = state({ source: 'proxmox:sim-main', cluster: 'sim-main' });
    await apply(store, { writes: [put('101', 1, { source: sim.source, cluster: sim.cluster })], state: sim });
    await store.transaction((tx) => tx.findings.save([finding('sim-main/101@1')], [step(finding('sim-main/101@1'))]));
    await append(event('a', 1), event('a', 2));
    await store.forgetCollected();
    expect(await store.versions.open()).toMatchObject({ opened: [], reads: [], states: [] });
    expect(await store.findings.living()).toEqual([]);
    expect(await store.events.bounds()).toEqual({ last: 2n, resumableAfter: 2n });
  });

  it('the policy outlives the demo in which it was read', async () => {
    const source = 'policy:policy.yaml';
    const named = { source, cluster: '', kind: 'policy' as const, incarnation: 0 };
    await apply(store, {
      writes: [put('policy.yaml', { text: '# all defaults', contentHash: 'abc' }, named)],
      state: state({ source, kind: 'policy', cluster: '' }),
    });
    expect(await store.runs.everReal()).toBe(false);
    await store.forgetCollected();
    const { opened, states } = await store.versions.open();
    expect(opened.map(({ body }) => body)).toEqual([{ text: '# all defaults', contentHash: 'abc' }]);
    expect(states.map((known) => known.source)).toEqual([source]);
  });

  it('what was collected from a real estate is not forgotten', async () => {
    await apply(store, { writes: [put('101', 1)] });
    await store.forgetCollected();
    expect((await store.versions.open()).opened).toHaveLength(1);
  });

  it('a statement that failed and was not looked at does not pass for a commit', async () => {
    await store.transaction((tx) => tx.runs.add(run('a')));
    await expect(
      store.transaction(async (tx) => {
        await tx.runs.add(run('a')).catch(() => undefined);
      }),
    ).rejects.toThrow();
  });

  it('ping answers, and gives up when told to', async () => {
    await store.ping();
    await expect(store.ping(AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
  });
});

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: kit.url });
  await client.connect();
  await client.query(statement);
  await client.end();
}
