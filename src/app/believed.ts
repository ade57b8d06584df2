import { setTimeout as sleep } from 'node:timers/promises';
import { declaredSourceName } from '../domain/absorb-declared.js';
import type { InventoryView } from '../domain/view.js';

/** A file is read again at once; one that lies on a slow disk, or is read by a replica that just died, takes longer. */
const WAIT = 3_000;
const LOOK = 25;

/** Waits until a source that a person confirmed is believed, so that she is answered what came of it, or for some seconds. */
export async function believed(name: string, view: () => InventoryView): Promise<void> {
  const isOut = () => view().declared.get(declaredSourceName(name))?.state.outcome === 'UNREACHABLE';
  for (let waited = 0; waited < WAIT && isOut(); waited += LOOK) await sleep(LOOK);
}
