import { Field, ID, InputType, Int } from 'type-graphql';
import { DateTime } from '../scalars.js';
import {
  CollectorNameEnum,
  ConfidenceEnum,
  DriftCategoryEnum,
  DriftFindingKindEnum,
  DriftFindingStateEnum,
  GuestKindEnum,
  GuestOrderFieldEnum,
  GuestStatusEnum,
  NodeStatusEnum,
  OrderDirectionEnum,
  SeverityEnum,
} from './enums.js';

@InputType({ description: 'Which guests are meant; what is left out matches all' })
export class GuestFilter {
  @Field(() => String, { nullable: true, description: 'Name of the cluster' })
  cluster?: string | null;
  @Field(() => String, { nullable: true, description: 'Name of the node, or `cluster/node`' })
  node?: string | null;
  @Field(() => [GuestStatusEnum], { nullable: true, description: 'One of these statuses' })
  statuses?: string[] | null;
  @Field(() => [GuestKindEnum], { nullable: true, description: 'One of these kinds' })
  kinds?: string[] | null;
  @Field(() => String, { nullable: true, description: 'Bears this tag' })
  tag?: string | null;
  @Field(() => String, { nullable: true, description: 'Part of the name or of an address, or the VMID or a MAC' })
  search?: string | null;
  @Field(() => String, { nullable: true, description: 'Carries this address' })
  address?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether it has open findings' })
  withOpenFindings?: boolean | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether it is a template' })
  template?: boolean | null;
}

@InputType({ description: 'How guests are sorted' })
export class GuestOrder {
  @Field(() => GuestOrderFieldEnum, { description: 'By what' })
  field: string;
  @Field(() => OrderDirectionEnum, { defaultValue: 'ASC', description: 'Which way' })
  direction: string;
}

@InputType({ description: 'Which nodes are meant; what is left out matches all' })
export class ProxmoxNodeFilter {
  @Field(() => String, { nullable: true, description: 'Name of the cluster' })
  cluster?: string | null;
  @Field(() => [NodeStatusEnum], { nullable: true, description: 'One of these statuses' })
  statuses?: string[] | null;
}

@InputType({ description: 'Which addresses are meant; what is left out matches all' })
export class AddressFilter {
  @Field(() => String, { nullable: true, description: 'The scope it lives in' })
  scope?: string | null;
  @Field(() => String, { nullable: true, description: 'Part of the address or of the name it is declared with' })
  search?: string | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether somebody declares it' })
  declared?: boolean | null;
  @Field(() => Boolean, { nullable: true, description: 'Whether a guest carries it' })
  carried?: boolean | null;
  @Field(() => String, { nullable: true, description: 'Carried by, or declared for, a guest of this cluster' })
  cluster?: string | null;
}

@InputType({ description: 'Which rows of the port map are meant; what is left out matches all' })
export class PortMapFilter {
  @Field(() => String, { nullable: true, description: 'Part of the public name, the target or the address' })
  search?: string | null;
  @Field(() => String, { nullable: true, description: 'Leading to a guest or node of this cluster' })
  cluster?: string | null;
  @Field(() => ConfidenceEnum, { nullable: true, description: 'With the machine behind it known so surely' })
  confidence?: string | null;
}

@InputType({ description: 'Which findings are meant; what is left out matches all' })
export class DriftFindingFilter {
  @Field(() => [DriftFindingStateEnum], {
    nullable: true,
    description: 'One of these states; a query without them means OPEN and ACKNOWLEDGED, a subscription all',
  })
  states?: string[] | null;
  @Field(() => [DriftFindingKindEnum], { nullable: true, description: 'One of these kinds' })
  kinds?: string[] | null;
  @Field(() => [SeverityEnum], { nullable: true, description: 'One of these severities' })
  severities?: string[] | null;
  @Field(() => [DriftCategoryEnum], { nullable: true, description: 'One of these categories' })
  categories?: string[] | null;
  @Field(() => String, { nullable: true, description: 'Belongs to this cluster' })
  cluster?: string | null;
  @Field(() => Int, { nullable: true, description: 'Speaks of this VMID' })
  vmid?: number | null;
  @Field(() => DateTime, { nullable: true, description: 'First seen at or after this moment; of events: happened' })
  since?: number | null;
}

@InputType({ description: 'What to collect now' })
export class CollectionRunInput {
  @Field(() => [CollectorNameEnum], {
    nullable: true,
    description: 'These collectors; left out: all that have a source',
  })
  collectors?: string[] | null;
  @Field(() => Int, {
    nullable: true,
    defaultValue: 20,
    description: 'Answer after this many seconds at the latest, with runs still RUNNING; from 0 to 60',
  })
  waitSeconds?: number | null;
}

@InputType({ description: 'A declared source that lost many rows at once, and is right' })
export class DeclaredConfirmInput {
  @Field(() => String, { description: 'Name of the source, such as `ip-addresses.conf`' })
  source: string;
  @Field(() => String, { description: 'Why it is right' })
  reason: string;
}

@InputType({ description: 'A finding that somebody takes note of: it stays, out of the open ones' })
export class DriftFindingAcknowledgeInput {
  @Field(() => ID, { description: 'Id of the finding' })
  id: string;
  @Field(() => String, { nullable: true, description: 'Why it may stay as it is, for others to read' })
  reason?: string | null;
}

@InputType({ description: 'A finding that shall be silent for a time, whatever its values become' })
export class DriftFindingSuppressInput {
  @Field(() => ID, { description: 'Id of the finding' })
  id: string;
  @Field(() => DateTime, { description: 'Until when; at most 366 days ahead' })
  until: number;
  @Field(() => String, { description: 'Why, for others to read' })
  reason: string;
}

@InputType({ description: 'A finding that shall be open again' })
export class DriftFindingReopenInput {
  @Field(() => ID, { description: 'Id of the finding' })
  id: string;
  @Field(() => String, { nullable: true, description: 'Why, for others to read' })
  reason?: string | null;
}

@InputType({ description: 'A new API key' })
export class ApiKeyCreateInput {
  @Field(() => String, { description: 'What it is for' })
  name: string;
  @Field(() => [String], { description: 'Roles it grants; none beyond the caller’s own' })
  roles: string[];
  @Field(() => String, { nullable: true, description: 'Who will use it; by default the caller' })
  person?: string | null;
  @Field(() => [String], { nullable: true, description: 'Tenants it may see; by default the caller’s' })
  tenants?: string[] | null;
  @Field(() => DateTime, { nullable: true, description: 'When it runs out; by default never' })
  expiresAt?: number | null;
}

@InputType({ description: 'An API key that shall no longer open anything' })
export class ApiKeyRevokeInput {
  @Field(() => ID, { description: 'Id of the key' })
  id: string;
}
