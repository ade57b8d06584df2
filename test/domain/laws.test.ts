import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartKey } from '../../src/domain/observation.js';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';
import {
  type AWorld,
  declaredOf,
  holds,
  saying,
  settleIn,
  tableOf,
  worlds,
  writeDown,
} from '../testkit/domain-worlds.js';

/** Runs of each property; a longer search is `PROPERTY_RUNS=5000 npx vitest run test/domain --testTimeout 600000`. */
const RUNS = 4 * Math.ceil(Number(process.env.PROPERTY_RUNS ?? 400) / 4);

/** A world that was looked at long enough for everything in it to be settled. */
function known(world: AWorld): Run {
  const run = new Run();
  settleIn(run, world);
  writeDown(run, world);
  run.settle();
  run.wait(2 * HOUR - MINUTE);
  return run.settle();
}

type Loss =
  | { readonly of: 'guest' | 'agent' | 'rrd'; readonly vmid: number }
  | { readonly of: 'node'; readonly name: string }
  | { readonly of: 'cluster' | 'quorum' | 'file' | 'cells' | 'ids' };

const losses: fc.Arbitrary<Loss> = fc.oneof(
  fc.record({
    of: fc.constantFrom('guest' as const, 'agent' as const, 'rrd' as const),
    vmid: fc.integer({ min: 100, max: 103 }),
  }),
  fc.record({ of: fc.constant('node' as const), name: fc.constantFrom('pve1', 'pve2') }),
  fc.record({
    of: fc.constantFrom('cluster' as const, 'quorum' as const, 'file' as const, 'cells' as const, 'ids' as const),
  }),
);

/** Takes sight away; the world stays what it is. */
function lose(run: Run, world: AWorld, loss: Loss): void {
  const { estate } = run;
  switch (loss.of) {
    case 'guest':
    case 'agent':
    case 'rrd': {
      if (!estate.guests.has(`main/${loss.vmid}`)) return;
      const blind = { guest: { listed: false }, agent: { agentDead: true }, rrd: { tracked: false } }[loss.of];
      estate.guest({ vmid: loss.vmid, ...blind });
      return;
    }
    case 'node':
      estate.node(loss.name, { online: false });
      return;
    case 'cluster':
      run.unreachable();
      return;
    case 'quorum':
      estate.cluster('main').quorate = false;
      return;
    case 'file':
      for (const { name } of declaredOf(world)) run.lose(name);
      return;
    case 'cells':
      if (tableOf(world).length > 0)
        run.write(
          TABLE,
          tableOf(world).map((one) =>
            one.kind === 'guest' && one.from < 900
              ? {
                  ...one,
                  name: null,
                  node: null,
                  status: null,
                  addresses: [],
                  cluster: 'main',
                  unreadable: ['name', 'node', 'status', 'addresses'] as const,
                }
              : one,
          ),
        );
      return;
    case 'ids':
      return;
  }
}

/** What is so and told by nothing else. What is swallowed keeps the state that history gave it. */
function telling(run: Run): readonly string[] {
  return [...run.comparison.so.values()]
    .filter(({ swallowedBy }) => swallowedBy === undefined)
    .map(({ id, declared, observed, severity }) => `${id} ${declared} | ${observed} | ${severity}`)
    .sort();
}

/** Whether each group of identities has one that is so, or is kept open while nobody can look. */
function isTold(run: Run, swallowers: readonly (readonly string[])[]): boolean {
  const tells = (id: string) =>
    run.comparison.so.has(id) || (run.findings.has(id) && run.finding(id).state !== 'RESOLVED' && !isCovered(run, id));
  return swallowers.length > 0 && swallowers.every((group) => group.some(tells));
}

function isCovered(run: Run, id: string): boolean {
  return run.comparison.judged(run.finding(id).identity).judgement !== 'not covered';
}

describe('law 1: silence is not absence', () => {
  it('opens and resolves nothing, whatever is not read any more on either side', () => {
    fc.assert(
      fc.property(worlds, fc.array(losses, { minLength: 1, maxLength: 4 }), (world, lost) => {
        // Rows whose cells are lost keep the place that ties them to their guest; loose ones would be untied as well.
        const tied = {
          ...world,
          guests: world.guests.map((g) => ({
            ...g,
            written: g.written && {
              ...g.written,
              place: 'cluster' as const,
              status: g.written.status === 'planned' || g.written.status === 'retired' ? null : g.written.status,
            },
          })),
        };
        const run = known(tied);
        const before = saying(run);
        const happened = run.events.length;
        for (const loss of lost) {
          lose(run, tied, loss);
          if (!lost.some(({ of }) => of === 'cluster')) run.tick();
          run.wait(20 * MINUTE);
        }
        for (let hour = 0; hour < 3; hour++) {
          if (!lost.some(({ of }) => of === 'cluster')) run.full().full();
          run.wait(HOUR);
        }
        holds(
          run,
          `nothing happens while ${JSON.stringify(lost)} is lost`,
          [saying(run), run.events.slice(happened)],
          [before, []],
        );
      }),
      { numRuns: RUNS },
    );
  });

  it('holds while the truth changes out of sight', () => {
    fc.assert(
      fc.property(worlds, worlds, (world, other) => {
        const run = known(world);
        const before = saying(run);
        run.unreachable();
        for (const { name } of declaredOf(world)) run.lose(name);
        settleIn(run, other);
        run.wait(HOUR).unreachable().wait(DAY);
        holds(run, 'nothing is known, nothing is said', saying(run), before);
      }),
      { numRuns: RUNS / 4 },
    );
  });
});

