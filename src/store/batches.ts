import type { Instant } from '../domain/time.js';
import type { Batch, PartReadRow, SourceState, Version, VersionKey, VersionWrite } from '../domain/version.js';
import { copyLine, type Sql } from './connection.js';
import { EVER_REAL, isReal } from './runs.js';
import { json, text, timestamp } from './sql-values.js';

/** From this many rows on, COPY beats a statement with arrays. */
const COPY_ROWS = 2_000;

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

async function applyWrites(sql: Sql, seq: bigint, writes: readonly VersionWrite[]): Promise<void> {
  const { ends, puts } = split(writes);
  if (ends.length > 0) await endVersions(sql, seq, ends, puts);
  if (puts.length > 0) await putVersions(sql, seq, puts);
}

/** Writes versions that no run read. Their sources count as written: a replica that learns its own next run must not pass these by. */
export async function writeVersions(
  sql: Sql,
  seq: bigint,
  writes: readonly VersionWrite[],
): Promise<readonly string[]> {
  await applyWrites(sql, seq, writes);
  const sources = [...new Set(writes.map((write) => (write.op === 'put' ? write.version : write.key).source))];
  await sql.run('UPDATE source_states SET seq = $1 WHERE source_states.source = ANY ($2)', [seq, sources]);
  return sources;
}

type End = Pick<Extract<VersionWrite, { op: 'end' }>, 'key' | 'validTo'>;

/** A key may end and begin again in one batch, in that order, and do each once: more has no meaning in one run. */
function split(writes: readonly VersionWrite[]): { ends: readonly End[]; puts: readonly Version[] } {
  const ends = new Map<string, End>();
  const puts = new Map<string, Version>();
  for (const write of writes) {
    const key = write.op === 'put' ? write.version : write.key;
    const id = idOf(key);
    if (puts.has(id) || (write.op === 'end' && ends.has(id)))
      throw new Error(`a batch writes version ${named(key)} twice`);
    if (write.op === 'end') ends.set(id, write);
    else puts.set(id, write.version);
  }
  return { ends: [...ends.values()], puts: [...puts.values()] };
}

function idOf({ kind, incarnation, source, cluster, key }: VersionKey): string {
  return [kind, incarnation, source, cluster, key].join('\0');
}

function named({ source, cluster, kind, key, incarnation }: VersionKey): string {
  return JSON.stringify([source, cluster, kind, key, incarnation]);
}

function keyColumns(keys: readonly VersionKey[]): readonly (readonly (string | number)[])[] {
  return [
    keys.map((k) => k.source),
    keys.map((k) => k.cluster),
    keys.map((k) => k.kind),
    keys.map((k) => text(k.key)),
    keys.map((k) => k.incarnation),
  ];
}

// A version never ends before it began, though a read asked earlier may arrive later.
async function endVersions(
  sql: Sql,
  seq: bigint,
  ends: readonly End[],
  puts: readonly Version[] | 'followed',
): Promise<void> {
  const begun = puts === 'followed' ? undefined : new Set(puts.map(idOf));
  await sql.run(
    `UPDATE versions AS open
        SET valid_to = greatest(open.valid_from, ended.at), closed_seq = $1, followed = ended.followed
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::timestamptz[], $8::boolean[])
            AS ended (source, cluster, kind, key, incarnation, at, followed)
      WHERE open.valid_to IS NULL
        AND open.kind = ended.kind AND open.cluster = ended.cluster AND open.key = ended.key
        AND open.incarnation = ended.incarnation AND open.source = ended.source`,
    [
      seq,
      ...keyColumns(ends.map((e) => e.key)),
      ends.map((e) => timestamp(e.validTo)),
      ends.map((e) => begun?.has(idOf(e.key)) ?? true),
    ],
  );
}

/** Opens what is new and what has changed, ending what was; what is open and says the same is left alone. */
async function putVersions(sql: Sql, seq: bigint, puts: readonly Version[]): Promise<void> {
  const open = await openVersions(sql, puts);
  const changed = puts.filter((version) => open.get(version) === false);
  if (changed.length > 0)
    await endVersions(
      sql,
      seq,
      changed.map((v) => ({ key: v, validTo: v.validFrom })),
      'followed',
    );
  const begun = puts.filter((version) => open.get(version) !== true);
  if (begun.length >= COPY_ROWS) await copyVersions(sql, seq, begun);
  else if (begun.length > 0) await insertVersions(sql, seq, begun);
}

