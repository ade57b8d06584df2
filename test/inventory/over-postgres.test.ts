import { afterEach, beforeEach, expect, it } from 'vitest';
import { inventoryOver } from '../testkit/inventory.js';
import { createTestStore, type TestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';
import { aFinding, aView, learnedOf, THEN } from '../testkit/view.js';

const admin = caller();
let kit: TestStore;
beforeEach(async () => {
  kit = await createTestStore();
});
afterEach(() => kit.close());

it('a guest is shown as it was: by the versions that held then', async () => {
  const was = learnedOf({ guests: [{ vmid: 7, name: 'before', agent: ['10.3.0.1'] }] });
  const is = learnedOf({ guests: [{ vmid: 7, name: 'after', agent: ['10.3.0.1'] }] });
  const [state] = was.states;
  if (state === undefined) throw new Error('no state');
  const later = THEN + 60_000;
  const renamed = is.opened.filter((version) => version.kind === 'guest');
  await kit.store.transaction((tx) =>
    tx.batches.apply({ writes: was.opened.map((version) => ({ op: 'put', version })), reads: was.reads, state }),
  );
  await kit.store.transaction((tx) =>
    tx.batches.apply({
      writes: renamed.map((version) => ({
        op: 'put',
        version: { ...version, hash: 'other', validFrom: later, priorReadAt: THEN },
      })),
      reads: [],
      state,
    }),
  );
  const inventory = inventoryOver(aView({ guests: [{ vmid: 7, name: 'after' }] }), { store: kit.store });
  const at = async (moment: number) => {
    const guest = await inventory.guestAsOf(admin, moment, undefined, 7);
    return guest && [guest.name, guest.status, guest.addresses[0]?.address, inventory.nodeOf(guest).name];
  };
  expect(await at(THEN - 1)).toBeUndefined();
  expect(await at(THEN)).toEqual(['before', 'RUNNING', '10.3.0.1', 'pve1']);
  expect(await at(later - 1)).toEqual(['before', 'RUNNING', '10.3.0.1', 'pve1']);
  expect(await at(later)).toEqual(['after', 'RUNNING', '10.3.0.1', 'pve1']);
  const page = await inventory.guestsAsOf(admin, later, { first: 5, filter: { cluster: 'main' } });
  expect(page.items.map((guest) => guest.name)).toEqual(['after']);
});

it('living and resolved findings are walked once each, in one order, also where many came up at one moment', async () => {
  const of = (n: number, resolved: boolean) =>
    aFinding({
      identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: `main/${n}@1` }, field: 'name' },
      firstSeenAt: THEN - (n % 3) * 1_000,
      ...(resolved && { state: 'RESOLVED', resolvedAt: THEN }),
    });
  const living = Array.from({ length: 9 }, (_, n) => of(n, false));
  const resolved = Array.from({ length: 14 }, (_, n) => of(n + 9, true));
  await kit.store.transaction((tx) => tx.findings.save([...living, ...resolved], []));
  const inventory = inventoryOver(aView({ findings: living }), { store: kit.store });
  const filter = { states: ['OPEN', 'RESOLVED'] } as const;
  const walked = async (first: number) => {
    const seen: string[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await inventory.driftFindings(admin, filter, { first, after });
      seen.push(...page.items.map((finding) => finding.id));
      const last = page.items.at(-1);
      if (!page.hasNextPage || last === undefined) return seen;
      after = page.cursorOf(last);
    }
  };
  const whole = await walked(100);
  expect(new Set(whole).size).toBe(23);
  for (const first of [1, 3, 7]) expect(await walked(first)).toEqual(whole);
  expect(await (await inventory.driftFindings(admin, filter, {})).totalCount()).toBe(23);
  expect((await inventory.driftFinding(admin, resolved[0]?.id ?? ''))?.state).toBe('RESOLVED');
});
