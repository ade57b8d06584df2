import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { keyScheme } from '../../../src/auth/api-key.js';
import { cursorText } from '../../../src/feed/cursor.js';
import { openStore } from '../../../src/store/open.js';
import type { Store } from '../../../src/store/store.js';
import { driftOpened } from '../../testkit/event-log.js';
import { median } from '../measure.js';
import { withDatabase, withPostgres } from '../postgres.js';
import { ms, type Table, times } from '../report.js';
import type { Crowd, Told } from './clients.js';

/** Ten thousand in two processes that see the finding, by two roles; and a thousand that must be told nothing. */
const SOCKETS_PER_KEY = 500;
const KEYS_PER_CROWD = 10;
const STRANGERS = 1_000;
const SUBSCRIBERS = 2 * KEYS_PER_CROWD * SOCKETS_PER_KEY;
const WARM = 2;
const PAUSE = 300;

interface Round {
  readonly last: number;
  readonly cpuMs: number;
}
interface Figures {
  readonly rounds: readonly Round[];
  readonly gatherMs: number;
  readonly rssMb: number;
  readonly bytes: number;
}

/** One committed event to ten thousand subscribers on real sockets: with shared messages, and each worked out alone. */
export async function benchFanout(): Promise<readonly Table[]> {
  return withPostgres(async (server) => {
    const shared = await withDatabase(server, (url) => measured(url, 'shared', 15));
    const alone = await withDatabase(server, (url) => measured(url, 'alone', 5));
    const of = ({ rounds }: Figures, figure: keyof Round) => median(rounds.map((round) => round[figure]));
    const worst = ({ rounds }: Figures) => Math.max(...rounds.map(({ last }) => last));
    const row = (name: string, figures: Figures) => [
      name,
      times(of(alone, 'last') / of(figures, 'last')),
      ms(of(figures, 'last')),
      ms(worst(figures)),
      ms(of(figures, 'cpuMs')),
      `${Math.round((SUBSCRIBERS * 1_000) / of(figures, 'cpuMs')).toLocaleString('en')}`,
      figures.rssMb.toFixed(0),
    ];
    return [
      {
        title: `fanout: one event to ${SUBSCRIBERS.toLocaleString('en')} authorised subscribers`,
        notes: [
          `Reach: last delivery < 1,000 ms on two cores, from before the commit to the last socket. Half are viewers of one tenant, half operators of all; ${STRANGERS.toLocaleString('en')} more of another tenant must be told nothing, and are not.`,
          `Each message of ${shared.bytes} bytes holds the event, its finding, the guest and the node. The subscribers are two processes of the same machine, whose work is in the time on the clock. Medians of ${shared.rounds.length} and ${alone.rounds.length} events.`,
          `To connect, authenticate and subscribe all: ${ms(shared.gatherMs)} ms.`,
        ],
        head: ['', '× alone', 'last ms', 'worst ms', 'gateway CPU ms', 'messages/CPU s', 'MB'],
        rows: [
          row('one execution and one message a permission scope', shared),
          row('an execution for each subscriber', alone),
        ],
      },
    ];
  });
}

async function measured(database: string, how: 'shared' | 'alone', events: number): Promise<Figures> {
  const store = await openStore({ url: database, migrate: true });
  const children: ChildProcess[] = [];
  const start = (file: string, ...args: string[]) => {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      env: { ...process.env, NODE_ENV: 'production' },
    });
    children.push(child);
    return child;
  };
  try {
    const gateway = start('./gateway.js', database, how);
    const { url } = await heard<{ url: string }>(gateway);
    const socketUrl = `${url.replace('http', 'ws')}/graphql`;
    const [first = 0n] = await append(store);
    const begun = performance.now();
    const crowd = async (roles: readonly string[], tenants: readonly string[] | null, sockets: number) => {
      const keys = await keysOf(store, roles, tenants);
      const child = start('./clients.js');
      const order: Crowd = {
        url: socketUrl,
        keys,
        socketsPerKey: sockets / keys.length,
        after: cursorText(first),
      };
      child.send(order);
      await heard(child);
      return child;
    };
    const viewers = await crowd(['viewer'], ['default'], SUBSCRIBERS / 2);
    const operators = await crowd(['operator'], null, SUBSCRIBERS / 2);
    const strangers = await crowd(['viewer'], ['elsewhere'], STRANGERS);
    const gatherMs = performance.now() - begun;
    await sleep(1_000);
    const rounds: Round[] = [];
    let bytes = 0;
    for (let i = 0; i < WARM + events; i++) {
      const before = await costOf(gateway);
      const told = Promise.all([heard<Told>(viewers), heard<Told>(operators)]);
      const committing = process.hrtime.bigint();
      await append(store);
      const ends = await told;
      const last = Math.max(...ends.map(({ at }) => Number(BigInt(at) - committing) / 1e6));
      const { cpuMs } = await costOf(gateway);
      bytes = ends[0].bytes;
      if (i >= WARM) rounds.push({ last, cpuMs: cpuMs - before.cpuMs });
      await sleep(PAUSE);
    }
    strangers.send('told');
    const { told } = await heard<{ told: number }>(strangers);
    if (told > 0) throw new Error(`${told} messages went to who may not see them`);
    const { rssMb } = await costOf(gateway);
    return { rounds, gatherMs, rssMb, bytes };
  } finally {
    await Promise.all(children.map(stop));
    await store.close();
  }
}

/** A finding of the estate that the gateway answers from has opened: one transaction. */
function append(store: Store): Promise<readonly bigint[]> {
  return store.transaction((tx) => tx.events.append([driftOpened(100)]));
}

/** Written down as they are: the estate has one tenant yet, and nobody may make keys for another. */
async function keysOf(store: Store, roles: readonly string[], tenants: readonly string[] | null): Promise<string[]> {
  const keys = Array.from({ length: KEYS_PER_CROWD }, () => keyScheme.create());
  await store.transaction(async (tx) => {
    for (const key of keys) {
      const id = randomUUID();
      await tx.apiKeys.add({
        ...{ id, name: id, person: id, roles, tenants, createdAt: tx.now, createdBy: 'bench' },
        ...{ prefix: keyScheme.prefixOf(key), hash: keyScheme.hashOf(key), expiresAt: null, revokedAt: null },
      });
    }
  });
  return keys;
}

async function costOf(gateway: ChildProcess): Promise<{ readonly cpuMs: number; readonly rssMb: number }> {
  gateway.send('cost');
  return heard(gateway);
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

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill();
  await exit;
}