/** Those whose key has an open version, with whether that says the same. */
async function openVersions(sql: Sql, all: readonly Version[]): Promise<ReadonlyMap<Version, boolean>> {
  const puts = all.length < COPY_ROWS ? all : await withPredecessors(sql, all);
  if (puts.length === 0) return new Map();
  const open = await sql.query<{ n: bigint; same: boolean }>(
    `SELECT put.n, open.hash = put.hash AS same
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[])
            WITH ORDINALITY AS put (source, cluster, kind, key, incarnation, hash, n)
       JOIN versions AS open
         ON open.valid_to IS NULL
        AND open.kind = put.kind AND open.cluster = put.cluster AND open.key = put.key
        AND open.incarnation = put.incarnation AND open.source = put.source`,
    [...keyColumns(puts), puts.map((v) => v.hash)],
  );
  return new Map(
    open.flatMap(({ n, same }) => {
      const version = puts[Number(n) - 1];
      return version === undefined ? [] : [[version, same] as const];
    }),
  );
}

/** A first pass begins with nothing: to look for thousands of keys one by one in an empty list is work for nothing. */
async function withPredecessors(sql: Sql, puts: readonly Version[]): Promise<readonly Version[]> {
  const places = new Map(puts.map(({ kind, cluster }) => [`${kind} ${cluster}`, { kind, cluster }]));
  const found = await sql.query<{ kind: string; cluster: string }>(
    `SELECT place.kind, place.cluster
       FROM unnest($1::text[], $2::text[]) AS place (kind, cluster)
      WHERE EXISTS (SELECT FROM versions
                     WHERE versions.valid_to IS NULL
                       AND versions.kind = place.kind AND versions.cluster = place.cluster)`,
    [[...places.values()].map(({ kind }) => kind), [...places.values()].map(({ cluster }) => cluster)],
  );
  const known = new Set(found.map(({ kind, cluster }) => `${kind} ${cluster}`));
  return puts.filter(({ kind, cluster }) => known.has(`${kind} ${cluster}`));
}

async function insertVersions(sql: Sql, seq: bigint, versions: readonly Version[]): Promise<void> {
  await sql.run(
    `INSERT INTO versions
       (source, cluster, kind, key, incarnation, body, hash, valid_from, prior_read_at, opened_seq)
     SELECT put.source, put.cluster, put.kind, put.key, put.incarnation,
            put.body::jsonb, put.hash, put.valid_from, put.prior_read_at, $1
       FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::int[],
                   $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[])
            AS put (source, cluster, kind, key, incarnation, body, hash, valid_from, prior_read_at)`,
    [
      seq,
      ...keyColumns(versions),
      versions.map((v) => json(v.body)),
      versions.map((v) => v.hash),
      versions.map((v) => timestamp(v.validFrom)),
      versions.map((v) => timestamp(v.priorReadAt)),
    ],
  );
}

async function copyVersions(sql: Sql, seq: bigint, versions: readonly Version[]): Promise<void> {
  await sql.copy(
    `COPY versions (source, cluster, kind, key, incarnation, body, hash, valid_from, prior_read_at, opened_seq)
     FROM STDIN`,
    mapped(versions, (v) => [
      v.source,
      v.cluster,
      v.kind,
      text(v.key),
      v.incarnation,
      json(v.body),
      v.hash,
      timestamp(v.validFrom),
      timestamp(v.priorReadAt),
      seq,
    ]),
  );
}

async function saveReads(sql: Sql, seq: bigint, rows: readonly PartReadRow[]): Promise<void> {
  // One part may have been read twice in a run: the later word counts.
  const byPart = new Map<string, PartReadRow>();
  for (const row of rows) byPart.set(`${row.part}\0${row.source}\0${row.key}`, row);
  const reads = [...byPart.values()];
  if (reads.length >= COPY_ROWS) await replaceReads(sql, seq, reads);
  else await upsertReads(sql, seq, reads);
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
    mapped(reads, (r) => [
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

function* mapped<T>(rows: readonly T[], values: (row: T) => Parameters<typeof copyLine>[0]): Generator<string> {
  for (const row of rows) yield copyLine(values(row));
}