describe('law 2: same drift, same finding', () => {
  it('writes no version, no finding and no event when nothing changed', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const run = known(world);
        const happened = run.events.length;
        const findings = JSON.stringify([...run.findings.values()]);
        for (let pass = 0; pass < 3; pass++) {
          run.estate.pass(10 * MINUTE);
          run.full();
          holds(run, 'a pass that finds nothing new writes nothing', run.writes, []);
          for (const { name, rows } of declaredOf(world)) {
            run.write(name, rows);
            holds(run, 'a file saved as it was writes no row', run.writes, []);
          }
        }
        holds(run, 'nothing is asked for for ever', run.comparison.asks, []);
        holds(run, 'seen again is no news', run.events.slice(happened), []);
        expect(JSON.stringify([...run.findings.values()])).toBe(findings);
      }),
      { numRuns: RUNS },
    );
  });

  it('makes no second finding of what another one tells', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const run = known(world);
        const open = new Set(run.open());
        for (const id of open) {
          const by = run.comparison.so.get(id)?.swallowedBy;
          holds(run, `${id} is told by`, by, undefined);
        }
        for (const [id, { swallowedBy }] of run.comparison.so) {
          holds(run, `${id} is open or told by another`, open.has(id), swallowedBy === undefined);
        }
      }),
      { numRuns: RUNS },
    );
  });
});

describe('law 3: gone is resolved', () => {
  it('resolves what is no longer so, keeps it, and reopens it as itself', () => {
    fc.assert(
      fc.property(worlds, worlds, (world, other) => {
        const run = known(world);
        const first = run.open();
        const live = (next: AWorld) => {
          for (const key of [...run.estate.guests.keys()])
            if (!next.guests.some(({ vmid }) => key === `main/${vmid}`)) run.estate.remove(Number(key.slice(5)));
          settleIn(run, next);
          for (const name of new Set([...declaredOf(world), ...declaredOf(other)].map((one) => one.name)))
            run.write(
              name,
              declaredOf(next).find((one) => one.name === name)?.rows ?? [row({ vmid: 999, cluster: 'away' })],
            );
          run.tick();
          run.settle();
          for (let i = 0; i < 3; i++) run.wait(50 * MINUTE).settle();
          const open = run.open();
          for (const { id, swallowers } of run.comparison.so.values())
            if (!isTold(run, swallowers)) holds(run, `${id} is so, and open`, open.includes(id), true);
          for (const id of open)
            holds(run, `${id} is open, and so`, run.comparison.so.has(id) || !isCovered(run, id), true);
        };
        // Guests keep their kind, or they would be other guests.
        const same = {
          ...other,
          guests: other.guests.map((g, i) => ({ ...g, voice: world.guests[i]?.voice ?? g.voice })),
        };
        live(same);
        live(world);
        for (const id of first) {
          const opened = run.events.filter((event) => event.id === id && event.type === 'OPENED').length;
          holds(run, `${id} opened once, and reopened as itself after that`, opened, 1);
        }
      }),
      { numRuns: RUNS / 2 },
    );
  });
});

describe('law 5: last known good stays', () => {
  it('leaves an unreachable source’s last observation in place', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const run = known(world);
        const { guests, nodes, absences } = run.view;
        const readAt = run.view.clusters.get('main')?.state.lastSuccessAt;
        run.unreachable();
        for (const { name } of declaredOf(world)) run.lose(name);
        expect(run.view.guests).toEqual(guests);
        expect(run.view.nodes).toEqual(nodes);
        expect(run.view.clusters.get('main')?.state).toMatchObject({ outcome: 'UNREACHABLE', lastSuccessAt: readAt });
        expect(run.view.absences).toEqual(absences);
        for (const source of run.view.declarations) expect(source.state.kind).toBe('unreachable');
      }),
      { numRuns: RUNS / 4 },
    );
  });

  it('forgets nothing over a restart', () => {
    fc.assert(
      fc.property(worlds, worlds, fc.array(losses, { maxLength: 3 }), (world, other, lost) => {
        const run = known(world);
        settleIn(run, other);
        writeDown(run, other);
        run.tick();
        for (const loss of lost) {
          lose(run, world, loss);
          run.tick().settle();
        }
        if (other.guests.length > 1) run.estate.remove(100);
        run.tick().tick();
        const rebuilt = run.rebuilt();
        const { number: _, seq: __, findings: ___, ...kept } = run.view;
        expect({ ...rebuilt, number: undefined, seq: undefined, findings: undefined }, run.told()).toEqual({
          ...kept,
          number: undefined,
          seq: undefined,
          findings: undefined,
        });
      }),
      { numRuns: RUNS / 2 },
    );
  });
});

