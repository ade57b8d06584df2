import type { IncomingMessage } from 'node:http';
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
  validate,
} from 'graphql';
import { CloseCode, makeServer, type Context as SocketContext, type SubscribePayload } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Principal } from '../domain/access.js';
import type { Context } from './context.js';
import { type FaceLog, outwardError } from './errors.js';
import { checkCost } from './limits.js';

/** Credentials are wrong from the start: a retry cannot help. */
const NOT_ADMITTED = 4401;
/** Credentials have ended under way: fetch fresh ones and resume. */
const NO_LONGER_ADMITTED = 4403;
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
/** How often the credentials behind open sockets are looked at, and how often a silent peer is asked for a sign, ms. */
const WATCH = 3_000;
const KEEP_ALIVE = 12_000;
const MOST_TOKENS = 10_000;
const MOST_DOCUMENTS = 500;

export interface SocketNeeds {
  readonly schema: GraphQLSchema;
  /** Who is calling, by `connectionParams`; undefined: nobody we know. */
  authenticate(connectionParams: unknown, request: IncomingMessage): Promise<Principal | undefined>;
  stillHolds(principal: Principal): Promise<boolean>;
  /** Calls back when keys have changed. Returns the way to stop. */
  onKeysChanged(fn: () => void): () => void;
  contextFor(principal: Principal, signal: AbortSignal): Context;
  readonly log: FaceLog;
}

interface Extra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly closed: AbortController;
  principal: Principal | undefined;
}

export interface SocketFace {
  /** Speaks `graphql-transport-ws` on a socket that has just been opened. */
  handle(socket: WebSocket, request: IncomingMessage): void;
  stop(): void;
}

export function socketFace(needs: SocketNeeds): SocketFace {
  const { log } = needs;
  const open = new Set<Extra>();
  const documents = new Documents(needs.schema);
  const server = makeServer<Record<string, unknown>, Extra>({
    onConnect: (ctx) => admitted(needs, ctx),
    onSubscribe: (ctx, _id, payload) => prepared(needs, documents, ctx.extra, payload),
    onNext: (_ctx, _id, _payload, _args, result) =>
      result.errors === undefined
        ? undefined
        : { ...result, errors: result.errors.map((error) => outwardError(log, error)) },
    onError: (_ctx, _id, _payload, errors) =>
      errors.map((error) => outwardError(log, error instanceof GraphQLError ? error : new GraphQLError(String(error)))),
  });

  const watch = () => {
    for (const extra of open) endIfRevoked(needs, extra);
  };
  const timer = setInterval(watch, WATCH);
  timer.unref();
  const unlisten = needs.onKeysChanged(watch);

  return {
    handle(socket, request) {
      const extra: Extra = { socket, request, closed: new AbortController(), principal: undefined };
      open.add(extra);
      const closed = server.opened(peer(socket, log), extra);
      const stopPinging = pinged(socket);
      socket.once('close', (code, reason) => {
        open.delete(extra);
        stopPinging();
        extra.closed.abort();
        closed(code, String(reason)).catch((cause: unknown) => failed(log, cause));
      });
    },
    stop() {
      clearInterval(timer);
      unlisten();
      for (const { socket } of open) socket.close(GOING_AWAY, 'Going away');
    },
  };
}

async function admitted(
  needs: SocketNeeds,
  { extra, connectionParams }: SocketContext<Record<string, unknown>, Extra>,
) {
  try {
    extra.principal = await needs.authenticate(connectionParams, extra.request);
  } catch (cause) {
    failed(needs.log, cause);
    extra.socket.close(TRY_AGAIN_LATER, 'Try again later');
    return false;
  }
  // graphql-ws would close with 4403; the first close of a socket is the one that counts.
  if (extra.principal === undefined) extra.socket.close(NOT_ADMITTED, 'Unauthorized');
  return extra.principal !== undefined;
}

async function endIfRevoked({ stillHolds, log }: SocketNeeds, { principal, socket }: Extra): Promise<void> {
  try {
    if (principal !== undefined && !(await stillHolds(principal))) socket.close(NO_LONGER_ADMITTED, 'Forbidden');
  } catch (cause) {
    // The keys cannot be looked up at the moment: who was let in stays in until they can.
    failed(log, cause);
  }
}

/** Parses, validates and weighs one operation of a socket. */
function prepared(
  needs: SocketNeeds,
  documents: Documents,
  extra: Extra,
  payload: SubscribePayload,
): ExecutionArgs | readonly GraphQLError[] {
  const { principal } = extra;
  if (principal === undefined) return [new GraphQLError('not admitted', { extensions: { code: 'UNAUTHENTICATED' } })];
  try {
    const document = documents.read(payload.query);
    if (!('kind' in document)) return document;
    const operation = getOperationAST(document, payload.operationName);
    const variableValues = payload.variables ?? {};
    if (operation) checkCost(needs.schema, document, operation, variableValues, principal);
    return {
      schema: needs.schema,
      document,
      operationName: payload.operationName ?? undefined,
      variableValues,
      contextValue: needs.contextFor(principal, extra.closed.signal),
    };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return [error.extensions.code === undefined ? coded(error, 'GRAPHQL_PARSE_FAILED') : error];
  }
}

/** Thousands subscribe with one and the same text: it is parsed and validated once. Wrong ones are not remembered. */
class Documents {
  readonly #schema: GraphQLSchema;
  readonly #byText = new Map<string, DocumentNode>();
  constructor(schema: GraphQLSchema) {
    this.#schema = schema;
  }

  read(text: string): DocumentNode | readonly GraphQLError[] {
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    const document = parse(text, { maxTokens: MOST_TOKENS });
    const wrong = validate(this.#schema, document);
    if (wrong.length > 0) return wrong.map((error) => coded(error, 'GRAPHQL_VALIDATION_FAILED'));
    const [oldest] = this.#byText.keys();
    if (this.#byText.size >= MOST_DOCUMENTS && oldest !== undefined) this.#byText.delete(oldest);
    this.#byText.set(text, document);
    return document;
  }
}

function coded({ message, nodes, source, positions }: GraphQLError, code: string): GraphQLError {
  return new GraphQLError(message, { nodes, source, positions, extensions: { code } });
}

function failed(log: FaceLog, cause: unknown): void {
  log.error({ cause, errorId: 'socket' }, 'a GraphQL socket failed');
}

/** The socket as the protocol core wants it. `send` resolves once written, so that a slow reader slows its own stream. */
function peer(socket: WebSocket, log: FaceLog): Parameters<ReturnType<typeof makeServer>['opened']>[0] {
  return {
    protocol: socket.protocol,
    send: (text) =>
      new Promise<void>((resolve) => {
        if (socket.readyState !== socket.OPEN) return resolve();
        // A socket that fails while written to closes by itself; there is nobody left to tell.
        socket.send(text, () => resolve());
      }),
    close: (code, reason) => socket.close(code, reason),
    onMessage: (take) =>
      socket.on('message', (bytes) => {
        take(String(bytes)).catch((cause: unknown) => {
          failed(log, cause);
          socket.close(CloseCode.InternalServerError, 'Internal server error');
        });
      }),
  };
}

/** Ends a peer that gives no sign of life: a half-open connection would keep its stream for ever. */
function pinged(socket: WebSocket): () => void {
  let alive = true;
  socket.on('pong', () => {
    alive = true;
  });
  const timer = setInterval(() => {
    if (!alive) return socket.terminate();
    alive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, KEEP_ALIVE);
  timer.unref();
  return () => clearInterval(timer);
}
