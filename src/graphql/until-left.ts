/**
 * A stream that ends as soon as its reader leaves. A generator waiting for its next event cannot be returned from:
 * it is told by a signal of its own instead.
 */
export function untilLeft<T>(
  signal: AbortSignal,
  open: (left: AbortSignal) => AsyncIterable<T>,
): AsyncIterableIterator<T> {
  const leaving = new AbortController();
  const inner = open(AbortSignal.any([signal, leaving.signal]))[Symbol.asyncIterator]();
  return {
    next: () => inner.next(),
    async return() {
      leaving.abort();
      await inner.return?.();
      return { done: true, value: undefined };
    },
    async throw(cause) {
      leaving.abort();
      throw cause;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
