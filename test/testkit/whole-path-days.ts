import fc from 'fast-check';
import type { Declaration, DeclaredStatus } from '../../src/domain/declaration.js';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.js';
import { CONF, line, row, TABLE } from './domain-declared.js';
import { DCIM, vm } from './domain-netbox.js';
import type { TrueGuest } from './estate-model.js';
import type { WholePath } from './whole-path.js';
import type { World } from './whole-path-world.js';

export const VMIDS = [100, 101, 102, 200] as const;
const NAMES = ['web', 'www', 'mail'] as const;
const LOSABLE = ['main', 'lab', TABLE, CONF, DCIM] as const;

/** What a table row says of a guest: here only what the test plays with. */
export interface Written {
  readonly name: string | null;
  readonly address: number | null;
  readonly status: DeclaredStatus | null;
}

type OfGuest =
  | { readonly what: 'is called'; readonly name: string }
  | { readonly what: 'moves' | 'stops' | 'starts' | 'goes' | 'is made' | 'is made anew' }
  | { readonly what: 'gets address'; readonly last: number }
  | { readonly what: 'hides' | 'mutes its agent' | 'has no rrd data' }
  | { readonly what: 'is written as'; readonly row: Written | null }
  | { readonly what: 'is in NetBox'; readonly last: number | null };

/** Something that happens, or that somebody does. */
export type Happening =
  | ({ readonly of: 'guest'; readonly vmid: number } & OfGuest)
  | { readonly of: 'conf'; readonly lines: readonly number[] }
  | { readonly of: 'dark'; readonly what: (typeof LOSABLE)[number] }
  | { readonly of: 'node'; readonly node: string }
  | { readonly of: 'all dark' | 'light' | 'quorum' | 'restart' | 'take-over' | 'deaf' | 'again' | 'break' | 'ignore' }
  | { readonly of: 'clock'; readonly seconds: number }
  | { readonly of: 'severity'; readonly severity: 'INFO' | 'WARNING' | 'CRITICAL' }
  | {
      readonly of: 'word';
      readonly kind: 'acknowledge' | 'suppress' | 'reopen';
      readonly pick: number;
      readonly hours: number;
    };

/** A happening, how long after the last one, and how it is looked at. */
export interface Day {
  readonly happening: Happening;
  readonly minutes: number;
  readonly look: 'polls' | 'all' | 'some' | 'none';
  readonly turn: number;
}

const last = fc.integer({ min: 2, max: 5 });
const vmid = fc.constantFrom(...VMIDS);
const name = fc.constantFrom(...NAMES);
const status = fc.option(fc.constantFrom<DeclaredStatus>('running', 'stopped', 'planned'));
export const writtenRow: fc.Arbitrary<Written> = fc.record({
  name: fc.option(name, { freq: 6 }),
  address: fc.option(last),
  status,
});

const ofGuest: fc.Arbitrary<OfGuest> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ what: fc.constant('is called' as const), name }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('gets address' as const), last }) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('moves', 'stops', 'starts', 'goes', 'is made', 'is made anew')
      .map((what) => ({ what }) as OfGuest),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('hides', 'mutes its agent', 'has no rrd data').map((what) => ({ what }) as OfGuest),
  },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('is written as' as const), row: fc.option(writtenRow, { freq: 4 }) }),
  },
  fc.record({ what: fc.constant('is in NetBox' as const), last: fc.option(last) }),
);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(vmid, ofGuest).map(([of, what]): Happening => ({ of: 'guest', vmid: of, ...what })),
  },
  fc.record({ of: fc.constant('conf' as const), lines: fc.uniqueArray(last, { maxLength: 3 }) }),
  { weight: 2, arbitrary: fc.record({ of: fc.constant('dark' as const), what: fc.constantFrom(...LOSABLE) }) },
  fc.record({ of: fc.constant('node' as const), node: fc.constantFrom('pve1', 'pve2') }),
  {
    weight: 6,
    arbitrary: fc
      .constantFrom('all dark', 'light', 'light', 'quorum', 'restart', 'take-over', 'deaf', 'again', 'break', 'ignore')
      .map((of) => ({ of }) as Happening),
  },
  fc.record({ of: fc.constant('clock' as const), seconds: fc.integer({ min: -120, max: 120 }) }),
  fc.record({ of: fc.constant('severity' as const), severity: fc.constantFrom('INFO', 'WARNING', 'CRITICAL') }),
  {
    weight: 4,
    arbitrary: fc.record({
      of: fc.constant('word' as const),
      kind: fc.constantFrom('acknowledge', 'suppress', 'reopen'),
      pick: fc.nat({ max: 20 }),
      hours: fc.integer({ min: 1, max: 40 }),
    }),
  },
);

