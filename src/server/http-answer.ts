import { DomainError, type ErrorCode } from '../domain/errors.js';

/** The codes of CONTRACTS §3 that this door itself can answer with, besides the domain's. */
export type HttpCode = ErrorCode | 'TOO_LARGE';

export interface HttpError {
  readonly status: number;
  readonly code: HttpCode;
  readonly message: string;
  readonly field: readonly string[] | undefined;
  /** Seconds; undefined: nobody knows. */
  readonly retryAfter: number | undefined;
}

const STATUS: Readonly<Record<HttpCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  VALIDATION_ERROR: 400,
  CONFLICT: 409,
  CURSOR_EXPIRED: 410,
  QUERY_TOO_COMPLEX: 400,
  TOO_LARGE: 413,
  RATE_LIMITED: 429,
  UNAVAILABLE: 503,
  INTERNAL: 500,
};

const RETRY_AFTER: Readonly<Partial<Record<HttpCode, number>>> = { RATE_LIMITED: 1, UNAVAILABLE: 5 };

export const BODY_LIMIT = 1024 * 1024;

export function httpError(code: HttpCode, message: string, field?: readonly string[]): HttpError {
  return { status: STATUS[code], code, message, field, retryAfter: RETRY_AFTER[code] };
}

export const NO_CREDENTIALS = httpError(
  'UNAUTHENTICATED',
  'this needs an API key that is valid: send it as X-API-Key, or as Authorization: Bearer',
);

/**
 * What a thrown thing may tell a caller. Of what we did not foresee only that it happened: its text and stack are the
 * log's, found by the request id.
 */
export function errorFor(thrown: unknown, requestId: string): HttpError {
  if (thrown instanceof DomainError && thrown.code !== 'INTERNAL') {
    return httpError(thrown.code, thrown.message, thrown.field);
  }
  const status = statusOf(thrown);
  if (status === 413) return httpError('TOO_LARGE', `a request body may have at most ${BODY_LIMIT} bytes`);
  if (status === 415) {
    return { ...httpError('VALIDATION_ERROR', 'send the body as Content-Type: application/json'), status };
  }
  if (status !== undefined) return { ...httpError('VALIDATION_ERROR', readableMessage(thrown)), status };
  return httpError('INTERNAL', `something went wrong on our side; the log has it under request ${requestId}`);
}

/** A 4xx that Fastify found while it read the request; undefined for everything else. */
function statusOf(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('statusCode' in thrown)) return undefined;
  const { statusCode } = thrown;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

function readableMessage(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY') return 'the body is empty, though Content-Type says it is JSON';
  if (code === 'FST_ERR_BAD_URL') return 'the path cannot be decoded: it holds a broken % escape';
  if (thrown instanceof SyntaxError) return 'the body is not JSON';
  return 'the request cannot be read';
}

/** The body of an error: GraphQL clients read `errors`, all others `error`. */
export function errorBody(path: string, error: HttpError): string {
  const { code, message, field } = error;
  if (path === '/graphql') return JSON.stringify({ errors: [{ message, extensions: { code } }] });
  const details = field === undefined ? {} : { details: { field: field.join('.') } };
  return JSON.stringify({ error: { code, message, ...details } });
}
