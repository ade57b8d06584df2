import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openReplica } from '../../src/inventory/replica.js';
import type { OpenedStore } from '../../src/store/open.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { aFinding, learnedOf, SETTINGS } from '../testkit/view.js';

describe('the view of a replica', () => {
  let kit: TestStore;
  beforeEach(async () => {
    kit = await createTestStore();
  });
  afterEach(() => kit.close());

  const batchOf = (vmid: number, cluster = 'main') => {
    const { opened, reads, states } = learnedOf({ guests: [{ vmid, cluster }] });
    const [state] = states;
    if (state === undefined) throw new Error('no state');
    return { writes: opened.map((version) => ({ op: 'put' as const, version })), reads, state };
  };
  const write = (vmid: number, cluster = 'main') =>
    kit.store.transaction(async (tx) => {
      const follows = await tx.batches.apply(batchOf(vmid, cluster));
      return { seq: tx.seq, follows };
    });

  it('does not go back where its own run was read from the store before it was told', async () => {
    const replica = await openReplica(kit.store, SETTINGS);
    const own = await write(7);
    await write(8);
    await replica.catchUp();
    const { seq } = replica.view();
    await replica.learnOwn(batchOf(7), own.seq, own.follows);
    expect(replica.view().seq).toBe(seq);
    expect([...replica.view().guests.keys()]).toEqual(['main/7@1', 'main/8@1']);
  });

  it('keeps nothing of what was forgotten while it was being read', async () => {
    let open = () => {};
    let wait: Promise<void> = Promise.resolve();
    const versions: OpenedStore['versions'] = {
      ...kit.store.versions,
      async since(seq) {
        const delta = await kit.store.versions.since(seq);
        await wait;
        return delta;
      },
    };
    const replica = await openReplica({ ...kit.store, versions }, SETTINGS);
    await write(7, 'sim-main');
    wait = new Promise((resolve) => (open = resolve));
    const reading = replica.catchUp();
    const forgotten = kit.store.forgetCollected().then(() => replica.reload());
    // The reading ends when all is forgotten, where nobody waits for it.
    await Promise.race([forgotten, sleep(500)]);
    open();
    await Promise.all([reading, forgotten]);
    expect(replica.view().guests.size).toBe(0);
  });

  it('does not take an older word on a finding after a newer one', async () => {
    const identity = {
      kind: 'NAME_DIFFERS' as const,
      subject: { kind: 'GUEST' as const, id: 'main/7@1' },
      field: 'name',
    };
    const finding = aFinding({ identity });
    let open = () => {};
    let wait: Promise<void> = Promise.resolve();
    let hasRead = () => {};
    const firstRead = new Promise<void>((resolve) => (hasRead = resolve));
    const findings: OpenedStore['findings'] = {
      ...kit.store.findings,
      async changedSince(seq) {
        const read = await kit.store.findings.changedSince(seq);
        hasRead();
        await wait;
        return read;
      },
    };
    const replica = await openReplica({ ...kit.store, findings }, SETTINGS);
    await kit.store.transaction((tx) => tx.findings.save([finding], []));
    wait = new Promise((resolve) => (open = resolve));
    const reading = replica.catchUpFindings();
    await firstRead;
    const resolved = { ...finding, state: 'RESOLVED' as const, resolvedAt: finding.lastSeenAt };
    const seq = await kit.store.transaction(async (tx) => {
      await tx.findings.save([resolved], []);
      return tx.seq;
    });
    replica.learnFindings([resolved], finding.lastSeenAt, seq);
    open();
    await reading;
    expect(replica.view().findings.byId.size).toBe(0);
  });

  it('does not take its own word on a finding after what somebody else wrote since', async () => {
    const identity = { kind: 'GUEST_MISSING' as const, subject: { kind: 'GUEST' as const, id: 'main/9' }, field: '' };
    const open = aFinding({ identity });
    const acknowledged = { ...open, state: 'ACKNOWLEDGED' as const };
    const replica = await openReplica(kit.store, SETTINGS);
    const own = await kit.store.transaction(async (tx) => {
      await tx.findings.save([open], []);
      return tx.seq;
    });
    await kit.store.transaction((tx) => tx.findings.save([acknowledged], []));
    await replica.catchUpFindings();
    replica.learnFindings([open], open.lastSeenAt, own);
    expect([...replica.view().findings.byId.values()]).toEqual([acknowledged]);
  });

  it('names the findings of a guest in one order, in whichever it came to know them', async () => {
    const of = (kind: 'NAME_DIFFERS' | 'ADDRESS_DIFFERS') =>
      aFinding({ identity: { kind, subject: { kind: 'GUEST', id: 'main/7@1' }, field: 'x' } });
    const old = await openReplica(kit.store, SETTINGS);
    for (const kind of ['NAME_DIFFERS', 'ADDRESS_DIFFERS'] as const) {
      await kit.store.transaction((tx) => tx.findings.save([of(kind)], []));
      await old.catchUpFindings();
    }
    const young = await openReplica(kit.store, SETTINGS);
    expect(old.view().findings.byGuest.get('main/7@1')).toHaveLength(2);
    expect(old.view().findings.byGuest.get('main/7@1')).toEqual(young.view().findings.byGuest.get('main/7@1'));
  });

  it('learns what nobody was told of a finding', async () => {
    const identity = { kind: 'GUEST_MISSING' as const, subject: { kind: 'GUEST' as const, id: 'main/9' }, field: '' };
    const ignored = aFinding({ identity, state: 'IGNORED', reason: 'a lab' });
    const replica = await openReplica(kit.store, SETTINGS);
    await kit.store.transaction((tx) => tx.findings.save([ignored], []));
    await replica.catchUpFindings();
    expect([...replica.view().findings.byId.values()]).toEqual([ignored]);
  });
});
