/** The closed list of codes a caller may branch on; CONTRACTS lists their HTTP status and GraphQL twin. */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'VALIDATION_ERROR'
  | 'CONFLICT'
  | 'CURSOR_EXPIRED'
  | 'QUERY_TOO_COMPLEX'
  | 'RATE_LIMITED'
  | 'UNAVAILABLE'
  | 'INTERNAL';

/** Callers read `code`, people read `message`, only the log reads `cause`. `field` is the path of the wrong input. */
export class DomainError extends Error {
  readonly code: ErrorCode;
  readonly field: readonly string[] | undefined;

  constructor(code: ErrorCode, message: string, more: { field?: readonly string[]; cause?: unknown } = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'DomainError';
    this.code = code;
    this.field = more.field;
  }
}
