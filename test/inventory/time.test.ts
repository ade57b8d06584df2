import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.js';
import type { Version, VersionWrite } from '../../src/domain/version.js';
import type { ChangeRecord, ChangesFilter } from '../../src/inventory/changes.js';
import type { RunRecord } from '../../src/store/store.js';
import { inventoryOver } from '../testkit/inventory.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';
import { type AView, aFinding, aView, learnedOf, THEN } from '../testkit/view.js';

const admin = caller();
const stranger = caller(['sankofa-it-admin'], { tenants: ['elsewhere'] });
let kit: TestStore;
beforeEach(async () => {
  kit = await createTestStore();
});
afterEach(() => kit.close());

const idOf = ({ source, cluster, kind, key, incarnation }: Version) =>
  [source, cluster, kind, key, incarnation].join(' ');

/** The estate is seen to be so from `at` on: what it no longer has ends, what differs begins. */
function estate() {
  let before = new Map<string, Version>();
  return async (what: AView, at: number, prior: number | null): Promise<void> => {
    const { opened, reads, states } = learnedOf(what);
    const now = new Map(opened.map((version) => [idOf(version), version]));
    const writes: VersionWrite[] = [...before.values()]
      .filter((version) => !now.has(idOf(version)))
      .map((version) => ({ op: 'end', key: version, validTo: at }));
    for (const version of opened) {
      const hash = JSON.stringify(version.body);
      writes.push({ op: 'put', version: { ...version, hash, validFrom: at, priorReadAt: prior } });
    }
    before = now;
    const [state] = states;
    if (state === undefined) throw new Error('no state');
    await kit.store.transaction((tx) => tx.batches.apply({ writes, reads, state }));
  };
}

const nodes = ['pve0', 'pve1', 'pve2'].map((name) => ({ name }));

const told = ({ kind, subject, field, from, to }: ChangeRecord) =>
  [kind, subject.kind, subject.id, field, from, to].map((part) => part ?? '-').join(' · ');

