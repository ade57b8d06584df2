import fc from 'fast-check';
import { MINUTE } from '../../src/domain/time.js';
import {
  around,
  type Happening,
  happening,
  last,
  name,
  ofOneName,
  ofOneTarget,
  VMIDS,
  type Written,
  writtenRow,
} from './whole-path-happenings.js';

/** A happening, how long after the last one, and how it is looked at. */
export interface Day {
  readonly happening: Happening;
  readonly minutes: number;
  readonly look: 'polls' | 'all' | 'some' | 'none';
  readonly turn: number;
}

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
  /** What stands around: targets of proxy hosts, and days that its certificate still has; null: nothing. */
  readonly around: { readonly targets: readonly number[]; readonly days: number } | null;
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
  around: fc.constant(null),
});

const surrounded: fc.Arbitrary<Beginning> = fc
  .tuple(
    beginnings,
    fc.record({
      targets: fc.array(fc.integer({ min: 2, max: 7 }), { minLength: 1, maxLength: 2 }),
      days: fc.integer({ min: 1, max: 45 }),
    }),
  )
  .map(([beginning, besides]) => ({ ...beginning, around: besides }));

const oneName: Beginning = {
  guests: [
    {
      ...{ vmid: 100, name: 'www', address: 2, kind: 'agent', there: true, netbox: null },
      row: { name: 'web', node: null, address: 2, status: null },
    },
  ],
  lines: [],
  around: null,
};

/** Two guests behind a proxy, one declared to run; somebody else answers for their addresses now and then. */
const oneTarget: Beginning = {
  guests: [
    {
      ...{ vmid: 100, name: 'web', address: 2, kind: 'agent', there: true, netbox: null },
      row: { name: 'web', node: null, address: 2, status: null },
    },
    {
      ...{ vmid: 101, name: 'www', address: 3, kind: 'static', there: true, netbox: null },
      row: { name: 'www', node: 'pve1', address: 3, status: 'running' },
    },
  ],
  lines: [],
  around: { targets: [2, 3], days: 31 },
};

/** An estate and what happens to it: to many things at once, or again and again to one. */
export const lives: fc.Arbitrary<readonly [Beginning, readonly Day[]]> = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(beginnings, daysOf(happening, 12)) },
  fc.tuple(fc.constant(oneName), daysOf(ofOneName, 12)),
  fc.tuple(surrounded, daysOf(fc.oneof({ weight: 2, arbitrary: happening }, around), 12)),
  fc.tuple(fc.constant(oneTarget), daysOf(ofOneTarget, 12)),
);

export const pauseOf = ({ minutes }: Day): number => minutes * MINUTE;
