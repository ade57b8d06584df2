import pg from 'pg';
import { explained } from './connection.js';
import { connectionSettings } from './data-source.js';
import type { Store } from './store.js';

const HEARTBEAT = 5_000;
const HEARTBEAT_TIMEOUT = 5_000;

interface Locks {
  readonly lock: Store['lock'];
  close(): Promise<void>;
}

/**
 * Locks between replicas: session-level advisory locks, all on one connection of their own. Postgres would give a
 * session the same lock twice, so the names held here are kept beside it. When the connection goes, all of them are lost.
 */
export function locksOn(url: string, applicationName: string): Locks {
  let session: Promise<Session> | undefined;
  return {
    async lock(name) {
      const mine =
        session?.then((s) => (s.lost.signal.aborted ? openSession(url, applicationName) : s)) ??
        openSession(url, applicationName);
      session = mine;
      // A failed attempt is not kept: the next lock tries again, and may have done so by now.
      const current = await mine.catch((error) => {
        if (session === mine) session = undefined;
        throw explained(error);
      });
      return take(current, name);
    },
    async close() {
      const current = await session?.catch(() => undefined);
      session = undefined;
      current?.end();
    },
  };
}

interface Session {
  /** One statement after the other: a connection takes no second one while it works on the first. */
  ask<Row extends pg.QueryResultRow>(statement: string, values?: readonly unknown[]): Promise<Row[]>;
  readonly held: Set<string>;
  readonly lost: AbortController;
  end(): void;
}

async function openSession(url: string, applicationName: string): Promise<Session> {
  const client = new pg.Client({
    ...connectionSettings(url, `${applicationName} locks`),
    query_timeout: HEARTBEAT_TIMEOUT,
  });
  const lost = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(timer);
    lost.abort();
    client.end().catch(() => undefined);
  };
  let last: Promise<unknown> = Promise.resolve();
  const ask = <Row extends pg.QueryResultRow>(statement: string, values: readonly unknown[] = []): Promise<Row[]> => {
    const asked = last.catch(() => undefined).then(() => client.query<Row>(statement, [...values]));
    last = asked;
    return asked.then(({ rows }) => rows);
  };
  client.on('error', end);
  client.on('end', end);
  const beat = (): void => {
    if (lost.signal.aborted) return;
    timer = setTimeout(() => ask('SELECT 1').then(beat, end), HEARTBEAT);
  };
  try {
    await client.connect();
  } catch (error) {
    end();
    throw error;
  }
  beat();
  return { ask, held: new Set(), lost, end };
}

async function take(session: Session, name: string): ReturnType<Store['lock']> {
  if (session.held.has(name)) return undefined;
  session.held.add(name);
  try {
    const rows = await session.ask<{ got: boolean }>(
      `SELECT pg_try_advisory_lock(hashtextextended('sankofa ' || $1, 0)) AS got`,
      [name],
    );
    if (rows[0]?.got !== true) {
      session.held.delete(name);
      return undefined;
    }
  } catch (error) {
    // Whether the server gave it is not known: only the end of the session makes sure that nobody holds it.
    session.end();
    throw explained(error);
  }
  return { lost: session.lost.signal, release: () => release(session, name) };
}

async function release(session: Session, name: string): Promise<void> {
  if (!session.held.has(name) || session.lost.signal.aborted) return;
  try {
    await session.ask(`SELECT pg_advisory_unlock(hashtextextended('sankofa ' || $1, 0))`, [name]);
    session.held.delete(name);
  } catch {
    session.end();
  }
}
