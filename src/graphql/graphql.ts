import type { IncomingMessage } from 'node:http';
import { ApolloServer, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
} from '@apollo/server/plugin/disabled';
import type { GraphQLSchema } from 'graphql';
import type { WebSocket } from 'ws';
import type { Principal } from '../domain/access.js';
import type { Context, Verbs } from './context.js';
import { type FaceLog, outward } from './errors.js';
import { jitPlugin } from './jit.js';
import { KeptAnswers, type Knowledge } from './kept-answers.js';
import { loadersFor } from './loaders.js';
import { legacyJson200, limitsPlugin } from './plugins.js';
import { gatewaySchema } from './schema.js';
import { socketFace } from './socket.js';

const MOST_TOKENS = 10_000;

export interface GraphqlNeeds {
  readonly verbs: Verbs;
  /** Who is calling over a WebSocket, by `connectionParams` or the upgrade request; undefined: nobody we know. */
  authenticate(connectionParams: unknown, request: IncomingMessage): Promise<Principal | undefined>;
  /** Whether what a caller came in with still holds. */
  stillHolds(principal: Principal): Promise<boolean>;
  /** Calls back when keys have changed. Returns the way to stop. */
  onKeysChanged(fn: () => void): () => void;
  readonly log: FaceLog;
  /** What answers about now depend on; without it none is kept. */
  readonly knowledge?: () => Knowledge;
  /** false: every operation runs in graphql-js, uncompiled. For comparison only. */
  readonly jit?: boolean;
  /** false: every subscriber's message is worked out for it alone. For comparison only. */
  readonly sharing?: boolean;
  /** How often open sockets are looked at, where that is not as usual, ms. */
  readonly watchEvery?: number;
}

/** One HTTP request. Header names are in lower case; `body` is parsed JSON; `search` begins with `?` or is empty. */
export interface GraphqlRequest {
  readonly method: string;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: unknown;
  readonly search: string;
}

export interface GraphqlAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string | Uint8Array | AsyncIterable<string>;
}

/** The GraphQL face: what the server hands its requests and sockets to. */
export interface GraphqlFace {
  handle(request: GraphqlRequest, principal: Principal): Promise<GraphqlAnswer>;
  handleSocket(socket: WebSocket, request: IncomingMessage): void;
  readonly schema: GraphQLSchema;
  /** Closes sockets with 1001, then takes no more requests. */
  stop(): Promise<void>;
}

export async function createGraphql(needs: GraphqlNeeds): Promise<GraphqlFace> {
  const { verbs, log } = needs;
  const schema = gatewaySchema();
  const stopping = new AbortController();
  const server = apolloServer(schema, log, needs.jit ?? true);
  await server.start();
  const contextFor = (principal: Principal, signal: AbortSignal, remember: boolean): Context => ({
    principal,
    verbs,
    loaders: loadersFor(principal, verbs.inventory, remember),
    signal,
  });
  const execute = async (
    { method, headers, body, search }: GraphqlRequest,
    principal: Principal,
  ): Promise<GraphqlAnswer> => {
    const map = new HeaderMap();
    for (const [name, value] of headers) map.set(name, value);
    const answer = await server.executeHTTPGraphQLRequest({
      httpGraphQLRequest: { method, headers: map, body, search },
      context: async () => contextFor(principal, stopping.signal, true),
    });
    const text = answer.body.kind === 'complete' ? answer.body.string : answer.body.asyncIterator;
    return { status: answer.status ?? 200, headers: answer.headers, body: text };
  };
  const kept = needs.knowledge === undefined ? undefined : new KeptAnswers(needs.knowledge);
  const sockets = socketFace({
    schema,
    log,
    authenticate: needs.authenticate,
    stillHolds: needs.stillHolds,
    onKeysChanged: needs.onKeysChanged,
    contextFor: (principal, signal) => contextFor(principal, signal, false),
    sharing: needs.sharing,
    watchEvery: needs.watchEvery,
  });
  return {
    schema,
    async handle(request, principal) {
      const key = kept?.keyOf(request, principal);
      if (kept === undefined || key === undefined) return execute(request, principal);
      const known = kept.find(key);
      if (known !== undefined) return known;
      const of = kept.knowledge();
      const answer = await execute(request, principal);
      if (answer.status === 200 && typeof answer.body === 'string' && isWhole(answer.body)) {
        kept.keep(key, of, { ...answer, body: Buffer.from(answer.body) });
      }
      return answer;
    },
    handleSocket: (socket, request) => sockets.handle(socket, request),
    async stop() {
      sockets.stop();
      stopping.abort();
      await server.stop();
    },
  };
}

/** Data and no errors beside it, wherever an executor writes them: what failed once may succeed the next time. */
function isWhole(body: string): boolean {
  return body.startsWith('{"data":{') && body.trimEnd().endsWith('}}');
}

function apolloServer(schema: GraphQLSchema, log: FaceLog, jit: boolean): ApolloServer<Context> {
  const plugins = [
    ApolloServerPluginCacheControlDisabled(),
    ApolloServerPluginLandingPageDisabled(),
    legacyJson200,
    limitsPlugin(schema),
  ];
  return new ApolloServer<Context>({
    schema,
    introspection: true,
    // Whoever sends a key sends a header that no page of another site can send unasked.
    csrfPrevention: {
      requestHeaders: ['x-api-key', 'authorization', 'apollo-require-preflight', 'x-apollo-operation-name'],
    },
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    nodeEnv: 'production',
    parseOptions: { maxTokens: MOST_TOKENS },
    formatError: (formatted, error) => outward(log, formatted, error),
    logger: silent,
    plugins: jit ? [...plugins, jitPlugin(schema, log)] : plugins,
  });
}

/** What Apollo has to say of a request is in the answer; what fails inside is logged by `outward`. */
const silent = { debug() {}, info() {}, warn() {}, error() {} };
