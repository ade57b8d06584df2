import { setMaxListeners } from 'node:events';

/** Of signals that live for months nothing may be left behind by each run: AbortSignal.any() leaves some bytes. */
export function eitherOf(...signals: readonly AbortSignal[]): { readonly signal: AbortSignal; end(): void } {
  const either = new AbortController();
  const stops = signals.map((signal) => {
    // One lock connection is behind every source: so many listeners are no leak.
    setMaxListeners(0, signal);
    const abort = () => either.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    return () => signal.removeEventListener('abort', abort);
  });
  return {
    signal: either.signal,
    end: () => {
      for (const stop of stops) stop();
    },
  };
}
