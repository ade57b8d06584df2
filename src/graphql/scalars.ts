import { GraphQLError, GraphQLScalarType } from 'graphql';
import { GraphQLBigInt, GraphQLDateTime } from 'graphql-scalars';
import type { Instant } from '../domain/time.js';

const dateTime = GraphQLDateTime.toConfig();

/** Inside, a moment is a number of milliseconds; outside it is RFC 3339 text in UTC. */
export const DateTime = new GraphQLScalarType<Instant, string>({
  ...dateTime,
  description:
    'A moment as RFC 3339 text: `2026-11-21T10:00:00.000Z`. Answers are in UTC; inputs may carry any offset.',
  serialize: (value) => {
    if (typeof value === 'number') return new Date(value).toISOString();
    throw new TypeError('a moment must be a number of milliseconds');
  },
  parseValue: (value) => moment(value, () => dateTime.parseValue(value)),
  parseLiteral: (node, variables) =>
    moment('value' in node ? node.value : node.kind, () => dateTime.parseLiteral(node, variables)),
});

function moment(given: unknown, read: () => unknown): Instant {
  try {
    return (read() as Date).getTime();
  } catch {
    const message = `${JSON.stringify(given)} is no moment: write RFC 3339 text such as 2026-11-21T10:00:00Z`;
    throw new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
  }
}

const bigInt = GraphQLBigInt.toConfig();

/** Byte counts: beyond 32 bits, within what a double holds exactly. */
export const BigIntScalar = new GraphQLScalarType({
  ...bigInt,
  description: 'A whole number that may exceed 32 bits, such as a count of bytes.',
  serialize: (value) => (Number.isSafeInteger(value) ? (value as number) : bigInt.serialize(value)),
});
