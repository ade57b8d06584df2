import fc from 'fast-check';
import type { DeclaredStatus } from '../../src/domain/declaration.js';
import { CONF, TABLE } from './domain-declared.js';
import { DCIM } from './domain-netbox.js';
import { OBSERVERS } from './whole-path-services.js';

export const VMIDS = [100, 101, 102, 200] as const;
const NAMES = ['web', 'www', 'mail'] as const;
/** All that may be out of reach. */
export const LOSABLE: readonly string[] = ['main', 'lab', TABLE, CONF, DCIM, ...OBSERVERS.map(({ name }) => name)];
const LOCKS = ['backup', 'snapshot', 'migrate', 'suspended'] as const;

/** What a table row says of a guest: here only what the test plays with. */
export interface Written {
  readonly name: string | null;
  readonly node: 'pve1' | 'pve2' | null;
  readonly address: number | null;
  readonly status: DeclaredStatus | null;
}

export type OfGuest =
  | { readonly what: 'is called'; readonly name: string }
  | { readonly what: 'moves' | 'stops' | 'starts' | 'goes' | 'is made' | 'is made anew' }
  | { readonly what: 'gets address'; readonly last: number }
  | { readonly what: 'hides' | 'mutes its agent' | 'has no rrd data' }
  | { readonly what: 'is under HA' | 'leaves HA' | 'is recovered elsewhere' | 'fails under HA' }
  | { readonly what: 'is locked'; readonly lock: (typeof LOCKS)[number] }
  | { readonly what: 'is unlocked' | 'is being cloned' | 'is being created' }
  | { readonly what: 'is written as'; readonly row: Written | null }
  | { readonly what: 'is in NetBox'; readonly last: number | null };

/** Something that happens, or that somebody does. */
export type Happening =
  | ({ readonly of: 'guest'; readonly vmid: number } & OfGuest)
  | { readonly of: 'conf'; readonly lines: readonly number[] }
  | { readonly of: 'dark'; readonly what: string }
  | { readonly of: 'proxy host'; readonly id: number; readonly to: number; readonly enabled: boolean }
  | { readonly of: 'certificate'; readonly days: number }
  | { readonly of: 'stranger'; readonly last: number; readonly mac: string | null }
  | { readonly of: 'node'; readonly node: string }
  | {
      readonly of:
        | 'all dark'
        | 'light'
        | 'quorum'
        | 'restart'
        | 'take-over'
        | 'share'
        | 'usurp'
        | 'deaf'
        | 'again'
        | 'break'
        | 'ignore';
    }
  | { readonly of: 'clock'; readonly seconds: number }
  | { readonly of: 'severity'; readonly severity: 'INFO' | 'WARNING' | 'CRITICAL' }
  | {
      readonly of: 'word';
      readonly kind: 'acknowledge' | 'suppress' | 'reopen';
      readonly pick: number;
      readonly hours: number;
    };

export const last = fc.integer({ min: 2, max: 5 });
const vmid = fc.constantFrom(...VMIDS);
export const name = fc.constantFrom(...NAMES);
const status = fc.option(fc.constantFrom<DeclaredStatus>('running', 'stopped', 'planned'));
export const writtenRow: fc.Arbitrary<Written> = fc.record({
  name: fc.option(name, { freq: 6 }),
  node: fc.option(fc.constantFrom('pve1' as const, 'pve2' as const), { freq: 2 }),
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
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('is under HA', 'leaves HA', 'is recovered elsewhere', 'fails under HA')
      .map((what) => ({ what }) as OfGuest),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('is locked' as const), lock: fc.constantFrom(...LOCKS) }) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('is unlocked', 'is unlocked', 'is being cloned', 'is being created')
      .map((what) => ({ what }) as OfGuest),
  },
);

/** The second is a MAC that guest 101 begins with. */
const strangeMac = fc.constantFrom('02:00:00:00:00:99', 'bc:24:11:01:00:65');

/** What happens around an estate. */
export const around: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      of: fc.constant('proxy host' as const),
      id: fc.integer({ min: 1, max: 2 }),
      to: fc.integer({ min: 2, max: 7 }),
      enabled: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
    }),
  },
  fc.record({ of: fc.constant('certificate' as const), days: fc.integer({ min: 1, max: 45 }) }),
  {
    weight: 3,
    arbitrary: fc.record({ of: fc.constant('stranger' as const), last, mac: fc.option(strangeMac, { freq: 2 }) }),
  },
);

/** Anything that may happen anywhere. */
export const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(vmid, ofGuest).map(([of, what]): Happening => ({ of: 'guest', vmid: of, ...what })),
  },
  fc.record({ of: fc.constant('conf' as const), lines: fc.uniqueArray(last, { maxLength: 3 }) }),
  { weight: 2, arbitrary: fc.record({ of: fc.constant('dark' as const), what: fc.constantFrom(...LOSABLE) }) },
  fc.record({ of: fc.constant('node' as const), node: fc.constantFrom('pve1', 'pve2') }),
  {
    weight: 7,
    arbitrary: fc
      .constantFrom(
        ...(['all dark', 'light', 'light', 'quorum', 'restart', 'take-over', 'share', 'usurp'] as const),
        ...(['deaf', 'again', 'break', 'ignore'] as const),
      )
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

/** One guest whose name differs, and whose row and name change while people say things of it. */
export const ofOneName: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 3,
    arbitrary: name.map((called): Happening => ({ of: 'guest', vmid: 100, what: 'is called', name: called })),
  },
  name.map((called): Happening => {
    const said = { name: called, node: null, address: null, status: null };
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
      .constantFrom('light', 'all dark', 'restart', 'take-over', 'usurp', 'deaf', 'break')
      .map((of) => ({ of }) as Happening),
  },
);

/** What becomes of two guests behind a proxy and of one that is made beside them, and of who else answers for their addresses. */
export const ofOneTarget: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: around },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(100, 101, 101, 102),
        fc.oneof(
          {
            weight: 3,
            arbitrary: fc
              .constantFrom(
                ...(['stops', 'starts', 'goes', 'is made', 'is being cloned', 'is being created'] as const),
                ...(['is under HA', 'is recovered elsewhere', 'is unlocked'] as const),
              )
              .map((what) => ({ what }) as OfGuest),
          },
          fc.record({ what: fc.constant('gets address' as const), last }),
          fc.record({ what: fc.constant('is locked' as const), lock: fc.constantFrom(...LOCKS) }),
        ),
      )
      .map(([of, what]): Happening => ({ of: 'guest', vmid: of, ...what })),
  },
  { weight: 3, arbitrary: fc.record({ of: fc.constant('dark' as const), what: fc.constantFrom(...LOSABLE) }) },
  {
    weight: 4,
    arbitrary: fc
      .constantFrom('light', 'light', 'all dark', 'restart', 'take-over', 'deaf', 'break')
      .map((of) => ({ of }) as Happening),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      of: fc.constant('word' as const),
      kind: fc.constantFrom('acknowledge', 'suppress', 'reopen'),
      pick: fc.nat({ max: 5 }),
      hours: fc.integer({ min: 1, max: 40 }),
    }),
  },
);
