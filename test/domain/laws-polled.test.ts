import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { VmDeclaration } from '../../src/domain/declaration.js';
import type { PartKey } from '../../src/domain/observation.js';
import { DAY, HOUR, MINUTE, SECOND } from '../../src/domain/time.js';
import { NETBOX } from '../testkit/domain-declared.js';
import { DCIM, vm } from '../testkit/domain-netbox.js';
import { Run } from '../testkit/domain-run.js';
import { type AWorld, declaredOf, holds, saying, settleIn, worlds } from '../testkit/domain-worlds.js';
import { allParts } from '../testkit/estate-model.js';

/** Runs of each property; a longer search is `PROPERTY_RUNS=5000 npx vitest run test/domain --testTimeout 600000`. */
const RUNS = 4 * Math.ceil(Number(process.env.PROPERTY_RUNS ?? 160) / 4);

type TiedBy = 'vmid' | 'mac' | 'name';

/** One guest that the estate and the inventory agree on. */
interface Agreed {
  readonly vmid: number;
  readonly tiedBy: TiedBy;
  readonly agent: boolean;
  readonly isThere: boolean;
  readonly name: string;
  readonly node: 'pve1' | 'pve2';
  readonly power: 'RUNNING' | 'STOPPED';
  readonly last: number;
  readonly vlan: number;
  readonly cpus: number;
}

/** What stays with a guest (how it is tied and how it speaks), and how it is before and after one change of everything. */
const stories = fc.integer({ min: 1, max: 4 }).chain((count) =>
  fc.tuple(
    ...Array.from({ length: count }, (_, i) => {
      const vmid = 100 + i;
      const state = fc.record({
        isThere: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
        name: fc.constantFrom(`guest-${vmid}`, `other-${vmid}`),
        node: fc.constantFrom('pve1' as const, 'pve2' as const),
        power: fc.constantFrom('RUNNING' as const, 'RUNNING' as const, 'STOPPED' as const),
        last: fc.constantFrom(vmid, vmid + 50),
        vlan: fc.constantFrom(10, 20),
        cpus: fc.constantFrom(2, 4),
      });
      const kept = fc.record({ tiedBy: fc.constantFrom<TiedBy>('vmid', 'mac', 'name'), agent: fc.boolean() });
      return fc.tuple(kept, state, state).map(([own, a, b]): readonly [Agreed, Agreed] => [
        { vmid, ...own, ...a },
        { vmid, ...own, ...b },
      ]);
    }),
  ),
);

const macOf = (vmid: number) => `bc:24:11:00:00:${(vmid % 256).toString(16).padStart(2, '0')}`;

/** Makes the estate and the inventory both be so, at one moment. */
function become(run: Run, all: readonly Agreed[]): void {
  for (const { vmid, isThere, agent, name, node, power, last, vlan, cpus } of all) {
    const text = `10.0.0.${last}`;
    const before = run.estate.guests.get(`main/${vmid}`);
    if (!isThere) run.estate.remove(vmid);
    else {
      const starts = before?.power === 'STOPPED' && power === 'RUNNING' ? { startedAt: run.estate.now } : {};
      // One that rests keeps what it was last seen with: nobody could see it renumbered.
      const rests = before !== undefined && agent && (power === 'STOPPED' || before.power === 'STOPPED');
      const shows = rests ? (before.devices[0]?.shows ?? [text]) : [text];
      const device = { mac: macOf(vmid), vlan, ip4: agent ? null : `${text}/24`, shows };
      run.estate.guest({ vmid, name, node, power, cpus, agent, devices: [device], ...starts });
    }
  }
  const there = all.filter(({ isThere }) => isThere);
  run.services.set(
    DCIM,
    there.map((one) => vmOf(one, run.estate.guests.get(`main/${one.vmid}`)?.devices[0]?.shows ?? [])),
  );
}

