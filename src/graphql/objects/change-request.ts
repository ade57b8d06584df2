import { Field, ID, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import { ChangeDecisionEnum, ChangeRequestEventTypeEnum } from './enums.js';
import { Subject } from './finding.js';

@ObjectType({ description: 'One step of a change that needs the word of another person', simpleResolvers: true })
export class ChangeRequestEvent {
  @Field(() => String, { description: 'Place in the event log, for `after`' })
  cursor: string;
  @Field(() => ChangeRequestEventTypeEnum, { description: 'What happened' })
  type: string;
  @Field(() => DateTime, { description: 'When' })
  at: number;
  @Field(() => String, { nullable: true, description: 'Who did it; null: the gateway by itself' })
  actor: string | null;
  @Field(() => String, { nullable: true, description: 'Why, in the words of who did it' })
  reason: string | null;
  @Field(() => ID, { description: 'Id of the change request' })
  changeRequestId: string;
  @Field(() => Subject, { description: 'What is to change' })
  subject: Subject;
  @Field(() => String, { description: 'Hash of what is asked for: a decision is about this content and no other' })
  contentHash: string;
  @Field(() => ChangeDecisionEnum, { nullable: true, description: 'What was decided; null for every other type' })
  decision: string | null;
}
