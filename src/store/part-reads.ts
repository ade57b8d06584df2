import type { PartReadRow } from '../domain/version.js';
import type { Sql } from './connection.js';
import { COPY_ROWS, copyLines } from './copy-lines.js';
import { text, timestamp } from './sql-values.js';

/** Writes when parts were read. One part may have been read twice in a run: the later word counts. */
export async function saveReads(sql: Sql, seq: bigint, rows: readonly PartReadRow[]): Promise<void> {
  const reads = latest(rows);
  if (reads.length >= COPY_ROWS) await replaceReads(sql, seq, reads);
  else await upsertReads(sql, seq, reads);
}

function latest(rows: readonly PartReadRow[]): readonly PartReadRow[] {
  const bySource = new Map<string, Map<string, Map<string, PartReadRow>>>();
  for (const row of rows) mapIn(mapIn(bySource, row.source), row.part).set(row.key, row);
  return [...bySource.values()].flatMap((byPart) => [...byPart.values()].flatMap((byKey) => [...byKey.values()]));
}

function mapIn<V>(maps: Map<string, Map<string, V>>, key: string): Map<string, V> {
  const known = maps.get(key);
  if (known !== undefined) return known;
  const map = new Map<string, V>();
  maps.set(key, map);
  return map;
}

async function upsertReads(sql: Sql, seq: bigint, reads: readonly PartReadRow[]): Promise<void> {
  await sql.run(
    `INSERT INTO part_reads (source, part, key, state, asked_at, attempted_at, failures, reason, seq)
     SELECT read.*, $1
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[],
                   $6::timestamptz[], $7::timestamptz[], $8::int[], $9::text[]) AS read
         ON CONFLICT (source, part, key) DO UPDATE
        SET state = excluded.state, asked_at = excluded.asked_at, attempted_at = excluded.attempted_at,
            failures = excluded.failures, reason = excluded.reason, seq = excluded.seq`,
    [
      seq,
      reads.map((r) => r.source),
      reads.map((r) => r.part),
      reads.map((r) => text(r.key)),
      reads.map((r) => r.state),
      reads.map((r) => timestamp(r.askedAt)),
      reads.map((r) => timestamp(r.attemptedAt)),
      reads.map((r) => r.failures),
      reads.map((r) => text(r.reason)),
    ],
  );
}

// Every row of a full pass is rewritten anyhow; to delete and COPY is half the cost of an upsert of that size.
async function replaceReads(sql: Sql, seq: bigint, reads: readonly PartReadRow[]): Promise<void> {
  const sources = [...new Set(reads.map((r) => r.source))];
  const [any] = await sql.query('SELECT FROM part_reads WHERE part_reads.source = ANY ($1) LIMIT 1', [sources]);
  if (any !== undefined) await deleteReads(sql, reads);
  await copyReads(sql, seq, reads);
}

async function deleteReads(sql: Sql, reads: readonly PartReadRow[]): Promise<void> {
  await sql.run(
    `DELETE FROM part_reads AS old
      USING unnest($1::text[], $2::text[], $3::text[]) AS read (source, part, key)
      WHERE old.source = read.source AND old.part = read.part AND old.key = read.key`,
    [reads.map((r) => r.source), reads.map((r) => r.part), reads.map((r) => text(r.key))],
  );
}

async function copyReads(sql: Sql, seq: bigint, reads: readonly PartReadRow[]): Promise<void> {
  await sql.copy(
    'COPY part_reads (source, part, key, state, asked_at, attempted_at, failures, reason, seq) FROM STDIN',
    copyLines(reads, (r) => [
      r.source,
      r.part,
      text(r.key),
      r.state,
      timestamp(r.askedAt),
      timestamp(r.attemptedAt),
      r.failures,
      text(r.reason),
      seq,
    ]),
  );
}
