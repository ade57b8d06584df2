import type pg from 'pg';
import type { DriftEventType, Finding, FindingId, Severity } from '../domain/finding.js';
import type { Instant } from '../domain/time.js';
import { onConnection, type Sql } from './connection.js';
import { timestamp } from './sql-values.js';
import type { FindingQuery, FindingTimes, Store } from './store.js';

const TOLD = `state, severity, category, declared, observed, declared_by, evidence, message, guests, clusters,
              last_seen_at, onset_after, onset_before, resolved_at, occurrences, suppressed_until, reason`;

/**
 * Keeps what the saved findings say from `at` on (each its own moment), where it is not what they said before. Silent
 * steps are kept too, so that a moment in the past is told as it was and not as its events make believe.
 *
 *   valid_from ── OPEN ──▶ valid_to = valid_from ── ACKNOWLEDGED ──▶ … (open: as it is now)
 */
export async function keepFindingVersions(sql: Sql, at: ReadonlyMap<FindingId, Instant>): Promise<void> {
  const saved = [[...at.keys()], [...at.values()].map((moment) => timestamp(moment))];
  // Two statements: the open one must be closed before the next opens, and one statement would not say in which order.
  await sql.run(
    `UPDATE finding_versions AS open
        SET valid_to = greatest(open.valid_from, saved.at)
       FROM unnest($1::text[], $2::timestamptz[]) AS saved (id, at)
       JOIN findings AS f ON f.id = saved.id
      WHERE open.finding_id = saved.id AND open.valid_to IS NULL
        AND (open.state, open.severity, open.category, open.declared, open.observed, open.message, open.guests,
             open.clusters, open.occurrences, open.resolved_at, open.suppressed_until, open.reason)
            IS DISTINCT FROM
            (f.state, f.severity, f.category, f.declared, f.observed, f.message, f.guests,
             f.clusters, f.occurrences, f.resolved_at, f.suppressed_until, f.reason)`,
    saved,
  );
  await sql.run(
    `INSERT INTO finding_versions (finding_id, valid_from, ${TOLD})
     SELECT f.id,
            greatest(saved.at, (SELECT max(earlier.valid_to) FROM finding_versions AS earlier
                                 WHERE earlier.finding_id = saved.id)),
            ${TOLD}
       FROM unnest($1::text[], $2::timestamptz[]) AS saved (id, at)
       JOIN findings AS f ON f.id = saved.id
      WHERE NOT EXISTS (SELECT FROM finding_versions AS open
                         WHERE open.finding_id = saved.id AND open.valid_to IS NULL)`,
    saved,
  );
}

type OfThen = Pick<Store['findings'], 'pageAsOf' | 'countAsOf' | 'touching' | 'timeline'>;

/** Findings as they were. */
export function findingsOfThen(pool: pg.Pool): OfThen {
  return {
    pageAsOf: (at, query) => onConnection(pool, (sql) => pageAsOf(sql, at, query)),
    countAsOf: (at, query) =>
      onConnection(pool, async (sql) => {
        const { where, values } = filtered(at, query);
        const [row] = await sql.query<{ n: bigint }>(`SELECT count(*) AS n ${FROM} WHERE ${where}`, values);
        return Number(row?.n ?? 0n);
      }),
    touching: (times) => onConnection(pool, (sql) => touching(sql, times)),
    timeline: (times, length, ids) =>
      onConnection(pool, async (sql) => ({
        before: await openBefore(sql, times.from, ids),
        steps: await stepsIn(sql, times, length, ids),
        moves: await movesIn(sql, times, length, ids),
      })),
  };
}

const FROM = `FROM findings AS f
       JOIN finding_versions AS v
         ON v.finding_id = f.id AND v.valid_from <= $1 AND (v.valid_to IS NULL OR v.valid_to > $1)`;

type FindingRow = Omit<Finding, 'identity'> & {
  readonly kind: Finding['identity']['kind'];
  readonly subjectKind: Finding['identity']['subject']['kind'];
  readonly subjectId: string;
  readonly field: string;
} & pg.QueryResultRow;

async function pageAsOf(sql: Sql, at: Instant, query: FindingQuery): Promise<readonly Finding[]> {
  const { where, values } = filtered(at, query);
  const way = query.fromTheEnd === true ? 'ASC' : 'DESC';
  const rows = await sql.query<FindingRow>(
    `SELECT f.id, f.kind, f.subject_kind AS "subjectKind", f.subject_id AS "subjectId", f.field, v.state, v.severity,
            v.category, v.declared, v.observed, v.declared_by AS "declaredBy", v.evidence, v.message, v.guests,
            v.clusters, f.first_seen_at AS "firstSeenAt", v.last_seen_at AS "lastSeenAt",
            v.onset_after AS "onsetAfter", v.onset_before AS "onsetBefore", v.resolved_at AS "resolvedAt",
            v.occurrences, v.suppressed_until AS "suppressedUntil", v.reason, NULL AS decided
       ${FROM}
      WHERE ${where}
      ORDER BY f.first_seen_at ${way}, f.id ${way}
      LIMIT ${Math.trunc(query.limit)}`,
    values,
  );
  return rows.map(({ kind, subjectKind, subjectId, field, ...rest }) => ({
    ...rest,
    identity: { kind, subject: { kind: subjectKind, id: subjectId }, field },
  }));
}

