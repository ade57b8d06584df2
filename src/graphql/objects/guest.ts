import { Arg, Field, ID, Int, ObjectType } from 'type-graphql';
import { BigIntScalar, DateTime } from '../scalars.js';
import { connectionOf } from './connection.js';
import { AddressEvidenceSourceEnum, DriftFindingStateEnum, GuestKindEnum, GuestStatusEnum } from './enums.js';
import { DeclaredFact, DriftFinding } from './finding.js';
import { Freshness } from './freshness.js';
import { ProxmoxNode } from './node.js';

@ObjectType({ description: 'Who says that a guest carries an address', simpleResolvers: true })
export class AddressEvidence {
  @Field(() => AddressEvidenceSourceEnum, { description: 'Who says so' })
  source: string;
  @Field(() => DateTime, { nullable: true, description: 'When it was asked' })
  at: number | null;
}

@ObjectType({ description: 'An address that a guest carries', simpleResolvers: true })
export class GuestAddress {
  @Field(() => String, { description: 'The address in canonical text' })
  address: string;
  @Field(() => Int, { nullable: true, description: 'Length of its prefix, where known' })
  prefixLength: number | null;
  @Field(() => String, { description: 'The scope it lives in: equal text in two scopes is two addresses' })
  scope: string;
  @Field(() => String, { nullable: true, description: 'MAC of the device that bears it' })
  mac: string | null;
  @Field(() => String, { description: 'Key of the network device that bears it, such as `net0`' })
  interface: string;
  @Field(() => Boolean, { description: 'Whether it was handed out by a server, not fixed by people' })
  dynamic: boolean;
  @Field(() => [AddressEvidence], {
    description: 'Who says so; the first one decides. Of a moment in the past: without who was seen answering',
  })
  evidence: AddressEvidence[];
}

@ObjectType({ description: 'A network device of a guest', simpleResolvers: true })
export class GuestInterface {
  @Field(() => String, { description: 'Key in the config, such as `net0`' })
  key: string;
  @Field(() => String, { nullable: true, description: 'MAC address' })
  mac: string | null;
  @Field(() => String, { nullable: true, description: 'Bridge of the node it is plugged into' })
  bridge: string | null;
  @Field(() => Int, { nullable: true, description: 'VLAN tag' })
  vlan: number | null;
  @Field(() => Boolean, { description: 'Whether its link is switched off' })
  linkDown: boolean;
}

@ObjectType({ description: 'A virtual machine or container', simpleResolvers: true })
export class Guest {
  @Field(() => ID, { description: '`cluster/vmid@n`: the n-th guest that lived under this VMID' })
  id: string;
  @Field(() => String, { description: 'Name of its cluster, as sources.yaml has it' })
  cluster: string;
  @Field(() => Int, { description: 'VMID, unique in its cluster at any moment' })
  vmid: number;
  @Field(() => String, { nullable: true, description: 'Name; null where the cluster does not say' })
  name: string | null;
  @Field(() => GuestKindEnum, { description: 'Virtual machine or container' })
  kind: string;
  @Field(() => GuestStatusEnum, { description: 'Whether it runs' })
  status: string;
  @Field(() => ProxmoxNode, { description: 'The node it is on' })
  node: ProxmoxNode;
  @Field(() => [String], { description: 'Tags' })
  tags: string[];
  @Field(() => String, { nullable: true, description: 'Resource pool' })
  pool: string | null;
  @Field(() => Boolean, { description: 'Whether it is a template: it never runs and owns no address' })
  template: boolean;
  @Field(() => String, { nullable: true, description: 'What holds it locked, such as `backup` or `migrate`' })
  lock: string | null;
  @Field(() => Boolean, {
    description: 'The list no longer shows it and its absence is not proven: the last known is shown',
  })
  hidden: boolean;
  @Field(() => Int, { nullable: true, description: 'CPU cores' })
  cores: number | null;
  @Field(() => BigIntScalar, { nullable: true, description: 'Memory in bytes' })
  memoryBytes: number | null;
  @Field(() => BigIntScalar, { nullable: true, description: 'Size of its disk in bytes' })
  diskBytes: number | null;
  @Field(() => DateTime, { nullable: true, description: 'Since when it runs' })
  startedAt: number | null;
  @Field(() => [GuestAddress], {
    description: 'Addresses it carries; a stopped guest keeps what it was last seen with',
  })
  addresses: GuestAddress[];
  @Field(() => String, { nullable: true, description: 'The one address to show where there is room for one' })
  primaryAddress: string | null;
  @Field(() => [GuestInterface], { description: 'Network devices of its config' })
  interfaces: GuestInterface[];
  @Field(() => [DeclaredFact], { description: 'What people wrote down about it' })
  declared: DeclaredFact[];
  @Field(() => Freshness, { description: 'How old this knowledge is' })
  freshness: Freshness;

  /** Answered by the edge table; the method is here for its argument. */
  @Field(() => [DriftFinding], {
    description: 'Findings it is in; those of then where the guest is asked for `asOf` a moment',
  })
  findings(
    @Arg('states', () => [DriftFindingStateEnum], {
      nullable: true,
      description: 'Only in these states; default OPEN and ACKNOWLEDGED',
    })
    _states: string[],
  ): DriftFinding[] {
    return [];
  }
}

export const GuestConnection = connectionOf('Guest', 'guests', () => Guest);
