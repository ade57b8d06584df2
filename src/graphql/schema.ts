import 'reflect-metadata';
import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { bindEdges } from './edges.js';
import { AccountMutations, CollectionMutations, DriftMutations } from './resolvers/mutations.js';
import { NotificationResolvers } from './resolvers/notifications.js';
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
    resolvers: [
      EstateQueries,
      DriftQueries,
      CollectionMutations,
      DriftMutations,
      AccountMutations,
      NotificationResolvers,
      Subscriptions,
    ],
    validate: false,
    pubSub: noPubSub,
  });
  describeRoots(schema);
  bindEdges(schema);
  return schema;
}

/** The builder gives no words to the three roots. */
function describeRoots(schema: GraphQLSchema): void {
  const roots = [
    [schema.getQueryType(), 'What is known of the estate, what is declared for it, and where the two differ'],
    [
      schema.getMutationType(),
      'What people may do: run collectors, confirm declarations, decide about findings, make and end keys',
    ],
    [schema.getSubscriptionType(), 'What happens, told as it happens; with `after`, first what came since'],
  ] as const;
  for (const [root, description] of roots) if (root != null) root.description = description;
}

/** The text of `schema.graphql`. */
export function printedSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`;
}
