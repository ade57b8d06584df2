import type { ApolloServerPlugin } from '@apollo/server';
import { type GraphQLSchema, OperationTypeNode } from 'graphql';
import Negotiator from 'negotiator';
import type { Context } from './context.js';
import { refused } from './errors.js';
import { checkCost } from './limits.js';

const OF_THE_REQUEST: ReadonlySet<unknown> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
]);

/** The media type first, as the negotiator prefers the earlier one among equals. */
const MEDIA_TYPES = ['application/json', 'application/graphql-response+json'];

/** GraphQL over HTTP: who accepts `application/json` gets 200 with a well-formed answer also where the request is wrong. */
export const legacyJson200: ApolloServerPlugin<Context> = {
  async requestDidStart() {
    return {
      async willSendResponse({ request, response, errors }) {
        const { body, http } = response;
        if (http.status !== 400 || body.kind !== 'single' || errors === undefined) return;
        if (!errors.every((error) => OF_THE_REQUEST.has(error.extensions?.code))) return;
        const accept = request.http?.headers.get('accept');
        const preferred = new Negotiator({ headers: { accept } }).mediaType(MEDIA_TYPES);
        if (preferred === 'application/json') http.status = 200;
      },
    };
  },
};

/** Limits are held once the operation is known and before anything of it runs. */
export function limitsPlugin(schema: GraphQLSchema): ApolloServerPlugin<Context> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operation, request, contextValue }) {
          if (operation === undefined) return;
          if (operation.operation === OperationTypeNode.SUBSCRIPTION) {
            throw refused('subscriptions are served over WebSocket (graphql-transport-ws) only', 'BAD_REQUEST');
          }
          checkCost(schema, document, operation, request.variables ?? {}, contextValue.principal);
        },
      };
    },
  };
}
