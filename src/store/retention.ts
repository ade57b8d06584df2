import type pg from 'pg';
import type { Instant } from '../domain/time.js';
import { onConnection, type Sql } from './connection.js';
import { timestamp } from './sql-values.js';

/** Rows that one statement deletes at most: each is a transaction of its own, and what was deleted stays so when the next fails. */
const DELETED_AT_ONCE = 10_000;

/** Forgets what is older than the policy keeps. Each function gives the number of rows that went. */
export interface Retention {
  /** Versions that ended before this moment. What still holds stays, however old it is. */
  versions(before: Instant, signal?: AbortSignal): Promise<number>;
  /** Runs that finished before this moment, but for the last one of each source. */
  runs(before: Instant, signal?: AbortSignal): Promise<number>;
}

/**
 * Ranges in batches, oldest first, by an index in that order (docs/adr/0013-retention.md). These rows are numbered by
 * nobody and read at a moment: their deletion needs no turn among the writers.
 */
export function retentionOf(pool: pg.Pool): Retention {
  return {
    versions: (before, signal) =>
      inBatches(pool, signal, (sql) =>
        sql.run(
          `DELETE FROM versions
            WHERE versions.id = ANY (ARRAY(
                    SELECT old.id FROM versions AS old
                     WHERE old.valid_to < $1
                     ORDER BY old.valid_to, old.id LIMIT ${DELETED_AT_ONCE}))`,
          [timestamp(before)],
        ),
      ),
    runs: (before, signal) =>
      inBatches(pool, signal, (sql) =>
        sql.run(
          `DELETE FROM runs
            WHERE runs.id = ANY (ARRAY(
                    SELECT old.id FROM runs AS old
                     WHERE old.finished_at < $1
                       AND EXISTS (SELECT FROM runs AS later WHERE later.source = old.source AND later.seq > old.seq)
                     ORDER BY old.finished_at LIMIT ${DELETED_AT_ONCE}))`,
          [timestamp(before)],
        ),
      ),
  };
}

async function inBatches(
  pool: pg.Pool,
  signal: AbortSignal | undefined,
  some: (sql: Sql) => Promise<number>,
): Promise<number> {
  let deleted = 0;
  for (;;) {
    signal?.throwIfAborted();
    const now = await onConnection(pool, some);
    deleted += now;
    if (now < DELETED_AT_ONCE) return deleted;
  }
}
