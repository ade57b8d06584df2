import fc from 'fast-check';
import { describe, it } from 'vitest';
import type { SmartVerdict } from '../../src/domain/record.js';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.js';
import { CONF, line, row, TABLE } from '../testkit/domain-declared.js';
import { Run, type Served } from '../testkit/domain-run.js';
import { aPart, hardware, neighbours, npm, unifi } from '../testkit/domain-services.js';
import { holds, saying } from '../testkit/domain-worlds.js';

const RUNS = Number(process.env.PROPERTY_RUNS ?? 200);
const MACS = ['bc:24:11:00:00:64', 'bc:24:11:00:00:65', '02:00:00:00:00:99'] as const;

const byte = fc.integer({ min: 2, max: 6 });
const answer = fc.record({ last: byte, who: fc.constantFrom(...MACS), minutesAgo: fc.constantFrom(0, 10, 300) });

/** A small world of guests, and what four services say of it. Small numbers, so that things meet. */
const scenes = fc.record({
  guests: fc.tuple(byte, byte),
  stopped: fc.tuple(fc.boolean(), fc.boolean()),
  lines: fc.uniqueArray(byte, { maxLength: 2 }),
  proxies: fc.array(fc.record({ last: byte, enabled: fc.boolean() }), { maxLength: 2 }),
  certificateDays: fc.option(fc.constantFrom(-1, 3, 20, 60)),
  neighbours: fc.uniqueArray(answer, { maxLength: 2, selector: ({ last }) => last }),
  clients: fc.uniqueArray(answer, { maxLength: 2, selector: ({ who }) => who }),
  disks: fc.uniqueArray(fc.constantFrom('S1', 'S2', 'S3'), { maxLength: 2 }),
  verdict: fc.constantFrom<SmartVerdict>('PASSED', 'FAILED', 'UNKNOWN'),
});
type Scene = typeof scenes extends fc.Arbitrary<infer T> ? T : never;

const ip = (last: number) => `10.0.0.${last}`;

/** Makes the guests be, and writes them down. */
function be(run: Run, { guests, stopped, lines }: Scene): void {
  for (const [i, last] of guests.entries()) {
    const vmid = 100 + i;
    const before = run.estate.guests.get(`main/${vmid}`)?.power;
    const power = stopped[i] ? ('STOPPED' as const) : ('RUNNING' as const);
    if (before === 'STOPPED' && power === 'RUNNING') run.estate.start(vmid);
    run.estate.guest({ vmid, power, devices: [{ mac: MACS[i] ?? MACS[0], ip4: `${ip(last)}/24`, shows: [ip(last)] }] });
  }
  run.write(
    TABLE,
    guests.map((last, i) => row({ vmid: 100 + i, addresses: [ip(last)] })),
  );
  run.write(CONF, [line('ANY', '10.0.0.99'), ...lines.map((last) => line(`LINE_${last}`, ip(last)))]);
}

/** What each service says now; a certificate's end does not move. */
function saidBy(scene: Scene, now: number, endsAt: number | null): readonly (readonly [string, Served])[] {
  const at = ({ last, who, minutesAgo }: Scene['clients'][number]) => {
    return { address: ip(last), mac: who, seenAt: now - minutesAgo * MINUTE };
  };
  const disks = Object.fromEntries(scene.disks.map((disk) => [disk, scene.verdict]));
  const parts = scene.disks.map((serial) => aPart('disks', serial, { serial }));
  return [
    ['ip_neigh:main/pve1', neighbours('pve1', ...scene.neighbours.map(at))],
    ['unifi:campus', unifi({ clients: scene.clients.map(at) })],
    ['hardware:main/pve1', hardware({ pve1: { parts, sections: ['disks'], disks } })],
    [
      'npm:edge',
      npm({
        hosts: scene.proxies.map(({ last, enabled }, i) => ({ id: i, target: `${ip(last)}:80`, enabled })),
        certificates: endsAt === null ? [] : [{ id: 1, notAfter: endsAt }],
      }),
    ],
  ];
}