function vmOf({ vmid, tiedBy, name, node, power, vlan, cpus }: Agreed, addresses: readonly string[]): VmDeclaration {
  return vm({
    id: vmid,
    vmid: tiedBy === 'vmid' ? vmid : null,
    name,
    node,
    status: power === 'RUNNING' ? 'running' : 'stopped',
    addresses,
    interfaces: [{ vlan, ...(tiedBy === 'mac' ? { mac: macOf(vmid) } : {}) }],
    cpus,
  });
}

/** What a collector may come to do next, in any order. */
const steps = fc.array(
  fc.oneof(
    fc.constant('list' as const),
    fc.constant('tick' as const),
    fc.constant('inventory' as const),
    fc.constant('minutes' as const),
    fc.integer({ min: 0, max: 20 }),
  ),
  { maxLength: 12 },
);

function step(run: Run, next: 'list' | 'tick' | 'inventory' | 'minutes' | number): void {
  run.estate.pass(10 * SECOND);
  if (next === 'list') run.poll();
  else if (next === 'tick') run.tick();
  else if (next === 'inventory') run.read(DCIM);
  else if (next === 'minutes') run.wait(20 * MINUTE);
  else {
    const parts = allParts([...run.estate.guests.values()], [100, 101, 102, 103]);
    const part = parts[next % parts.length];
    if (part !== undefined) run.poll([part]);
  }
}

describe('law 8, with an inventory that is asked: what is changed at the source and in the inventory within one interval', () => {
  it('makes no finding and no event, in whatever order the two are read', () => {
    fc.assert(
      fc.property(stories, steps, (pairs, order) => {
        const run = new Run();
        become(
          run,
          pairs.map(([before]) => before),
        );
        run.full().read(DCIM).settle();
        run.estate.pass(HOUR - 10 * MINUTE);
        run.full().read(DCIM).settle();
        holds(run, 'they agree to begin with', run.events, []);
        run.estate.pass(MINUTE);
        become(
          run,
          pairs.map(([, after]) => after),
        );
        for (const next of order) step(run, next);
        run.tick().settle();
        for (let i = 0; i < 3; i++)
          run
            .wait(50 * MINUTE)
            .read(DCIM)
            .settle();
        holds(run, 'what agrees makes no event', run.events, []);
        holds(run, 'nothing is asked for for ever', run.comparison.asks, []);
      }),
      { numRuns: RUNS },
    );
  });
});

/** The inventory's rows of a world as VMs that are tied in one way or another; what it declares may well be wrong. */
function vmsOf(world: AWorld): readonly VmDeclaration[] {
  return world.guests.flatMap(({ vmid, netbox, written, sharesMac }) =>
    netbox === null
      ? []
      : [
          vm({
            id: vmid,
            vmid: vmid % 2 === 0 ? vmid : null,
            name: written?.name === false ? `other-${vmid}` : `guest-${vmid}`,
            node: written?.node ?? null,
            addresses: [`10.0.0.${netbox}`],
            interfaces: [
              { vlan: netbox, ...(vmid === 101 ? { mac: sharesMac ? 'bc:24:11:99:00:01' : macOf(vmid) } : {}) },
            ],
            cpus: netbox,
          }),
        ],
  );
}

function writeFiles(run: Run, world: AWorld): void {
  for (const { name, rows } of declaredOf(world)) if (name !== NETBOX) run.write(name, rows);
}

function known(world: AWorld): Run {
  const run = new Run();
  settleIn(run, world);
  writeFiles(run, world);
  run.services.set(DCIM, vmsOf(world));
  run.read(DCIM).settle();
  run.wait(HOUR).read(DCIM).settle();
  run.wait(HOUR - MINUTE).read(DCIM);
  return run.settle();
}

