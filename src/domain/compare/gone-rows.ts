import type { IpAddress } from '../address.js';
import type { Declaration, VmDeclaration } from '../declaration.js';

/** Rows over a range of VMIDs are expanded at most this far. */
export const WIDEST_RANGE = 1_000;

/** Remembers when the VMIDs and addresses of a row went that is no longer there. */
export function rememberGone(
  row: Declaration,
  goneAt: number,
  vmids: Map<number, number>,
  addresses: Map<string, number>,
): void {
  const later = <K>(map: Map<K, number>, key: K) => map.set(key, Math.max(goneAt, map.get(key) ?? 0));
  if (row.kind === 'guest') {
    const last = Math.min(row.to, row.from + WIDEST_RANGE - 1);
    for (let vmid = row.from; vmid <= last; vmid++) later(vmids, vmid);
  }
  if (row.kind === 'vm') {
    const vmid = vmidOf(row);
    if (vmid !== null) later(vmids, vmid);
  }
  for (const address of addressesIn(row)) later(addresses, address);
}

/** The VMID that a VM names itself, or that of the guest it was tied to. */
function vmidOf({ vmid, tiedTo }: VmDeclaration): number | null {
  return vmid ?? (tiedTo === null ? null : Number.parseInt(tiedTo.slice(tiedTo.lastIndexOf('/') + 1), 10));
}

function addressesIn(row: Declaration): readonly IpAddress[] {
  switch (row.kind) {
    case 'address':
      return [row.address];
    case 'guest':
    case 'unreadable':
      return row.addresses;
    case 'vm':
      return row.addresses.map(({ address }) => address);
    case 'prefix':
    case 'device':
      return [];
  }
}
