import { type Principal, seesTenant } from './access.js';
import type { Finding } from './finding.js';
import type { GuestId } from './guest.js';
import { tenantOf } from './tenancy.js';

/** A finding with two guests belongs to both: it is seen by whoever sees one of them. */
export function seesFinding(principal: Principal, finding: Pick<Finding, 'guests' | 'clusters'>): boolean {
  if (principal.tenants === 'all') return true;
  return (
    finding.guests.some((id) => seesTenant(principal, tenantOf(placeOfGuest(id)))) ||
    (finding.guests.length === 0 && finding.clusters.some((cluster) => seesTenant(principal, tenantOf({ cluster })))) ||
    (finding.guests.length === 0 && finding.clusters.length === 0 && seesTenant(principal, tenantOf({ cluster: '*' })))
  );
}

/** `cluster/vmid@n` or `cluster/vmid` → its cluster and VMID. */
export function placeOfGuest(id: GuestId): { cluster: string; vmid: number } {
  const slash = id.lastIndexOf('/');
  return { cluster: id.slice(0, slash), vmid: Number.parseInt(id.slice(slash + 1), 10) };
}
