import type pg from 'pg';
import type { Version } from '../domain/version.js';
import { onConnection, type Sql } from './connection.js';
import { timestamp } from './sql-values.js';
import type { ChangesQuery, Store, VersionChange } from './store.js';

type ChangeRow = Omit<Version, 'hash'> & {
  readonly id: bigint;
  readonly at: number;
  readonly step: 0 | 1;
  readonly before: unknown;
} & pg.QueryResultRow;

const STEP = `v.id, v.source, v.cluster, v.kind, v.key, v.incarnation, v.body, v.valid_from, v.prior_read_at,
              v.opened_seq, v.closed_seq`;

export function changesOf(pool: pg.Pool): Pick<Store['versions'], 'changes'> {
  return { changes: (query) => onConnection(pool, (sql) => changes(sql, query)) };
}

/**
 * Two index ranges, each no longer than the page, and then what the steps followed. A version that was there at the
 * first look at its source (no prior read) did not begin then. One that ends in the same run in which its key begins
 * anew is a change, and told by the new one.
 *
 *   run 7   ├── A ──┤├── B ──      B began, after A        (A's end is not told)
 *   run 9   ├── B ──┤              B ended, with nothing behind it
 */
async function changes(sql: Sql, query: ChangesQuery): Promise<readonly VersionChange[]> {
  const way = query.oldestFirst === true ? 'ASC' : 'DESC';
  const limit = Math.trunc(query.limit);
  const wanted = `v.kind = ANY ($3) AND ($4::text IS NULL OR v.cluster = $4) AND ($5::text[] IS NULL OR v.key = ANY ($5))`;
  const within = (at: string, step: 0 | 1): string =>
    `${at} > $1 AND ${at} <= $2 AND ${wanted}
        AND ($6::timestamptz IS NULL OR (${at}, v.id, ${step}) <= ($6, $7::bigint, $8::int))
        AND ($9::timestamptz IS NULL OR (${at}, v.id, ${step}) >= ($9, $10::bigint, $11::int))`;
  const rows = await sql.query<ChangeRow>(
    `SELECT step.id, step.at, step.step, step.source, step.cluster, step.kind, step.key, step.incarnation, step.body,
            step.valid_from AS "validFrom", step.prior_read_at AS "priorReadAt", prior.body AS before
       FROM (
         (SELECT ${STEP}, v.valid_from AS at, 0 AS step FROM versions AS v
           WHERE v.prior_read_at IS NOT NULL AND ${within('v.valid_from', 0)}
           ORDER BY v.valid_from ${way}, v.id ${way} LIMIT ${limit})
         UNION ALL
         (SELECT ${STEP}, v.valid_to AS at, 1 AS step FROM versions AS v
           WHERE v.valid_to IS NOT NULL AND ${within('v.valid_to', 1)}
             AND NOT EXISTS (SELECT FROM versions AS next
                              WHERE next.valid_to IS NULL
                                AND next.kind = v.kind AND next.cluster = v.cluster AND next.key = v.key
                                AND next.incarnation = v.incarnation AND next.source = v.source
                                AND next.opened_seq = v.closed_seq)
             AND NOT EXISTS (SELECT FROM versions AS next
                              WHERE next.valid_to >= v.valid_to
                                AND next.kind = v.kind AND next.cluster = v.cluster AND next.key = v.key
                                AND next.incarnation = v.incarnation AND next.source = v.source
                                AND next.opened_seq = v.closed_seq)
           ORDER BY v.valid_to ${way}, v.id ${way} LIMIT ${limit})
         ORDER BY at ${way}, id ${way}, step ${way} LIMIT ${limit}) AS step
       LEFT JOIN LATERAL (
         SELECT earlier.body FROM versions AS earlier
          WHERE step.step = 0 AND earlier.valid_to IS NOT NULL
            AND earlier.cluster = step.cluster AND earlier.kind = step.kind AND earlier.key = step.key
            AND earlier.incarnation = step.incarnation AND earlier.source = step.source
            AND earlier.closed_seq = step.opened_seq AND earlier.id < step.id
          ORDER BY earlier.id DESC LIMIT 1) AS prior ON true
      ORDER BY step.at ${way}, step.id ${way}, step.step ${way}`,
    values(query),
  );
  return rows.map(({ id, at, step, before, ...version }) => ({ id: String(id), at, step, before, version }));
}

function values({ from, to, kinds, cluster, keys, upto, downto }: ChangesQuery): readonly unknown[] {
  const place = (p: ChangesQuery['upto']) => [p === undefined ? null : timestamp(p.at), p?.id ?? null, p?.step ?? null];
  return [timestamp(from), timestamp(to), kinds, cluster ?? null, keys ?? null, ...place(upto), ...place(downto)];
}
