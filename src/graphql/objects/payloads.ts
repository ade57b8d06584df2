import { Field, ObjectType } from 'type-graphql';
import { ApiKey } from './account.js';
import { CollectionRun, DeclaredSource } from './collector.js';
import { DriftFinding } from './finding.js';

@ObjectType({ description: 'Something in the input that the caller can mend', simpleResolvers: true })
export class UserError {
  @Field(() => String, { description: 'One of VALIDATION_ERROR, CONFLICT, NOT_FOUND' })
  code: string;
  @Field(() => [String], { nullable: true, description: 'Path of the wrong input' })
  field: string[] | null;
  @Field(() => String, { description: 'What is wrong, and what to do' })
  message: string;
}

@ObjectType({ description: 'What came of asking for a collection', simpleResolvers: true })
export class CollectionRunPayload {
  @Field(() => [CollectionRun], { nullable: true, description: 'One run a source' })
  runs: CollectionRun[] | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when it was done' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What came of confirming a declared source', simpleResolvers: true })
export class DeclaredConfirmPayload {
  @Field(() => DeclaredSource, { nullable: true, description: 'The source as it is now' })
  source: DeclaredSource | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when it was done' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What came of acknowledging a finding', simpleResolvers: true })
export class DriftFindingAcknowledgePayload {
  @Field(() => DriftFinding, { nullable: true, description: 'The finding as it is now' })
  driftFinding: DriftFinding | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when it was done' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What came of suppressing a finding', simpleResolvers: true })
export class DriftFindingSuppressPayload {
  @Field(() => DriftFinding, { nullable: true, description: 'The finding as it is now' })
  driftFinding: DriftFinding | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when it was done' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What came of reopening a finding', simpleResolvers: true })
export class DriftFindingReopenPayload {
  @Field(() => DriftFinding, { nullable: true, description: 'The finding as it is now' })
  driftFinding: DriftFinding | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when it was done' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What came of making an API key', simpleResolvers: true })
export class ApiKeyCreatePayload {
  @Field(() => ApiKey, { nullable: true, description: 'The new key' })
  apiKey: ApiKey | null;
  @Field(() => String, { nullable: true, description: 'The key itself: shown once, here, and kept nowhere' })
  secret: string | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when it was done' })
  userErrors: UserError[];
}

@ObjectType({ description: 'What came of revoking an API key', simpleResolvers: true })
export class ApiKeyRevokePayload {
  @Field(() => ApiKey, { nullable: true, description: 'The key as it is now' })
  apiKey: ApiKey | null;
  @Field(() => [UserError], { description: 'What the caller can mend; empty when it was done' })
  userErrors: UserError[];
}
