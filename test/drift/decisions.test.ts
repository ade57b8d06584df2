import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/domain/decision.js';
import { DomainError } from '../../src/domain/errors.js';
import { DEFAULT_POLICY, type Policy } from '../../src/domain/policy.js';
import type { HardwareReport } from '../../src/domain/record.js';
import { DAY, HOUR } from '../../src/domain/time.js';
import { type Decisions, driftDecisions } from '../../src/drift/decisions.js';
import { type DriftKeeper, driftKeeper } from '../../src/drift/keeper.js';
import { openReplica, type Replica } from '../../src/inventory/replica.js';
import type { Store } from '../../src/store/store.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';
import { type AView, learnedOf, SETTINGS, THEN } from '../testkit/view.js';

const TABLE = 'ALL_VMIDS_ENDPOINTS.md';
const ID = 'NAME_DIFFERS:main/7@1:name';
const ANN = caller(['operator'], { id: 'key:ann', person: 'ann' });
const DRIFT = [
  'drift.detected',
  'drift.updated',
  'drift.acknowledged',
  'drift.suppressed',
  'drift.resolved',
  'drift.reopened',
];

interface Server {
  readonly keeper: DriftKeeper;
  readonly replica: Replica;
  readonly decisions: Decisions;
  readonly failures: unknown[];
  /** As the composition root ties it: told of what others committed. */
  readonly unlisten: () => Promise<void>;
}

