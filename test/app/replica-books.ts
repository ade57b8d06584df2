import { createClient as createRedis } from '@redis/client';
import { type Client, createClient } from 'graphql-ws';
import pg from 'pg';
import { WebSocket } from 'ws';
import { cursorText } from '../../src/feed/cursor.js';
import type { Received } from '../notifications/receiver.js';
import { type Replica, SOCKET_PARAMS } from './replica-processes.js';

/** A row of the event log, in the words of those who hear of it. */
export interface Logged {
  readonly id: string;
  readonly topic: string;
  readonly subject: string;
}

export interface HistoryStep {
  readonly finding: string;
  readonly type: string;
  readonly cursor: string | null;
}

async function rowsOf<Row extends pg.QueryResultRow>(databaseUrl: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** What was committed: the truth that everybody else is held against. */
export async function eventLog(databaseUrl: string): Promise<readonly Logged[]> {
  const rows = await rowsOf<{ cursor: string; topic: string; subject: string }>(
    databaseUrl,
    `SELECT cursor::text, topic, coalesce(payload->>'findingId', payload->>'guest', subject_id) AS subject
       FROM events ORDER BY events.cursor`,
  );
  return rows.map(({ cursor, topic, subject }) => ({ id: cursorText(BigInt(cursor)), topic, subject }));
}

/** Every step in the life of every finding, in the order in which they were written. */
export async function historySteps(databaseUrl: string): Promise<readonly HistoryStep[]> {
  const rows = await rowsOf<{ finding: string; type: string; cursor: string | null }>(
    databaseUrl,
    'SELECT finding_id AS finding, type, cursor::text FROM finding_history ORDER BY finding_history.id',
  );
  return rows.map(({ cursor, ...step }) => ({ ...step, cursor: cursor === null ? null : cursorText(BigInt(cursor)) }));
}

/** How often each source was read in a pass that is on record. */
export async function passes(databaseUrl: string): Promise<ReadonlyMap<string, number>> {
  const rows = await rowsOf<{ source: string; count: number }>(
    databaseUrl,
    'SELECT source, count(*)::int AS count FROM runs GROUP BY source',
  );
  return new Map(rows.map(({ source, count }) => [source, count]));
}

/** What a server that is being restarted does to whoever is connected. */
export async function terminateAll(databaseUrl: string): Promise<void> {
  await rowsOf(
    databaseUrl,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  );
}

/** The entries of the stream, in its order. */
export async function streamed(url: string): Promise<readonly string[]> {
  const redis = createRedis({ url });
  await redis.connect();
  try {
    return ((await redis.xRange('sankofa.events', '-', '+')) ?? []).map(({ message }) => String(message.id));
  } finally {
    redis.destroy();
  }
}

/** Each delivery once, as a receiver that heeds the idempotency key keeps it; a repeated one has to say the same again. */
export function deliveries(received: readonly Received[]): readonly string[] {
  const bodies = new Map<string, string>();
  for (const { delivery, body } of received) {
    const before = bodies.get(delivery);
    if (before !== undefined && before !== body) throw new Error(`delivery ${delivery} came with two bodies`);
    bodies.set(delivery, body);
  }
  return [...bodies.values()].map((body) => (JSON.parse(body) as { id: string }).id);
}

export function firstOfEach<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}

const DRIFT = 'subscription($after: String) { driftEvents(after: $after) { cursor type findingId } }';
const GUESTS = 'subscription($after: String) { inventoryEvents(after: $after) { cursor type guestId } }';

interface Told {
  readonly cursor: string;
  readonly type: string;
  readonly findingId?: string;
  readonly guestId?: string;
}

/** Somebody who follows everything, and goes on from her last cursor wherever she is let in. */
export class Subscriber {
  readonly drift: Told[] = [];
  readonly guests: Told[] = [];
  #client: Client | undefined;

  follow(replica: Replica): void {
    this.leave();
    this.#client = createClient({
      url: `${replica.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: SOCKET_PARAMS,
      retryAttempts: 0,
    });
    this.#subscribe(DRIFT, 'driftEvents', this.drift);
    this.#subscribe(GUESTS, 'inventoryEvents', this.guests);
  }

  leave(): void {
    // Its replica may be dead: then nobody answers the farewell.
    void this.#client?.dispose();
    this.#client = undefined;
  }

  #subscribe(query: string, field: string, into: Told[]): void {
    const client = this.#client;
    const after = into.at(-1)?.cursor ?? cursorText(0n);
    client?.subscribe<Record<string, Told>>(
      { query, variables: { after } },
      {
        next: ({ data }) => {
          const event = data?.[field];
          // What comes late on a connection that was left is not hers any more: she asked for it again.
          if (event !== undefined && client === this.#client) into.push(event);
        },
        error: () => undefined,
        complete: () => undefined,
      },
    );
  }
}
