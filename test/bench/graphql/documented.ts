import 'reflect-metadata';
import { ApolloServer } from '@apollo/server';
import { startStandaloneServer } from '@apollo/server/standalone';
import DataLoader from 'dataloader';
import { GraphQLBigInt } from 'graphql-scalars';
import {
  Arg,
  buildSchema,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
  registerEnumType,
} from 'type-graphql';
import type { InventoryView } from '../../../src/domain/view.js';
import { type PlainFinding, type PlainGuest, type PlainNode, plainRows, type Rows } from './rows.js';

/*
 * The peer: the same part of the schema as the manuals of Apollo Server and TypeGraphQL show it. Classes with
 * decorators, resolver classes with async methods, a DataLoader per edge and request, and every option at its default.
 */

enum GuestKind {
  QEMU = 'QEMU',
  LXC = 'LXC',
}
enum Power {
  RUNNING = 'RUNNING',
  STOPPED = 'STOPPED',
  PAUSED = 'PAUSED',
  UNKNOWN = 'UNKNOWN',
}
enum NodeStatus {
  ONLINE = 'ONLINE',
  OFFLINE = 'OFFLINE',
  UNKNOWN = 'UNKNOWN',
}
enum Severity {
  INFO = 'INFO',
  WARNING = 'WARNING',
  CRITICAL = 'CRITICAL',
}
registerEnumType(GuestKind, { name: 'GuestKind' });
registerEnumType(Power, { name: 'GuestStatus' });
registerEnumType(NodeStatus, { name: 'NodeStatus' });
registerEnumType(Severity, { name: 'Severity' });

@ObjectType()
class ProxmoxNode {
  @Field(() => ID)
  id: string;
  @Field(() => String)
  name: string;
  @Field(() => NodeStatus)
  status: string;
}

@ObjectType()
class DriftFinding {
  @Field(() => ID)
  id: string;
  @Field(() => String)
  kind: string;
  @Field(() => Severity)
  severity: string;
  @Field(() => String)
  message: string;
}

@ObjectType()
class Guest {
  @Field(() => ID)
  id: string;
  @Field(() => String)
  cluster: string;
  @Field(() => Int)
  vmid: number;
  @Field(() => String, { nullable: true })
  name: string | null;
  @Field(() => GuestKind)
  kind: string;
  @Field(() => Power)
  status: string;
  @Field(() => Boolean)
  template: boolean;
  @Field(() => [String])
  tags: readonly string[];
  @Field(() => Int, { nullable: true })
  cores: number | null;
  @Field(() => GraphQLBigInt, { nullable: true })
  memoryBytes: number | null;
  @Field(() => GraphQLBigInt, { nullable: true })
  diskBytes: number | null;
  @Field(() => String, { nullable: true })
  pool: string | null;
}

@ObjectType()
class GuestConnection {
  @Field(() => [Guest])
  nodes: readonly Guest[];
}

interface Loading {
  readonly rows: Rows;
  readonly nodes: DataLoader<string, PlainNode>;
  readonly findings: DataLoader<string, readonly PlainFinding[]>;
}

@Resolver(() => Guest)
class GuestResolver {
  @Query(() => GuestConnection)
  async guests(@Ctx() { rows }: Loading, @Arg('first', () => Int) first: number): Promise<GuestConnection> {
    return { nodes: rows.guests.slice(0, first) };
  }

  @FieldResolver(() => ProxmoxNode)
  async node(@Root() guest: PlainGuest, @Ctx() { nodes }: Loading): Promise<ProxmoxNode> {
    return nodes.load(guest.nodeId);
  }

  @FieldResolver(() => [DriftFinding])
  async findings(@Root() guest: PlainGuest, @Ctx() { findings }: Loading): Promise<readonly DriftFinding[]> {
    return findings.load(guest.id);
  }
}

export async function serveDocumented(view: InventoryView): Promise<string> {
  const schema = await buildSchema({ resolvers: [GuestResolver] });
  const rows = plainRows(view);
  const server = new ApolloServer<Loading>({ schema });
  const { url } = await startStandaloneServer(server, {
    listen: { host: '127.0.0.1', port: 0 },
    context: async () => ({
      rows,
      nodes: new DataLoader(async (ids: readonly string[]) =>
        ids.map((id) => rows.nodes.get(id) ?? new Error(`no node ${id}`)),
      ),
      findings: new DataLoader(async (ids: readonly string[]) => ids.map((id) => rows.findings.get(id) ?? [])),
    }),
  });
  return `${url}graphql`;
}
