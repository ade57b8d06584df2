import { benchEvents } from './events.js';
import { benchFanout } from './fanout/fanout.js';
import { benchGraphql } from './graphql/graphql.js';
import { benchPass } from './pass.js';
import { benchRead } from './read.js';
import { machine, printed, type Table } from './report.js';
import { benchStart } from './start.js';
import { benchTime } from './time.js';

const BENCHES: Readonly<Record<string, () => Promise<readonly Table[]>>> = {
  pass: benchPass,
  read: benchRead,
  graphql: benchGraphql,
  fanout: benchFanout,
  start: benchStart,
  events: benchEvents,
  time: benchTime,
};

/** `npm run bench [-- name …]`: prints each bench's table. Nothing here passes or fails on time. */
async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => BENCHES[name] === undefined);
  if (unknown.length > 0) {
    console.error(`there is no bench ${unknown.join(', ')}; there are: ${Object.keys(BENCHES).join(', ')}`);
    process.exitCode = 2;
    return;
  }
  console.log(`Measured on ${machine()}.\n`);
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    for (const table of await bench()) console.log(printed(table));
  }
}

await main(process.argv.slice(2));
