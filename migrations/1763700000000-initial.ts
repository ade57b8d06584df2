import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // One row, changed by every write transaction: the last sequence number, event cursor and time that were given out.
  // It is read in a reader's own snapshot, so it never names more than that reader can see.
  `CREATE TABLE write_head (
     only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
     seq bigint NOT NULL,
     event_cursor bigint NOT NULL,
     pruned_cursor bigint NOT NULL,
     at timestamptz NOT NULL
   ) WITH (fillfactor = 10)`,
  `INSERT INTO write_head (seq, event_cursor, pruned_cursor, at)
   VALUES (0, 0, 0, date_trunc('milliseconds', clock_timestamp()))`,

  `CREATE TABLE versions (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     source text COLLATE "C" NOT NULL,
     cluster text COLLATE "C" NOT NULL,
     kind text COLLATE "C" NOT NULL,
     key text COLLATE "C" NOT NULL,
     incarnation integer NOT NULL,
     body jsonb NOT NULL,
     hash text COLLATE "C" NOT NULL,
     valid_from timestamptz NOT NULL,
     valid_to timestamptz CHECK (valid_to >= valid_from),
     prior_read_at timestamptz,
     opened_seq bigint NOT NULL,
     closed_seq bigint,
     CHECK ((valid_to IS NULL) = (closed_seq IS NULL))
   )`,
  // Kind and cluster first: the same index answers "what is open" for one kind and keeps one open version a key.
  `CREATE UNIQUE INDEX versions_open ON versions (kind, cluster, key, incarnation, source) WHERE valid_to IS NULL`,
  `CREATE INDEX versions_ended ON versions (kind, valid_to) WHERE valid_to IS NOT NULL`,
  `CREATE INDEX versions_ended_of_key ON versions (cluster, kind, key, valid_to) WHERE valid_to IS NOT NULL`,
  `CREATE INDEX versions_opened_seq ON versions (opened_seq)`,
  `CREATE INDEX versions_closed_seq ON versions (closed_seq) WHERE closed_seq IS NOT NULL`,

  `CREATE TABLE part_reads (
     source text COLLATE "C" NOT NULL,
     part text COLLATE "C" NOT NULL,
     key text COLLATE "C" NOT NULL,
     state text NOT NULL,
     asked_at timestamptz,
     attempted_at timestamptz,
     failures integer NOT NULL,
     reason text,
     seq bigint NOT NULL,
     PRIMARY KEY (source, part, key)
   )`,
  `CREATE INDEX part_reads_seq ON part_reads (seq)`,

  `CREATE TABLE source_states (
     source text COLLATE "C" PRIMARY KEY,
     kind text NOT NULL,
     cluster text NOT NULL,
     outcome text NOT NULL,
     reason text,
     notes jsonb NOT NULL,
     first_success_at timestamptz,
     last_success_at timestamptz,
     last_attempt_at timestamptz,
     unreachable_since timestamptz,
     last_full_at timestamptz,
     activity_mark text,
     requests integer NOT NULL,
     failures integer NOT NULL,
     back_off_until timestamptz,
     seq bigint NOT NULL
   )`,

  `CREATE TABLE asks (
     source text COLLATE "C" NOT NULL,
     part text COLLATE "C" NOT NULL,
     key text COLLATE "C" NOT NULL,
     at timestamptz NOT NULL,
     PRIMARY KEY (source, part, key)
   )`,

  `CREATE TABLE runs (
     id text COLLATE "C" PRIMARY KEY,
     source text COLLATE "C" NOT NULL,
     mode text NOT NULL,
     started_at timestamptz NOT NULL,
     finished_at timestamptz NOT NULL,
     outcome text NOT NULL,
     reason text,
     requests integer NOT NULL,
     coverage jsonb NOT NULL,
     seq bigint NOT NULL
   )`,
  `CREATE INDEX runs_latest ON runs (source, seq)`,

  `CREATE TABLE events (
     cursor bigint PRIMARY KEY,
     topic text COLLATE "C" NOT NULL,
     at timestamptz NOT NULL,
     subject_kind text NOT NULL,
     subject_id text NOT NULL,
     payload jsonb NOT NULL
   )`,
  `CREATE INDEX events_topic ON events (topic, cursor)`,

  `CREATE TABLE findings (
     id text COLLATE "C" PRIMARY KEY,
     kind text NOT NULL,
     subject_kind text NOT NULL,
     subject_id text NOT NULL,
     field text NOT NULL,
     state text NOT NULL,
     severity text NOT NULL,
     category text NOT NULL,
     declared text,
     observed text,
     declared_by jsonb NOT NULL,
     evidence jsonb NOT NULL,
     message text NOT NULL,
     guests jsonb NOT NULL,
     clusters jsonb NOT NULL,
     first_seen_at timestamptz NOT NULL,
     last_seen_at timestamptz NOT NULL,
     onset_after timestamptz,
     onset_before timestamptz NOT NULL,
     resolved_at timestamptz,
     occurrences integer NOT NULL,
     suppressed_until timestamptz,
     reason text,
     in_clusters text[] NOT NULL,
     in_places text[] NOT NULL
   )`,
  `CREATE INDEX findings_page ON findings (first_seen_at DESC, id DESC)`,
  `CREATE INDEX findings_living ON findings (id) WHERE state <> 'RESOLVED'`,

  `CREATE TABLE finding_history (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     finding_id text COLLATE "C" NOT NULL REFERENCES findings (id),
     at timestamptz NOT NULL,
     type text NOT NULL,
     actor text,
     reason text,
     declared text,
     observed text,
     cursor bigint
   )`,
  `CREATE INDEX finding_history_of ON finding_history (finding_id, id)`,

  `CREATE TABLE comparisons (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     seq bigint NOT NULL,
     at timestamptz NOT NULL
   )`,
  `CREATE INDEX comparisons_seq ON comparisons (seq)`,

  `CREATE TABLE api_keys (
     id text COLLATE "C" PRIMARY KEY,
     prefix text COLLATE "C" NOT NULL UNIQUE,
     hash text NOT NULL,
     name text NOT NULL,
     person text NOT NULL,
     roles jsonb NOT NULL,
     tenants jsonb,
     created_at timestamptz NOT NULL,
     created_by text NOT NULL,
     expires_at timestamptz,
     revoked_at timestamptz
   )`,

  `CREATE TABLE marks (
     name text COLLATE "C" PRIMARY KEY,
     value text NOT NULL
   )`,
];

const TABLES = [
  'marks',
  'api_keys',
  'comparisons',
  'finding_history',
  'findings',
  'events',
  'runs',
  'asks',
  'source_states',
  'part_reads',
  'versions',
  'write_head',
];

/** The tables of the main job: versions, read times, states, runs, the event log, findings, keys. */
export class Initial1763700000000 implements MigrationInterface {
  readonly name = 'Initial1763700000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of UP) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE ${TABLES.join(', ')}`);
  }
}
