import type { MigrationInterface, QueryRunner } from 'typeorm';

const UP = [
  // One row a target. What is being sent stands in it byte for byte, so that each attempt, by whichever replica, sends the same.
  `CREATE TABLE notification_targets (
     id text COLLATE "C" PRIMARY KEY,
     cursor bigint NOT NULL,
     failures integer NOT NULL DEFAULT 0,
     spent boolean NOT NULL DEFAULT false,
     next_attempt_at timestamptz,
     last_success_at timestamptz,
     last_failure_at timestamptz,
     reason text,
     pending_id text,
     pending_topic text,
     pending_body text,
     pending_count integer,
     pending_upto bigint,
     CHECK ((pending_id IS NULL) = (pending_upto IS NULL))
   )`,
  `CREATE TABLE dead_letters (
     id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     target text COLLATE "C" NOT NULL,
     delivery text COLLATE "C" NOT NULL UNIQUE,
     topic text NOT NULL,
     body text NOT NULL,
     events integer NOT NULL,
     upto bigint NOT NULL,
     died_at timestamptz NOT NULL,
     reason text NOT NULL,
     queued_at timestamptz,
     replayed_at timestamptz
   )`,
  `CREATE INDEX dead_letters_of ON dead_letters (target, id)`,
  `CREATE INDEX dead_letters_queued ON dead_letters (target, id) WHERE queued_at IS NOT NULL`,
];

/** Where each target of notifications stands in the event log, and what could not be delivered. */
export class Deliveries1763800300000 implements MigrationInterface {
  readonly name = 'Deliveries1763800300000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of UP) await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP TABLE dead_letters, notification_targets');
  }
}
