import type pg from 'pg';
import type { Instant } from '../domain/time.js';
import { onConnection, type Sql } from './connection.js';
import type { DeadLetter, DeadLetterQuery, Deliveries, Failure, Message, TargetState } from './delivery-words.js';
import { text, timestamp } from './sql-values.js';

const STATE = `notification_targets.id, notification_targets.cursor, notification_targets.failures,
  notification_targets.spent, notification_targets.next_attempt_at AS "nextAttemptAt",
  notification_targets.last_success_at AS "lastSuccessAt", notification_targets.last_failure_at AS "lastFailureAt",
  notification_targets.reason, notification_targets.pending_id AS "pendingId",
  notification_targets.pending_topic AS "pendingTopic", notification_targets.pending_body AS "pendingBody",
  notification_targets.pending_count AS "pendingCount", notification_targets.pending_upto AS "pendingUpto"`;

const LETTER = `dead_letters.id AS place, dead_letters.target, dead_letters.delivery AS id, dead_letters.topic,
  dead_letters.body, dead_letters.events, dead_letters.upto, dead_letters.died_at AS "diedAt", dead_letters.reason,
  dead_letters.queued_at AS "queuedAt", dead_letters.replayed_at AS "replayedAt"`;

const NO_LONGER_PENDING = `pending_id = NULL, pending_topic = NULL, pending_body = NULL, pending_count = NULL,
  pending_upto = NULL`;

interface StateRow extends pg.QueryResultRow, Omit<TargetState, 'pending'> {
  readonly pendingId: string | null;
  readonly pendingTopic: string | null;
  readonly pendingBody: string | null;
  readonly pendingCount: number | null;
  readonly pendingUpto: bigint | null;
}

export function deliveriesOf(pool: pg.Pool): Deliveries {
  const once = <T>(work: (sql: Sql) => Promise<T>): Promise<T> => onConnection(pool, work);
  const changed = async (statement: string, values: readonly unknown[]): Promise<boolean> =>
    (await once((sql) => sql.run(statement, values))) > 0;
  return {
    open: (target) => once((sql) => openTarget(sql, target)),
    states: (targets) => once((sql) => statesOf(sql, targets)),
    hold: (target, from, { id, topic, body, events, upto }) =>
      changed(
        `UPDATE notification_targets
            SET pending_id = $3, pending_topic = $4, pending_body = $5, pending_count = $6, pending_upto = $7
          WHERE notification_targets.id = $1 AND notification_targets.cursor = $2
            AND notification_targets.pending_id IS NULL`,
        [target, from, id, topic, text(body), events, upto],
      ),
    pass: (target, from, to) =>
      changed(
        `UPDATE notification_targets SET cursor = $3
          WHERE notification_targets.id = $1 AND notification_targets.cursor = $2
            AND notification_targets.pending_id IS NULL`,
        [target, from, to],
      ),
    delivered: (target, { id, upto }, at, reason) =>
      changed(
        `UPDATE notification_targets
            SET cursor = $3, failures = 0, spent = false, next_attempt_at = NULL, last_success_at = $4, reason = $5,
                ${NO_LONGER_PENDING}
          WHERE notification_targets.id = $1 AND notification_targets.pending_id = $2`,
        [target, id, upto, timestamp(at), text(reason)],
      ),
    failed: (target, message, failure) =>
      changed(
        `UPDATE notification_targets
            SET failures = $3, spent = $4, next_attempt_at = $5, last_failure_at = $6, reason = $7, pending_body = $8,
                last_success_at = CASE WHEN $9::boolean THEN $6 ELSE notification_targets.last_success_at END
          WHERE notification_targets.id = $1 AND notification_targets.pending_id IS NOT DISTINCT FROM $2::text`,
        [
          target,
          message?.id ?? null,
          ...failureValues(failure),
          text(message?.body ?? null),
          failure.toldSome ?? false,
        ],
      ),
    bury: (target, waiting, upto, failure) => once((sql) => buryAll(sql, target, waiting, upto, failure)),
    laid: (target, letters, at) => once((sql) => layLetters(sql, target, letters, at)),
    recovered: async (target, at) => {
      await changed(
        `UPDATE notification_targets
            SET failures = 0, spent = false, next_attempt_at = NULL, last_success_at = $2, reason = NULL
          WHERE notification_targets.id = $1`,
        [target, timestamp(at)],
      );
    },
    mended: async (target) => {
      await changed(
        `UPDATE notification_targets SET failures = 0, spent = false, next_attempt_at = NULL, reason = NULL
          WHERE notification_targets.id = $1`,
        [target],
      );
    },
    letters: (query) => once((sql) => lettersOf(sql, query)),
    countLetters: (targets, replayed) =>
      once(async (sql) => {
        const rows = await sql.query<{ target: string; count: bigint }>(
          `SELECT dead_letters.target, count(*) AS count FROM dead_letters
            WHERE dead_letters.target = ANY($1::text[]) AND (dead_letters.replayed_at IS NOT NULL) = $2
            GROUP BY dead_letters.target`,
          [targets, replayed],
        );
        return new Map(rows.map(({ target, count }) => [target, Number(count)]));
      }),
    queue: (target, ids, at) => once((sql) => queueLetters(sql, target, ids, at)),
    queued: (target, limit) =>
      once((sql) =>
        sql.query<DeadLetter & pg.QueryResultRow>(
          `SELECT ${LETTER} FROM dead_letters
            WHERE dead_letters.target = $1 AND dead_letters.queued_at IS NOT NULL
            ORDER BY dead_letters.id LIMIT $2`,
          [target, limit],
        ),
      ),
    replayed: async ({ place }, at) => {
      await changed('UPDATE dead_letters SET queued_at = NULL, replayed_at = $2 WHERE dead_letters.id = $1', [
        place,
        timestamp(at),
      ]);
    },
    replayFailed: (letter, reason, at) => once((sql) => replayFailed(sql, letter, reason, at)),
    setAside: async ({ place }, failure) => {
      await changed(
        `UPDATE dead_letters
            SET queued_at = NULL, reason = coalesce($2, dead_letters.reason),
                died_at = coalesce($3::timestamptz, dead_letters.died_at)
          WHERE dead_letters.id = $1`,
        [place, text(failure?.reason ?? null), timestamp(failure?.at ?? null)],
      );
    },
    prune: (before) =>
      once((sql) => sql.run('DELETE FROM dead_letters WHERE dead_letters.died_at < $1', [timestamp(before)])),
  };
}