/** Several looks of everybody, in an order of their own each time: `order` are places of the four services and the cluster. */
function look(run: Run, scene: Scene, order: readonly number[] = [0, 1, 2, 3, 4]): Run {
  const { certificateDays: days } = scene;
  const endsAt = days === null ? null : Date.parse('2026-11-21T20:00:00Z') + days * DAY + HOUR;
  for (let round = 0; round < 3; round++) {
    for (const place of order) {
      const said = saidBy(scene, run.estate.now, endsAt)[place];
      if (said === undefined) run.full();
      else run.serve(said[0], said[1]);
      run.estate.pass(1_000);
    }
    run.settle();
    run.estate.pass(15 * MINUTE);
  }
  return run.full().settle();
}

function known(scene: Scene, order?: readonly number[]): Run {
  const run = new Run();
  be(run, scene);
  return look(run, scene, order);
}

const OF_SERVICES = /^(ADDRESS_ANSWERED|PROXY_|CERTIFICATE_|HARDWARE_|DISK_|DECLARED_ADDRESS_UNUSED)/;
const SILENCED = ['ip_neigh:main/pve1', 'unifi:campus', 'hardware:main/pve1', 'npm:edge'];

/** What a guest itself is found to carry ends two of them, whoever is silent: it is used then, and answered for by its own. */
function isToldByGuests(run: Run, id: string, { guests }: Scene): boolean {
  const [kind, address = ''] = id.split(':');
  const carriers = MACS.filter((_, i) => guests[i] !== undefined && ip(guests[i]) === address);
  if (kind === 'DECLARED_ADDRESS_UNUSED') return carriers.length > 0;
  return kind === 'ADDRESS_ANSWERED_BY_OTHER' && carriers.some((mac) => run.finding(id).observed?.includes(mac));
}

describe('law 1: a silent service', () => {
  it('opens nothing and resolves nothing of its own, whatever becomes of the guests', () => {
    fc.assert(
      fc.property(scenes, scenes, (scene, other) => {
        // The disks were others when they were accepted.
        const run = look(known({ ...scene, disks: other.disks }), scene);
        const happened = run.events.length;
        for (const source of SILENCED) run.silence(source);
        be(run, { ...other, lines: scene.lines });
        for (let hour = 0; hour < 4; hour++) {
          run.full().settle().wait(HOUR);
          for (const source of SILENCED) run.silence(source);
        }
        const events = run.events
          .slice(happened)
          .filter(({ id }) => OF_SERVICES.test(id))
          .filter(({ id, type }) => type !== 'RESOLVED' || !isToldByGuests(run, id, other));
        holds(run, 'nothing is known, nothing is said', events, []);
      }),
      { numRuns: RUNS },
    );
  });

  it('that is stale is silent', () => {
    fc.assert(
      fc.property(scenes, (scene) => {
        const run = known(scene);
        const happened = run.events.length;
        run.wait(3 * HOUR);
        for (let day = 0; day < 40; day += 8)
          run
            .full()
            .settle()
            .wait(8 * DAY);
        const events = run.events.slice(happened).filter(({ id }) => OF_SERVICES.test(id));
        holds(run, 'nothing is known, nothing is said', events, []);
      }),
      { numRuns: RUNS / 4 },
    );
  });
});

it('law 2: what services say again is no news', () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const run = known(scene);
      const happened = run.events.length;
      look(run, scene);
      holds(run, 'seen again is no news', run.events.slice(happened), []);
      holds(run, 'nothing is asked for for ever', run.comparison.asks, []);
    }),
    { numRuns: RUNS },
  );
});

it('law 3: what services no longer say is over, and reopens as itself', () => {
  fc.assert(
    fc.property(scenes, scenes, (scene, other) => {
      const run = known(scene);
      const first = run.open().filter((id) => OF_SERVICES.test(id));
      be(run, other);
      for (let looks = 0; looks < 6; looks++) look(run, other).wait(HOUR);
      look(run, other);
      for (const id of run.open()) holds(run, `${id} is open, and so`, run.comparison.so.has(id), true);
      for (const id of first) {
        const opened = run.events.filter((event) => event.id === id && event.type === 'OPENED').length;
        holds(run, `${id} opened once`, opened, 1);
      }
    }),
    { numRuns: RUNS / 4 },
  );
});

it('law 7: whoever is read first, it ends in the same findings', () => {
  fc.assert(
    fc.property(scenes, fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), (scene, order) => {
      const run = known(scene, order);
      holds(run, `as in the usual order`, saying(run), saying(known(scene)));
    }),
    { numRuns: RUNS },
  );
});
