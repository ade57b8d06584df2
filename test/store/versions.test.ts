import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { canonicalJson } from '../../src/domain/content-hash.js';
import type { OpenedStore } from '../../src/store/open.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { apply, end, put, read, state, T0, version } from './words.js';

describe('versions', () => {
  let kit: TestStore;
  let store: OpenedStore;
  beforeAll(async () => {
    kit = await createTestStore();
    store = kit.store;
  });
  beforeEach(() => kit.empty());
  afterAll(() => kit.close());

  it('give back what was written, to the millisecond', async () => {
    const seq = await apply(store, {
      writes: [put('101', { name: 'web' }, { priorReadAt: T0 - 1 })],
      reads: [read('101', { askedAt: null, state: 'failed', failures: 2, reason: 'agent does not answer' })],
      state: state({ notes: ['VM.Audit is missing on 102'], activityMark: 'UPID:7' }),
    });
    expect(await store.versions.open()).toEqual({
      seq,
      opened: [version('101', { name: 'web' }, { priorReadAt: T0 - 1 })],
      ended: [],
      reads: [read('101', { askedAt: null, state: 'failed', failures: 2, reason: 'agent does not answer' })],
      states: [state({ notes: ['VM.Audit is missing on 102'], activityMark: 'UPID:7' })],
    });
  });

  it('are not begun anew by a put that says the same', async () => {
    const first = await apply(store, { writes: [put('101', { name: 'web' })] });
    await apply(store, { writes: [put('101', { name: 'web' }, { validFrom: T0 + 60_000 })] });
    const delta = await store.versions.since(first);
    expect([delta.opened, delta.ended]).toEqual([[], []]);
    expect((await store.versions.open()).opened).toEqual([version('101', { name: 'web' })]);
  });

  it('end where the next one begins', async () => {
    const first = await apply(store, { writes: [put('101', { name: 'web' })] });
    const second = await apply(store, { writes: [put('101', { name: 'db' }, { validFrom: T0 + 60_000 })] });
    expect(await store.versions.since(first)).toMatchObject({
      seq: second,
      opened: [version('101', { name: 'db' }, { validFrom: T0 + 60_000 })],
      ended: [{ version: version('101', { name: 'web' }), validTo: T0 + 60_000 }],
    });
    expect((await store.versions.since(second)).opened).toEqual([]);
  });

  it('are looked for in one question by whoever knows them all', async () => {
    const seq = await apply(store, { writes: [put('100', 1)] });
    const statements = vi.spyOn(pg.Client.prototype, 'query');
    expect(await store.versions.since(seq)).toEqual({ seq, opened: [], ended: [], reads: [], states: [] });
    expect(await store.findings.changedSince(seq)).toEqual({ seq, findings: [] });
    expect(statements).toHaveBeenCalledTimes(2);
    statements.mockRestore();
  });

  it('never end before they began, though a read asked earlier arrives later', async () => {
    await apply(store, { writes: [put('101', 1)] });
    await apply(store, { writes: [put('101', 2, { validFrom: T0 - 500 })] });
    expect(await store.versions.endedSince(0, 'guest')).toEqual([{ version: version('101', 1), validTo: T0 }]);
  });

  it('may end and begin again in one batch', async () => {
    await apply(store, { writes: [put('pve1', 'up', { kind: 'node', incarnation: 0 })] });
    await apply(store, {
      writes: [
        end('pve1', T0 + 10, { kind: 'node', incarnation: 0 }),
        put('pve1', 'up', { kind: 'node', incarnation: 0, validFrom: T0 + 20 }),
      ],
    });
    expect(await store.versions.asOf(T0 + 15, ['node'])).toEqual([]);
    expect(await store.versions.asOf(T0 + 20, ['node'])).toHaveLength(1);
  });

  it('are written as the JSON that was made of them, if it was', async () => {
    const bodies = [
      { b: 'a\0b\ud800c \\u0000 \u{1f600}\t\n"', a: [1, null, undefined] },
      { a: { d: -0.5, c: true } },
      'x',
    ];
    const plain = bodies.map((body, i) => put(`plain${i}`, body));
    const hashed = bodies.map((body, i) => ({ ...put(`hashed${i}`, body), text: canonicalJson(body) }));
    // Few are inserted, many are copied.
    const many = Array.from({ length: 2_000 }, (_, i) => ({
      ...put(`many${i}`, bodies[0]),
      text: canonicalJson(bodies[0]),
    }));
    await apply(store, { writes: [...plain, ...hashed] });
    await apply(store, { writes: many });
    const { opened } = await store.versions.open();
    const body = (key: string) => opened.find((version) => version.key === key)?.body;
    for (const i of bodies.keys()) expect(body(`hashed${i}`)).toStrictEqual(body(`plain${i}`));
    expect(body('many1999')).toStrictEqual(body('plain0'));
    expect(body('plain1')).toStrictEqual(bodies[1]);
  });

  it('are refused when a batch writes one key twice', async () => {
    await expect(apply(store, { writes: [put('101', 1), put('101', 2)] })).rejects.toThrow(/"101".*twice/);
    expect((await store.versions.open()).opened).toEqual([]);
  });

  it('hold at a moment from their beginning until just before their end', async () => {
    await apply(store, { writes: [put('101', 'a'), put('102', 'x'), put('101', 'other', { cluster: 'edge' })] });
    await apply(store, { writes: [put('101', 'b', { validFrom: T0 + 100 }), end('102', T0 + 200)] });
    const bodies = async (at: number, keys?: string[]) =>
      (await store.versions.asOf(at, ['guest'], { cluster: 'main', ...(keys === undefined ? {} : { keys }) }))
        .map((v) => `${v.key}=${v.body}`)
        .sort();
    expect(await bodies(T0 - 1)).toEqual([]);
    expect(await bodies(T0)).toEqual(['101=a', '102=x']);
    expect(await bodies(T0 + 99)).toEqual(['101=a', '102=x']);
    expect(await bodies(T0 + 100)).toEqual(['101=b', '102=x']);
    expect(await bodies(T0 + 200)).toEqual(['101=b']);
    expect(await bodies(T0 + 100, ['102'])).toEqual(['102=x']);
    expect(await store.versions.asOf(T0, ['node'])).toEqual([]);
    expect(await store.versions.asOf(T0, ['guest', 'node'])).toHaveLength(3);
  });

  it('say who lived under a VMID after the guest is gone', async () => {
    await apply(store, { writes: [put('101', 'row'), put('101', 'identity', { kind: 'guest.identity' })] });
    await apply(store, { writes: [end('101', T0 + 10)] });
    expect((await store.versions.open()).opened.map((v) => v.kind)).toEqual(['guest.identity']);
  });

  it('keep a name that Postgres would refuse, with the refused characters replaced', async () => {
    await apply(store, {
      writes: [put('101', { name: 'a\0b\ud800c \\u0000 \u{1f600}\t\n"' })],
      reads: [read('101', { reason: 'zero\0byte' })],
    });
    const { opened, reads } = await store.versions.open();
    expect(opened[0]?.body).toEqual({ name: 'a\ufffdb\ufffdc \\u0000 \u{1f600}\t\n"' });
    expect(reads[0]?.reason).toBe('zero\ufffdbyte');
  });

  it('take the later word on a part that was read twice in one run', async () => {
    await apply(store, { reads: [read('101', { failures: 1 }), read('101', { failures: 0, askedAt: T0 + 9 })] });
    expect((await store.versions.open()).reads).toEqual([read('101', { failures: 0, askedAt: T0 + 9 })]);
  });

  it('are all rolled back when the work throws', async () => {
    await expect(
      store.transaction(async (tx) => {
        await tx.batches.apply({ writes: [put('101', 1)], reads: [read('101')], state: state() });
        throw new Error('the run was cut short');
      }),
    ).rejects.toThrow('the run was cut short');
    expect(await store.versions.open()).toMatchObject({ opened: [], reads: [], states: [] });
  });
});

