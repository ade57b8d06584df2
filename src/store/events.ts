import type pg from 'pg';
import { onConnection, type Sql } from './connection.js';
import { json, text, timestamp } from './sql-values.js';
import type { LogEvent, NewLogEvent, Store } from './store.js';
import type { Writer } from './transaction.js';

type EventRow = Omit<LogEvent, 'subject'> & { readonly subjectKind: string; readonly subjectId: string };

/** Rows that one transaction deletes at most: it holds up every writer meanwhile. */
const PRUNED_AT_ONCE = 5_000;

export function eventsOf(pool: pg.Pool, inTurn: Writer['inTurn']): Store['events'] {
  return {
    after: (cursor, topics, limit) => onConnection(pool, (sql) => eventsAfter(sql, cursor, topics, limit)),
    bounds: () =>
      onConnection(pool, async (sql) => {
        const [head] = await sql.query<{ last: bigint; resumableAfter: bigint }>(
          `SELECT write_head.event_cursor AS last, write_head.pruned_cursor AS "resumableAfter" FROM write_head`,
        );
        return head ?? { last: 0n, resumableAfter: 0n };
      }),
    async prune(before, { keepAfter, signal } = {}) {
      let pruned = 0;
      for (;;) {
        signal?.throwIfAborted();
        const now = await inTurn((sql) => pruneSome(sql, timestamp(before), keepAfter ?? null));
        pruned += now;
        if (now < PRUNED_AT_ONCE) return pruned;
      }
    },
  };
}

/**
 * The page of the log behind $1 with topics $2, at most $3 rows. One index range per topic and none longer than the page:
 * a rare topic costs no walk through the common ones.
 */
export const eventsAfterSql = `SELECT events.cursor, events.topic, events.at, events.subject_kind AS "subjectKind",
            events.subject_id AS "subjectId", events.payload
       FROM (SELECT mine.cursor
               FROM unnest($2::text[]) AS wanted (topic)
              CROSS JOIN LATERAL (
                    SELECT events.cursor FROM events
                     WHERE events.topic = wanted.topic AND events.cursor > $1
                     ORDER BY events.cursor LIMIT $3) AS mine
              ORDER BY mine.cursor LIMIT $3) AS page
       JOIN events ON events.cursor = page.cursor
      ORDER BY events.cursor`;

async function eventsAfter(
  sql: Sql,
  cursor: bigint,
  topics: readonly string[],
  limit: number,
): Promise<readonly LogEvent[]> {
  const rows = await sql.query<EventRow>(eventsAfterSql, [cursor, [...new Set(topics)], limit]);
  return rows.map(({ subjectKind, subjectId, ...event }) => ({
    ...event,
    subject: { kind: subjectKind, id: subjectId },
  }));
}

/**
 * Appends events and returns their cursors, in order. The cursors come from the head row and not from a sequence:
 * a sequence hands out numbers that other readers see before their rows are committed.
 */
export async function appendEvents(sql: Sql, events: readonly NewLogEvent[]): Promise<readonly bigint[]> {
  if (events.length === 0) return [];
  const [head] = await sql.query<{ last: bigint }>(
    `WITH head AS (
       UPDATE write_head SET event_cursor = write_head.event_cursor + $1 RETURNING write_head.event_cursor AS last
     ), appended AS (
       INSERT INTO events (cursor, topic, at, subject_kind, subject_id, payload)
       SELECT head.last - $1 + e.n, e.topic, e.at, e.subject_kind, e.subject_id, e.payload::jsonb
         FROM head,
              unnest($2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[])
              WITH ORDINALITY AS e (topic, at, subject_kind, subject_id, payload, n)
     )
     SELECT head.last FROM head`,
    [
      events.length,
      events.map((e) => e.topic),
      events.map((e) => timestamp(e.at)),
      events.map((e) => e.subject.kind),
      events.map((e) => text(e.subject.id)),
      events.map((e) => json(e.payload)),
    ],
  );
  if (head === undefined) throw new Error('the table write_head has lost its row: restore it from a backup');
  return events.map((_, i) => head.last - BigInt(events.length - 1 - i));
}

// Only a beginning of the log goes, so that what is left has no holes: up to the first event that is young enough.
async function pruneSome(sql: Sql, before: string, keepAfter: bigint | null): Promise<number> {
  const [keep] = await sql.query<{ cursor: bigint; pruned: bigint }>(
    `SELECT write_head.pruned_cursor AS pruned,
            least(coalesce(
              (SELECT min(young.cursor) - 1 FROM events AS young
                WHERE young.at >= $1
                  AND young.cursor > write_head.pruned_cursor AND young.cursor <= write_head.pruned_cursor + $2),
              write_head.pruned_cursor + $2), write_head.event_cursor, $3::bigint) AS cursor
       FROM write_head`,
    [before, PRUNED_AT_ONCE, keepAfter],
  );
  if (keep === undefined || keep.cursor <= keep.pruned) return 0;
  // From where the last one ended: below it the index still names what is deleted already.
  const deleted = await sql.run('DELETE FROM events WHERE events.cursor > $1 AND events.cursor <= $2', [
    keep.pruned,
    keep.cursor,
  ]);
  if (deleted > 0) await sql.run('UPDATE write_head SET pruned_cursor = $1', [keep.cursor]);
  return deleted;
}
