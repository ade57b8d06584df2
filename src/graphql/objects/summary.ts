import { Field, Float, Int, ObjectType } from 'type-graphql';
import { DateTime } from '../scalars.js';
import { CollectorSource, DeclaredSource } from './collector.js';
import { DriftFindingKindEnum, SeverityEnum } from './enums.js';

@ObjectType({ description: 'Nodes in numbers', simpleResolvers: true })
export class NodeTiles {
  @Field(() => Int, { description: 'All nodes' })
  total: number;
  @Field(() => Int, { description: 'Those online' })
  online: number;
}

@ObjectType({ description: 'Guests in numbers; templates count nowhere else', simpleResolvers: true })
export class GuestTiles {
  @Field(() => Int, { description: 'All guests but templates' })
  total: number;
  @Field(() => Int, { description: 'Running or paused ones' })
  running: number;
  @Field(() => Int, { description: 'Stopped ones' })
  stopped: number;
  @Field(() => Int, { description: 'Those of which the cluster does not say' })
  unknown: number;
  @Field(() => Int, { description: 'Templates' })
  templates: number;
}

@ObjectType({ description: 'Open findings of one kind', simpleResolvers: true })
export class DriftKindCount {
  @Field(() => DriftFindingKindEnum, { description: 'The kind' })
  kind: string;
  @Field(() => Int, { description: 'How many are open' })
  count: number;
}

@ObjectType({ description: 'Open findings of one severity', simpleResolvers: true })
export class DriftSeverityCount {
  @Field(() => SeverityEnum, { description: 'The severity' })
  severity: string;
  @Field(() => Int, { description: 'How many are open' })
  count: number;
}

@ObjectType({ description: 'Findings in numbers', simpleResolvers: true })
export class DriftTiles {
  @Field(() => Int, { description: 'Open ones' })
  open: number;
  @Field(() => Int, { description: 'Acknowledged ones' })
  acknowledged: number;
  @Field(() => Int, { description: 'Suppressed ones' })
  suppressed: number;
  @Field(() => Int, { description: 'Ignored by a rule of the policy' })
  ignored: number;
  @Field(() => [DriftKindCount], { description: 'Open ones by kind; kinds without any are left out' })
  byKind: DriftKindCount[];
  @Field(() => [DriftSeverityCount], { description: 'Open ones by severity' })
  bySeverity: DriftSeverityCount[];
  @Field(() => DateTime, { nullable: true, description: 'When estate and declarations were last compared' })
  comparedAt: number | null;
}

@ObjectType({ description: 'What the health score is made of', simpleResolvers: true })
export class HealthParts {
  @Field(() => Int, { description: 'Open critical findings, 10 each' })
  critical: number;
  @Field(() => Int, { description: 'Open warnings, 3 each' })
  warning: number;
  @Field(() => Int, { description: 'Open infos, half each' })
  info: number;
  @Field(() => Int, { description: 'Guests that the findings are held against, at least 10' })
  guests: number;
  @Field(() => Int, { description: 'Collectors past what their contract allows, 10 points each, at most 30' })
  staleCollectors: number;
  @Field(() => Float, { description: 'Points of 100 lost by findings' })
  lostByFindings: number;
  @Field(() => Float, { description: 'Points of 100 lost by stale collectors' })
  lostByStaleness: number;
}

@ObjectType({ description: 'How fresh the whole inventory is', simpleResolvers: true })
export class InventoryFreshness {
  @Field(() => DateTime, { nullable: true, description: 'Oldest last success of the clusters' })
  collectedAt: number | null;
  @Field(() => Boolean, { description: 'Whether one of them is past what the contract allows' })
  stale: boolean;
  @Field(() => Boolean, { description: 'Whether the last poll of at least one cluster failed' })
  seedUnreachable: boolean;
  @Field(() => [String], { description: 'What a person should know' })
  notes: string[];
}

@ObjectType({ description: 'The policy.yaml that every replica goes by', simpleResolvers: true })
export class PolicyInForce {
  @Field(() => String, { description: 'SHA-256 of the file, in hex' })
  contentHash: string;
  @Field(() => DateTime, { description: 'When it was taken' })
  since: number;
}

@ObjectType({ description: 'The estate at a glance', simpleResolvers: true })
export class Summary {
  @Field(() => Int, { description: 'Clusters that are collected' })
  clusters: number;
  @Field(() => NodeTiles, { description: 'Nodes' })
  nodes: NodeTiles;
  @Field(() => GuestTiles, { description: 'Guests' })
  guests: GuestTiles;
  @Field(() => DriftTiles, { description: 'Findings' })
  drift: DriftTiles;
  @Field(() => Int, { description: 'From 0 to 100' })
  healthScore: number;
  @Field(() => HealthParts, { description: 'What the score is made of' })
  health: HealthParts;
  @Field(() => InventoryFreshness, { description: 'How fresh it all is' })
  freshness: InventoryFreshness;
  @Field(() => PolicyInForce, {
    nullable: true,
    description: 'The policy in force; null where none was ever taken and every default holds',
  })
  policy: PolicyInForce | null;
  @Field(() => [CollectorSource], { description: 'The sources it was collected from' })
  sources: CollectorSource[];
  @Field(() => [DeclaredSource], { description: 'The files and services that say what should be' })
  declaredSources: DeclaredSource[];
}
