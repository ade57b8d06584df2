import fc from 'fast-check';
import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/time.js';
import { beWellKept, HAPPENINGS, type Played } from '../testkit/everyday.js';
import { WholePath } from '../testkit/whole-path.js';
import { checkRecord } from '../testkit/whole-path-record.js';
import { Search } from '../testkit/whole-path-search.js';
import { Surroundings } from '../testkit/whole-path-services.js';

/** Runs of the property: its days are long, so a tenth of those of the other laws. */
const RUNS = Math.ceil(Number(process.env.PROPERTY_RUNS ?? 100) / 10);
const TIMEOUT = 60_000 + 20_000 * RUNS;

/** The outside as the days of an estate play on it. What does not answer, does so for one look. */
function played({ world }: WholePath): Played {
  return {
    estate: world.estate,
    write(name, rows) {
      world.written.set(name, rows);
      world.dark.delete(name);
    },
    lose: (name) => world.dark.add(name),
    unreachable: () => world.dark.add('main'),
  };
}

const day = fc.array(
  fc.record({
    what: fc.constantFrom(...Object.keys(HAPPENINGS)),
    vmid: fc.integer({ min: 100, max: 103 }),
    turn: fc.nat({ max: 7 }),
    slice: fc.integer({ min: 1, max: 4 }),
    /** What becomes of the processes meanwhile. */
    processes: fc.constantFrom('stay', 'stay', 'restart', 'take over'),
  }),
  { minLength: 1, maxLength: 3 },
);

/** The pause after a step, as a schedule lives through it: polls at first, and then now and again. */
async function goesBy(path: WholePath, pause: number): Promise<void> {
  await path.look();
  path.world.dark.delete('main');
  for (let left = pause; left > 0; left -= 12 * MINUTE) {
    path.world.estate.pass(10 * SECOND);
    await path.look();
    await path.wait(Math.max(0, Math.min(left, 12 * MINUTE) - 10 * SECOND));
  }
  await path.look();
}

describe('law 8 from the estate through the store to what is told: everyday life is quiet', () => {
  let search: Search;
  beforeAll(async () => {
    search = await Search.open();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterAll(async () => {
    vi.useRealTimers();
    await search.close();
  });

  it('makes no finding and no event of what happens on any day, whoever collects and compares', {
    timeout: TIMEOUT,
  }, async () => {
    await search.through(RUNS, day, async (ground, happenings) => {
      const path = await WholePath.begin(ground);
      try {
        const world = played(path);
        const { world: outside } = path;
        outside.around = new Surroundings(outside.now);
        // A proxy that sends to the guest that is backed up, moved and rebooted, and to a container.
        for (const [i, to] of ['10.0.0.20', '10.0.0.22'].entries())
          outside.around.proxyHosts.set(i + 1, { to, enabled: true });
        beWellKept(world);
        await path.open('one');
        await path.look('ON_DEMAND');
        await path.open('other');
        await path.answered();
        await path.wait(90 * MINUTE);
        await path.settle();
        for (const { what, vmid, turn, slice, processes } of happenings) {
          Object.assign(path.world, { turn, slice });
          let step = 0;
          for (const pause of HAPPENINGS[what]?.(world, vmid) ?? []) {
            path.tell(`${what} of ${vmid}, step ${++step}`);
            if (step === 1 && processes === 'restart') await path.restart();
            if (step === 1 && processes === 'take over') await path.takeOver();
            await goesBy(path, pause);
          }
        }
        await path.wait(10 * MINUTE);
        await path.settle();
        path.holds('law 8: nothing happened', path.steps, []);
        path.holds('nothing failed', path.failures.map(String), []);
        await checkRecord(path, [], false);
      } finally {
        await path.close();
      }
    });
  });
});
