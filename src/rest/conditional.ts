import { createHash } from 'node:crypto';
import type { RestAnswer } from './route.js';

/** An answer is one caller's, and asked for anew each time: only the body's bytes need not travel again. */
const HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'private, no-cache',
  vary: 'X-API-Key, Authorization',
};

/**
 * The answer to a GET, or 304 where the caller has it already (RFC 9110 §13.1.2: compared weakly, as 304 allows).
 * The tag is the body's own hash: two callers who may see different things cannot share one by accident.
 */
export function conditional(body: string, ifNoneMatch: string | undefined, hash = hashOf(body)): RestAnswer {
  const etag = `"${hash}"`;
  const headers = { ...HEADERS, etag };
  if (ifNoneMatch !== undefined && names(ifNoneMatch, etag)) return { status: 304, headers, body: '' };
  return { status: 200, headers, body };
}

export function hashOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url');
}

function names(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true;
  return ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}
