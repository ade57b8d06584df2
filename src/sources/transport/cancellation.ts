const cancellations = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Does the deed when the signal is cancelled, until what is returned is called. One listener serves all who wait under a
 * signal: thousands do at once under the signal of one pass, and adding a listener looks through all that are there.
 */
export function onCancel(signal: AbortSignal, deed: () => void): () => void {
  const deeds = cancellations.get(signal) ?? listening(signal);
  deeds.add(deed);
  return () => deeds.delete(deed);
}

function listening(signal: AbortSignal): Set<() => void> {
  const deeds = new Set<() => void>();
  cancellations.set(signal, deeds);
  const cancelAll = () => {
    for (const deed of [...deeds]) deed();
  };
  signal.addEventListener('abort', cancelAll, { once: true });
  return deeds;
}
