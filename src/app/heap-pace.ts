import { setFlagsFromString } from 'node:v8';

/** How much the heap may grow, in percent of what was alive at the last full collection, until the next one. */
const GROWTH = 50;

/**
 * Left to itself V8 lets the heap of a machine with much memory grow to several times of what is alive in it before it
 * clears up: of 15,000 guests some 150 MB are, and each poll leaves 20 MB of rubbish. The flag is read at each collection.
 */
export function keepHeapSmall(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`);
}
