import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // The last good policy.yaml was a mark that every replica wrote; it becomes a version, as everything else that is read.
  `INSERT INTO versions (source, cluster, kind, key, incarnation, body, hash, valid_from, opened_seq)
   SELECT 'policy:policy.yaml', '', 'policy', 'policy.yaml', 0,
          jsonb_build_object('text', kept.text, 'contentHash', kept.hash), kept.hash, write_head.at, write_head.seq
     FROM (SELECT marks.value AS text, encode(sha256(convert_to(marks.value, 'UTF8')), 'hex') AS hash
             FROM marks WHERE marks.name = 'policy.yaml') AS kept,
          write_head`,
  `INSERT INTO source_states
     (source, kind, cluster, outcome, notes, first_success_at, last_success_at, last_attempt_at, requests, failures, seq)
   SELECT 'policy:policy.yaml', 'policy', '', 'OBSERVED', '[]', write_head.at, write_head.at, write_head.at, 0, 0, write_head.seq
     FROM marks, write_head WHERE marks.name = 'policy.yaml'`,
  `DELETE FROM marks WHERE marks.name = 'policy.yaml'`,
];

const DOWN = [
  `INSERT INTO marks (name, value)
   SELECT 'policy.yaml', versions.body ->> 'text'
     FROM versions WHERE versions.kind = 'policy' AND versions.valid_to IS NULL`,
  `DELETE FROM versions WHERE versions.kind = 'policy'`,
  `DELETE FROM source_states WHERE source_states.kind = 'policy'`,
];

/** The policy is collected like any source: one replica reads the file, all go by what is in the store. */
export class Policy1763820000000 implements MigrationInterface {
  readonly name = 'Policy1763820000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of UP) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await queryRunner.query(statement);
  }
}
