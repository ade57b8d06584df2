import { Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import { connectionOf } from './connection.js';
import {
  DriftCategoryEnum,
  DriftEventTypeEnum,
  DriftFindingKindEnum,
  DriftFindingStateEnum,
  SeverityEnum,
  SubjectKindEnum,
} from './enums.js';
import { Guest } from './guest.js';

@ObjectType({ description: 'What a finding speaks of', simpleResolvers: true })
export class Subject {
  @Field(() => SubjectKindEnum, { description: 'Kind of thing' })
  kind: string;
  @Field(() => ID, { description: 'Id among its kind' })
  id: string;
}

@ObjectType({ description: 'One declared fact with its provenance', simpleResolvers: true })
export class DeclaredFact {
  @Field(() => String, { description: 'Which field it speaks of' })
  field: string;
  @Field(() => String, { description: 'The declared value, as written' })
  value: string;
  @Field(() => String, { description: 'Name of the file or service' })
  source: string;
  @Field(() => String, { description: '`file:line`, or a URL' })
  location: string;
  @Field(() => Boolean, { description: 'Whether it wins where several speak of the same field' })
  wins: boolean;
}

@ObjectType({ description: 'Why a finding says what it says', simpleResolvers: true })
export class Evidence {
  @Field(() => String, { description: 'Where it was read' })
  source: string;
  @Field(() => String, { description: 'What was read, in words' })
  text: string;
  @Field(() => DateTime, { nullable: true, description: 'When it was asked' })
  at: number | null;
}

@ObjectType({ description: 'One difference between what should be and what is', simpleResolvers: true })
export class DriftFinding {
  @Field(() => ID, { description: 'Stable over runs and restarts; it never changes hands' })
  id: string;
  @Field(() => DriftFindingKindEnum, { description: 'What differs' })
  kind: string;
  @Field(() => DriftFindingStateEnum, { description: 'Where it is in its life' })
  state: string;
  @Field(() => SeverityEnum, { description: 'How much it matters' })
  severity: string;
  @Field(() => DriftCategoryEnum, { description: 'What it is about' })
  category: string;
  @Field(() => Subject, { description: 'What it speaks of' })
  subject: Subject;
  @Field(() => Guest, {
    nullable: true,
    description: 'The living guest in it that the caller may see; of several the first',
  })
  guest: unknown;
  @Field(() => [Guest], { description: 'All living guests in it that the caller may see' })
  guests: unknown[];
  @Field(() => String, { nullable: true, description: 'Which field differs; null for kinds without one' })
  field: string | null;
  @Field(() => String, { nullable: true, description: 'What is declared' })
  declared: string | null;
  @Field(() => [DeclaredFact], { description: 'Who declares it' })
  declaredBy: DeclaredFact[];
  @Field(() => String, { nullable: true, description: 'What was observed' })
  observed: string | null;
  @Field(() => [Evidence], { description: 'What it rests on' })
  evidence: Evidence[];
  @Field(() => String, { description: 'The finding in one sentence' })
  message: string;
  @Field(() => DateTime, { description: 'When it was first noticed' })
  firstSeenAt: number;
  @Field(() => DateTime, {
    description:
      'Last read that covered its subject while it was so. Of a moment in the past: not after its last step until then',
  })
  lastSeenAt: number;
  @Field(() => DateTime, {
    nullable: true,
    description: 'Last moment at which both sides are known to have agreed; null: never',
  })
  onsetAfter: number | null;
  @Field(() => DateTime, { description: 'First moment at which they are known to differ' })
  onsetBefore: number;
  @Field(() => DateTime, { nullable: true, description: 'When it was seen to be no longer so' })
  resolvedAt: number | null;
  @Field(() => Int, { description: 'How often it opened: once, and once more for each return after being resolved' })
  occurrences: number;
  @Field(() => DateTime, { nullable: true, description: 'Until when a person silenced it' })
  suppressedUntil: number | null;
  @Field(() => String, { nullable: true, description: 'Why it is in this state, in the words of who decided' })
  reason: string | null;
  @Field(() => [DriftEvent], { description: 'Every step of its life, oldest first' })
  history: unknown[];
}

@ObjectType({ description: 'One step in the life of a finding', simpleResolvers: true })
export class DriftEvent {
  @Field(() => String, {
    nullable: true,
    description: 'Place in the event log, for `after`; null once the log was pruned',
  })
  cursor: string | null;
  @Field(() => DriftEventTypeEnum, { description: 'What happened' })
  type: string;
  @Field(() => DateTime, { description: 'When' })
  at: number;
  @Field(() => String, { nullable: true, description: 'Who did it; null: the gateway by itself' })
  actor: string | null;
  @Field(() => String, { nullable: true, description: 'Why, in the words of who did it' })
  reason: string | null;
  @Field(() => String, { nullable: true, description: 'Declared value as of the event' })
  declared: string | null;
  @Field(() => String, { nullable: true, description: 'Observed value as of the event' })
  observed: string | null;
  @Field(() => ID, { description: 'Id of the finding' })
  findingId: string;
  @Field(() => DriftFinding, { nullable: true, description: 'The finding as it is now' })
  finding: unknown;
}

export const DriftFindingConnection = connectionOf('DriftFinding', 'findings', () => DriftFinding);
