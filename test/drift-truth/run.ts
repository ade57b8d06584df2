import { withDatabase, withDirectory, withPostgres } from '../bench/postgres.js';
import { Stage } from './stage.js';
import { STEPS, walk } from './steps.js';

const NAME = Math.max(...STEPS.map(({ name }) => name.length));

/** `npm run drift-truth`: walks through what happens to an estate, and prints a line a step with what was expected and what came. */
async function main(): Promise<void> {
  let wrong = 0;
  await withPostgres((server) =>
    withDatabase(server, (url) =>
      withDirectory(async (folder) => {
        const stage = await Stage.open(folder, url);
        try {
          for (const step of STEPS) {
            const { name, expected, happened, isAsExpected } = await walk(stage, step);
            if (!isAsExpected) wrong += 1;
            console.log(
              `${isAsExpected ? 'ok   ' : 'WRONG'}  ${name.padEnd(NAME)}  expected: ${expected}  happened: ${happened === expected ? 'the same' : happened}`,
            );
          }
        } finally {
          await stage.close();
        }
      }),
    ),
  );
  console.log(
    wrong === 0
      ? `\nall ${STEPS.length} steps came as expected`
      : `\n${wrong} of ${STEPS.length} steps did not come as expected`,
  );
  process.exitCode = wrong === 0 ? 0 : 1;
}

await main();