describe('law 6: the dead keep their place', () => {
  it('lets stopped guests keep what they carried, and calls those of offline nodes unknown', () => {
    fc.assert(
      fc.property(
        worlds,
        fc.array(fc.integer({ min: 100, max: 103 }), { maxLength: 3 }),
        fc.boolean(),
        (world, stopped, dark) => {
          // One that nobody can ask, and that was never seen, has nothing to keep.
          const plain = {
            ...world,
            guests: world.guests.map((g) => ({
              ...g,
              voice: g.voice === 'dead' || g.voice === 'mute' ? ('agent' as const) : g.voice,
              written: g.written && { ...g.written, status: null },
            })),
          };
          const run = known(plain);
          const carried = () => [...run.view.guests.values()].map((g) => [g.id, g.carried.map((c) => c.address)]);
          const before = carried();
          const happened = run.events.length;
          for (const vmid of stopped) if (run.estate.guests.has(`main/${vmid}`)) run.estate.stop(vmid);
          if (dark) run.estate.node('pve2', { online: false });
          run.tick();
          run.settle();
          for (let hour = 0; hour < 3; hour++) run.wait(HOUR).settle();
          holds(run, 'the stopped carry what they carried', carried(), before);
          const opened = run.events.slice(happened).filter(({ type }) => type === 'OPENED' || type === 'REOPENED');
          holds(run, 'nothing opens because guests rest', opened, []);
          for (const guest of run.view.guests.values()) {
            if (dark && guest.row.node === 'pve2') expect(guest.status).toBe('UNKNOWN');
            for (const finding of run.findings.values())
              if (
                guest.row.template &&
                finding.identity.kind.includes('ADDRESS') &&
                finding.identity.kind !== 'DECLARED_ADDRESS_UNUSED'
              )
                expect(finding.guests).not.toContain(guest.id);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe('law 7: the order of reading does not matter', () => {
  const parts = [100, 101, 102, 103].flatMap((vmid): PartKey[] => [
    { part: 'config', key: String(vmid) },
    { part: 'addresses', key: String(vmid) },
  ]);
  const all: PartKey[] = [
    ...parts,
    { part: 'power', key: 'pve1' },
    { part: 'power', key: 'pve2' },
    { part: 'vmid', key: '900' },
  ];
  const orders = fc.tuple(
    fc.shuffledSubarray(all, { minLength: all.length }),
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 12, maxLength: 12 }),
  );

  /** The same parts, in an order and slices of chance. */
  function sliced(run: Run, [order, sizes]: [PartKey[], number[]]): void {
    const left = order.filter(
      ({ part, key }) => part === 'power' || part === 'vmid' || run.estate.guests.has(`main/${key}`),
    );
    for (let i = 0; left.length > 0; i++) {
      run.estate.pass(10 * SECOND);
      run.poll(left.splice(0, sizes[i % sizes.length] ?? 1));
    }
  }

  it('ends in the same findings, and opens none on the way that it takes back', () => {
    fc.assert(
      fc.property(worlds, orders, (world, order) => {
        const whole = known(world);
        const run = new Run();
        settleIn(run, world);
        writeDown(run, world);
        sliced(run, order);
        run.settle();
        run.wait(2 * HOUR - MINUTE).settle();
        holds(run, 'slices end as the whole does', saying(run), saying(whole));
        // A declared address whose guest was read is unused by law, until a stranger is found to carry it.
        const back = run.events.filter(
          ({ type, id }) => (type === 'RESOLVED' || type === 'REOPENED') && !id.startsWith('DECLARED_ADDRESS_UNUSED'),
        );
        holds(run, 'nothing is taken back', back, []);
      }),
      { numRuns: RUNS * 2 },
    );
  });

  it('ends in the same findings after the world has changed', () => {
    fc.assert(
      fc.property(worlds, worlds, orders, (world, other, order) => {
        const next = {
          ...other,
          guests: other.guests.map((g, i) => ({ ...g, voice: world.guests[i]?.voice ?? g.voice })),
        };
        const change = (run: Run) => {
          settleIn(run, next);
          // Both see the list at once: a guest that stops after its row was edited is another story than one before.
          run.poll('list');
          for (const { name, rows } of declaredOf(next)) run.write(name, rows);
        };
        const whole = known(world);
        change(whole);
        whole.settle();
        for (let i = 0; i < 3; i++) whole.wait(50 * MINUTE).settle();
        const run = known(world);
        change(run);
        sliced(run, order);
        run.settle();
        for (let i = 0; i < 3; i++) run.wait(50 * MINUTE).settle();
        holds(run, 'slices end as the whole does', telling(run), telling(whole));
        for (const one of telling(run)) holds(run, `${one} is open`, saying(run).includes(one), true);
      }),
      { numRuns: RUNS / 2 },
    );
  });
});