describe('deciding about findings', () => {
  let kit: TestStore;
  let now: number;
  let policy: Policy;
  const servers: Server[] = [];

  beforeEach(async () => {
    kit = await createTestStore();
    now = (await kit.store.now()) + 1_000;
    policy = DEFAULT_POLICY;
  });
  afterEach(async () => {
    for (const { keeper, unlisten } of servers.splice(0)) {
      await unlisten();
      await keeper.stop();
    }
    await kit.close();
  });

  /** The estate as it was just read, in as many runs as it has sources. */
  async function read(estate: AView): Promise<void> {
    const { opened, reads, states } = learnedOf(estate);
    const at = now - 1_000;
    const fresh = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll(String(THEN), String(at)));
    for (const state of states) {
      const writes = opened
        .filter(({ source }) => source === state.source)
        .map((version) => ({ op: 'put' as const, version: fresh({ ...version, hash: JSON.stringify(version.body) }) }));
      const batch = {
        writes,
        reads: reads.filter(({ source }) => source === state.source).map(fresh),
        state: fresh(state),
      };
      await kit.store.transaction((tx) => tx.batches.apply(batch));
    }
  }
  const named = (name: string) =>
    read({
      guests: [{ vmid: 7, name, addresses: ['10.0.0.7/24'] }],
      declared: { [TABLE]: [{ vmid: 7, name: 'web', addresses: ['10.0.0.7'] }] },
    });

  async function server(store: Partial<Store> = {}): Promise<Server> {
    const replica = await openReplica(kit.store, SETTINGS);
    const failures: unknown[] = [];
    const catchUp = async () => {
      await replica.catchUp();
      await replica.catchUpFindings();
    };
    const keeper = driftKeeper({
      store: { ...kit.store, ...store },
      view: () => replica.view(),
      policy: () => policy,
      now: () => now,
      mayCompare: () => true,
      learned: (changed, _comparison, at, seq) => {
        if (seq !== null) replica.learnFindings(changed, at, seq);
      },
      catchUp,
      asked: () => {},
      measured: () => {},
      failed: (error) => failures.push(error),
    });
    const unlisten = await kit.store.listen(
      (channel) => {
        if (channel === 'decisions') keeper.outdated();
        if (channel === 'inventory') void replica.catchUp();
        if (channel === 'findings' && !keeper.compares()) void replica.catchUpFindings();
      },
      () => {},
    );
    const decisions = driftDecisions({ store: kit.store, view: () => replica.view(), catchUp });
    const made = { keeper, replica, decisions, failures, unlisten };
    servers.push(made);
    return made;
  }

  const seen = ({ replica }: Server, id = ID) => replica.view().findings.byId.get(id);
  const kept = async (id = ID) => (await kit.store.findings.byIds([id])).get(id);
  const told = async () =>
    (await kit.store.events.after(0n, DRIFT, 500)).map(({ topic, payload }) => {
      const { actor, reason } = payload as { actor: string | null; reason: string | null };
      return [topic, actor, reason];
    });
  const refusal = async (work: Promise<void>) => {
    const error = await work.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    return error instanceof DomainError ? [error.code, error.message, error.field] : error;
  };

  /** Compares until somebody did and nothing is left to write. */
  async function compared(one: Server): Promise<void> {
    while (!(await one.keeper.compareNow())) await one.keeper.idle();
  }

  it('writes finding, history and event at once, and answers from a view that has it', async () => {
    await named('www');
    const one = await server();
    await compared(one);
    await one.decisions.acknowledge(ANN, { id: ID, reason: ' known ' });
    expect(seen(one)).toMatchObject({ state: 'ACKNOWLEDGED', reason: 'known', decided: { by: 'ann' } });
    expect(await kept()).toEqual(seen(one));
    const history = (await kit.store.findings.history([ID])).get(ID) ?? [];
    expect(
      history.map(({ type, actor, reason, declared, observed }) => [type, actor, reason, declared, observed]),
    ).toEqual([
      ['OPENED', null, null, 'web', 'www'],
      ['ACKNOWLEDGED', 'ann', 'known', 'web', 'www'],
    ]);
    const events = await kit.store.events.after(0n, DRIFT, 10);
    expect(history.map(({ cursor }) => cursor)).toEqual(events.map(({ cursor }) => cursor));
    expect(events[1]).toMatchObject({
      topic: 'drift.acknowledged',
      subject: { kind: 'GUEST', id: 'main/7@1' },
      payload: { before: { state: 'OPEN' }, after: { state: 'ACKNOWLEDGED' }, actor: 'ann', reason: 'known' },
    });
  });

  it('writes nothing when she said it before', async () => {
    await named('www');
    const one = await server();
    await compared(one);
    await one.decisions.acknowledge(ANN, { id: ID, reason: 'known' });
    await one.decisions.acknowledge(ANN, { id: ID, reason: 'known' });
    await one.decisions.acknowledge(ANN, { id: ID });
    expect(await told()).toHaveLength(2);
  });

  it('needs permission and sight, and says what is wrong', async () => {
    await named('www');
    const one = await server();
    await compared(one);
    const until = now + DAY;
    const said = { id: ID, until, reason: 'a rebuild' };
    const stranger = caller(['operator'], { tenants: ['elsewhere'] });
    expect(await refusal(one.decisions.suppress(caller(['viewer']), said))).toMatchObject({ 0: 'FORBIDDEN' });
    const absent = ['NOT_FOUND', `there is no finding ${ID}`, ['id']];
    expect(await refusal(one.decisions.suppress(stranger, said))).toEqual(absent);
    expect(await refusal(one.decisions.reopen(ANN, { id: `${ID}s` }))).toEqual([
      'NOT_FOUND',
      `there is no finding ${ID}s`,
      ['id'],
    ]);
    expect(await refusal(one.decisions.suppress(ANN, { ...said, reason: ' ' }))).toEqual([
      'VALIDATION_ERROR',
      'say why it shall be silent: others will read it',
      ['reason'],
    ]);
    expect(await refusal(one.decisions.acknowledge(ANN, { id: ID, reason: 'x'.repeat(1_001) }))).toEqual([
      'VALIDATION_ERROR',
      'a reason has at most 1000 characters',
      ['reason'],
    ]);
    expect(await refusal(one.decisions.suppress(ANN, { ...said, until: now - DAY }))).toMatchObject({
      0: 'VALIDATION_ERROR',
      2: ['until'],
    });
    expect(await told()).toHaveLength(1);
    await named('web');
    await one.replica.catchUp();
    await compared(one);
    expect(await refusal(one.decisions.acknowledge(ANN, { id: ID }))).toMatchObject({ 0: 'CONFLICT' });
  });

  it('is not overwritten by a comparison that began before it, on the same replica or another', async () => {
    for (const elsewhere of [false, true]) {
      await named('www');
      let open = () => {};
      let wait = Promise.resolve();
      let arrived = () => {};
      const one = await server({
        async transaction(work) {
          arrived();
          await wait;
          return kit.store.transaction(work);
        },
      });
      await compared(one);
      const other = elsewhere ? await server() : one;
      await named('mail');
      await one.replica.catchUp();
      const writing = new Promise<void>((resolve) => (arrived = resolve));
      wait = new Promise((resolve) => (open = resolve));
      const comparing = one.keeper.compareNow();
      await writing;
      // The comparison found other values than those that are open, and has not written them yet.
      const until = now + HOUR;
      await other.decisions.suppress(ANN, { id: ID, until, reason: 'a rebuild' });
      expect(seen(other)).toMatchObject({ state: 'SUPPRESSED', observed: 'www' });
      open();
      await comparing;
      await one.keeper.idle();
      await compared(one);
      const after = { state: 'SUPPRESSED', suppressedUntil: until, observed: 'mail', reason: 'a rebuild' };
      expect([await kept(), seen(one)]).toMatchObject([after, after]);
      expect(one.failures).toEqual([]);
      for (const { keeper, unlisten } of servers.splice(0)) {
        await unlisten();
        await keeper.stop();
      }
      await kit.empty();
    }
  });

  it('races comparisons, and each word is told once and stands until the values change', async () => {
    await named('www');
    const one = await server();
    await compared(one);
    const other = await server();
    const words: Decision['kind'][] = [
      'acknowledge',
      'reopen',
      'suppress',
      'acknowledge',
      'suppress',
      'reopen',
      'acknowledge',
    ];
    for (const [n, kind] of words.entries()) {
      const by = n % 2 === 0 ? other : one;
      const racing = [one.keeper.compareNow(), other.keeper.compareNow()];
      const word = { id: ID, reason: `word ${n}` };
      if (kind === 'suppress') await by.decisions.suppress(ANN, { ...word, until: now + DAY });
      else await by.decisions[kind](ANN, word);
      await Promise.all(racing);
      const states = { acknowledge: 'ACKNOWLEDGED', suppress: 'SUPPRESSED', reopen: 'OPEN' };
      expect((await kept())?.state, kind).toBe(states[kind]);
      expect(seen(by)?.state, kind).toBe(states[kind]);
    }
    await compared(one);
    expect((await told()).map(([topic, , reason]) => `${topic} ${reason}`)).toEqual([
      'drift.detected null',
      ...['drift.acknowledged word 0', 'drift.reopened word 1', 'drift.suppressed word 2', 'drift.acknowledged word 3'],
      ...['drift.suppressed word 4', 'drift.reopened word 5', 'drift.acknowledged word 6'],
    ]);
    for (const one of servers) expect(one.failures).toEqual([]);
  });

  it('reaches the replica that compares at once, which wakes what is suppressed when its time is over', async () => {
    await named('www');
    const one = await server();
    await compared(one);
    const other = await server();
    // The clock that comparisons go by is the test's: what they wait for is a second of the real one.
    const until = (await kit.store.now()) + 1_500;
    await other.decisions.suppress(ANN, { id: ID, until, reason: 'a rebuild' });
    const ahead = now - Date.now();
    const clock = setInterval(() => (now = Date.now() + ahead), 20);
    try {
      await comesAbout(async () => (await kept())?.state === 'OPEN');
    } finally {
      clearInterval(clock);
    }
    expect(await told()).toEqual([
      ['drift.detected', null, null],
      ['drift.suppressed', 'ann', 'a rebuild'],
      ['drift.reopened', null, 'the suppression ran out'],
    ]);
    expect(seen(one)?.state).toBe('OPEN');
  });

  it('is remembered by whoever starts later, who wakes what is due', async () => {
    await named('www');
    const one = await server();
    await compared(one);
    await one.decisions.suppress(ANN, { id: ID, until: now + HOUR, reason: 'a rebuild' });
    for (const { keeper, unlisten } of servers.splice(0)) {
      await unlisten();
      await keeper.stop();
    }
    const next = await server();
    await compared(next);
    expect(seen(next)).toMatchObject({ state: 'SUPPRESSED', reason: 'a rebuild' });
    now += HOUR;
    await compared(next);
    expect(seen(next)).toMatchObject({ state: 'OPEN', suppressedUntil: null });
  });

  it('shows every replica what is ignored, which is told to nobody', async () => {
    await named('www');
    const one = await server();
    await compared(one);
    const other = await server();
    const rule = { kinds: null, address: null, vmids: null, name: 'w*', tag: null, pool: null, cluster: null };
    policy = { ...DEFAULT_POLICY, ignore: [{ ...rule, until: null, reason: 'a lab' }] };
    await compared(one);
    await comesAbout(() => seen(other)?.state === 'IGNORED');
    expect(seen(other)).toEqual(seen(one));
    expect(await told()).toHaveLength(1);
    const history = (await kit.store.findings.history([ID])).get(ID) ?? [];
    expect(history.map(({ type, reason, cursor }) => [type, reason, cursor !== null])).toEqual([
      ['OPENED', null, true],
      ['IGNORED', 'a lab', false],
    ]);
    expect(await refusal(other.decisions.reopen(ANN, { id: ID }))).toMatchObject({ 0: 'CONFLICT' });
  });

  describe('about changed hardware', () => {
    const NODE = 'HARDWARE_CHANGED:main/pve1:';
    const report = (serial: string): HardwareReport => ({
      by: 'SSH',
      sections: ['disks'],
      parts: [
        {
          ...{ section: 'disks', place: 'sda', vendor: 'Samsung', model: 'PM883', serial },
          ...{ sizeBytes: 960_000_000_000, detail: null },
        },
      ],
    });
    const parts = (now: string, accepted: string) =>
      read({
        nodes: [{ name: 'pve1' }],
        services: {
          'hardware:main/pve1': [
            { kind: 'hardware', key: 'pve1', seenAt: null, body: report(now) },
            { kind: 'hardware.accepted', key: 'pve1', seenAt: null, body: report(accepted) },
          ],
        },
      });

    it('accepts the parts and resolves, whichever replica compares', async () => {
      await parts('NEW', 'OLD');
      const one = await server();
      await compared(one);
      expect(seen(one, NODE)?.state).toBe('OPEN');
      const other = await server();
      await other.decisions.acknowledge(ANN, { id: NODE, reason: 'replaced' });
      expect(seen(other, NODE)).toBeUndefined();
      expect(other.replica.view().records['hardware.accepted'].get('hardware:main/pve1 pve1')?.body).toEqual(
        report('NEW'),
      );
      await one.keeper.idle();
      await compared(one);
      expect(await kept(NODE)).toMatchObject({ state: 'RESOLVED', occurrences: 1 });
      expect(await told()).toEqual([
        ['drift.detected', null, null],
        ['drift.acknowledged', 'ann', 'replaced'],
        ['drift.resolved', 'ann', 'the parts were accepted as they are'],
      ]);
    });

    it('accepts only what was found', async () => {
      await parts('NEW', 'OLD');
      const one = await server();
      await compared(one);
      await parts('NEWER', 'OLD');
      await one.replica.catchUp();
      expect(await refusal(one.decisions.acknowledge(ANN, { id: NODE }))).toEqual([
        'CONFLICT',
        'the parts of main/pve1 changed since this was found: look at it again',
        ['id'],
      ]);
      expect(await told()).toHaveLength(1);
    });
  });
});

async function comesAbout(look: () => Promise<boolean> | boolean): Promise<void> {
  await expect.poll(look, { timeout: 15_000, interval: 25 }).toBe(true);
}
