/** Lets a fixed number through at once; the others wait in the order they came. */
export interface Gate {
  /** Resolves with the way to leave; rejects with the signal's reason when cancelled while waiting. */
  enter(signal: AbortSignal): Promise<() => void>;
}

export function gate(width: number): Gate {
  let inside = 0;
  const waiting = new Set<() => void>();

  // A place is handed on, not given back: between the two, a newcomer could slip in.
  const leave = () => {
    const [next] = waiting;
    if (next === undefined) inside -= 1;
    else next();
  };
  const once = (deed: () => void) => {
    let done = false;
    return () => {
      if (!done) deed();
      done = true;
    };
  };

  return {
    async enter(signal) {
      signal.throwIfAborted();
      if (inside >= width) await turn(waiting, signal);
      else inside += 1;
      return once(leave);
    },
  };
}

/**
 * One listener for all who wait under a signal: thousands do at once under the signal of one pass, and adding a listener
 * looks through all that are there.
 */
const cancellations = new WeakMap<AbortSignal, Set<() => void>>();

function onCancel(signal: AbortSignal, deed: () => void): () => void {
  let deeds = cancellations.get(signal);
  if (deeds === undefined) {
    const all = new Set<() => void>();
    deeds = all;
    cancellations.set(signal, all);
    const cancelAll = () => {
      for (const each of [...all]) each();
    };
    signal.addEventListener('abort', cancelAll, { once: true });
  }
  const own = deeds;
  own.add(deed);
  return () => own.delete(deed);
}

function turn(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stopListening = onCancel(signal, () => {
      waiting.delete(admitted);
      reject(signal.reason);
    });
    const admitted = () => {
      waiting.delete(admitted);
      stopListening();
      resolve();
    };
    waiting.add(admitted);
  });
}
