import { type ExecutionArgs, type ExecutionResult, execute } from 'graphql';
import { type FaceLog, outwardError } from './errors.js';

/**
 * A stream of events that is handed on one by one, each when the one before was taken. To who iterates over it, it gives
 * nothing, and ends when the events do.
 */
export function handedOn(
  events: AsyncIterator<object>,
  tell: (event: object) => Promise<void>,
): AsyncIterableIterator<never> {
  const done: IteratorResult<never> = { done: true, value: undefined };
  return {
    async next() {
      for (;;) {
        const next = await events.next();
        if (next.done === true) return done;
        await tell(next.value);
      }
    },
    async return() {
      await events.return?.();
      return done;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** What one event is to an operation, as the payload of a message. */
export async function payloadOf(args: ExecutionArgs, event: object, log: FaceLog): Promise<string> {
  const { data, errors }: ExecutionResult = await execute({ ...args, rootValue: event });
  return JSON.stringify({ ...(errors && { errors: errors.map((error) => outwardError(log, error)) }), data });
}

/** A message `next` of graphql-transport-ws around a payload that is JSON already. */
export function nextMessage(id: string, payload: string): string {
  return `{"id":${JSON.stringify(id)},"type":"next","payload":${payload}}`;
}
