import { onCancel } from './cancellation.js';

/** Lets a fixed number through at once; the others wait in the order they came. */
export interface Gate {
  /**
   * The way to leave: at once where there is a place, else a promise of it, which rejects with the signal's reason when
   * cancelled while waiting. Throws that reason where it is cancelled already.
   */
  enter(signal: AbortSignal): (() => void) | Promise<() => void>;
}

export function gate(width: number): Gate {
  let inside = 0;
  const waiting = new Set<() => void>();
  // Kept from one to the next: a new iterator would step over the places of all who left since the set was last tidied.
  let line = waiting.values();

  const first = () => {
    const next = line.next();
    if (next.done !== true) return next.value;
    line = waiting.values();
    return line.next().value;
  };
  // A place is handed on, not given back: between the two, a newcomer could slip in.
  const leave = () => {
    const next = first();
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
    enter(signal) {
      signal.throwIfAborted();
      if (inside >= width) return turn(waiting, signal).then(() => once(leave));
      inside += 1;
      return once(leave);
    },
  };
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
