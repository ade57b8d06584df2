import { DomainError, type ErrorCode } from '../domain/errors.js';

/** What the caller of a mutation can mend comes as data; all else is an error of the operation. */
const MENDABLE: ReadonlySet<ErrorCode> = new Set(['VALIDATION_ERROR', 'CONFLICT', 'NOT_FOUND']);

export interface UserErrorRecord {
  readonly code: ErrorCode;
  readonly field: readonly string[] | null;
  readonly message: string;
}

/** Runs a mutation: its payload, or the payload with nothing in it but what is to be mended. */
export async function mended<T extends object>(
  work: () => Promise<T>,
): Promise<(T & { userErrors: readonly UserErrorRecord[] }) | { userErrors: readonly UserErrorRecord[] }> {
  try {
    return { ...(await work()), userErrors: [] };
  } catch (error) {
    if (!(error instanceof DomainError) || !MENDABLE.has(error.code)) throw error;
    const field = error.field === undefined ? null : ['input', ...error.field];
    return { userErrors: [{ code: error.code, field, message: error.message }] };
  }
}
