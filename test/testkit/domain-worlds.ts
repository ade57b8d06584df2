import fc from 'fast-check';
import type { Declaration, DeclaredStatus } from '../../src/domain/declaration.js';
import { CONF, line, NETBOX, row, TABLE } from './domain-declared.js';
import type { Run } from './domain-run.js';

/** How a guest lets its addresses be known. */
type Voice = 'agent' | 'agent over static' | 'static' | 'dhcp' | 'mute' | 'dead' | 'container';

/** One guest of a random world: what it truly is, and what is written of it. Small numbers, so that things collide. */
export interface AWorldGuest {
  readonly vmid: number;
  readonly voice: Voice;
  readonly node: 'pve1' | 'pve2';
  readonly power: 'RUNNING' | 'STOPPED' | 'PAUSED';
  readonly template: boolean;
  readonly address: number;
  readonly sharesMac: boolean;
  readonly written: null | {
    readonly name: boolean;
    readonly address: number | null;
    readonly node: 'pve1' | 'pve2' | null;
    readonly status: DeclaredStatus | null;
    readonly place: 'cluster' | 'node' | 'nowhere';
  };
  /** NetBox's own row: its address, or no row. */
  readonly netbox: number | null;
}

export interface AWorld {
  readonly guests: readonly AWorldGuest[];
  /** Lines of the address file, as last bytes. */
  readonly lines: readonly number[];
  /** A row for a VMID that nobody has. */
  readonly missing: boolean;
}

const byte = fc.integer({ min: 2, max: 7 });
const node = fc.constantFrom('pve1' as const, 'pve2' as const);

function aGuest(vmid: number): fc.Arbitrary<AWorldGuest> {
  return fc.record({
    vmid: fc.constant(vmid),
    voice: fc.constantFrom<Voice>('agent', 'agent over static', 'static', 'dhcp', 'mute', 'dead', 'container'),
    node,
    power: fc.constantFrom('RUNNING' as const, 'RUNNING' as const, 'STOPPED' as const, 'PAUSED' as const),
    template: fc.integer({ max: 7, min: 0 }).map((n) => n === 7),
    address: byte,
    sharesMac: fc.integer({ max: 3, min: 0 }).map((n) => n === 3),
    written: fc.option(
      fc.record({
        name: fc.boolean(),
        address: fc.option(byte),
        node: fc.option(node),
        status: fc.option(fc.constantFrom<DeclaredStatus>('running', 'stopped', 'planned', 'retired', 'unclear')),
        place: fc.constantFrom('cluster' as const, 'node' as const, 'nowhere' as const),
      }),
      { freq: 6 },
    ),
    netbox: fc.option(byte, { freq: 1 }),
  });
}

export const worlds: fc.Arbitrary<AWorld> = fc.record({
  guests: fc
    .integer({ min: 1, max: 4 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => aGuest(100 + i)))),
  lines: fc.uniqueArray(byte, { maxLength: 3 }),
  missing: fc.boolean(),
});

const ipOf = (last: number) => `10.0.0.${last}`;

/** Makes the truth of a world be. */
export function settleIn(run: Run, world: AWorld): void {
  for (const guest of world.guests) {
    const { vmid, voice, power, template } = guest;
    const before = run.estate.guests.get(`main/${vmid}`);
    const starts = before?.power === 'STOPPED' && power !== 'STOPPED' ? { startedAt: run.estate.now } : {};
    const own = ipOf(guest.address);
    const fixed = voice === 'static' || voice === 'agent over static' || voice === 'container' ? `${own}/24` : null;
    run.estate.guest({
      vmid,
      kind: voice === 'container' ? 'LXC' : 'QEMU',
      node: guest.node,
      // A container cannot be paused, and a template does not run.
      power: template ? 'STOPPED' : voice === 'container' && power === 'PAUSED' ? 'RUNNING' : power,
      template,
      ...starts,
      agent: voice !== 'static' && voice !== 'mute',
      agentDead: voice === 'dead',
      devices: [
        {
          ip4: voice === 'dhcp' ? 'dhcp' : fixed,
          shows: [own],
          ...(guest.sharesMac ? { mac: 'bc:24:11:99:00:01' } : {}),
        },
      ],
    });
  }
}

export function tableOf(world: AWorld): readonly Declaration[] {
  const rows = world.guests.flatMap(({ vmid, written }): Declaration[] => {
    if (written === null) return [];
    const { place, status, node: at, address } = written;
    const named = place === 'node' ? (at ?? 'pve1') : at;
    return [
      row({
        vmid,
        name: written.name ? `guest-${vmid}` : `other-${vmid}`,
        cluster: place === 'cluster' ? 'main' : null,
        node: named,
        status,
        addresses: address === null ? [] : [ipOf(address)],
      }),
    ];
  });
  return world.missing ? [...rows, row({ vmid: 900, name: 'gone', addresses: ['10.0.0.3'] })] : rows;
}

/** The files and services of a world, in precedence; one without rows was never there. */
export function declaredOf(world: AWorld): readonly { readonly name: string; readonly rows: readonly Declaration[] }[] {
  const netbox = world.guests.flatMap(({ vmid, netbox: last }) =>
    last === null ? [] : [row({ vmid, addresses: [ipOf(last)] })],
  );
  const conf = world.lines.map((last) => line(`LINE_${last}`, ipOf(last)));
  return [
    { name: NETBOX, rows: netbox },
    { name: TABLE, rows: tableOf(world) },
    { name: CONF, rows: conf },
  ].filter(({ rows }) => rows.length > 0);
}

export function writeDown(run: Run, world: AWorld): void {
  for (const { name, rows } of declaredOf(world)) run.write(name, rows);
}

/** What is open, and what each says. */
export function saying(run: Run): readonly string[] {
  return run.open().map((id) => {
    const { declared, observed, severity } = run.finding(id);
    return `${id} ${declared} | ${observed} | ${severity}`;
  });
}

/** Fails with the run's story, so that a shrunk counter-example reads as one. */
export function holds(run: Run, claim: string, actual: unknown, expected: unknown): void {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value, null, 1));
  if (a !== b) throw new Error(`${claim}\nexpected ${b}\nfound ${a}\n${run.told()}`);
}