async function openTarget(sql: Sql, target: string): Promise<TargetState> {
  await sql.run(
    `INSERT INTO notification_targets (id, cursor) SELECT $1, write_head.event_cursor FROM write_head
         ON CONFLICT (id) DO NOTHING`,
    [text(target)],
  );
  const [state] = await statesOf(sql, [target]);
  if (state === undefined) throw new Error(`the row of the target ${target} is gone`);
  return state;
}

async function statesOf(sql: Sql, targets: readonly string[]): Promise<readonly TargetState[]> {
  const rows = await sql.query<StateRow>(
    `SELECT ${STATE} FROM notification_targets WHERE notification_targets.id = ANY($1::text[])`,
    [targets],
  );
  return rows.map(({ pendingId, pendingTopic, pendingBody, pendingCount, pendingUpto, ...state }) => ({
    ...state,
    pending:
      pendingId === null || pendingUpto === null
        ? null
        : {
            id: pendingId,
            topic: pendingTopic ?? '',
            body: pendingBody ?? '',
            events: pendingCount ?? 0,
            upto: pendingUpto,
          },
  }));
}

function failureValues({ failures, spent, nextAttemptAt, at, reason }: Failure): readonly unknown[] {
  return [failures, spent, timestamp(nextAttemptAt), timestamp(at), text(reason)];
}

