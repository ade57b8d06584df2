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

function turn(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancelled = () => {
      waiting.delete(admitted);
      reject(signal.reason);
    };
    const admitted = () => {
      waiting.delete(admitted);
      signal.removeEventListener('abort', cancelled);
      resolve();
    };
    waiting.add(admitted);
    signal.addEventListener('abort', cancelled, { once: true });
  });
}