describe('law 1, with an inventory that is asked', () => {
  it('opens and resolves nothing while it does not answer, is not asked, or was asked too long ago', () => {
    fc.assert(
      fc.property(worlds, fc.boolean(), (world, answers) => {
        const run = known(world);
        const before = saying(run);
        const happened = run.events.length;
        run.services.clear();
        for (let hour = 0; hour < 4; hour++) {
          if (!answers) run.read(DCIM);
          run.wait(HOUR).full().full();
        }
        holds(run, 'nothing happens', [saying(run), run.events.slice(happened)], [before, []]);
      }),
      { numRuns: RUNS },
    );
  });

  it('holds while the truth changes out of sight, and for a day', () => {
    fc.assert(
      fc.property(worlds, worlds, (world, other) => {
        const run = known(world);
        const before = saying(run);
        run.services.clear();
        for (const { name } of declaredOf(world)) if (name !== NETBOX) run.lose(name);
        run.unreachable();
        settleIn(run, other);
        run.wait(HOUR).read(DCIM).wait(DAY);
        holds(run, 'nothing is known, nothing is said', saying(run), before);
      }),
      { numRuns: RUNS / 4 },
    );
  });
});

describe('law 2, with an inventory that is asked', () => {
  it('writes no version, no finding and no event when nothing changed', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const run = known(world);
        const happened = run.events.length;
        for (let pass = 0; pass < 3; pass++) {
          run.estate.pass(10 * MINUTE);
          run.full();
          holds(run, 'a pass that finds nothing new writes nothing', run.writes, []);
          run.read(DCIM);
          holds(run, 'nor does a read of the inventory', run.writes, []);
        }
        holds(run, 'nothing is asked for for ever', run.comparison.asks, []);
        holds(run, 'seen again is no news', run.events.slice(happened), []);
      }),
      { numRuns: RUNS },
    );
  });
});

describe('law 5, with an inventory that is asked', () => {
  it('forgets nothing over a restart', () => {
    fc.assert(
      fc.property(worlds, worlds, (world, other) => {
        const run = known(world);
        settleIn(run, other);
        run.services.set(DCIM, vmsOf(other));
        run.tick().read(DCIM).tick();
        const rebuilt = run.rebuilt();
        const plain = ({ declared, guests, absences }: Run['view']) =>
          JSON.stringify([[...declared].map(([, one]) => [...one.rows, ...one.asked]), [...guests], [...absences]]);
        holds(run, 'a replica that starts now knows the same', plain(rebuilt), plain(run.view));
      }),
      { numRuns: RUNS / 4 },
    );
  });
});

describe('law 7, with an inventory that is asked', () => {
  const all: (PartKey | 'inventory')[] = [
    ...[100, 101, 102, 103].flatMap((vmid): PartKey[] => [
      { part: 'config', key: String(vmid) },
      { part: 'addresses', key: String(vmid) },
    ]),
    { part: 'power', key: 'pve1' },
    { part: 'power', key: 'pve2' },
    { part: 'vmid', key: '900' },
    'inventory',
  ];
  const orders = fc.shuffledSubarray(all, { minLength: all.length });

  it('ends in the same findings, and opens none on the way that it takes back', () => {
    fc.assert(
      fc.property(worlds, orders, (world, order) => {
        const whole = known(world);
        const run = new Run();
        settleIn(run, world);
        writeFiles(run, world);
        run.services.set(DCIM, vmsOf(world));
        // What nobody asked yet declares nothing: the first look at all sources comes before all comparing.
        run.read(DCIM);
        for (const one of order) {
          run.estate.pass(10 * SECOND);
          if (one === 'inventory') run.read(DCIM);
          else if (one.part === 'power' || one.part === 'vmid' || run.estate.guests.has(`main/${one.key}`))
            run.poll([one]);
        }
        run.settle();
        run.wait(HOUR).read(DCIM).settle();
        run
          .wait(HOUR - MINUTE)
          .read(DCIM)
          .settle();
        holds(run, 'slices end as the whole does', saying(run), saying(whole));
        const back = run.events.filter(
          ({ type, id }) => (type === 'RESOLVED' || type === 'REOPENED') && !id.startsWith('DECLARED_ADDRESS_UNUSED'),
        );
        holds(run, 'nothing is taken back', back, []);
      }),
      { numRuns: RUNS },
    );
  });
});
