import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SimulatedCluster } from '../../src/simulator/simulator.js';
import type { LoopOrder } from './bare-loop.js';
import { type Child, childOf } from './child.js';
import { type Cost, median, medianCost } from './measure.js';
import { withDatabase, withPostgres } from './postgres.js';
import type { Round, RoundOrder } from './read-gateway.js';
import { ms, type Table, times, versionOf } from './report.js';

interface Size {
  readonly guests: number;
  readonly nodes: number;
}
const SIZES: readonly Size[] = [
  { guests: 1_500, nodes: 5 },
  { guests: 15_000, nodes: 500 },
];
const ROUNDS = 5;
const WIDTH = 8;
const POLLS = 8;

type BothRead = Round & { readonly bare: Cost };

/** A first pass over HTTPS, every part read, stored and compared, and polls after it; held against a bare loop over the same calls. */
export async function benchRead(): Promise<readonly Table[]> {
  const tables: Table[] = [];
  for (const size of SIZES) tables.push(await benchSize(size));
  return tables;
}

/** The simulated estate, the gateway and the loop are a process each: nothing that one holds or compiles is the others'. */
async function benchSize({ guests, nodes }: Size): Promise<Table> {
  const estate = fork(fileURLToPath(new URL('./simulate.js', import.meta.url)), [String(guests), String(nodes)]);
  const gateway = childOf<RoundOrder, Round>('read-gateway.js');
  const loop = childOf<LoopOrder, Cost>('bare-loop.js');
  const [told] = (await once(estate, 'message')) as [{ cluster: SimulatedCluster; declaredDir: string }];
  try {
    const rounds = await withPostgres((url) => inTurns(url, told.cluster, gateway, loop));
    return table({ guests, nodes }, rounds);
  } finally {
    await Promise.all([gateway.end(), loop.end(), ended(estate)]);
    await rm(told.declaredDir, { recursive: true, force: true });
  }
}

async function ended(child: ChildProcess): Promise<void> {
  child.disconnect();
  await once(child, 'exit');
}

async function inTurns(
  url: string,
  cluster: SimulatedCluster,
  gateway: Child<RoundOrder, Round>,
  loop: Child<LoopOrder, Cost>,
): Promise<readonly BothRead[]> {
  const rounds: BothRead[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const round = await withDatabase(url, (own) => gateway.ask({ url: own, cluster, polls: POLLS }));
    rounds.push({ ...round, bare: await loop.ask({ cluster, paths: round.paths, width: WIDTH }) });
  }
  return rounds;
}

function table({ guests, nodes }: Size, rounds: readonly BothRead[]): Table {
  const cost = (pick: (round: BothRead) => Cost): Cost => medianCost(rounds.map(pick));
  const [read, rest, bare] = [cost((r) => r.read), cost((r) => r.rest), cost((r) => r.bare)];
  const poll = medianCost(rounds.flatMap(({ polls }) => polls));
  const rates = rounds.map((round) => Math.round((100 * round.bare.ms) / round.read.ms));
  const own = median(rounds.map((round) => round.read.cpuMs / round.bare.cpuMs));
  const { requests = 0, pollRequests = 0, peakMB = 0 } = rounds[0] ?? {};
  return {
    title: `read: ${guests.toLocaleString('en')} guests on ${nodes} nodes over HTTPS, every part`,
    notes: [
      `Reading reaches ${median(rates)} % of the rate of a bare loop over the same calls, for ${times(own)} its CPU (${versionOf('undici')}, ${WIDTH} at a time, nothing checked); round by round ${rates.join(', ')} %: in the first nothing is compiled.`,
      'Reach: 70 %, less than 2 × the CPU, resident memory under 512 MB; a poll that finds nothing new under 500 ms of CPU.',
      `Read, store and compare: ${ms(read.ms + rest.ms)} ms for ${requests} requests; a poll makes ${pollRequests}.`,
      `Resident at its peak: ${ms(peakMB)} MB in a first pass and ${POLLS} polls, ${ms(rounds.at(-1)?.peakMB ?? 0)} MB after ${ROUNDS} of them in one process.`,
      `Medians of ${ROUNDS} first passes and ${POLLS * ROUNDS} polls; gateway, loop and simulated estate are a process each on the same machine.`,
    ],
    head: ['step', 'ms', 'CPU ms'],
    rows: [
      ['read', ms(read.ms), ms(read.cpuMs)],
      ['absorb, store, learn, compare', ms(rest.ms), ms(rest.cpuMs)],
      ['poll that finds nothing new, whole', ms(poll.ms), ms(poll.cpuMs)],
      ['bare loop', ms(bare.ms), ms(bare.cpuMs)],
    ],
  };
}
