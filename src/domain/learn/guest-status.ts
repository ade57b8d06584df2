import { carriedAddresses, scopeOf } from '../carried.js';
import type { GuestStatus } from '../guest.js';
import type { GuestView } from '../view.js';
import { type Draft, type DraftGuest, touched } from './draft.js';

export function touchGuestsOnNodes(draft: Draft): void {
  if (draft.touchedNodes.size === 0) return;
  for (const guest of draft.guestsByKey.values()) {
    if (draft.touchedNodes.has(`${guest.cluster}/${guest.row.node}`)) touched(draft, guest.key);
  }
}

const SUSPENDED = new Set([
  'paused',
  'suspended',
  'prelaunch',
  'postmigrate',
  'io-error',
  'internal-error',
  'guest-panicked',
]);

/** The row's word; PAUSED where the power detail says so; UNKNOWN while the guest's node is not online. */
function effectiveStatus(guest: GuestView, draft: Draft): GuestStatus {
  if (draft.nodes.get(`${guest.cluster}/${guest.row.node}`)?.row.status !== 'ONLINE') return 'UNKNOWN';
  if (guest.row.status === 'RUNNING' && guest.power !== null && SUSPENDED.has(guest.power.qmpStatus)) return 'PAUSED';
  return guest.row.status;
}

/** Works out what follows from a guest's parts: status and carried addresses. */
export function settle(guest: DraftGuest, draft: Draft): void {
  const cluster = draft.clusters.get(guest.cluster);
  if (cluster === undefined) return;
  const { row, config, interfaces, parts } = guest;
  const status = effectiveStatus(guest, draft);
  const lastWord = status === 'UNKNOWN' ? row.status : status;
  const readings = { kind: row.kind, node: row.node, status: lastWord, config, interfaces, parts };
  const [first] = config?.devices ?? [];
  guest.status = status;
  guest.carried = carriedAddresses(readings, cluster.settings);
  guest.firstScope = first === undefined ? cluster.settings.addressScope : scopeOf(cluster.settings, row.node, first);
}