/** One statement, so that the letters are there if and only if the target has gone on behind them. */
async function buryAll(
  sql: Sql,
  target: string,
  waiting: readonly Message[],
  upto: bigint,
  failure: Failure,
): Promise<boolean> {
  const rows = await sql.query(
    `WITH moved AS (
       UPDATE notification_targets
          SET failures = $3, spent = $4, next_attempt_at = $5, last_failure_at = $6, reason = $7, cursor = $8,
              ${NO_LONGER_PENDING}
        WHERE notification_targets.id = $1 AND notification_targets.pending_id = $2
       RETURNING notification_targets.id
     ), dead AS (
       INSERT INTO dead_letters (target, delivery, topic, body, events, upto, died_at, reason)
       SELECT moved.id, m.delivery, m.topic, m.body, m.events, m.upto, $6, $7
         FROM moved,
              unnest($9::text[], $10::text[], $11::text[], $12::integer[], $13::bigint[])
              WITH ORDINALITY AS m (delivery, topic, body, events, upto, n)
        ORDER BY m.n
           ON CONFLICT (delivery) DO NOTHING
     )
     SELECT moved.id FROM moved`,
    [
      target,
      waiting[0]?.id ?? '',
      ...failureValues(failure),
      upto,
      waiting.map(({ id }) => id),
      waiting.map(({ topic }) => topic),
      waiting.map(({ body }) => text(body)),
      waiting.map(({ events }) => events),
      waiting.map((message) => message.upto),
    ],
  );
  return rows.length > 0;
}

async function layLetters(
  sql: Sql,
  target: string,
  letters: readonly (Message & { readonly reason: string })[],
  at: Instant,
): Promise<void> {
  await sql.run(
    `INSERT INTO dead_letters (target, delivery, topic, body, events, upto, died_at, reason)
     SELECT $1, m.delivery, m.topic, m.body, m.events, m.upto, $2, m.reason
       FROM unnest($3::text[], $4::text[], $5::text[], $6::integer[], $7::bigint[], $8::text[])
            WITH ORDINALITY AS m (delivery, topic, body, events, upto, reason, n)
      ORDER BY m.n
         ON CONFLICT (delivery) DO NOTHING`,
    [
      target,
      timestamp(at),
      letters.map(({ id }) => id),
      letters.map(({ topic }) => topic),
      letters.map(({ body }) => text(body)),
      letters.map(({ events }) => events),
      letters.map(({ upto }) => upto),
      letters.map(({ reason }) => text(reason)),
    ],
  );
}

async function lettersOf(
  sql: Sql,
  { targets, replayed, after, before, backward = false, ids, limit }: DeadLetterQuery,
): Promise<readonly DeadLetter[]> {
  const found = await sql.query<DeadLetter & pg.QueryResultRow>(
    `SELECT ${LETTER} FROM dead_letters
      WHERE dead_letters.target = ANY($1::text[])
        AND ($2::boolean OR dead_letters.replayed_at IS NULL)
        AND dead_letters.id > $3
        AND ($6::bigint IS NULL OR dead_letters.id < $6)
        AND ($4::text[] IS NULL OR dead_letters.delivery = ANY($4::text[]))
      ORDER BY dead_letters.id ${backward ? 'DESC' : ''} LIMIT $5`,
    [targets, replayed, after ?? 0n, ids ?? null, limit, before ?? null],
  );
  return backward ? found.reverse() : found;
}

async function queueLetters(
  sql: Sql,
  target: string,
  ids: readonly string[] | undefined,
  at: Instant,
): Promise<readonly string[]> {
  const rows = await sql.query<{ id: string }>(
    `WITH queued AS (
       UPDATE dead_letters SET queued_at = $3
        WHERE dead_letters.target = $1 AND dead_letters.replayed_at IS NULL
          AND ($2::text[] IS NULL OR dead_letters.delivery = ANY($2::text[]))
       RETURNING dead_letters.delivery AS id
     ), told AS (
       SELECT pg_notify('deliveries', $1)
     )
     SELECT queued.id FROM queued, told`,
    [target, ids ?? null, timestamp(at)],
  );
  return rows.map(({ id }) => id);
}

async function replayFailed(sql: Sql, { place, target }: DeadLetter, reason: string, at: Instant): Promise<void> {
  await sql.run(
    `UPDATE dead_letters
        SET queued_at = NULL,
            died_at = CASE WHEN dead_letters.id = $2 THEN $4 ELSE dead_letters.died_at END,
            reason = CASE WHEN dead_letters.id = $2 THEN $3 ELSE dead_letters.reason END
      WHERE dead_letters.target = $1 AND dead_letters.queued_at IS NOT NULL`,
    [target, place, text(reason), timestamp(at)],
  );
}
