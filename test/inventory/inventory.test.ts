import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../src/domain/access.js';
import { compare } from '../../src/domain/compare/compare.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import { neverCollected } from '../../src/domain/version.js';
import type { KeptPolicy } from '../../src/domain/view.js';
import { healthOf } from '../../src/inventory/health.js';
import type { GuestRecord } from '../../src/inventory/records.js';
import type { GuestOrderField } from '../../src/inventory/verbs.js';
import { emptyStore, inventoryOver } from '../testkit/inventory.js';
import { caller } from '../testkit/principal.js';
import { aFinding, aView, learnedOf, THEN } from '../testkit/view.js';

const admin = caller();
const viewer = caller(['viewer']);

describe('who may ask', () => {
  const inventory = inventoryOver(aView({ guests: [{ vmid: 100 }] }));

  it('refuses a caller without the permission, by its name', () => {
    expect(() => inventory.guests(caller([]), {})).toThrowError(/inventory:read/);
    expect(() => inventory.summary(caller([]))).toThrowError(/inventory:read/);
  });

  it('shows nothing to a caller whose tenants hold nothing', () => {
    const stranger = caller(['viewer'], { tenants: ['elsewhere'] });
    expect(inventory.guests(stranger, {}).items).toEqual([]);
    expect(inventory.guests(stranger, {}).totalCount()).toBe(0);
    expect(inventory.guest(stranger, 'main', 100)).toBeUndefined();
    expect(inventory.nodes(stranger, {}).items).toEqual([]);
    expect(inventory.summary(stranger).guests.total).toBe(0);
  });
});

describe('the policy', () => {
  const named = { source: 'policy:policy.yaml', kind: 'policy' as const, cluster: '' };
  const reason = 'policy.yaml:3: notify[0] is no target';
  const bad = { ...neverCollected(named), outcome: 'UNREACHABLE' as const, reason };
  const taken = { text: '# secret thoughts', contentHash: '0123456789abcdef', since: THEN };
  const notesOf = (policy: KeptPolicy | null, principal: Principal) =>
    inventoryOver({ ...aView({}), policy }).freshness(principal).notes;

  it('that cannot be used is in the notes of all; what is wrong in it, for those who may read settings', () => {
    const stays = 'the last good policy (0123456789ab, since 2026-11-21T10:00:00.000Z) stays in force';
    expect(notesOf({ state: bad, taken }, admin)).toEqual([`${reason}; ${stays}`]);
    expect(notesOf({ state: bad, taken }, viewer)).toEqual([`policy.yaml cannot be used; ${stays}`]);
    expect(notesOf({ state: bad, taken: null }, admin)).toEqual([`${reason}; the defaults stay in force`]);
    expect(notesOf({ state: { ...bad, outcome: 'OBSERVED', reason: null }, taken }, admin)).toEqual([]);
    expect(notesOf(null, admin)).toEqual([]);
  });

  it('is shown by its hash and since when, without its text', () => {
    const shown = (policy: KeptPolicy | null) => inventoryOver({ ...aView({}), policy }).summary(viewer).policy;
    expect(shown({ state: bad, taken })).toEqual({ contentHash: '0123456789abcdef', since: THEN });
    expect(shown({ state: bad, taken: null })).toBeNull();
    expect(shown(null)).toBeNull();
  });
});

