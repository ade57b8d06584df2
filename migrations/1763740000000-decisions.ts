import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // The last person's word on a finding with the values it was given for, and which transaction wrote the finding last:
  // replicas read by that, as not every step of a finding's life is an event.
  `ALTER TABLE findings ADD COLUMN decided jsonb, ADD COLUMN changed_seq bigint NOT NULL DEFAULT 0`,
  `CREATE INDEX findings_changed ON findings (changed_seq)`,
];

const DOWN = [`ALTER TABLE findings DROP COLUMN decided, DROP COLUMN changed_seq`];

/** What people decide about findings outlives what they decided it about. */
export class Decisions1763740000000 implements MigrationInterface {
  readonly name = 'Decisions1763740000000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of UP) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const statement of DOWN) await queryRunner.query(statement);
  }
}
