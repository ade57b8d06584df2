import type { DriftFindingKind, Finding } from './finding.js';
import type { Instant } from './time.js';
import type { GuestView, InventoryView, PartState } from './view.js';

const BY_ADDRESS_PARTS: ReadonlySet<DriftFindingKind> = new Set([
  'ADDRESS_DIFFERS',
  'ADDRESS_NOT_DECLARED',
  'DUPLICATE_ADDRESS',
  'DECLARED_ADDRESS_UNUSED',
]);

/** The last read that covered what the finding speaks of; never before it was last written. */
export function lastSeen(view: InventoryView, finding: Finding): Instant {
  if (finding.state === 'RESOLVED') return finding.lastSeenAt;
  const guests = finding.guests.flatMap((id) => view.guests.get(id) ?? []);
  const reads = guests.length > 0 ? guests.map((guest) => lastReadOf(view, finding, guest)) : pollsFor(view, finding);
  return reads.length === 0 ? finding.lastSeenAt : Math.max(finding.lastSeenAt, Math.min(...reads));
}

function lastReadOf(view: InventoryView, finding: Finding, guest: GuestView): Instant {
  const poll = view.clusters.get(guest.cluster)?.state.lastSuccessAt ?? 0;
  const { config, addresses } = guest.parts;
  if (finding.identity.kind === 'DUPLICATE_MAC') return askedAt(config);
  if (!BY_ADDRESS_PARTS.has(finding.identity.kind)) return guest.row.hidden ? 0 : poll;
  return addresses.state === 'none' ? askedAt(config) : askedAt(addresses);
}

function askedAt(part: PartState): Instant {
  return part.askedAt ?? 0;
}

/** What has no living guest in it was last looked for by the polls of its clusters, or of all. */
function pollsFor(view: InventoryView, finding: Finding): Instant[] {
  const known = finding.clusters.flatMap((cluster) => view.clusters.get(cluster) ?? []);
  return (known.length > 0 ? known : [...view.clusters.values()]).map((cluster) => cluster.state.lastSuccessAt ?? 0);
}
