import { Field, ID, InputType, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import { connectionOf } from './connection.js';
import { ChangeKindEnum, ChangeSubjectKindEnum } from './enums.js';
import { DriftSeverityCount } from './summary.js';

@ObjectType({ description: 'What happened to findings in one hour, day or week', simpleResolvers: true })
export class DriftBucket {
  @Field(() => DateTime, { description: 'Its beginning, in UTC' })
  from: number;
  @Field(() => DateTime, { description: 'Its end, which belongs to the next one' })
  to: number;
  @Field(() => Int, { description: 'Findings that came up for the first time' })
  opened: number;
  @Field(() => Int, { description: 'Findings that were resolved' })
  resolved: number;
  @Field(() => Int, { description: 'Findings that came back' })
  reopened: number;
  @Field(() => Int, { description: 'Open ones at its end; where it is not over: now' })
  open: number;
  @Field(() => [DriftSeverityCount], { description: 'The same by severity' })
  openBySeverity: DriftSeverityCount[];
}

@ObjectType({ description: 'What changed', simpleResolvers: true })
export class ChangeSubject {
  @Field(() => ChangeSubjectKindEnum, { description: 'Kind of thing' })
  kind: string;
  @Field(() => ID, {
    description: '`cluster/vmid@n`, `cluster/node`, the cluster, or `source/record` of a file or service',
  })
  id: string;
}

@ObjectType({ description: 'One thing that changed between two moments', simpleResolvers: true })
export class InventoryChange {
  @Field(() => DateTime, { description: 'When it was first seen so' })
  at: number;
  @Field(() => ChangeKindEnum, { description: 'What kind of change it is' })
  kind: string;
  @Field(() => ChangeSubject, { description: 'What changed' })
  subject: ChangeSubject;
  @Field(() => String, { nullable: true, description: 'Which field of it; null where it came or went as a whole' })
  field: string | null;
  @Field(() => String, { nullable: true, description: 'What it was; of a thing that went: its name' })
  from: string | null;
  @Field(() => String, { nullable: true, description: 'What it became; of a thing that came: its name' })
  to: string | null;
  @Field(() => String, { description: 'Who said so: `proxmox:main`, `declared:ip-addresses.conf`' })
  source: string;
}

@InputType({ description: 'Which changes are meant; what is left out matches all' })
export class InventoryChangeFilter {
  @Field(() => [ChangeSubjectKindEnum], {
    nullable: true,
    description: 'Of one of these kinds of things; left out: all but CLIENT and NEIGHBOUR',
  })
  subjects?: string[] | null;
  @Field(() => [ChangeKindEnum], { nullable: true, description: 'One of these kinds of changes' })
  kinds?: string[] | null;
  @Field(() => String, { nullable: true, description: 'In this cluster' })
  cluster?: string | null;
  @Field(() => Int, { nullable: true, description: 'Of the guests under this VMID' })
  vmid?: number | null;
}

export const InventoryChangeConnection = connectionOf('InventoryChange', 'changes', () => InventoryChange);