describe('what changed between two moments', () => {
  const changes = async (from: number, to: number, filter?: ChangesFilter) => {
    const inventory = inventoryOver(aView({}), { store: kit.store, now: THEN + DAY });
    return (await inventory.inventoryChanges(admin, { from, to, filter })).items.map(told);
  };

  it('is told newest first, one line for each field, and nothing of the first look', async () => {
    const see = estate();
    const web = { vmid: 7, name: 'web', agent: ['10.0.0.7'] };
    await see({ nodes, guests: [web, { vmid: 8 }] }, THEN, null);
    await see({ nodes, guests: [{ ...web, name: 'www', node: 'pve2', agent: ['10.0.0.9'] }] }, THEN + HOUR, THEN);
    await see(
      {
        guests: [
          { ...web, status: 'STOPPED' },
          { vmid: 9, name: 'new' },
        ],
      },
      THEN + 2 * HOUR,
      THEN + HOUR,
    );
    expect(await changes(THEN - 1, THEN)).toEqual([]);
    expect((await changes(THEN, THEN + HOUR)).sort()).toEqual([
      'ADDRESSES_CHANGED · GUEST · main/7@1 · addresses · 10.0.0.7 · 10.0.0.9',
      'MOVED · GUEST · main/7@1 · node · pve1 · pve2',
      'REMOVED · GUEST · main/8@1 · - · guest-8 · -',
      'RENAMED · GUEST · main/7@1 · name · web · www',
    ]);
    const later = await changes(THEN + HOUR, THEN + 2 * HOUR);
    expect(later).toContain('CREATED · GUEST · main/9@1 · - · - · new');
    expect(later).toContain('POWER_CHANGED · GUEST · main/7@1 · status · RUNNING · STOPPED');
    expect(await changes(THEN, THEN + 2 * HOUR)).toHaveLength(4 + later.length);
    expect(await changes(THEN, THEN + 9 * HOUR, { vmid: 9 })).toEqual(['CREATED · GUEST · main/9@1 · - · - · new']);
    expect(await changes(THEN, THEN + 9 * HOUR, { kinds: ['MOVED'] })).toHaveLength(2);
    expect(await changes(THEN, THEN + 9 * HOUR, { cluster: 'edge' })).toEqual([]);
    expect(await changes(THEN, THEN + 9 * HOUR, { subjects: ['CERTIFICATE'] })).toEqual([]);
  });

  it('is a declaration edited in one field, wherever its line moved to', async () => {
    const see = estate();
    const table = (name: string) => ({
      declared: { 'ALL_VMIDS_ENDPOINTS.md': [{ vmid: 7, name }] },
      guests: [{ vmid: 1 }],
    });
    await see(table('web'), THEN, null);
    await see(table('www'), THEN + HOUR, THEN);
    const [only, ...others] = await changes(THEN, THEN + HOUR);
    expect(others).toEqual([]);
    expect(only).toMatch(/^EDITED · DECLARATION · ALL_VMIDS_ENDPOINTS.md\/.* · name · web · www$/);
  });

  it('is walked once each in pages of any size, forward and back', async () => {
    const see = estate();
    const guests = (n: number) =>
      Array.from({ length: 7 }, (_, i) => ({ vmid: i + 1, name: `g${n}`, node: `pve${n % 2}`, tags: [`t${n}`] }));
    await see({ nodes, guests: guests(0) }, THEN, null);
    for (const n of [1, 2, 3]) await see({ nodes, guests: guests(n) }, THEN + n * MINUTE, THEN + (n - 1) * MINUTE);
    const inventory = inventoryOver(aView({}), { store: kit.store, now: THEN + DAY });
    const wanted = { from: THEN, to: THEN + HOUR };
    const whole = (await inventory.inventoryChanges(admin, { ...wanted, first: 500 })).items.map(told);
    expect(whole).toHaveLength(3 * 7 * 3);
    for (const size of [1, 4, 20]) {
      const [forth, back]: [string[], string[]] = [[], []];
      for (let after: string | undefined; ; ) {
        const page = await inventory.inventoryChanges(admin, { ...wanted, first: size, ...(after && { after }) });
        forth.push(...page.items.map(told));
        const last = page.items.at(-1);
        if (!page.hasNextPage || last === undefined) break;
        after = page.cursorOf(last);
      }
      for (let before: string | undefined; ; ) {
        const page = await inventory.inventoryChanges(admin, { ...wanted, last: size, ...(before && { before }) });
        back.unshift(...page.items.map(told));
        const [first] = page.items;
        if (!page.hasPreviousPage || first === undefined) break;
        before = page.cursorOf(first);
      }
      expect(forth).toEqual(whole);
      expect(back).toEqual(whole);
    }
    expect(await (await inventory.inventoryChanges(admin, wanted)).totalCount()).toBe(63);
  });

  it('is nobody’s who may not see it, and asks for a time that goes forward', async () => {
    const see = estate();
    await see({ guests: [{ vmid: 7, name: 'a' }] }, THEN, null);
    await see({ guests: [{ vmid: 7, name: 'b' }] }, THEN + HOUR, THEN);
    const inventory = inventoryOver(aView({}), { store: kit.store, now: THEN + DAY });
    const wanted = { from: THEN, to: THEN + HOUR };
    const page = await inventory.inventoryChanges(stranger, wanted);
    expect([page.items, await page.totalCount()]).toEqual([[], 0]);
    await expect(inventory.inventoryChanges(caller([]), wanted)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const back = inventory.inventoryChanges(admin, { from: THEN + 1, to: THEN });
    await expect(back).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: ['from'] });
    const foreign = inventory.inventoryChanges(admin, { ...wanted, after: 'bm9wZQ' });
    await expect(foreign).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: ['after'] });
  });
});

describe('how fresh the answer of a moment was', () => {
  const run = (id: string, at: number, reason: string | null): RunRecord => ({
    id,
    source: 'proxmox:main',
    mode: 'POLL',
    startedAt: at,
    finishedAt: at,
    outcome: reason === null ? 'OBSERVED' : 'UNREACHABLE',
    reason,
    requests: 1,
    coverage: { rows: 1, parts: 0, failed: 0 },
  });

  it('is told of an outage by its reason, of the last good poll by its time, and of what is to come not at all', async () => {
    await estate()({ guests: [{ vmid: 7, name: 'web' }] }, THEN, null);
    for (const one of [
      run('good', THEN, null),
      run('bad', THEN + HOUR, 'no route'),
      run('back', THEN + 9 * HOUR, null),
    ])
      await kit.store.transaction((tx) => tx.runs.add(one));
    const state = { lastSuccessAt: THEN + 10 * HOUR };
    const view = aView({ guests: [{ vmid: 7, name: 'web' }], states: { main: state } });
    const inventory = inventoryOver(view, { store: kit.store, now: THEN + DAY });
    const at = async (moment: number) => {
      const guest = await inventory.guestAsOf(admin, moment, undefined, 7);
      if (guest === undefined) throw new Error('not there');
      expect(inventory.nodeFreshness(inventory.nodeOf(guest))).toEqual(inventory.freshnessOf(guest));
      return inventory.freshnessOf(guest);
    };
    const unknown = { collectedAt: null, ageSeconds: null };
    expect(await at(THEN + MINUTE)).toEqual({ ...unknown, stale: false, reason: null });
    expect(await at(THEN + HOUR + MINUTE)).toEqual({ ...unknown, stale: false, reason: 'no route' });
    expect(await at(THEN + 8 * HOUR)).toEqual({ ...unknown, stale: true, reason: 'no route' });
    expect(await at(THEN + 9 * HOUR)).toEqual({ ...unknown, stale: false, reason: null });
    const last = { collectedAt: THEN + 10 * HOUR, reason: null };
    expect(await at(THEN + 10 * HOUR + MINUTE)).toEqual({ ...last, ageSeconds: 60, stale: false });
    expect(await at(THEN + 20 * HOUR)).toEqual({ ...last, ageSeconds: 36_000, stale: true });
    for (const asked of [
      inventory.guestAsOf(admin, THEN + 2 * DAY, undefined, 7),
      inventory.guestsAsOf(admin, THEN + 2 * DAY, {}),
      inventory.addressesAsOf(admin, THEN + 2 * DAY, {}),
      inventory.driftFindingsAsOf(admin, THEN + 2 * DAY, {}, {}),
    ])
      await expect(asked).rejects.toMatchObject({ code: 'VALIDATION_ERROR', message: /asOf lies in the future/ });
  });
});

