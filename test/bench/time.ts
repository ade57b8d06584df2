import pg from 'pg';
import { DAY, HOUR } from '../../src/domain/time.js';
import { openStore } from '../../src/store/open.js';
import type { Store, VersionChange } from '../../src/store/store.js';
import { median } from './measure.js';
import { withDatabase, withPostgres } from './postgres.js';
import { ms, type Table } from './report.js';

const FINDINGS = 20_000;
const STEPS = 5;
const KEYS = 15_000;
const VERSIONS_OF_KEY = 60;
const TURNS = 7;
const YEAR = Date.parse('2026-01-01T00:00:00Z');
const ALL = { from: YEAR, to: YEAR + 350 * DAY };

/** Questions about then, on a year of a busy estate: 100,000 steps of findings, 900,000 versions of guests. */
export function benchTime(): Promise<readonly Table[]> {
  return withPostgres((server) => withDatabase(server, measured));
}

async function measured(url: string): Promise<readonly Table[]> {
  const store = await openStore({ url, migrate: true });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await fillFindings(client);
    await fillVersions(client);
    await client.query('VACUUM (ANALYZE)');
    return [await asked(store), await deleted(store)];
  } finally {
    await client.end();
    await store.close();
  }
}

/** Each finding opens, is resolved, comes back, and so on, somewhere in the year. */
async function fillFindings(client: pg.Client): Promise<void> {
  await client.query(
    `INSERT INTO findings (id, kind, subject_kind, subject_id, field, state, severity, category, declared, observed,
                           declared_by, evidence, message, guests, clusters, first_seen_at, last_seen_at, onset_before,
                           occurrences, in_clusters, in_places)
     SELECT 'NAME_DIFFERS:main/' || n || '@1:name', 'NAME_DIFFERS', 'GUEST', 'main/' || n || '@1', 'name', 'OPEN',
            (ARRAY['INFO', 'WARNING', 'CRITICAL'])[1 + n % 3], 'CONFIGURATION', 'web-' || n, 'www-' || n, '[]', '[]',
            'name is www, declared web', jsonb_build_array('main/' || n || '@1'), '["main"]', first, first, first, 1,
            '{main}', ARRAY['main/' || n]
       FROM generate_series(1, $1::int) AS n, LATERAL (SELECT $2::timestamptz + (n * 7919 % 300) * interval '1 day'
                                                              + n * interval '1 second' AS first) AS seen`,
    [FINDINGS, new Date(YEAR)],
  );
  await client.query(
    `INSERT INTO finding_history (finding_id, at, type)
     SELECT f.id, f.first_seen_at + step * interval '7 days',
            CASE WHEN step = 0 THEN 'OPENED' WHEN step % 2 = 1 THEN 'RESOLVED' ELSE 'REOPENED' END
       FROM findings AS f, generate_series(0, $1::int - 1) AS step`,
    [STEPS],
  );
  await client.query(
    `INSERT INTO finding_versions (finding_id, valid_from, valid_to, state, severity, category, declared, observed,
                                   declared_by, evidence, message, guests, clusters, last_seen_at, onset_before, occurrences)
     SELECT f.id, h.at, lead(h.at) OVER (PARTITION BY h.finding_id ORDER BY h.at),
            CASE WHEN h.type = 'RESOLVED' THEN 'RESOLVED' ELSE 'OPEN' END, f.severity, f.category, f.declared,
            f.observed, f.declared_by, f.evidence, f.message, f.guests, f.clusters, h.at, f.onset_before, 1
       FROM finding_history AS h JOIN findings AS f ON f.id = h.finding_id`,
  );
}

async function fillVersions(client: pg.Client): Promise<void> {
  await client.query(
    `INSERT INTO source_states (source, kind, cluster, outcome, notes, requests, failures, seq)
     VALUES ('proxmox:main', 'proxmox', 'main', 'OBSERVED', '[]', 0, 0, 1)`,
  );
  await client.query(
    `INSERT INTO versions (source, cluster, kind, key, incarnation, body, hash, valid_from, valid_to, prior_read_at,
                           opened_seq, closed_seq, followed)
     SELECT 'proxmox:main', 'main', 'guest', key::text, 1,
            jsonb_build_object('name', 'web-' || key, 'node', 'pve' || n, 'status', 'RUNNING', 'tags', '[]'::jsonb,
                               'template', false, 'pool', null),
            n::text, began, CASE WHEN n < $2 THEN began + interval '5 days' END,
            CASE WHEN n > 1 THEN began - interval '10 s' END, n * 20000 + key,
            CASE WHEN n < $2 THEN (n + 1) * 20000 + key END, n < $2
       FROM generate_series(1, $2::int) AS n, generate_series(1, $1::int) AS key,
            LATERAL (SELECT $3::timestamptz + (n - 1) * interval '5 days' + key * interval '20 s' AS began) AS t`,
    [KEYS, VERSIONS_OF_KEY, new Date(YEAR)],
  );
}

async function asked(store: Store): Promise<Table> {
  const { findings, versions } = store;
  const kinds = ['guest', 'guest.config', 'guest.addresses', 'guest.power', 'node', 'declared.row'] as const;
  const half = YEAR + 150 * DAY;
  const page = { ...ALL, kinds, limit: 500 };
  const [middle] = await versions.changes({ ...page, to: half, limit: 1 });
  const from = (place: VersionChange | undefined) => (place === undefined ? {} : { upto: place });
  const questions: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['driftTimeline: 350 days, 100,000 steps', () => findings.timeline(ALL, DAY, undefined)],
    ['driftTimeline: 50 weeks', () => findings.timeline(ALL, 7 * DAY, undefined)],
    ['driftTimeline: 1,000 hours', () => findings.timeline({ from: half, to: half + 1_000 * HOUR }, HOUR, undefined)],
    ['driftTimeline: 350 days of somebody’s 10,000 findings', () => findings.timeline(ALL, DAY, mine)],
    ['driftFindings asOf: newest 500 of 20,000', () => findings.pageAsOf(half, { limit: 500 })],
    ['inventoryChanges: newest 500 of a year', () => versions.changes(page)],
    ['inventoryChanges: 500 from the middle', () => versions.changes({ ...page, ...from(middle) })],
    ['inventoryChanges: of one guest', () => versions.changes({ ...page, keys: ['777'] })],
  ];
  const rows: string[][] = [];
  for (const [name, ask] of questions) rows.push([name, ms(await medianTime(ask))]);
  return {
    title: 'Questions about then',
    notes: [
      `20,000 findings, 100,000 steps of theirs, 900,000 versions; on the clock with the answer read, medians of ${TURNS}.`,
    ],
    head: ['question', 'ms'],
    rows,
  };
}

const mine = Array.from({ length: FINDINGS / 2 }, (_, n) => `NAME_DIFFERS:main/${n + 1}@1:name`);

async function medianTime(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const start = performance.now();
    await ask();
    times.push(performance.now() - start);
  }
  return median(times);
}

async function deleted(store: Store): Promise<Table> {
  const start = performance.now();
  const rows = await store.retention.versions(YEAR + 100 * DAY);
  const took = performance.now() - start;
  return {
    title: 'Versions that ended in the first 100 days deleted',
    notes: ['In batches of 10,000 rows, each a transaction of its own that holds up nobody.'],
    head: ['rows', 's in all', 'ms a batch'],
    rows: [[rows.toLocaleString('en'), (took / 1_000).toFixed(1), ms(took / Math.ceil(rows / 10_000))]],
  };
}
