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
 * anew (`followed`) is a change, and told by the new one.
 *
 *   run 7   ├── A ──┤├── B ──      B began, after A        (A's end is not told)
 *   run 9   ├── B ──┤              B ended, with nothing behind it
 */
async function changes(sql: Sql, query: ChangesQuery): Promise<readonly VersionChange[]> {
  const way = query.oldestFirst === true ? 'ASC' : 'DESC';
  const { bounds, shelf, values } = asked(query);
  const half = (at: string, step: 0 | 1, test: string): string =>
    `(SELECT ${STEP}, ${at} AS at, ${step} AS step FROM ${shelf} AS v
        WHERE ${test} AND ${bounds(at, step)}
        ORDER BY ${at} ${way}, v.id ${way} LIMIT $4)`;
  const rows = await sql.query<ChangeRow>(
    `SELECT step.id, step.at, step.step, step.source, step.cluster, step.kind, step.key, step.incarnation, step.body,
            step.valid_from AS "validFrom", step.prior_read_at AS "priorReadAt", prior.body AS before
       FROM (${half('v.valid_from', 0, 'v.prior_read_at IS NOT NULL')}
              UNION ALL
             ${half('v.valid_to', 1, 'v.valid_to IS NOT NULL AND NOT v.followed')}
              ORDER BY at ${way}, id ${way}, step ${way} LIMIT $4) AS step
       LEFT JOIN LATERAL (
         SELECT earlier.body FROM versions AS earlier
          WHERE step.step = 0 AND earlier.valid_to IS NOT NULL
            AND earlier.cluster = step.cluster AND earlier.kind = step.kind AND earlier.key = step.key
            AND earlier.incarnation = step.incarnation AND earlier.source = step.source
            AND earlier.closed_seq = step.opened_seq AND earlier.id < step.id
          ORDER BY earlier.id DESC LIMIT 1) AS prior ON true
      ORDER BY step.at ${way}, step.id ${way}, step.step ${way}`,
    values,
  );
  return rows.map(({ id, at, step, before, ...version }) => ({ id: String(id), at, step, before, version }));
}

/** All versions of some keys, by the indexes that have the key in them: there are few, wherever in time they lie. */
const OF_KEYS = `(SELECT * FROM versions AS still
                   WHERE still.valid_to IS NULL
                     AND still.kind = ANY ($3) AND still.cluster = ANY (KEY_CLUSTERS) AND still.key = ANY (KEYS)
                   UNION ALL
                  SELECT * FROM versions AS ended
                   WHERE ended.valid_to IS NOT NULL
                     AND ended.kind = ANY ($3) AND ended.cluster = ANY (KEY_CLUSTERS) AND ended.key = ANY (KEYS))`;
const ALL_CLUSTERS = 'ARRAY(SELECT DISTINCT source_states.cluster FROM source_states)';

/** Only what is asked for stands in the statement, so that each is planned for what it is. */
function asked({ from, to, kinds, cluster, keys, upto, downto, limit }: ChangesQuery) {
  // A step at the edge may share its moment with others: the bound on time is by the index, the rest among its equals.
  const values: unknown[] = [
    timestamp(downto === undefined ? from : Math.max(from, downto.at - 1)),
    timestamp(upto === undefined ? to : Math.min(to, upto.at)),
    kinds,
    Math.trunc(limit),
  ];
  const place = (value: unknown): string => `$${values.push(value)}`;
  const edge = upto ?? downto;
  const beyond = edge && {
    side: upto === undefined ? '>=' : '<=',
    at: place(timestamp(edge.at)),
    id: place(edge.id),
    step: place(edge.step),
  };
  const inCluster = cluster === undefined ? undefined : place(cluster);
  const shelf =
    keys === undefined
      ? 'versions'
      : OF_KEYS.replaceAll('KEY_CLUSTERS', inCluster === undefined ? ALL_CLUSTERS : `ARRAY[${inCluster}]`).replaceAll(
          'KEYS',
          `${place(keys)}::text[]`,
        );
  const bounds = (at: string, step: 0 | 1): string =>
    [
      `${at} > $1 AND ${at} <= $2 AND v.kind = ANY ($3)`,
      ...(inCluster === undefined ? [] : [`v.cluster = ${inCluster}`]),
      ...(beyond === undefined
        ? []
        : [
            `(${at}, v.id, ${step}) ${beyond.side} (${beyond.at}::timestamptz, ${beyond.id}::bigint, ${beyond.step}::int)`,
          ]),
    ].join(' AND ');
  return { bounds, shelf, values };
}
