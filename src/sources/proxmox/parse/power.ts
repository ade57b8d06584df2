import { wireObjects, wireText, wireVmid } from '../../wire-values.js';
import { wantedKeys } from './wanted-json.js';

/** The keys that are read of it, in its envelope. */
export const POWER_KEYS = wantedKeys('data', 'vmid', 'qmpstatus', 'status');

/** `qmpstatus` by VMID, of `/nodes/{n}/qemu?full=1`: the only list that tells a paused guest. undefined when it is no list. */
export function qmpStatuses(content: unknown): ReadonlyMap<number, string> | undefined {
  const list = wireObjects(content);
  if (list === undefined) return undefined;
  const statuses = new Map<number, string>();
  for (const row of list) {
    const vmid = wireVmid(row.vmid);
    const status = wireText(row.qmpstatus) ?? wireText(row.status);
    if (vmid !== undefined && status !== undefined) statuses.set(vmid, status);
  }
  return statuses;
}