describe('addresses as they were', () => {
  it('were carried by the guests of then, under the names of then', async () => {
    const see = estate();
    const row = (vmid: number, name: string, agent: string[]) => ({ vmid, name, agent });
    await see({ guests: [row(7, 'old', ['10.0.0.7'])] }, THEN, null);
    await see({ guests: [row(7, 'new', ['10.0.0.8'])] }, THEN + HOUR, THEN);
    const inventory = inventoryOver(aView({ guests: [row(7, 'new', ['10.0.0.8'])] }), {
      store: kit.store,
      now: THEN + DAY,
    });
    const at = async (moment: number) => {
      const { items } = await inventory.addressesAsOf(admin, moment, {});
      return items.map(({ address, carriedBy, seen, unread }) => {
        const names = carriedBy.map((carrier) => inventory.carrierOf(admin, carrier)?.name);
        return { address, names, seen, unread };
      });
    };
    expect(await at(THEN - 1)).toEqual([]);
    expect(await at(THEN)).toEqual([{ address: '10.0.0.7', names: ['old'], seen: [], unread: 0 }]);
    expect(await at(THEN + HOUR)).toEqual([{ address: '10.0.0.8', names: ['new'], seen: [], unread: 0 }]);
    expect((await inventory.addressesAsOf(stranger, THEN, {})).items).toEqual([]);
    expect((await inventory.addressesAsOf(admin, THEN, { filter: { search: '0.8' } })).items).toEqual([]);
  });
});