describe('guests', () => {
  const view = aView({
    nodes: [{ name: 'pve1' }, { name: 'pve2', status: 'OFFLINE' }, { name: 'edge1', cluster: 'edge' }],
    guests: [
      { vmid: 101, name: 'web', tags: ['prod'], addresses: ['10.0.0.5/24'] },
      { vmid: 102, name: 'db', node: 'pve2' },
      { vmid: 900, name: 'debian', template: true, status: 'STOPPED' },
      { vmid: 101, name: 'edge-web', cluster: 'edge', node: 'edge1', kind: 'LXC', agent: ['10.9.0.7'] },
    ],
    findings: [
      aFinding({ identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: 'main/101@1' }, field: 'name' } }),
    ],
  });
  const inventory = inventoryOver(view);
  const ids = (filter: Parameters<typeof inventory.guests>[1]['filter']) =>
    inventory.guests(admin, { filter }).items.map((guest) => guest.id);

  it('come by cluster and VMID, templates among them', () => {
    expect(ids(undefined)).toEqual(['edge/101@1', 'main/101@1', 'main/102@1', 'main/900@1']);
  });

  it('are found by cluster, node, status, kind, tag, name, address and open findings', () => {
    expect(ids({ cluster: 'edge' })).toEqual(['edge/101@1']);
    expect(ids({ node: 'pve2' })).toEqual(['main/102@1']);
    expect(ids({ statuses: ['UNKNOWN'] })).toEqual(['main/102@1']);
    expect(ids({ kinds: ['LXC'] })).toEqual(['edge/101@1']);
    expect(ids({ tag: 'prod' })).toEqual(['main/101@1']);
    expect(ids({ search: 'WEB' })).toEqual(['edge/101@1', 'main/101@1']);
    expect(ids({ search: 'bc:24:11:00:00:66' })).toEqual(['main/102@1']);
    expect(ids({ address: '10.9.0.7' })).toEqual(['edge/101@1']);
    expect(ids({ withOpenFindings: true })).toEqual(['main/101@1']);
    expect(() => ids({ address: '10.9.0' })).toThrowError(/is not an IPv4 or IPv6 address/);
  });

  it('one whose VMID is in several clusters is asked for by cluster', () => {
    expect(() => inventory.guest(admin, undefined, 101)).toThrowError(/several clusters \(main, edge\)|\(edge, main\)/);
    expect(inventory.guest(admin, 'edge', 101)?.name).toBe('edge-web');
    expect(inventory.guest(admin, undefined, 102)?.status).toBe('UNKNOWN');
    expect(inventory.guest(admin, undefined, 7)).toBeUndefined();
  });

  it('carry their node, findings and freshness', () => {
    const web = inventory.guest(admin, 'main', 101);
    if (web === undefined) throw new Error('not there');
    expect(inventory.nodeOf(web)).toMatchObject({ id: 'main/pve1', status: 'ONLINE' });
    expect(inventory.findingsOf(admin, web).map((f) => f.kind)).toEqual(['NAME_DIFFERS']);
    expect(inventory.findingsOf(admin, web)[0]?.lastSeenAt).toBe(THEN);
    expect(inventory.findingsOf(admin, web, ['RESOLVED'])).toEqual([]);
    expect(inventory.freshnessOf(web)).toEqual({ collectedAt: THEN, ageSeconds: 30, stale: false, reason: null });
    expect(inventory.primaryAddress(web)).toBe('10.0.0.5');
  });

  it('that the list hides are marked stale, with what to do', () => {
    const hidden = inventoryOver(aView({ guests: [{ vmid: 5, hidden: true }] }));
    const guest = hidden.guest(admin, 'main', 5);
    expect(guest && hidden.freshnessOf(guest)).toMatchObject({
      stale: true,
      reason: expect.stringContaining('VM.Audit'),
    });
  });
});

