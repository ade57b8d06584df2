import { DomainError } from '../domain/errors.js';

const SHAPE = /^c([0-9a-z]{2})([0-9a-z]{1,13})$/;

/** A cursor as text: opaque, the same for ever, with two digits by which a mistyped or foreign one is told. */
export function cursorText(cursor: bigint): string {
  return `c${check(cursor)}${cursor.toString(36)}`;
}

export function parseCursor(text: string): bigint {
  const [, digits, value] = SHAPE.exec(text) ?? [];
  const cursor = value === undefined ? undefined : fromBase36(value);
  if (cursor === undefined || digits !== check(cursor)) {
    throw new DomainError(
      'VALIDATION_ERROR',
      'after: this is not a cursor of the event log: give the last one you saw, or leave it out to begin with now',
      { field: ['after'] },
    );
  }
  return cursor;
}

function fromBase36(text: string): bigint {
  let value = 0n;
  for (const digit of text) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  return value;
}

function check(cursor: bigint): string {
  return ((cursor * 7919n + 613n) % 1296n).toString(36).padStart(2, '0');
}