describe('findings as they were', () => {
  const of = (n: number, resolved: boolean) =>
    aFinding({
      identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: `main/${n}@1` }, field: 'name' },
      firstSeenAt: THEN - (n % 3) * 1_000,
      ...(resolved && { state: 'RESOLVED', resolvedAt: THEN + HOUR }),
    });
  const save = (n: number, resolved: boolean, at: number) => {
    const finding = of(n, resolved);
    const { id: findingId, declared, observed } = finding;
    const type = resolved ? ('RESOLVED' as const) : ('OPENED' as const);
    const step = { findingId, at, type, actor: null, reason: null, declared, observed, cursor: null };
    return kit.store.transaction((tx) => tx.findings.save([finding], [step]));
  };

  it('are open in the past though resolved since, and walked once each either way', async () => {
    for (let n = 0; n < 9; n++) await save(n, false, THEN);
    for (let n = 0; n < 5; n++) await save(n, true, THEN + HOUR);
    const inventory = inventoryOver(aView({}), { store: kit.store, now: THEN + DAY });
    const now = await inventory.driftFindings(admin, { states: ['RESOLVED'] }, {});
    expect(now.items).toHaveLength(5);
    const then = await inventory.driftFindingsAsOf(admin, THEN + 1, {}, {});
    expect(then.items.map(({ state }) => state)).toEqual(Array.from({ length: 9 }, () => 'OPEN'));
    expect(await then.totalCount()).toBe(9);
    const later = await inventory.driftFindingsAsOf(admin, THEN + HOUR, {}, {});
    expect(await later.totalCount()).toBe(4);
    const whole = then.items.map(({ id }) => id);
    for (const size of [1, 4]) {
      const back: string[] = [];
      for (let before: string | undefined; ; ) {
        const page = await inventory.driftFindingsAsOf(admin, THEN + 1, {}, { last: size, ...(before && { before }) });
        back.unshift(...page.items.map(({ id }) => id));
        const [first] = page.items;
        if (!page.hasPreviousPage || first === undefined) break;
        before = page.cursorOf(first);
      }
      expect(back).toEqual(whole);
    }
    const hidden = await inventory.driftFindingsAsOf(stranger, THEN + 1, {}, {});
    expect([hidden.items, await hidden.totalCount()]).toEqual([[], 0]);
  });

  it('belong to the guests of then, each once, and to nobody who may not see them', async () => {
    await estate()({ guests: [1, 2].map((vmid) => ({ vmid, name: `web-${vmid}` })) }, THEN, null);
    for (const n of [1, 2]) await save(n, false, THEN);
    await save(1, true, THEN + HOUR);
    const inventory = inventoryOver(aView({}), { store: kit.store, now: THEN + DAY });
    const ids = ['main/1@1', 'main/2@1', 'main/3@1'];
    const states = async (at: number) =>
      [...(await inventory.guestFindingsAsOf(admin, at, ids))].map(([id, found]) => [id, found.map((f) => f.state)]);
    expect((await states(THEN)).sort()).toEqual([
      ['main/1@1', ['OPEN']],
      ['main/2@1', ['OPEN']],
    ]);
    expect((await states(THEN + HOUR)).sort()).toEqual([
      ['main/1@1', ['RESOLVED']],
      ['main/2@1', ['OPEN']],
    ]);
    const names = async (at: number) =>
      [...(await inventory.guestsByIdAsOf(admin, at, ids)).values()].map((g) => g.name);
    expect(await names(THEN)).toEqual(['web-1', 'web-2']);
    expect(await names(THEN - 1)).toEqual([]);
    expect((await inventory.guestFindingsAsOf(stranger, THEN, ids)).size).toBe(0);
    expect((await inventory.guestsByIdAsOf(stranger, THEN, ids)).size).toBe(0);
  });

  it('living and resolved ones are walked backward in one order too, and hidden ones are not counted', async () => {
    const living = [1, 2, 3, 4].map((n) => of(n, false));
    const resolved = [5, 6, 7, 8, 9, 10].map((n) => of(n, true));
    await kit.store.transaction((tx) => tx.findings.save([...living, ...resolved], []));
    const inventory = inventoryOver(aView({ findings: living }), { store: kit.store, now: THEN + DAY });
    const filter = { states: ['OPEN', 'RESOLVED'] } as const;
    const whole = (await inventory.driftFindings(admin, filter, {})).items.map(({ id }) => id);
    expect(whole).toHaveLength(10);
    for (const size of [1, 3, 7]) {
      const back: string[] = [];
      for (let before: string | undefined; ; ) {
        const page = await inventory.driftFindings(admin, filter, { last: size, ...(before && { before }) });
        back.unshift(...page.items.map(({ id }) => id));
        const [first] = page.items;
        if (!page.hasPreviousPage || first === undefined) break;
        before = page.cursorOf(first);
      }
      expect(back).toEqual(whole);
    }
    const hidden = await inventory.driftFindings(stranger, filter, {});
    expect([hidden.items, await hidden.totalCount()]).toEqual([[], 0]);
  });

  it('are counted in whole buckets of UTC, with what was open at the end of each', async () => {
    const day = Date.parse('2026-11-21T00:00:00Z');
    for (const n of [1, 2]) await save(n, false, day + HOUR);
    await save(1, true, day + DAY + HOUR);
    const inventory = inventoryOver(aView({}), { store: kit.store, now: THEN + DAY });
    const wanted = { from: day + 5 * HOUR, to: day + DAY + 1, bucket: 'DAY' } as const;
    const told = await inventory.driftTimeline(admin, wanted);
    expect(told.map(({ openBySeverity: _, ...bucket }) => bucket)).toEqual([
      { from: day, to: day + DAY, opened: 2, resolved: 0, reopened: 0, open: 2 },
      { from: day + DAY, to: day + 2 * DAY, opened: 0, resolved: 1, reopened: 0, open: 1 },
    ]);
    expect(told[0]?.openBySeverity.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    // 2026-11-21 is a Saturday; its week began on Monday the 16th.
    const [week] = await inventory.driftTimeline(admin, { ...wanted, bucket: 'WEEK' });
    expect(week).toMatchObject({ from: day - 5 * DAY, to: day + 2 * DAY, opened: 2, resolved: 1, open: 1 });
    // As when a rule that ignored it has ended.
    await save(2, false, day + 7 * HOUR);
    const [again] = await inventory.driftTimeline(admin, wanted);
    expect(again).toMatchObject({ opened: 2, reopened: 1, open: 2 });
    const hidden = await inventory.driftTimeline(stranger, wanted);
    expect(hidden.map(({ opened, open }) => [opened, open])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    const many = inventory.driftTimeline(admin, { from: day - 50 * DAY, to: day, bucket: 'HOUR' });
    await expect(many).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: ['bucket'] });
    const none = inventory.driftTimeline(admin, { from: day, to: day, bucket: 'HOUR' });
    await expect(none).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: ['from'] });
  });
});