describe('pages', () => {
  const size = 37;
  const guests = Array.from({ length: size }, (_, i) => ({
    vmid: 100 + i,
    name: i % 5 === 0 ? null : `n${i % 7}`,
    memoryBytes: (i % 3) * 1024,
  }));
  const inventory = inventoryOver(aView({ guests }));
  const fields: GuestOrderField[] = ['VMID', 'NAME', 'NODE', 'STATUS', 'MEMORY'];

  it('walked forward or backward give every guest once, in one order', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.option(
          fc.record({ field: fc.constantFrom(...fields), direction: fc.constantFrom('ASC' as const, 'DESC' as const) }),
          {
            nil: undefined,
          },
        ),
        fc.boolean(),
        fc.boolean(),
        (first, orderBy, backward, filtered) => {
          const filter = filtered ? { search: 'n' } : undefined;
          const whole = inventory.guests(admin, { first: 500, orderBy, filter }).items.map((g) => g.vmid);
          const seen: number[] = [];
          let cursor: string | undefined;
          for (;;) {
            const request = backward ? { last: first, before: cursor } : { first, after: cursor };
            const page = inventory.guests(admin, { ...request, orderBy, filter });
            const vmids = page.items.map((g) => g.vmid);
            if (backward) seen.unshift(...vmids);
            else seen.push(...vmids);
            if (!(backward ? page.hasPreviousPage : page.hasNextPage)) break;
            const edge = backward ? page.items[0] : page.items.at(-1);
            if (edge === undefined) throw new Error('an empty page that says there is more');
            cursor = page.cursorOf(edge);
          }
          expect(seen).toEqual(whole);
          expect(new Set(seen).size).toBe(whole.length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('are at most 500 long, or 50,000 with inventory:export', () => {
    expect(() => inventory.guests(viewer, { first: 501 })).toThrowError(/inventory:export/);
    expect(inventory.guests(admin, { first: 50_000 }).items).toHaveLength(size);
    expect(() => inventory.guests(admin, { first: -1 })).toThrowError(/first must be/);
    expect(() => inventory.guests(admin, { first: 1, last: 1 })).toThrowError(/not for both/);
  });

  it('refuse a cursor of another list or order', () => {
    const page = inventory.guests(admin, { first: 1 });
    const cursor = page.items[0] && page.cursorOf(page.items[0]);
    expect(() => inventory.guests(admin, { after: cursor, orderBy: { field: 'NAME', direction: 'ASC' } })).toThrowError(
      /not a cursor of this list/,
    );
    expect(() => inventory.guests(admin, { after: 'nonsense' })).toThrowError(/not a cursor/);
  });
});

describe('findings', () => {
  const open = aFinding({
    identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: 'main/1@1' }, field: 'name' },
  });
  const ignored = aFinding({
    identity: { kind: 'ADDRESS_NOT_DECLARED', subject: { kind: 'ADDRESS', id: '10.0.0.1' }, field: '' },
    state: 'IGNORED',
  });
  const gone = [5, 4, 3].map((n) =>
    aFinding({
      identity: { kind: 'GUEST_MISSING', subject: { kind: 'GUEST', id: `main/${n}` }, field: '' },
      state: 'RESOLVED',
      firstSeenAt: THEN - 120_000 + n,
      resolvedAt: THEN,
    }),
  );
  const view = aView({ guests: [{ vmid: 1 }], findings: [open, ignored] });
  const inventory = inventoryOver(view, { store: emptyStore(gone) });

  it('are the open and acknowledged ones where nothing is said', async () => {
    const page = await inventory.driftFindings(admin, {}, {});
    expect(page.items.map((f) => f.id)).toEqual([open.id]);
    expect(page.items[0]).toMatchObject({ kind: 'NAME_DIFFERS', field: 'name', subject: open.identity.subject });
  });

  it('resolved ones come from the store, in one order with the living', async () => {
    const states = ['RESOLVED', 'OPEN', 'IGNORED'] as const;
    const seen: string[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await inventory.driftFindings(admin, { states }, { first: 2, after });
      seen.push(...page.items.map((f) => f.id));
      const last = page.items.at(-1);
      if (!page.hasNextPage || last === undefined) break;
      after = page.cursorOf(last);
    }
    expect(seen).toEqual([open.id, ignored.id, ...gone.map((f) => f.id)]);
    expect(await (await inventory.driftFindings(admin, { states }, {})).totalCount()).toBe(5);
  });

  it('one is found in the view or in the store, or is not there', async () => {
    expect((await inventory.driftFinding(admin, open.id))?.state).toBe('OPEN');
    expect((await inventory.driftFinding(admin, gone[0]?.id ?? ''))?.state).toBe('RESOLVED');
    expect(await inventory.driftFinding(admin, 'NAME_DIFFERS:none:name')).toBeUndefined();
    await expect(inventory.driftFinding(caller([]), open.id)).rejects.toThrowError(/drift:read/);
  });
});

describe('the summary', () => {
  it('counts templates nowhere but among templates, PAUSED as running, guests of an offline node as unknown', () => {
    const view = aView({
      nodes: [{ name: 'pve1' }, { name: 'pve2', status: 'OFFLINE' }],
      guests: [
        { vmid: 1 },
        { vmid: 2, status: 'PAUSED' },
        { vmid: 3, status: 'STOPPED' },
        { vmid: 4, node: 'pve2' },
        { vmid: 5, template: true, status: 'STOPPED' },
      ],
    });
    const summary = inventoryOver(view).summary(viewer);
    expect(summary.guests).toEqual({ total: 4, running: 2, stopped: 1, unknown: 1, templates: 1 });
    expect(summary.nodes).toEqual({ total: 2, online: 1 });
    expect(summary.healthScore).toBe(100);
  });

  it('scores as written down, and never under 0', () => {
    const open = (n: number, severity: 'CRITICAL' | 'WARNING' | 'INFO') =>
      Array.from({ length: n }, () => ({ severity }));
    expect(healthOf([], 0, 0).score).toBe(100);
    expect(healthOf([...open(1, 'CRITICAL'), ...open(2, 'WARNING'), ...open(2, 'INFO')], 100, 0).score).toBe(83);
    expect(healthOf(open(1, 'WARNING'), 3, 1).score).toBe(60);
    expect(healthOf(open(50, 'CRITICAL'), 10, 9).score).toBe(0);
    expect(healthOf([], 10, 9).parts.lostByStaleness).toBe(30);
  });

  it('names a cluster that does not answer, and keeps its last success', async () => {
    const view = aView({
      guests: [{ vmid: 1 }],
      states: { main: { outcome: 'UNREACHABLE', reason: 'ECONNREFUSED', unreachableSince: THEN, failures: 3 } },
    });
    const inventory = inventoryOver(view, { now: THEN + 8_000_000 });
    expect(inventory.freshness(viewer)).toEqual({
      collectedAt: THEN,
      stale: true,
      seedUnreachable: true,
      notes: ['main: unreachable since 2026-11-21T10:00:00.000Z: ECONNREFUSED'],
    });
    const [guests, ...others] = await inventory.collectors(viewer);
    expect(guests).toMatchObject({ name: 'proxmox_guest_ipam', outcome: 'UNREACHABLE', freshness: { stale: true } });
    expect(others.map((c) => c.outcome)).toEqual(Array.from({ length: 5 }, () => 'NOT_CONFIGURED'));
    expect(inventory.summary(viewer).health.staleCollectors).toBe(1);
  });
});

describe('addresses', () => {
  const view = aView({
    guests: [
      { vmid: 1, addresses: ['10.0.0.9/24'] },
      { vmid: 2, addresses: ['10.0.0.10/24'] },
      { vmid: 3, addresses: ['10.0.0.9/24'] },
      { vmid: 4, template: true, status: 'STOPPED', addresses: ['10.0.0.99/24'] },
      { vmid: 5 },
      { vmid: 6, status: 'STOPPED' },
    ],
    declared: {
      'ip-addresses.conf': [
        { label: 'WEB', address: '10.0.0.9' },
        { label: 'SPARE', address: '10.0.0.77' },
      ],
      'ALL_VMIDS_ENDPOINTS.md': [{ vmid: 2, name: 'guest-2', addresses: ['10.0.0.10'] }],
    },
  });
  const inventory = inventoryOver(view);

  it('say who declares and who carries each, by number; templates own none', () => {
    const rows = inventory.addresses(admin, {}).items.map((a) => ({
      id: a.id,
      declared: a.declaredBy.map((d) => d.label),
      carried: a.carriedBy.map((c) => c.guestId),
      unread: a.unread,
    }));
    expect(rows).toEqual([
      { id: '10.0.0.9', declared: ['WEB'], carried: ['main/1@1', 'main/3@1'], unread: 0 },
      { id: '10.0.0.10', declared: ['guest-2'], carried: ['main/2@1'], unread: 0 },
      { id: '10.0.0.77', declared: ['SPARE'], carried: [], unread: 1 },
    ]);
  });

  it('are listed raw for the legacy route, also where some guest could not be asked', () => {
    expect(inventory.driftFacts(caller(['viewer'], { tenants: ['elsewhere'] })).ipAddressesConfIpsNotOnGuests).toEqual(
      [],
    );
    expect(inventory.driftFacts(admin).ipAddressesConfIpsNotOnGuests).toEqual([
      { ip: '10.0.0.77', key: 'SPARE', line: 2 },
    ]);
  });
});

describe('as of a moment in the past', () => {
  it('the declaration that wins now won then, of a service as of a file', async () => {
    const what = {
      guests: [{ vmid: 7, name: 'web' }],
      declared: {
        'ALL_VMIDS_ENDPOINTS.md': [{ vmid: 7, name: 'by-table', node: 'pve1' }],
        'netbox:dcim': [{ vmid: 7, name: 'by-netbox', node: 'pve1' }],
      },
    };
    const { opened } = learnedOf(what);
    const store = emptyStore();
    const asOf: typeof store.versions.asOf = async (_at, kinds) => opened.filter(({ kind }) => kinds.includes(kind));
    const inventory = inventoryOver(aView(what), { store: { ...store, versions: { ...store.versions, asOf } } });
    const winner = (guest: GuestRecord | undefined) =>
      guest && inventory.declaredOf(guest).find(({ field, wins }) => field === 'name' && wins)?.value;
    expect(winner(inventory.guest(admin, 'main', 7))).toBe('by-netbox');
    expect(winner(await inventory.guestAsOf(admin, THEN, 'main', 7))).toBe('by-netbox');
  });

  it('the guests are those whose versions held then, with the node, addresses and declarations of then', async () => {
    const past = learnedOf({
      nodes: [{ name: 'old1', cluster: 'retired' }],
      guests: [{ vmid: 7, name: 'gone', cluster: 'retired', node: 'old1', agent: ['10.3.0.1'] }],
      declared: { 'ALL_VMIDS_ENDPOINTS.md': [{ vmid: 7, name: 'gone-by-name', node: 'old1' }] },
    });
    const store = {
      ...emptyStore(),
      versions: {
        ...emptyStore().versions,
        asOf: async (_at: number, kinds: readonly string[]) => past.opened.filter((v) => kinds.includes(v.kind)),
      },
    };
    const now = aView({ guests: [{ vmid: 1 }], declared: { 'ALL_VMIDS_ENDPOINTS.md': [] } });
    const inventory = inventoryOver(now, { store });
    const at = THEN - 1_000;
    const page = await inventory.guestsAsOf(admin, at, { filter: { search: 'gone' } });
    expect(page.items.map((g) => [g.id, g.asOf, g.status, g.addresses.map((a) => a.address)])).toEqual([
      ['retired/7@1', at, 'RUNNING', ['10.3.0.1']],
    ]);
    const guest = await inventory.guestAsOf(admin, at, undefined, 7);
    if (guest === undefined) throw new Error('not there');
    expect(inventory.nodeOf(guest)).toMatchObject({ id: 'retired/old1', status: 'ONLINE', asOf: at });
    expect(inventory.declaredOf(guest).map((f) => [f.field, f.value])).toEqual([
      ['name', 'gone-by-name'],
      ['node', 'old1'],
    ]);
    expect(inventory.freshnessOf(guest)).toEqual({ collectedAt: null, ageSeconds: null, stale: false, reason: null });
  });
});

describe('the raw lists of drift', () => {
  it('name everything that is so, also what another finding swallows', () => {
    const view = aView({
      guests: [
        { vmid: 1, name: 'web', addresses: ['10.0.0.1/24'] },
        { vmid: 2, name: 'db', addresses: ['10.0.0.2/24'] },
        { vmid: 3, name: 'stray', addresses: ['10.0.0.3/24'] },
      ],
      declared: {
        'ALL_VMIDS_ENDPOINTS.md': [
          { vmid: 1, name: 'www', node: 'pve1', addresses: ['10.0.0.9'] },
          { vmid: 2, name: 'db', node: 'pve1', addresses: ['10.0.0.2'] },
        ],
        'ip-addresses.conf': [{ label: 'SPARE', address: '10.0.0.77' }],
      },
    });
    const differences = [...compare(view, DEFAULT_POLICY, THEN + 1_000).so.values()];
    const facts = inventoryOver(view, { differences }).driftFacts(viewer);
    expect(facts).toMatchObject({
      ipAddressesConfIpsNotOnGuests: [{ ip: '10.0.0.77', key: 'SPARE', line: 1 }],
      vmidsNotDeclared: [{ vmid: 3, name: 'stray', cluster: 'main', node: 'pve1' }],
      declaredVmidsNotLive: [],
      duplicateIps: [],
      declarationsInConflict: [],
    });
    expect(facts.guestIpsNotDeclared).toEqual([
      { ip: '10.0.0.1', vmid: 1, name: 'web' },
      { ip: '10.0.0.3', vmid: 3, name: 'stray' },
    ]);
    expect(facts.mismatches).toEqual([
      { vmid: 1, field: 'name', declared: 'www', observed: 'web', source: 'ALL_VMIDS_ENDPOINTS.md' },
      { vmid: 1, field: 'address4', declared: '10.0.0.9', observed: '10.0.0.1', source: 'ALL_VMIDS_ENDPOINTS.md' },
    ]);
  });
});
