import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import { connectionOf } from './connection.js';
import { SeverityEnum } from './enums.js';
import { UserError } from './payloads.js';

const KINDS = {
  WEBHOOK: 'JSON over HTTP, signed',
  SLACK: 'Text over HTTP, as Slack and what is compatible with it take it',
  EMAIL: 'Mail',
  REDIS: 'The Redis stream',
};
const STATES = {
  HEALTHY: 'The last attempt succeeded, or none was made yet',
  FAILING: 'The last attempt failed; the next one is planned',
  MISCONFIGURED: 'Nothing can be sent as things are set: `reason` says what is missing',
  SPENT: 'The retry plan is spent: what is new gets one attempt, until one succeeds',
};

/** The names of an enum as type-graphql wants them: each its own value. */
function namesOf(name: string, description: string, values: Readonly<Record<string, string>>): object {
  const object = Object.fromEntries(Object.keys(values).map((value) => [value, value]));
  const valuesConfig = Object.fromEntries(
    Object.entries(values).map(([value, text]) => [value, { description: text }]),
  );
  registerEnumType(object, { name, description, valuesConfig });
  return object;
}

const NotificationTargetKind = namesOf('NotificationTargetKind', 'How a target is told', KINDS);
const NotificationTargetState = namesOf('NotificationTargetState', 'How telling a target goes', STATES);

@ObjectType({ description: 'Somebody who is told what happens', simpleResolvers: true })
export class NotificationTarget {
  @Field(() => String, { description: 'Name of the target; `redis` is the Redis stream' })
  name: string;
  @Field(() => NotificationTargetKind, { description: 'How it is told' })
  kind: string;
  @Field(() => String, { description: 'Where it leads, without what may be a secret in it' })
  address: string;
  @Field(() => [String], { description: 'Topics that it is told' })
  topics: string[];
  @Field(() => SeverityEnum, { nullable: true, description: 'Least severity that it is told; null: any' })
  minSeverity: string | null;
  @Field(() => String, { nullable: true, description: 'The tenant whose events it is told; null: all' })
  tenant: string | null;
  @Field(() => NotificationTargetState, { description: 'How telling it goes' })
  state: string;
  @Field(() => String, { nullable: true, description: 'Cursor of the event log up to which all is settled' })
  cursor: string | null;
  @Field(() => Int, { description: 'Failed attempts since the last success' })
  failures: number;
  @Field(() => DateTime, { nullable: true, description: 'When the next attempt is due, where one is planned' })
  nextAttemptAt: number | null;
  @Field(() => DateTime, { nullable: true, description: 'When an attempt last succeeded' })
  lastSuccessAt: number | null;
  @Field(() => DateTime, { nullable: true, description: 'When an attempt last failed' })
  lastFailureAt: number | null;
  @Field(() => String, {
    nullable: true,
    description:
      'Why the last attempt failed, or none can be made, or whom of its recipients it did not reach; null once all is told',
  })
  reason: string | null;
  @Field(() => Int, { description: 'Dead letters that wait for somebody to replay them' })
  deadLetters: number;
}

@ObjectType({ description: 'A message that could not be delivered', simpleResolvers: true })
export class DeadLetter {
  @Field(() => ID, { description: 'Id of its delivery, as X-Sankofa-Delivery says it' })
  id: string;
  @Field(() => String, { description: 'Name of the target that it is for' })
  target: string;
  @Field(() => String, { description: 'Topic of its event; `digest` where it holds several' })
  topic: string;
  @Field(() => Int, { description: 'How many events it holds' })
  events: number;
  @Field(() => String, { description: 'What would be sent, as it would be sent' })
  body: string;
  @Field(() => DateTime, { description: 'When it was given up, or failed again' })
  diedAt: number;
  @Field(() => String, { description: 'Why the last attempt failed' })
  reason: string;
  @Field(() => DateTime, {
    nullable: true,
    description: 'When somebody asked to send it again; null: nobody, or it was tried',
  })
  queuedAt: number | null;
  @Field(() => DateTime, { nullable: true, description: 'When it was delivered after all' })
  replayedAt: number | null;
}

export const DeadLetterConnection = connectionOf('DeadLetter', 'dead letters', () => DeadLetter);

@InputType({ description: 'Dead letters that shall be sent again' })
export class DeadLetterReplayInput {
  @Field(() => String, { description: 'Name of the target' })
  target: string;
  @Field(() => [ID], { nullable: true, description: 'Only these; left out: all that wait' })
  ids?: string[] | null;
}

@InputType({ description: 'A target that shall be sent a test' })
export class NotificationTestInput {
  @Field(() => String, { description: 'Name of the target' })
  target: string;
}

@ObjectType({ description: 'What came of sending dead letters again', simpleResolvers: true })
export class DeadLetterReplayPayload {
  @Field(() => [DeadLetter], {
    nullable: true,
    description: 'The letters as they are now: delivered, failed again, or still queued after some seconds',
  })
  deadLetters: DeadLetter[] | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when it was done' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What came of a test', simpleResolvers: true })
export class NotificationTestPayload {
  @Field(() => Boolean, { nullable: true, description: 'Whether the target took it' })
  delivered: boolean | null;
  @Field(() => String, { nullable: true, description: 'What the target answered, or why it was not reached' })
  answer: string | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when the test was made' })
  userErrors: UserError[];
}
