import type pg from 'pg';
import type { Instant } from '../domain/time.js';
import { addApiKey, anyApiKey, revokeApiKey } from './api-keys.js';
import { addAsks, clearAsks } from './asks.js';
import { applyBatch, lastBatch } from './batches.js';
import { latestComparison, recordComparison } from './comparisons.js';
import { onConnection, type Sql } from './connection.js';
import { appendEvents } from './events.js';
import { findFinding, saveFindings } from './findings.js';
import { getMark, putMark } from './marks.js';
import { addRun } from './runs.js';
import type { Channel, Transaction } from './store.js';
import { writeVersions } from './version-writes.js';

/** The one advisory lock that every write transaction takes first. Any constant will do; this one spells `sankofa`. */
const WRITE_ORDER = 0x73616e6b6f6661n;

// The lock is a statement of its own: what follows it then sees all that was committed before it was given.
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED;
  SELECT pg_advisory_xact_lock(${WRITE_ORDER});
  UPDATE write_head
     SET seq = write_head.seq + 1,
         at = greatest(write_head.at, date_trunc('milliseconds', clock_timestamp()))
  RETURNING write_head.seq, write_head.at`;

interface Head {
  readonly seq: bigint;
  readonly at: Instant;
}

type Announce = (channel: Channel, payload: string) => void;

/** Write transactions of one process, one after another. */
export interface Writer {
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** For what the store itself has to write in its turn. */
  inTurn<T>(work: InOrder<T>): Promise<T>;
}

/**
 * Writers take turns, so what they number (sequence, event cursors, times) is in the order of their commits:
 * docs/adr/0001-event-order.md. Those of this process wait here and not on a connection each: readers need those.
 */
export function writerOn(pool: pg.Pool): Writer {
  let turn: Promise<unknown> = Promise.resolve();
  const next = <T>(work: InOrder<T>): Promise<T> => {
    const mine = turn.then(() => inWriteOrder(pool, work));
    turn = mine.catch(() => undefined);
    return mine;
  };
  return {
    transaction: (work) => next((sql, head, announce) => work(transactionOf(sql, head, announce))),
    inTurn: (work) => next(work),
  };
}

type InOrder<T> = (sql: Sql, head: Head, announce: Announce) => Promise<T>;

function inWriteOrder<T>(pool: pg.Pool, work: InOrder<T>): Promise<T> {
  return onConnection(pool, async (sql) => {
    const announcements = new Map<string, readonly [Channel, string]>();
    try {
      const head = await sql.begin<Head & pg.QueryResultRow>(BEGIN);
      const result = await work(sql, head, (channel, payload) => {
        announcements.set(`${channel} ${payload}`, [channel, payload]);
      });
      await notify(sql, [...announcements.values()]);
      await sql.commit();
      return result;
    } catch (error) {
      await sql.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
  });
}

// NOTIFY is part of the transaction: it is heard when the rows can be read, or never.
async function notify(sql: Sql, announcements: readonly (readonly [Channel, string])[]): Promise<void> {
  if (announcements.length === 0) return;
  await sql.run(
    'SELECT pg_notify(said.channel, said.payload) FROM unnest($1::text[], $2::text[]) AS said (channel, payload)',
    [announcements.map(([channel]) => channel), announcements.map(([, payload]) => payload)],
  );
}

function transactionOf(sql: Sql, head: Head, announce: Announce): Transaction {
  return {
    now: head.at,
    seq: head.seq,
    batches: {
      async apply(batch) {
        const before = await lastBatch(sql);
        await applyBatch(sql, head.seq, batch);
        announce('inventory', `${batch.state.source}:${head.seq}`);
        return before;
      },
    },
    runs: { add: (run) => addRun(sql, head.seq, run) },
    events: {
      async append(events) {
        const cursors = await appendEvents(sql, events);
        const last = cursors.at(-1);
        if (last !== undefined) announce('events', String(last));
        return cursors;
      },
    },
    versions: {
      async write(writes) {
        const sources = await writeVersions(sql, head.seq, writes);
        for (const source of sources) announce('inventory', `${source}:${head.seq}`);
      },
    },
    findings: {
      find: (id) => findFinding(sql, id),
      async save(findings, history) {
        await saveFindings(sql, head, findings, history);
        if (findings.length > 0) announce('findings', String(head.seq));
      },
    },
    comparisons: {
      latest: () => latestComparison(sql),
      record: (comparison) => recordComparison(sql, comparison),
      async outdate() {
        await recordComparison(sql, head);
        announce('decisions', String(head.seq));
      },
    },
    apiKeys: {
      async add(key) {
        await addApiKey(sql, key);
        announce('api_keys', key.id);
      },
      async revoke(id, at) {
        const key = await revokeApiKey(sql, id, at);
        if (key !== undefined) announce('api_keys', id);
        return key;
      },
      any: () => anyApiKey(sql),
    },
    marks: { get: (name) => getMark(sql, name), put: (name, value) => putMark(sql, name, value) },
    asks: {
      async add(source, parts) {
        await addAsks(sql, head.at, source, parts);
        if (parts.length > 0) announce('asks', source);
      },
      clear: (source, parts) => clearAsks(sql, source, parts),
    },
  };
}