function filtered(at: Instant, query: FindingQuery): { where: string; values: unknown[] } {
  const values: unknown[] = [timestamp(at)];
  const tests = ['f.first_seen_at <= $1'];
  const test = (value: unknown, sentence: (place: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    tests.push(sentence(`$${values.length}`));
  };
  const { states, kinds, severities, categories, cluster, vmid, guests, since, after, before } = query;
  test(states, (p) => `v.state = ANY (${p})`);
  test(kinds, (p) => `f.kind = ANY (${p})`);
  test(severities, (p) => `v.severity = ANY (${p})`);
  test(categories, (p) => `v.category = ANY (${p})`);
  test(since === undefined ? undefined : timestamp(since), (p) => `f.first_seen_at >= ${p}`);
  test(guests, (p) => `v.guests ?| ${p}::text[]`);
  test(cluster, (p) => `f.in_clusters @> ARRAY[${p}]::text[]`);
  if (vmid !== undefined) {
    // A VMID that no cluster is known for belongs to whichever cluster the finding names.
    const places = cluster === undefined ? [`%/${vmid}`] : [`${likeText(cluster)}/${vmid}`, `*/${vmid}`];
    test(places, (p) => `EXISTS (SELECT FROM unnest(f.in_places) AS place WHERE place LIKE ANY (${p}))`);
  }
  for (const [place, side] of [
    [after, '<'],
    [before, '>'],
  ] as const) {
    if (place === undefined) continue;
    values.push(timestamp(place.firstSeenAt), place.id);
    tests.push(`(f.first_seen_at, f.id) ${side} ($${values.length - 1}, $${values.length})`);
  }
  return { where: tests.join(' AND '), values };
}

function likeText(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

/** Whom the findings belong to that were open, or took a step, in that time. */
async function touching(sql: Sql, { from, to }: FindingTimes): ReturnType<OfThen['touching']> {
  return sql.query<Pick<Finding, 'id' | 'guests' | 'clusters'> & pg.QueryResultRow>(
    `SELECT f.id, f.guests, f.clusters
       FROM findings AS f
      WHERE f.id IN (SELECT v.finding_id FROM finding_versions AS v
                      WHERE v.valid_from < $2 AND (v.valid_to IS NULL OR v.valid_to > $1)
                      UNION
                     SELECT h.finding_id FROM finding_history AS h WHERE h.at >= $1 AND h.at < $2)`,
    [timestamp(from), timestamp(to)],
  );
}

type Ids = readonly FindingId[] | undefined;

/** How many were open a moment before `at`. */
async function openBefore(
  sql: Sql,
  at: Instant,
  ids: Ids,
): Promise<readonly { readonly severity: Severity; readonly count: number }[]> {
  return sql.query<{ severity: Severity; count: number }>(
    `SELECT v.severity, count(*)::int AS count
       FROM (SELECT * FROM finding_versions AS still WHERE still.state = 'OPEN' AND still.valid_to IS NULL
              UNION ALL
             SELECT * FROM finding_versions AS left_later WHERE left_later.state = 'OPEN' AND left_later.valid_to >= $1) AS v
      WHERE v.valid_from < $1 AND ($2::text[] IS NULL OR v.finding_id = ANY ($2))
      GROUP BY v.severity`,
    [timestamp(at), ids ?? null],
  );
}

/** A finding comes up once: OPENED again, as when a rule no longer ignores it, is a coming back. */
async function stepsIn(
  sql: Sql,
  { from, to }: FindingTimes,
  length: number,
  ids: Ids,
): Promise<readonly { readonly n: number; readonly type: DriftEventType; readonly count: number }[]> {
  return sql.query<{ n: number; type: DriftEventType; count: number }>(
    `SELECT floor((date_part('epoch', h.at) * 1000 - $3::float8) / $4::float8)::int AS n, step.type, count(*)::int AS count
       FROM finding_history AS h
      CROSS JOIN LATERAL (
            SELECT CASE WHEN h.type = 'OPENED' AND EXISTS (
                     SELECT FROM finding_history AS earlier
                      WHERE earlier.finding_id = h.finding_id AND earlier.type = 'OPENED' AND earlier.id < h.id)
                   THEN 'REOPENED' ELSE h.type END AS type) AS step
      WHERE h.at >= $1 AND h.at < $2 AND ($5::text[] IS NULL OR h.finding_id = ANY ($5))
      GROUP BY 1, 2`,
    [timestamp(from), timestamp(to), from, length, ids ?? null],
  );
}

/** By how many the open ones grew in each bucket: those that came to be open less those that left it. */
async function movesIn(
  sql: Sql,
  { from, to }: FindingTimes,
  length: number,
  ids: Ids,
): Promise<readonly { readonly n: number; readonly severity: Severity; readonly count: number }[]> {
  return sql.query<{ n: number; severity: Severity; count: number }>(
    `SELECT floor((date_part('epoch', move.at) * 1000 - $3::float8) / $4::float8)::int AS n,
            move.severity, sum(move.by)::int AS count
       FROM (SELECT v.valid_from AS at, v.severity, v.finding_id, 1 AS by FROM finding_versions AS v
              WHERE v.state = 'OPEN' AND v.valid_from >= $1 AND v.valid_from < $2
              UNION ALL
             SELECT v.valid_to, v.severity, v.finding_id, -1 FROM finding_versions AS v
              WHERE v.state = 'OPEN' AND v.valid_to >= $1 AND v.valid_to < $2) AS move
      WHERE $5::text[] IS NULL OR move.finding_id = ANY ($5)
      GROUP BY 1, 2`,
    [timestamp(from), timestamp(to), from, length, ids ?? null],
  );
}
