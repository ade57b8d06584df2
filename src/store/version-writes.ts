import type pg from 'pg';
import type { VersionKey, VersionWrite } from '../domain/version.js';
import type { Sql } from './connection.js';
import { COPY_ROWS, type CopyValue, copyLines } from './copy-lines.js';
import { json, jsonText, text, timestamp } from './sql-values.js';

/** Ends and begins versions, in a handful of statements whatever their number. */
export async function applyWrites(sql: Sql, seq: bigint, writes: readonly VersionWrite[]): Promise<void> {
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
type Put = Omit<Extract<VersionWrite, { op: 'put' }>, 'op'>;

/** A key may end and begin again in one batch, in that order, and do each once: more has no meaning in one run. */
function split(writes: readonly VersionWrite[]): { ends: readonly End[]; puts: readonly Put[] } {
  const ends: End[] = [];
  const puts: Put[] = [];
  const ended = new VersionKeys();
  const begun = new VersionKeys();
  for (const write of writes) {
    const key = write.op === 'put' ? write.version : write.key;
    const isNew = write.op === 'put' ? begun.add(key) : !begun.has(key) && ended.add(key);
    if (!isNew) throw new Error(`a batch writes version ${named(key)} twice`);
    if (write.op === 'end') ends.push(write);
    else puts.push(write);
  }
  return { ends, puts };
}

/** A set of version keys: a run writes tens of thousands of a few kinds, and a name of all their fields for each is dear. */
class VersionKeys {
  readonly #places: { readonly of: VersionKey; readonly keys: Set<string> }[] = [];

  /** Whether it was not there. */
  add(key: VersionKey): boolean {
    const known = this.#keysAt(key);
    if (known === undefined) this.#places.push({ of: key, keys: new Set([key.key]) });
    else if (known.has(key.key)) return false;
    else known.add(key.key);
    return true;
  }

  has(key: VersionKey): boolean {
    return this.#keysAt(key)?.has(key.key) ?? false;
  }

  #keysAt({ kind, incarnation, source, cluster }: VersionKey): Set<string> | undefined {
    for (const { of, keys } of this.#places) {
      const isHere = of.kind === kind && of.incarnation === incarnation && of.source === source;
      if (isHere && of.cluster === cluster) return keys;
    }
    return undefined;
  }
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
  puts: readonly Put[] | 'followed',
): Promise<void> {
  const begun = puts === 'followed' ? undefined : keysOf(puts);
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
      ends.map((e) => begun?.has(e.key) ?? true),
    ],
  );
}

function keysOf(puts: readonly Put[]): VersionKeys {
  const keys = new VersionKeys();
  for (const { version } of puts) keys.add(version);
  return keys;
}

/** Opens what is new and what has changed, ending what was; what is open and says the same is left alone. */
async function putVersions(sql: Sql, seq: bigint, puts: readonly Put[]): Promise<void> {
  const open = await openVersions(sql, puts);
  const changed = puts.filter((put) => open.get(put) === false);
  if (changed.length > 0)
    await endVersions(
      sql,
      seq,
      changed.map(({ version }) => ({ key: version, validTo: version.validFrom })),
      'followed',
    );
  const begun = open.size === 0 ? puts : puts.filter((put) => open.get(put) !== true);
  if (begun.length >= COPY_ROWS) await copyVersions(sql, seq, begun);
  else if (begun.length > 0) await insertVersions(sql, seq, begun);
}

/** Those whose key has an open version, with whether that says the same. */
async function openVersions(sql: Sql, all: readonly Put[]): Promise<ReadonlyMap<Put, boolean>> {
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
    [...keyColumns(puts.map(({ version }) => version)), puts.map(({ version }) => version.hash)],
  );
  return new Map(
    open.flatMap(({ n, same }) => {
      const put = puts[Number(n) - 1];
      return put === undefined ? [] : [[put, same] as const];
    }),
  );
}

/** A first pass begins with nothing: to look for thousands of keys one by one in an empty list is work for nothing. */
async function withPredecessors(sql: Sql, puts: readonly Put[]): Promise<readonly Put[]> {
  const places = new Places();
  for (const { version } of puts) places.add(version);
  const found = await sql.query<Place & pg.QueryResultRow>(
    `SELECT place.kind, place.cluster
       FROM unnest($1::text[], $2::text[]) AS place (kind, cluster)
      WHERE EXISTS (SELECT FROM versions
                     WHERE versions.valid_to IS NULL
                       AND versions.kind = place.kind AND versions.cluster = place.cluster)`,
    [places.list.map(({ kind }) => kind), places.list.map(({ cluster }) => cluster)],
  );
  if (found.length === 0) return [];
  const known = new Places();
  for (const place of found) known.add(place);
  return puts.filter(({ version }) => known.has(version));
}

type Place = Pick<VersionKey, 'kind' | 'cluster'>;

/** The few kinds and clusters that a batch speaks of. */
class Places {
  readonly list: Place[] = [];

  add(place: Place): void {
    if (!this.has(place)) this.list.push(place);
  }

  has({ kind, cluster }: Place): boolean {
    return this.list.some((place) => place.kind === kind && place.cluster === cluster);
  }
}

function bodyOf({ version, text: written }: Put): string {
  return written === undefined ? json(version.body) : jsonText(written);
}

async function insertVersions(sql: Sql, seq: bigint, puts: readonly Put[]): Promise<void> {
  const versions = puts.map(({ version }) => version);
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
      puts.map(bodyOf),
      versions.map((v) => v.hash),
      versions.map((v) => timestamp(v.validFrom)),
      versions.map((v) => timestamp(v.priorReadAt)),
    ],
  );
}

async function copyVersions(sql: Sql, seq: bigint, puts: readonly Put[]): Promise<void> {
  await sql.copy(
    `COPY versions (source, cluster, kind, key, incarnation, body, hash, valid_from, prior_read_at, opened_seq)
     FROM STDIN`,
    copyLines(puts, (put) => rowOf(put, seq)),
  );
}

function rowOf(put: Put, seq: bigint): readonly CopyValue[] {
  const v = put.version;
  return [
    v.source,
    v.cluster,
    v.kind,
    text(v.key),
    v.incarnation,
    bodyOf(put),
    v.hash,
    timestamp(v.validFrom),
    timestamp(v.priorReadAt),
    seq,
  ];
}
