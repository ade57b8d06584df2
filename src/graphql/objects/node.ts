import { Field, ID, Int, ObjectType } from 'type-graphql';
import { BigIntScalar } from '../scalars.js';
import { connectionOf } from './connection.js';
import { NodeStatusEnum } from './enums.js';
import { Freshness } from './freshness.js';
import { NodeHardware } from './hardware.js';

@ObjectType({ description: 'A node of a Proxmox cluster', simpleResolvers: true })
export class ProxmoxNode {
  @Field(() => ID, { description: '`cluster/node`' })
  id: string;
  @Field(() => String, { description: 'Name of the cluster, as sources.yaml has it' })
  cluster: string;
  @Field(() => String, { description: 'Name of the node in its cluster' })
  name: string;
  @Field(() => NodeStatusEnum, { description: 'Whether it is a working member of its cluster' })
  status: string;
  @Field(() => Boolean, { description: 'Whether it is in maintenance' })
  maintenance: boolean;
  @Field(() => String, { nullable: true, description: 'Its own address in the cluster' })
  ip: string | null;
  @Field(() => Int, { nullable: true, description: 'CPU cores' })
  cores: number | null;
  @Field(() => BigIntScalar, { nullable: true, description: 'Memory in bytes' })
  memoryBytes: number | null;
  @Field(() => BigIntScalar, { nullable: true, description: 'Size of its root disk in bytes' })
  diskBytes: number | null;
  @Field(() => NodeHardware, { nullable: true, description: 'Its machine; null where nobody was asked for it' })
  hardware: NodeHardware | null;
  @Field(() => Freshness, { description: 'How old this knowledge is' })
  freshness: Freshness;
}

export const ProxmoxNodeConnection = connectionOf('ProxmoxNode', 'nodes', () => ProxmoxNode);
