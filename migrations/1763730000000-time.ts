import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What of a finding is kept of each moment: its columns but its identity, which never changes. */
const TOLD = `state, severity, category, declared, observed, declared_by, evidence, message, guests, clusters,
     last_seen_at, onset_after, onset_before, resolved_at, occurrences, suppressed_until, reason`;

const UP = [
  // A finding as it was, from one step of its life to the next; silent steps (a suppression that goes on) too.
  `CREATE TABLE finding_versions (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     finding_id text COLLATE "C" NOT NULL REFERENCES findings (id) ON DELETE CASCADE,
     valid_from timestamptz NOT NULL,
     valid_to timestamptz CHECK (valid_to >= valid_from),
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
     last_seen_at timestamptz NOT NULL,
     onset_after timestamptz,
     onset_before timestamptz NOT NULL,
     resolved_at timestamptz,
     occurrences integer NOT NULL,
     suppressed_until timestamptz,
     reason text
   )`,
  // What an earlier version of this product wrote down of a finding's life tells its states; all else is as it is now.
  `INSERT INTO finding_versions (finding_id, valid_from, valid_to, ${TOLD})
   SELECT findings.id, step.at, step.until,
          CASE WHEN step.until IS NULL THEN findings.state ELSE step.state END,
          severity, category,
          CASE WHEN step.until IS NULL THEN findings.declared ELSE step.declared END,
          CASE WHEN step.until IS NULL THEN findings.observed ELSE step.observed END,
          declared_by, evidence, message, guests, clusters, last_seen_at, onset_after, onset_before,
          CASE WHEN step.until IS NULL THEN resolved_at WHEN step.state = 'RESOLVED' THEN step.at END,
          occurrences,
          CASE WHEN step.until IS NULL THEN suppressed_until END,
          CASE WHEN step.until IS NULL THEN findings.reason ELSE step.reason END
     FROM (SELECT history.finding_id, history.at, history.declared, history.observed, history.reason,
                  lead(history.at) OVER life AS until,
                  CASE history.type WHEN 'RESOLVED' THEN 'RESOLVED' WHEN 'ACKNOWLEDGED' THEN 'ACKNOWLEDGED'
                                    WHEN 'SUPPRESSED' THEN 'SUPPRESSED' ELSE 'OPEN' END AS state
             FROM finding_history AS history
           WINDOW life AS (PARTITION BY history.finding_id ORDER BY history.at, history.id)) AS step
     JOIN findings ON findings.id = step.finding_id`,
  `INSERT INTO finding_versions (finding_id, valid_from, ${TOLD})
   SELECT findings.id, findings.first_seen_at, ${TOLD}
     FROM findings
    WHERE NOT EXISTS (SELECT FROM finding_history WHERE finding_history.finding_id = findings.id)`,
  `CREATE UNIQUE INDEX finding_versions_open ON finding_versions (finding_id) WHERE valid_to IS NULL`,
  `CREATE INDEX finding_versions_of ON finding_versions (finding_id, valid_from)`,
  // How many were open when: each beginning and each end of being open is counted once.
  `CREATE INDEX finding_versions_opened ON finding_versions (valid_from, severity) WHERE state = 'OPEN'`,
  `CREATE INDEX finding_versions_left ON finding_versions (valid_to, severity) WHERE state = 'OPEN'`,
  `CREATE INDEX finding_history_at ON finding_history (at, type)`,

  // What changed between two moments. What was there at the first look at its source did not change: it has no row here,
  // and a first pass over an estate pays nothing for the index.
  `CREATE INDEX versions_changed ON versions (valid_from, id) WHERE prior_read_at IS NOT NULL`,
  // Whether the same run put another in its place. What ended and was not followed is gone: few are, and they are asked for.
  `ALTER TABLE versions ADD COLUMN followed boolean NOT NULL DEFAULT false`,
  `UPDATE versions AS ended SET followed = true
    WHERE ended.valid_to IS NOT NULL
      AND EXISTS (SELECT FROM versions AS next
                   WHERE next.cluster = ended.cluster AND next.kind = ended.kind AND next.key = ended.key
                     AND next.incarnation = ended.incarnation AND next.source = ended.source
                     AND next.opened_seq = ended.closed_seq)`,
  `CREATE INDEX versions_lost ON versions (valid_to, id) WHERE valid_to IS NOT NULL AND NOT followed`,
  // The order in which old versions are deleted.
  `CREATE INDEX versions_gone ON versions (valid_to, id) WHERE valid_to IS NOT NULL`,
  `CREATE INDEX runs_finished ON runs (finished_at)`,
];

const INDEXES = ['finding_history_at', 'versions_changed', 'versions_lost', 'versions_gone', 'runs_finished'];

/** Questions about then: findings as they were, what changed when, and the order in which old rows are deleted. */
export class Time1763730000000 implements MigrationInterface {
  readonly name = 'Time1763730000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of UP) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE finding_versions');
    await queryRunner.query(`DROP INDEX ${INDEXES.join(', ')}`);
    await queryRunner.query('ALTER TABLE versions DROP COLUMN followed');
  }
}
