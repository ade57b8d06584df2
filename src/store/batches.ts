import type { Instant } from '../domain/time.js';
import type { Batch, SourceState } from '../domain/version.js';
import type { Sql } from './connection.js';
import { saveReads } from './part-reads.js';
import { EVER_REAL, isReal } from './runs.js';
import { json, text, timestamp } from './sql-values.js';
import { applyWrites } from './version-writes.js';

/** The sequence number of the last run written: every one writes its source's state. */
export async function lastBatch(sql: Sql): Promise<bigint> {
  const [row] = await sql.query<{ seq: bigint | null }>('SELECT max(source_states.seq) AS seq FROM source_states');
  return row?.seq ?? 0n;
}

/** Writes what one run changes, in a handful of statements whatever the number of rows. */
export async function applyBatch(sql: Sql, seq: bigint, batch: Batch): Promise<void> {
  await applyWrites(sql, seq, batch.writes);
  if (batch.reads.length > 0) await saveReads(sql, seq, batch.reads);
  await saveState(sql, seq, batch.state);
}

async function saveState(sql: Sql, seq: bigint, state: SourceState): Promise<void> {
  const at = (instant: Instant | null): string | null => timestamp(instant);
  await sql.run(
    `WITH real AS (
       INSERT INTO marks (name, value) SELECT $17::text, $1::text WHERE $18::boolean ON CONFLICT (name) DO NOTHING
     )
     INSERT INTO source_states AS states
       (source, kind, cluster, outcome, reason, notes, first_success_at, last_success_at, last_attempt_at,
        unreachable_since, last_full_at, activity_mark, requests, failures, back_off_until, seq)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (source) DO UPDATE
        SET kind = excluded.kind, cluster = excluded.cluster, outcome = excluded.outcome, reason = excluded.reason,
            notes = excluded.notes, first_success_at = excluded.first_success_at,
            last_success_at = excluded.last_success_at, last_attempt_at = excluded.last_attempt_at,
            unreachable_since = excluded.unreachable_since, last_full_at = excluded.last_full_at,
            activity_mark = excluded.activity_mark, requests = excluded.requests, failures = excluded.failures,
            back_off_until = excluded.back_off_until, seq = excluded.seq`,
    [
      state.source,
      state.kind,
      state.cluster,
      state.outcome,
      text(state.reason),
      json(state.notes),
      at(state.firstSuccessAt),
      at(state.lastSuccessAt),
      at(state.lastAttemptAt),
      at(state.unreachableSince),
      at(state.lastFullAt),
      text(state.activityMark),
      state.requests,
      state.failures,
      at(state.backOffUntil),
      seq,
      EVER_REAL,
      isReal(state.source) && state.outcome === 'OBSERVED',
    ],
  );
}
