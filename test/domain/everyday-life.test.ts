import fc from 'fast-check';
import { describe, it } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/time.js';
import { Run } from '../testkit/domain-run.js';
import { holds } from '../testkit/domain-worlds.js';
import { beWellKept, HAPPENINGS } from '../testkit/everyday.js';

/** Runs of each property; a longer search is `PROPERTY_RUNS=5000 npx vitest run test/domain --testTimeout 600000`. */
const RUNS = 4 * Math.ceil(Number(process.env.PROPERTY_RUNS ?? 400) / 4);

function wellKept(): Run {
  const run = new Run();
  beWellKept(run);
  run.settle();
  run.wait(90 * MINUTE).settle();
  return run;
}

const day = fc.array(
  fc.record({
    what: fc.constantFrom(...Object.keys(HAPPENINGS)),
    vmid: fc.integer({ min: 100, max: 103 }),
    // Which parts the slice happens to read meanwhile.
    slice: fc.array(
      fc.tuple(fc.integer({ min: 100, max: 103 }), fc.constantFrom('config' as const, 'addresses' as const)),
      {
        maxLength: 3,
      },
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

describe('law 8: everyday life is quiet', () => {
  it('makes no finding and no event of drift of what happens on any day', () => {
    fc.assert(
      fc.property(day, (happenings) => {
        const run = wellKept();
        for (const { what, vmid, slice } of happenings) {
          const happening = HAPPENINGS[what];
          if (happening === undefined) continue;
          const parts = slice.map(([key, part]) => ({ part, key: String(key) }));
          let step = 0;
          for (const pause of happening(run, vmid)) {
            run.story.push(`-- ${what} of ${vmid}, step ${++step}`);
            // The poll comes some time after it happened, and again every ten seconds at first.
            for (let i = 0; i < 3; i++) run.tick(parts);
            for (let left = pause - 30 * SECOND; left > 0; left -= 2 * MINUTE) {
              run.estate.pass(Math.max(0, Math.min(left, 2 * MINUTE) - 10 * SECOND));
              run.tick(parts).compare();
            }
          }
        }
        run.wait(10 * MINUTE).settle();
        holds(run, 'nothing happened', run.events, []);
      }),
      { numRuns: RUNS },
    );
  });

  it('has each of these days alone, read well or badly', () => {
    for (const [what, happening] of Object.entries(HAPPENINGS)) {
      for (const vmid of [100, 101, 102, 103]) {
        const run = wellKept();
        for (const pause of happening(run, vmid)) {
          run.tick();
          run.wait(Math.max(0, pause - 10 * SECOND));
          run.tick().settle();
        }
        holds(run, `${what} of ${vmid} is quiet`, run.events, []);
      }
    }
  });
});
