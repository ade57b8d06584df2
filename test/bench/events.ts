import pg from 'pg';
import { DRIFT_TOPICS, INVENTORY_TOPICS } from '../../src/feed/events.js';
import { eventsAfterSql } from '../../src/store/events.js';
import { openStore } from '../../src/store/open.js';
import { median } from './measure.js';
import { withDatabase, withPostgres } from './postgres.js';
import { ms, type Table } from './report.js';

const ROWS = 1_500_000;
const PAGE = 500;
const TURNS = 9;

/** How often each topic comes up among a thousand events: guests come and go all day, findings seldom. */
const MIX: readonly (readonly [string, number])[] = [
  ['guest.config_changed', 400],
  ['guest.power_changed', 200],
  ['guest.moved', 120],
  ['collection.finished', 120],
  ['drift.detected', 50],
  ['drift.resolved', 45],
  ['guest.created', 25],
  ['guest.removed', 20],
  ['drift.updated', 10],
  ['drift.reopened', 5],
  ['drift.acknowledged', 3],
  ['drift.suppressed', 1],
  ['account.changed', 1],
];

const READERS: readonly (readonly [string, readonly string[]])[] = [
  ['all topics of the subscriptions (11)', [...DRIFT_TOPICS, ...INVENTORY_TOPICS]],
  ['drift alone (6)', DRIFT_TOPICS],
  ['a common one', ['guest.config_changed']],
  ['a rare one, 1 in 1,000', ['drift.suppressed']],
  ['one that never comes', ['change.expired']],
  ['every topic there is', MIX.map(([topic]) => topic)],
];

/** Pages of 500 out of an event log of 1.5 million rows, wherever in it, and what it costs to delete its beginning. */
export function benchEvents(): Promise<readonly Table[]> {
  return withPostgres((server) => withDatabase(server, measured));
}

async function measured(url: string): Promise<readonly Table[]> {
  const store = await openStore({ url, migrate: true });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await fill(client);
    const pages = await pagesOf(client, [0, 0.25, 0.5, 0.9, 0.999]);
    const start = performance.now();
    const half = new Date(Date.parse('2026-01-01') + ROWS * 500);
    const pruned = await store.events.prune(half.getTime());
    const took = performance.now() - start;
    const after = await pagesOf(client, [0.5, 0.9]);
    return [pages, prunedTable(pruned, took), { ...after, title: 'The same, right after that' }];
  } finally {
    await client.end();
    await store.close();
  }
}

async function fill(client: pg.Client): Promise<void> {
  const topics = MIX.flatMap(([topic, of]) => Array.from({ length: of }, () => topic));
  await client.query(
    `INSERT INTO events (cursor, topic, at, subject_kind, subject_id, payload)
     SELECT n, ($2::text[])[1 + (n * 7919) % $3], timestamptz '2026-01-01' + n * interval '1 second', 'GUEST',
            'main/' || (n % 15000) || '@1',
            jsonb_build_object('type', 'MOVED', 'guest', 'main/' || (n % 15000) || '@1', 'name', 'web-' || (n % 15000),
                               'kind', 'QEMU', 'from', 'pve' || (n % 50), 'to', 'pve' || ((n + 1) % 50))
       FROM generate_series(1, $1::bigint) AS n`,
    [ROWS, topics, topics.length],
  );
  await client.query('UPDATE write_head SET event_cursor = $1', [ROWS]);
  await client.query('VACUUM (ANALYZE) events');
}

async function pagesOf(client: pg.Client, depths: readonly number[]): Promise<Table> {
  const rows: string[][] = [];
  for (const [name, topics] of READERS) {
    const cells: string[] = [];
    for (const depth of depths) cells.push(ms(await pageTime(client, Math.floor(ROWS * depth), topics)));
    rows.push([name, ...cells]);
  }
  return {
    title: `A page of ${PAGE} events out of ${ROWS.toLocaleString('en')}`,
    notes: [
      `Execution time of the statement as EXPLAIN ANALYZE gives it, in ms, medians of ${TURNS}, behind this part of the log. The aim is 5 ms.`,
    ],
    head: ['reader of', ...depths.map((depth) => `${depth * 100} %`)],
    rows,
  };
}

async function pageTime(client: pg.Client, after: number, topics: readonly string[]): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const { rows } = await client.query<{ 'QUERY PLAN': [{ 'Execution Time': number }] }>(
      `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${eventsAfterSql}`,
      [after, topics, PAGE],
    );
    const [plan] = rows[0]?.['QUERY PLAN'] ?? [];
    times.push(plan?.['Execution Time'] ?? Number.NaN);
  }
  return median(times);
}

function prunedTable(rows: number, took: number): Table {
  return {
    title: 'The older half of the log deleted',
    notes: ['In turns of 5,000 rows, each a transaction between those of the writers.'],
    head: ['rows', 's in all', 'ms a turn'],
    rows: [[rows.toLocaleString('en'), (took / 1_000).toFixed(1), ms(took / Math.ceil(rows / 5_000))]],
  };
}
