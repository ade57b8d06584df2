import { Field, ID, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import {
  CollectorEventTypeEnum,
  CollectorNameEnum,
  CollectorOutcomeEnum,
  DeclaredSourceStateEnum,
  RunStateEnum,
} from './enums.js';
import { Freshness } from './freshness.js';

@ObjectType({ description: 'How much a run read', simpleResolvers: true })
export class RunCoverage {
  @Field(() => Int, { description: 'Guests in the list' })
  rows: number;
  @Field(() => Int, { description: 'Parts read besides' })
  parts: number;
  @Field(() => Int, { description: 'Parts that could not be read' })
  failed: number;
}

@ObjectType({ description: 'A run of one source that has ended', simpleResolvers: true })
export class CollectorRun {
  @Field(() => ID, { description: 'Id of the run' })
  id: string;
  @Field(() => DateTime, { description: 'When it began' })
  startedAt: number;
  @Field(() => DateTime, { nullable: true, description: 'When it ended' })
  finishedAt: number | null;
  @Field(() => CollectorOutcomeEnum, { description: 'What became of it' })
  outcome: string;
  @Field(() => Int, { description: 'Requests it made' })
  requests: number;
  @Field(() => RunCoverage, { description: 'How much it read' })
  coverage: RunCoverage;
}

@ObjectType({ description: 'Why a source that keeps failing is left alone for a while', simpleResolvers: true })
export class Breaker {
  @Field(() => Int, { description: 'Failures in a row' })
  failures: number;
  @Field(() => DateTime, { description: 'When it is tried again' })
  until: number;
}

@ObjectType({ description: 'One source of a collector: a cluster, host or service', simpleResolvers: true })
export class CollectorSource {
  @Field(() => String, { description: 'Name of the source, such as `proxmox:main`' })
  name: string;
  @Field(() => String, { description: 'The cluster it belongs to; empty for a service of none' })
  cluster: string;
  @Field(() => CollectorOutcomeEnum, { description: 'What became of the last attempt' })
  outcome: string;
  @Field(() => String, { nullable: true, description: 'Why, where it failed' })
  reason: string | null;
  @Field(() => [String], { description: 'What a person should know, such as a missing privilege' })
  notes: string[];
  @Field(() => DateTime, { nullable: true, description: 'Last success' })
  lastSuccessAt: number | null;
  @Field(() => DateTime, { nullable: true, description: 'Last attempt' })
  lastAttemptAt: number | null;
  @Field(() => Boolean, { description: 'Whether the last success is older than the contract allows' })
  stale: boolean;
  @Field(() => Breaker, { nullable: true, description: 'Open after repeated failures; null: it is asked as usual' })
  breaker: Breaker | null;
  @Field(() => CollectorRun, {
    nullable: true,
    description: 'The last run that was kept: full passes, on-demand runs, changed outcomes. Null in `summary`',
  })
  lastRun: CollectorRun | null;
}

@ObjectType({ description: 'What the contract says of a collector', simpleResolvers: true })
export class CollectorTerms {
  @Field(() => Int, { description: 'Every part is read at least this often, in seconds' })
  refreshSeconds: number;
  @Field(() => Int, { description: 'After this many seconds its word is stale' })
  staleAfterSeconds: number;
  @Field(() => String, { description: '`keep_last` or `omit`' })
  onFailure: string;
  @Field(() => String, { nullable: true, description: 'Environment variable that must be `1`; null: always on' })
  enabledBy: string | null;
}

@ObjectType({ description: 'A collector of the contract with its sources', simpleResolvers: true })
export class Collector {
  @Field(() => CollectorNameEnum, { description: 'Name in the contract' })
  name: string;
  @Field(() => CollectorTerms, { description: 'What the contract says of it' })
  contract: CollectorTerms;
  @Field(() => Freshness, { description: 'Oldest last success among its sources' })
  freshness: Freshness;
  @Field(() => CollectorOutcomeEnum, { description: 'The worst among its sources' })
  outcome: string;
  @Field(() => String, { nullable: true, description: 'Why, where it is not OBSERVED' })
  reason: string | null;
  @Field(() => CollectorRun, { nullable: true, description: 'Latest kept run among its sources' })
  lastRun: CollectorRun | null;
  @Field(() => [CollectorSource], { description: 'Its sources' })
  sources: CollectorSource[];
}

@ObjectType({ description: 'A line of a declared source that a person should look at', simpleResolvers: true })
export class DeclaredProblem {
  @Field(() => String, { description: '`file:line`' })
  location: string;
  @Field(() => String, { description: 'What is wrong, and what to do' })
  message: string;
}

@ObjectType({ description: 'A file or service in which people wrote down what should be', simpleResolvers: true })
export class DeclaredSource {
  @Field(() => String, { description: 'Its name' })
  name: string;
  @Field(() => DeclaredSourceStateEnum, { description: 'Whether it can be relied on' })
  state: string;
  @Field(() => String, { nullable: true, description: 'Why it cannot' })
  reason: string | null;
  @Field(() => DateTime, { nullable: true, description: 'When its present rows were read' })
  readAt: number | null;
  @Field(() => Int, { description: 'How many rows it has' })
  rows: number;
  @Field(() => [DeclaredProblem], { description: 'Lines that could not be read in full' })
  problems: DeclaredProblem[];
}

@ObjectType({ description: 'A run of one source, under way or ended', simpleResolvers: true })
export class CollectionRun {
  @Field(() => ID, { description: 'Id of the run' })
  id: string;
  @Field(() => CollectorNameEnum, { description: 'Its collector' })
  collector: string;
  @Field(() => String, { description: 'Name of its source' })
  source: string;
  @Field(() => RunStateEnum, { description: 'Whether it has ended' })
  state: string;
  @Field(() => DateTime, { description: 'When it began' })
  startedAt: number;
  @Field(() => DateTime, { nullable: true, description: 'When it ended' })
  finishedAt: number | null;
  @Field(() => CollectorOutcomeEnum, { nullable: true, description: 'What became of it; null while it runs' })
  outcome: string | null;
  @Field(() => String, { nullable: true, description: 'Why, where it failed' })
  reason: string | null;
  @Field(() => Int, { nullable: true, description: 'Requests it made; null while it runs' })
  requests: number | null;
  @Field(() => RunCoverage, { nullable: true, description: 'How much it read; null while it runs' })
  coverage: RunCoverage | null;
}

@ObjectType({
  description: 'A run starting, progressing or ending. Kept nowhere: sent to who listens',
  simpleResolvers: true,
})
export class CollectorEvent {
  @Field(() => CollectorEventTypeEnum, { description: 'What happened' })
  type: string;
  @Field(() => DateTime, { description: 'When' })
  at: number;
  @Field(() => CollectionRun, { description: 'The run' })
  run: CollectionRun;
  @Field(() => Int, { nullable: true, description: 'Parts read so far' })
  done: number | null;
  @Field(() => Int, { nullable: true, description: 'Parts to read' })
  total: number | null;
}
