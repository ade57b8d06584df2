import { randomUUID } from 'node:crypto';
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { DomainError } from '../domain/errors.js';

/** Where what must not be shown is told to the operator. */
export interface FaceLog {
  error(fields: { readonly cause: unknown; readonly errorId: string }, message: string): void;
}

/** Codes that Apollo and the limits give to what is wrong with a request; their messages are meant for the caller. */
const OF_THE_REQUEST: ReadonlySet<unknown> = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'BAD_USER_INPUT',
  'BAD_REQUEST',
  'OPERATION_RESOLUTION_FAILURE',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'QUERY_TOO_COMPLEX',
]);

/** The innermost cause that a resolver threw. graphql-js, graphql-jit and graphql-ws each wrap it in their own way. */
function thrown(error: unknown): unknown {
  let inner = error;
  while (
    !(inner instanceof DomainError) &&
    inner instanceof Error &&
    'originalError' in inner &&
    inner.originalError instanceof Error
  ) {
    inner = inner.originalError;
  }
  return inner;
}

/**
 * An error as callers see it: a DomainError with its code, what is wrong with the request as it is, and nothing of
 * anything else but an id under which the log has it.
 */
export function outward(log: FaceLog, formatted: GraphQLFormattedError, error: unknown): GraphQLFormattedError {
  const { path, locations } = formatted;
  const place = { ...(locations && { locations }), ...(path && { path }) };
  const cause = thrown(error);
  if (cause instanceof DomainError && cause.code !== 'INTERNAL') {
    const { code, field } = cause;
    return { message: cause.message, ...place, extensions: { code, ...(field && { field }) } };
  }
  const code = formatted.extensions?.code;
  if (OF_THE_REQUEST.has(code)) return { message: formatted.message, ...place, extensions: { code } };
  const errorId = randomUUID();
  log.error({ cause, errorId }, 'an operation failed');
  const message = `something went wrong inside the gateway; its log has it under ${errorId}`;
  return { message, ...place, extensions: { code: 'INTERNAL', errorId } };
}

/** The same for errors that have no formatted twin yet. */
export function outwardError(log: FaceLog, error: GraphQLError): GraphQLFormattedError {
  return outward(log, jsonOf(error), error);
}

function jsonOf(error: GraphQLError): GraphQLFormattedError {
  const { message, locations, path, extensions } = error;
  return { message, ...(locations && { locations }), ...(path && { path }), ...(extensions && { extensions }) };
}

export function refused(message: string, code: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code, http: { status: 400 } } });
}
