import type pg from 'pg';
import type { Instant } from '../domain/time.js';
import type { PartReadRow, SourceState, Version, VersionKind } from '../domain/version.js';
import { onConnection, type Sql } from './connection.js';
import { timestamp } from './sql-values.js';
import type { Delta, Store } from './store.js';

const VERSION = `versions.source, versions.cluster, versions.kind, versions.key, versions.incarnation, versions.body,
  versions.hash, versions.valid_from AS "validFrom", versions.prior_read_at AS "priorReadAt"`;
const READ = `part_reads.source, part_reads.part, part_reads.key, part_reads.state, part_reads.asked_at AS "askedAt",
  part_reads.attempted_at AS "attemptedAt", part_reads.failures, part_reads.reason`;
const STATE = `source_states.source, source_states.kind, source_states.cluster, source_states.outcome,
  source_states.reason, source_states.notes, source_states.first_success_at AS "firstSuccessAt",
  source_states.last_success_at AS "lastSuccessAt", source_states.last_attempt_at AS "lastAttemptAt",
  source_states.unreachable_since AS "unreachableSince", source_states.last_full_at AS "lastFullAt",
  source_states.activity_mark AS "activityMark", source_states.requests, source_states.failures,
  source_states.back_off_until AS "backOffUntil"`;

export function versionsOf(pool: pg.Pool): Omit<Store['versions'], 'changes'> {
  return {
    open: () => onConnection(pool, (sql) => inSnapshot(sql, openDelta)),
    since: (seq) => onConnection(pool, (sql) => deltaSince(sql, seq)),
    asOf: (at, kinds, only = {}) => onConnection(pool, (sql) => asOf(sql, at, kinds, only)),
    endedSince: (after, kind) => onConnection(pool, (sql) => endedSince(sql, after, kind)),
  };
}

/** Several statements, one moment: a commit between two of them would otherwise be half seen. */
async function inSnapshot<T>(sql: Sql, work: (sql: Sql) => Promise<T>): Promise<T> {
  await sql.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return await work(sql);
  } finally {
    // Nothing was written; a lost connection has been told by the statement that met it.
    await sql.run('COMMIT').catch(() => undefined);
  }
}

async function headSeq(sql: Sql): Promise<bigint> {
  const [head] = await sql.query<{ seq: bigint }>('SELECT write_head.seq FROM write_head');
  return head?.seq ?? 0n;
}

async function openDelta(sql: Sql): Promise<Delta> {
  return {
    seq: await headSeq(sql),
    opened: await sql.query<VersionRow>(
      `SELECT ${VERSION} FROM versions WHERE versions.valid_to IS NULL ORDER BY versions.id`,
    ),
    ended: [],
    reads: await sql.query<PartReadRow & pg.QueryResultRow>(`SELECT ${READ} FROM part_reads`),
    states: await sql.query<SourceState & pg.QueryResultRow>(
      `SELECT ${STATE} FROM source_states ORDER BY source_states.source`,
    ),
  };
}

type VersionRow = Version & pg.QueryResultRow;
type EndedRow = Version & { readonly validTo: Instant } & pg.QueryResultRow;

/** Whoever is up to date, as most are who look before a run, learns so by one question. */
async function deltaSince(sql: Sql, seq: bigint): Promise<Delta> {
  const head = await headSeq(sql);
  if (head <= seq) return { seq: head, opened: [], ended: [], reads: [], states: [] };
  return inSnapshot(sql, (snapshot) => writtenSince(snapshot, seq));
}

/** A key that ended and is open again stands in both lists: take `ended` first, then `opened`. */
async function writtenSince(sql: Sql, seq: bigint): Promise<Delta> {
  const ended = await sql.query<EndedRow>(
    `SELECT ${VERSION}, versions.valid_to AS "validTo"
       FROM versions WHERE versions.closed_seq > $1 ORDER BY versions.closed_seq, versions.id`,
    [seq],
  );
  return {
    seq: await headSeq(sql),
    opened: await sql.query<VersionRow>(
      `SELECT ${VERSION}
         FROM versions WHERE versions.opened_seq > $1 AND versions.valid_to IS NULL ORDER BY versions.id`,
      [seq],
    ),
    ended: ended.map(withEnd),
    reads: await sql.query<PartReadRow & pg.QueryResultRow>(
      `SELECT ${READ} FROM part_reads WHERE part_reads.seq > $1`,
      [seq],
    ),
    states: await sql.query<SourceState & pg.QueryResultRow>(
      `SELECT ${STATE} FROM source_states WHERE source_states.seq > $1 ORDER BY source_states.source`,
      [seq],
    ),
  };
}

function withEnd({ validTo, ...version }: EndedRow): { version: Version; validTo: Instant } {
  return { version, validTo };
}

// Two halves, each with its own partial index: what still holds, and what ended after that moment.
async function asOf(
  sql: Sql,
  at: Instant,
  kinds: readonly VersionKind[],
  only: { readonly cluster?: string; readonly keys?: readonly string[] },
): Promise<readonly Version[]> {
  const wanted = `versions.kind = ANY ($2::text[])
        AND ($3::text IS NULL OR versions.cluster = $3)
        AND ($4::text[] IS NULL OR versions.key = ANY ($4))
        AND versions.valid_from <= $1`;
  return sql.query<VersionRow>(
    `SELECT ${VERSION} FROM versions WHERE versions.valid_to IS NULL AND ${wanted}
      UNION ALL
     SELECT ${VERSION} FROM versions WHERE versions.valid_to > $1 AND ${wanted}`,
    [timestamp(at), kinds, only.cluster ?? null, only.keys ?? null],
  );
}

async function endedSince(
  sql: Sql,
  after: Instant,
  kind: VersionKind,
): Promise<readonly { version: Version; validTo: Instant }[]> {
  const rows = await sql.query<EndedRow>(
    `SELECT ${VERSION}, versions.valid_to AS "validTo"
       FROM versions WHERE versions.kind = $1 AND versions.valid_to > $2 ORDER BY versions.valid_to, versions.id`,
    [kind, timestamp(after)],
  );
  return rows.map(withEnd);
}
