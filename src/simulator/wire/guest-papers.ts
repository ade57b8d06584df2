import type { Guest } from '../guest.js';
import { hashOf } from '../random.js';

/** What a config holds besides the guest as it is now: notes, an earlier state, edits that wait for a restart. */
export interface Papers {
  /** Of several lines, each with its end. */
  readonly description: string | null;
  readonly snapshot: { readonly name: string; readonly at: number } | null;
  /** The number of cores and one more device are edited, and wait. */
  readonly pending: boolean;
}

const HOUR = 3_600_000;

/** The same for as long as the guest is the same. */
export function papersOf({ uuid, vmid, group, template, power, createdAt }: Guest): Papers {
  const chance = (what: string, of: number) => !template && hashOf(uuid, vmid, what) % of === 0;
  const description = `Kept by: ${group || 'nobody'}\nnet0: see the table, 100 % of it\n`;
  return {
    description: chance('description', 4) ? description : null,
    snapshot: chance('snapshot', 6) ? { name: 'before-upgrade', at: createdAt + HOUR } : null,
    pending: power === 'running' && chance('pending', 7),
  };
}
