import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { median } from '../measure.js';
import { ms, type Table, times, versionOf } from '../report.js';
import { GUESTS, QUERY } from './estate.js';
import { KEY } from './key.js';
import type { Load, Loaded } from './load.js';

const SERVERS = ['ours', 'roomy', 'kept', 'documented', 'stringify'] as const;
type Name = (typeof SERVERS)[number];
const CALLED: Readonly<Record<Name, string>> = {
  ours: 'sankofa-it-api: key, limits, permissions, compiled query',
  roomy: 'the same with room for young objects',
  kept: 'the same, its answer kept while nothing is learned',
  documented: 'Apollo Server + TypeGraphQL as documented',
  stringify: 'node:http, JSON.stringify of fresh objects',
};
/** Room for the objects of a few answers: what dies young is then never copied. Costs up to 100 MB of memory. */
const ROOMY = ['--min-semi-space-size=32', '--max-semi-space-size=64'];
const ROUNDS = 3;
const WARM_SECONDS = 2;
const SECONDS = 3;

interface Served {
  readonly name: Name;
  readonly url: string;
  readonly child: ChildProcess;
}
interface Figures {
  readonly perSecond: number;
  readonly cpuMs: number;
  readonly p50: number;
  readonly p99: number;
}

/** The same query, over real HTTP, to the gateway's own faces and to its peers, in turns within one run. */
export async function benchGraphql(): Promise<readonly Table[]> {
  const children: ChildProcess[] = [];
  const start = (file: string, argument: string, execArgv: readonly string[] = []) => {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), [argument], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
      execArgv: [...execArgv],
    });
    children.push(child);
    return child;
  };
  try {
    const generator = start('./load.js', '');
    const servers: Served[] = [];
    for (const name of SERVERS) {
      const child = name === 'roomy' ? start('./serve.js', 'ours', ROOMY) : start('./serve.js', name);
      const { url } = await heard<{ url: string }>(child);
      servers.push({ name, url, child });
    }
    const bytes = await sameAnswers(servers);
    return [await table(generator, servers, GUESTS, 8, bytes), await table(generator, servers, 10, 16, undefined)];
  } finally {
    await Promise.all(children.map(stop));
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

async function table(
  generator: ChildProcess,
  servers: readonly Served[],
  guests: number,
  clients: number,
  bytes: number | undefined,
): Promise<Table> {
  const rounds = new Map<Name, Figures[]>(SERVERS.map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const server of servers) {
      const seconds = round === 0 ? WARM_SECONDS : SECONDS;
      const figures = await loaded(generator, server, { url: server.url, body: bodyFor(guests), clients, seconds });
      if (round > 0) rounds.get(server.name)?.push(figures);
    }
  }
  const of = (name: Name, figure: keyof Figures) => median((rounds.get(name) ?? []).map((one) => one[figure]));
  return {
    title: `graphql: ${guests} guests × 12 fields + node + findings, ${clients} clients`,
    notes: [
      `The gateway: ${times(of('ours', 'perSecond') / of('documented', 'perSecond'))} the requests per second and ` +
        `1/${(of('documented', 'cpuMs') / of('ours', 'cpuMs')).toFixed(1)} the CPU of Apollo + TypeGraphQL as documented; ` +
        `${times(of('ours', 'perSecond') / of('stringify', 'perSecond'))} the requests of JSON.stringify alone.`,
      `${versionOf('@apollo/server')}, ${versionOf('type-graphql')}, ${versionOf('graphql')}, ${versionOf('graphql-jit')}. ` +
        `${bytes === undefined ? '' : `Answers of ${bytes.toLocaleString('en')} bytes, checked to be the same. `}` +
        `Medians of ${ROUNDS} turns of ${SECONDS} s, after ${WARM_SECONDS} s of warming up. The load comes from a process on the same machine.`,
      `Kept: asked again with the same words and rights before the next poll, ${times(of('kept', 'perSecond') / of('documented', 'perSecond'))} the requests per second. The other rows work each answer out.`,
      `Room for young objects: node ${ROOMY.join(' ')}.`,
    ],
    head: ['server', 'requests/s', 'CPU ms/request', 'p50 ms', 'p99 ms', '× documented'],
    rows: SERVERS.map((name) => [
      CALLED[name],
      of(name, 'perSecond').toFixed(1),
      of(name, 'cpuMs').toFixed(2),
      ms(of(name, 'p50')),
      ms(of(name, 'p99')),
      times(of(name, 'perSecond') / of('documented', 'perSecond')),
    ]),
  };
}

async function loaded(generator: ChildProcess, { child }: Served, order: Load): Promise<Figures> {
  const before = await cpuOf(child);
  generator.send(order);
  const result = await heard<Loaded | { error: string }>(generator);
  if ('error' in result) throw new Error(result.error);
  const { requests, seconds, p50, p99 } = result;
  const cpuMs = ((await cpuOf(child)) - before) / requests;
  return { perSecond: requests / seconds, cpuMs, p50, p99 };
}

async function cpuOf(child: ChildProcess): Promise<number> {
  child.send('cpu');
  return (await heard<{ cpuMs: number }>(child)).cpuMs;
}

/** The next message of a child; a child that ends instead is an error, not a wait for ever. */
async function heard<T>(child: ChildProcess): Promise<T> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(([code]) => {
    throw new Error(`a process of the bench ended with ${code}`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message', { signal: ended.signal }), exit])) as [T];
    return message;
  } finally {
    ended.abort();
    await exit.catch(() => undefined);
  }
}

function bodyFor(first: number): string {
  return JSON.stringify({ query: QUERY, variables: { first } });
}

/** Asks each server once and holds the answers against each other: a peer that says less would be faster for nothing. */
async function sameAnswers(servers: readonly Served[]): Promise<number> {
  const texts = await Promise.all(
    servers.map(async ({ url }) => {
      const headers = { 'content-type': 'application/json', 'x-api-key': KEY };
      const answer = await fetch(url, { method: 'POST', headers, body: bodyFor(GUESTS) });
      return await answer.text();
    }),
  );
  const [own = '', ...others] = texts.map(sorted);
  for (const [i, other] of others.entries())
    if (other !== own) throw new Error(`${servers[i + 1]?.name} answers otherwise: ${other.slice(0, 300)}`);
  return texts[0]?.length ?? 0;
}

/** The order of keys is JSON.stringify's own affair. */
function sorted(text: string): string {
  return JSON.stringify(JSON.parse(text), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
