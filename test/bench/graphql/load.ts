import { Pool } from 'undici';
import { KEY } from './key.js';

/** What to ask, by how many clients at once, and for how long. */
export interface Load {
  readonly url: string;
  readonly body: string;
  readonly clients: number;
  readonly seconds: number;
}

export interface Loaded {
  readonly requests: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p99: number;
}

/** Asks one thing over and over, each client on a connection of its own; the next request follows the last answer. */
export async function load({ url, body, clients, seconds }: Load): Promise<Loaded> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: clients, pipelining: 1 });
  const headers = { 'content-type': 'application/json', 'x-api-key': KEY };
  const times: number[] = [];
  const begun = performance.now();
  const until = begun + seconds * 1_000;
  const client = async () => {
    while (performance.now() < until) {
      const asked = performance.now();
      const answer = await pool.request({ path: pathname, method: 'POST', headers, body });
      await answer.body.dump({ limit: 2 ** 30 });
      if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
      times.push(performance.now() - asked);
    }
  };
  try {
    await Promise.all(Array.from({ length: clients }, client));
  } finally {
    await pool.destroy();
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0;
  return { requests: times.length, seconds: (performance.now() - begun) / 1_000, p50: at(0.5), p99: at(0.99) };
}

// As a child process it takes one order after another, so that its work is not on the measuring process's account.
process.on('disconnect', () => process.exit(0));
process.on('message', (order: Load) => {
  load(order).then(
    (loaded) => process.send?.(loaded),
    (error) => process.send?.({ error: String(error) }),
  );
});