const daysOf = (one: fc.Arbitrary<Happening>, maxLength: number): fc.Arbitrary<readonly Day[]> =>
  fc.array(
    fc.record({
      happening: one,
      minutes: fc.oneof(
        fc.constant(0),
        fc.integer({ min: 1, max: 15 }),
        fc.integer({ min: 16, max: 200 }),
        fc.integer({ min: 600, max: 2_000 }),
      ),
      look: fc.constantFrom('polls', 'polls', 'all', 'some', 'none'),
      turn: fc.nat({ max: 7 }),
    }),
    { minLength: 3, maxLength },
  );

/** One guest whose name differs, and whose row and name change while people say things of it. */
const ofOneName: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: name.map((called): Happening => ({ of: 'guest', vmid: 100, what: 'is called', name: called })),
  },
  name.map((called): Happening => {
    const said = { name: called, address: null, status: null };
    return { of: 'guest', vmid: 100, what: 'is written as', row: said };
  }),
  {
    weight: 4,
    arbitrary: fc.record({
      of: fc.constant('word' as const),
      kind: fc.constantFrom('acknowledge', 'suppress', 'reopen'),
      // The name comes after the one address that nobody has.
      pick: fc.constantFrom(1, 1, 1, 0),
      hours: fc.integer({ min: 1, max: 40 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('light', 'all dark', 'restart', 'take-over', 'deaf', 'break')
      .map((of) => ({ of }) as Happening),
  },
);

/** What an estate begins with: who is there, and what is written of it. */
export interface Beginning {
  readonly guests: readonly {
    readonly vmid: number;
    readonly name: string;
    readonly address: number;
    readonly kind: 'agent' | 'static' | 'container';
    readonly there: boolean;
    readonly row: Written | null;
    readonly netbox: number | null;
  }[];
  readonly lines: readonly number[];
}

export const beginnings: fc.Arbitrary<Beginning> = fc.record({
  guests: fc.tuple(
    ...VMIDS.map((own) =>
      fc.record({
        vmid: fc.constant(own as number),
        name,
        address: last,
        kind: fc.constantFrom('agent' as const, 'static' as const, 'container' as const),
        there: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
        row: fc.option(writtenRow, { freq: 5 }),
        netbox: fc.option(last, { freq: 1 }),
      }),
    ),
  ),
  lines: fc.uniqueArray(last, { maxLength: 2 }),
});

const oneName: Beginning = {
  guests: [
    {
      ...{ vmid: 100, name: 'www', address: 2, kind: 'agent', there: true, netbox: null },
      row: { name: 'web', address: 2, status: null },
    },
  ],
  lines: [],
};

/** An estate and what happens to it: to many things at once, or again and again to one. */
export const lives: fc.Arbitrary<readonly [Beginning, readonly Day[]]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(beginnings, daysOf(happening, 12)) },
  fc.tuple(fc.constant(oneName), daysOf(ofOneName, 12)),
);

const clusterOf = (own: number) => (own === 200 ? 'lab' : 'main');
const ipOf = (end: number) => `10.0.0.${end}`;
/** How often a VMID was used: each guest under it has a uuid and a MAC of its own. */
const uses = new WeakMap<World, Map<number, number>>();

export function begin(world: World, { guests, lines }: Beginning): void {
  for (const { vmid: own, there, name: called, address, kind } of guests)
    if (there) make(world, own, { name: called, address, kind });
  const rows = guests.flatMap(({ vmid: own, row: said }) => (said === null ? [] : [rowOf(own, said)]));
  world.written.set(TABLE, [...rows, row({ vmid: 900, cluster: 'elsewhere' })]);
  world.written.set(
    DCIM,
    guests.flatMap(({ vmid: own, netbox }) => (netbox === null ? [] : [vmOf(own, netbox)])),
  );
  world.written.set(CONF, linesOf(lines));
}

/** The file always has a line: an empty one is a file that was lost. */
function linesOf(ends: readonly number[]): readonly Declaration[] {
  return [line('SPARE', '10.9.9.9'), ...ends.map((end) => line(`LINE_${end}`, ipOf(end)))];
}

function make(
  world: World,
  own: number,
  { name: called, address, kind }: { name: string; address: number; kind: string },
) {
  const before = uses.get(world)?.get(own) ?? 0;
  // Whoever is there stays who it is.
  const count = world.estate.guests.has(`${clusterOf(own)}/${own}`) ? before : before + 1;
  uses.set(world, (uses.get(world) ?? new Map<number, number>()).set(own, count));
  const hex = (n: number) => n.toString(16).padStart(2, '0');
  const fixed = kind === 'agent' ? null : `${ipOf(address)}/24`;
  world.estate.guest({
    ...{ vmid: own, cluster: clusterOf(own), name: called, node: own === 200 ? 'lab1' : 'pve1' },
    ...{ kind: kind === 'container' ? 'LXC' : 'QEMU', agent: kind !== 'static', startedAt: world.now - HOUR },
    uuid: `00000000-0000-4000-8000-${String(own * 100 + count).padStart(12, '0')}`,
    devices: [{ mac: `bc:24:11:${hex(count)}:00:${hex(own % 256)}`, ip4: fixed, shows: [ipOf(address)] }],
  });
}

function rowOf(own: number, { name: called, address, status: word }: Written): Declaration {
  const addresses = address === null ? [] : [ipOf(address)];
  return row({ vmid: own, cluster: clusterOf(own), name: called, status: word, addresses });
}

function vmOf(own: number, end: number): Declaration {
  return vm({ id: own, vmid: own, clusterName: clusterOf(own), addresses: [ipOf(end)] });
}

/** Lets a guest change in the world, or what is written of it; gives what happened in words. */
function happenTo(world: World, own: number, change: OfGuest): string | undefined {
  const key = `${clusterOf(own)}/${own}`;
  const guest = world.estate.guests.get(key);
  const said = `${key} ${change.what}`;
  switch (change.what) {
    case 'is written as':
      write(world, TABLE, `${own}#1`, change.row === null ? undefined : rowOf(own, change.row));
      return `${said} ${JSON.stringify(change.row)} in the table`;
    case 'is in NetBox':
      write(world, DCIM, `vm/${own}`, change.last === null ? undefined : vmOf(own, change.last));
      return `${said}: ${change.last === null ? 'no more' : ipOf(change.last)}`;
    case 'is made':
      if (guest !== undefined) return undefined;
      make(world, own, { name: 'web', address: 2, kind: 'agent' });
      return said;
  }
  return guest === undefined ? undefined : changed(world, guest, change);
}

type Change = Exclude<OfGuest, { what: 'is written as' | 'is in NetBox' }>;

function changed(world: World, guest: TrueGuest, change: Change): string | undefined {
  const { vmid: own, cluster, kind, node, power, devices } = guest;
  const said = `${cluster}/${own} ${change.what}`;
  const be = (wish: Partial<TrueGuest>) => {
    const { devices: _, ...rest } = wish;
    world.estate.guest({ vmid: own, cluster, ...rest });
  };
  switch (change.what) {
    case 'is called':
      be({ name: change.name });
      return `${said} ${change.name}`;
    case 'gets address': {
      const fixed = devices[0]?.ip4 === null ? null : `${ipOf(change.last)}/24`;
      world.estate.guest({ vmid: own, cluster, devices: [{ ip4: fixed, shows: [ipOf(change.last)] }] });
      return `${said} ${ipOf(change.last)}`;
    }
    case 'moves':
      if (cluster === 'lab') return undefined;
      be({ node: node === 'pve1' ? 'pve2' : 'pve1', startedAt: power === 'STOPPED' ? guest.startedAt : world.now });
      return said;
    case 'stops':
      world.estate.stop(own, cluster);
      return said;
    case 'starts':
      if (power === 'STOPPED') world.estate.start(own, cluster, 20 * SECOND);
      return said;
    case 'goes':
      world.estate.remove(own, cluster);
      return said;
    case 'is made anew':
      world.estate.remove(own, cluster);
      make(world, own, { name: 'mail', address: 4, kind: kind === 'LXC' ? 'agent' : 'container' });
      return said;
    case 'hides':
      be({ listed: false });
      return said;
    case 'mutes its agent':
      be({ agentDead: true });
      return said;
    case 'has no rrd data':
      be({ tracked: false });
      return said;
    case 'is made':
      return undefined;
  }
}

function write(world: World, source: string, key: string, next: Declaration | undefined): void {
  const rest = (world.written.get(source) ?? []).filter((one) => one.key !== key);
  world.written.set(source, next === undefined ? rest : [...rest, next].sort((a, b) => (a.key < b.key ? -1 : 1)));
}

/** Everything can be seen again, and every clock is right. */
export function light({ world, servers }: Pick<WholePath, 'world' | 'servers'>): void {
  world.dark.clear();
  for (const node of ['pve1', 'pve2']) world.estate.node(node, { online: true });
  world.estate.cluster('main').quorate = true;
  for (const { vmid: own, cluster } of world.estate.guests.values())
    world.estate.guest({ vmid: own, cluster, listed: true, agentDead: false, tracked: true });
  for (const { clock } of servers) clock.skew = 0;
}

/** Changes of the outside; gives what happened in words, or undefined where it is for the gateway. */
export function happens(world: World, one: Happening): string | undefined {
  switch (one.of) {
    case 'guest':
      return happenTo(world, one.vmid, one);
    case 'conf':
      world.written.set(CONF, linesOf(one.lines));
      return `the address file says ${one.lines.map(ipOf).join(', ')}`;
    case 'dark':
      world.dark.add(one.what);
      return `${one.what} is out of reach`;
    case 'all dark':
      for (const what of LOSABLE) world.dark.add(what);
      return 'everything is out of reach';
    case 'node':
      world.estate.node(one.node, { online: false });
      return `${one.node} goes down`;
    case 'quorum':
      world.estate.cluster('main').quorate = false;
      return 'main loses its quorum';
    default:
      return undefined;
  }
}

export const pauseOf = ({ minutes }: Day): number => minutes * MINUTE;