describe('a first load of 15,000 guests', () => {
  let kit: TestStore;
  beforeAll(async () => {
    kit = await createTestStore();
  });
  afterAll(() => kit.close());

  const PARTS = ['guest', 'guest.config', 'guest.addresses'] as const;
  const vmids = Array.from({ length: 15_000 }, (_, i) => String(100 + i));
  const body = (vmid: string, name: string) => ({ name, mac: `bc:24:11:00:00:${vmid}`, text: 'tab\tand \\ backslash' });
  const writesOf = (name: string, from: number) =>
    vmids.flatMap((vmid) => PARTS.map((kind) => put(vmid, body(vmid, `${name}-${vmid}`), { kind, validFrom: from })));
  const readsOf = (at: number) =>
    vmids.flatMap((vmid) => (['config', 'addresses'] as const).map((part) => read(vmid, { part, askedAt: at })));

  it('takes as many statements as a load of one, and so does the next full pass', async () => {
    const { store } = kit;
    const statements = vi.spyOn(pg.Client.prototype, 'query');
    const counted = async (work: () => Promise<unknown>): Promise<number> => {
      statements.mockClear();
      await work();
      return statements.mock.calls.length;
    };
    const one = await counted(() => apply(store, { writes: [put('1', 1)], reads: [read('1')] }));
    const first = await counted(() => apply(store, { writes: writesOf('vm', T0), reads: readsOf(T0) }));
    const same = await counted(() => apply(store, { writes: writesOf('vm', T0 + 1), reads: readsOf(T0 + 1) }));
    const changed = await counted(() => apply(store, { writes: writesOf('new', T0 + 2), reads: readsOf(T0 + 2) }));
    statements.mockRestore();
    expect(Math.max(one, first, same, changed)).toBeLessThanOrEqual(12);

    const open = await store.versions.open();
    expect(open.opened).toHaveLength(45_001);
    expect(open.reads).toHaveLength(30_001);
    expect(open.opened.find((v) => v.key === '700')?.body).toEqual(body('700', 'new-700'));
    expect(await store.versions.asOf(T0 + 1, ['guest'], { keys: ['700'] })).toEqual([
      version('700', body('700', 'vm-700')),
    ]);
  });
});
