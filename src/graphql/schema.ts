import 'reflect-metadata';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { bindEdges } from './edges.js';
import { AccountMutations, CollectionMutations } from './resolvers/mutations.js';
import { DriftQueries, EstateQueries } from './resolvers/queries.js';
import { Subscriptions } from './resolvers/subscriptions.js';

/** The builder asks for one although every subscription of ours brings its own stream. */
const noPubSub = {
  publish(): void {},
  subscribe(): never {
    throw new Error('every subscription brings its own stream');
  },
};

/** The schema with its edges bound. Inputs are checked by their types here and by the verbs behind them. */
export function gatewaySchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [EstateQueries, DriftQueries, CollectionMutations, AccountMutations, Subscriptions],
    validate: false,
    pubSub: noPubSub,
  });
  bindEdges(schema);
  return schema;
}

/** The text of `schema.graphql`. */
export function printedSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
