import type { IncomingMessage } from 'node:http';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
} from 'graphql';
import { makeServer, type Context as SocketContext, type SubscribePayload } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Principal } from '../domain/access.js';
import type { Context } from './context.js';
import { coded, Documents } from './documents.js';
import { type FaceLog, outwardError } from './errors.js';
import { checkCost } from './limits.js';
import { peer, pinged } from './peer.js';
import { permissionScope } from './permission-scope.js';
import { SharedMessages } from './shared-messages.js';
import { delivered, NO_LONGER_ADMITTED, refused, type Writing } from './streams.js';

/** Credentials are wrong from the start: a retry cannot help. */
const NOT_ADMITTED = 4401;
/** The socket takes nothing. The reason names the cursor to resume with: that of the last event written to it. */
const TOO_SLOW = 4413;
const GOING_AWAY = 1001;
const TRY_AGAIN_LATER = 1013;
/** How often open sockets are looked at, ms: the credentials behind them, and whether they take what is written. */
const WATCH = 3_000;

export interface SocketNeeds {
  readonly schema: GraphQLSchema;
  /** Who is calling, by `connectionParams`; undefined: nobody we know. */
  authenticate(connectionParams: unknown, request: IncomingMessage): Promise<Principal | undefined>;
  stillHolds(principal: Principal): Promise<boolean>;
  /** Calls back when keys have changed. Returns the way to stop. */
  onKeysChanged(fn: () => void): () => void;
  contextFor(principal: Principal, signal: AbortSignal): Context;
  readonly log: FaceLog;
  /** false: each subscriber's message is worked out for it alone. For comparison only. */
  readonly sharing?: boolean | undefined;
  /** Another interval than three seconds, ms. */
  readonly watchEvery?: number | undefined;
}

interface House extends SocketNeeds {
  readonly documents: Documents;
  readonly messages: SharedMessages;
  readonly stopping: AbortSignal;
}

interface Extra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly closed: AbortController;
  readonly writing: Set<Writing>;
  principal: Principal | undefined;
  /** Told the same as all others of this scope. */
  scope: string;
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
  const stopping = new AbortController();
  const house: House = { ...needs, documents, messages: new SharedMessages(), stopping: stopping.signal };
  const server = makeServer<Record<string, unknown>, Extra>({
    onConnect: (ctx) => admitted(needs, ctx),
    onSubscribe: (ctx, _id, payload) => prepared(house, ctx.extra, payload),
    // graphql-ws would run the operation anew for every subscriber and event: it gets the events as they are.
    subscribe: (args) => createSourceEventStream(args) as Promise<AsyncIterable<ExecutionResult> | ExecutionResult>,
    async onOperation(ctx, id, _payload, args, result) {
      const begun = await result;
      return Symbol.asyncIterator in begun ? delivered(house, ctx.extra, id, args, begun) : refused(args, begun);
    },
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
  const timer = setInterval(() => {
    watch();
    for (const extra of open) endIfBlocked(extra);
  }, needs.watchEvery ?? WATCH);
  timer.unref();
  const unlisten = needs.onKeysChanged(watch);

  return {
    handle(socket, request) {
      const closed = new AbortController();
      const extra: Extra = { socket, request, closed, writing: new Set(), principal: undefined, scope: '' };
      open.add(extra);
      const ended = server.opened(
        peer(socket, (cause) => failed(log, cause)),
        extra,
      );
      const stopPinging = pinged(socket);
      socket.once('close', (code, reason) => {
        open.delete(extra);
        stopPinging();
        extra.closed.abort();
        ended(code, String(reason)).catch((cause: unknown) => failed(log, cause));
      });
    },
    stop() {
      clearInterval(timer);
      unlisten();
      stopping.abort();
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
  else extra.scope = permissionScope(extra.principal);
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

/**
 * A socket that takes nothing any more is closed: its streams wait for it, and would for ever. What was written lies before
 * the close frame, so a reader that wakes up has it, and goes on with the cursor of that event.
 */
function endIfBlocked({ socket, writing }: Extra): void {
  for (const one of writing) {
    if (one.lasts) {
      socket.close(TOO_SLOW, one.cursor === undefined ? 'Too slow' : `Too slow: resume after ${one.cursor}`);
      return;
    }
    one.lasts = true;
  }
}

/** Parses, validates and weighs one operation of a socket. */
function prepared(
  { documents, ...needs }: House,
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
    // What is started would find them wrong as well, and tell it as a defect of its own.
    const { errors = [] } = getVariableValues(needs.schema, operation?.variableDefinitions ?? [], variableValues);
    if (errors.length > 0) return errors.map((error) => coded(error, 'BAD_USER_INPUT'));
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

function failed(log: FaceLog, cause: unknown): void {
  log.error({ cause, errorId: 'socket' }, 'a GraphQL socket failed');
}
