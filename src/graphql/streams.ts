import { type ExecutionArgs, type ExecutionResult, getOperationAST } from 'graphql';
import type { WebSocket } from 'ws';
import type { Principal } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import type { Context } from './context.js';
import { handedOn, nextMessage, payloadOf } from './delivery.js';
import type { Documents } from './documents.js';
import type { FaceLog } from './errors.js';
import { sent } from './peer.js';
import type { SharedMessages } from './shared-messages.js';

/** Credentials have ended under way: fetch fresh ones and resume. */
export const NO_LONGER_ADMITTED = 4403;

/** What all streams have in common. */
interface Telling {
  readonly documents: Documents;
  readonly messages: SharedMessages;
  readonly stopping: AbortSignal;
  readonly log: FaceLog;
  /** false: each subscriber's message is worked out for it alone. */
  readonly sharing?: boolean | undefined;
  contextFor(principal: Principal, signal: AbortSignal): Context;
}

/** Who is told. */
interface Told {
  readonly socket: WebSocket;
  readonly principal: Principal | undefined;
  /** Told the same as all others of this scope. */
  readonly scope: string;
  readonly writing: Set<Writing>;
}

/** An event on its way out. */
export interface Writing {
  /** Its place in the event log; undefined: it has none. */
  readonly cursor: string | undefined;
  /** It was under way when the socket was last looked at. */
  lasts: boolean;
}

/** The stream of a subscription: each event's message is shared with all who ask the same with the same rights. */
export function delivered(
  { documents, messages, contextFor, sharing = true, log, stopping }: Telling,
  { principal, scope, socket, writing }: Told,
  id: string,
  args: ExecutionArgs,
  events: AsyncIterable<object>,
): AsyncIterableIterator<never> {
  const { document, operationName, variableValues } = args;
  const key = `${documents.key(document, operationName ?? undefined, variableValues ?? {})}${scope}`;
  const shared = (rights: Principal, event: object) =>
    payloadOf({ ...args, contextValue: contextFor(rights, stopping) }, event, log);
  const tell = async (event: { readonly cursor?: string }) => {
    const payload =
      sharing && principal !== undefined
        ? await messages.of(event, key, principal, (rights) => shared(rights, event))
        : undefined;
    const message = nextMessage(id, payload ?? (await payloadOf(args, event, log)));
    const one = { cursor: event.cursor, lasts: false };
    writing.add(one);
    await sent(socket, message);
    writing.delete(one);
  };
  return handedOn(untilRefused(events, socket), tell);
}

/** A subscription that cannot begin ends with `error`, as one that ends later does, and not with an answer and `complete`. */
export function refused(args: ExecutionArgs, { errors }: ExecutionResult): AsyncGenerator<never> | undefined {
  const operation = getOperationAST(args.document, args.operationName ?? undefined);
  const [error] = errors ?? [];
  if (operation?.operation !== 'subscription' || error === undefined) return undefined;
  return failing(error.originalError ?? error);
}

// biome-ignore lint/correctness/useYield: it ends before it has anything to yield.
async function* failing(cause: Error): AsyncGenerator<never> {
  throw cause;
}

/** Credentials that end under way end the socket, and not this one stream of it. */
function untilRefused(events: AsyncIterable<object>, socket: WebSocket): AsyncIterator<object> {
  const inner = events[Symbol.asyncIterator]();
  return {
    async next() {
      try {
        return await inner.next();
      } catch (cause) {
        if (!(cause instanceof DomainError) || cause.code !== 'UNAUTHENTICATED') throw cause;
        socket.close(NO_LONGER_ADMITTED, 'Forbidden');
        return { done: true, value: undefined };
      }
    },
    return: async (value) => (await inner.return?.(value)) ?? { done: true, value },
  };
}
