import type { GuestDeclaration, VmDeclaration } from '../declaration.js';
import type { ChangeInterval } from '../time.js';

type KeptVm = VmDeclaration & { readonly since: ChangeInterval };
type VmRow = GuestDeclaration & { readonly since: ChangeInterval };

/** Thousands of VMs stay as they are while what ties them is worked out anew. */
const rows = new WeakMap<KeptVm, VmRow>();

/**
 * A declared VM as a table's row would say the same. Its addresses are those that its guest is expected to carry:
 * what is set aside, leased or shared in turn is declared, and no more.
 */
export function vmRow(vm: KeptVm, vmid: number): VmRow {
  const known = rows.get(vm);
  if (known !== undefined && known.from === vmid) return known;
  const { key, location, cluster, name, node, status, unreadable, since } = vm;
  const row: VmRow = {
    kind: 'guest',
    key,
    location,
    from: vmid,
    to: vmid,
    text: String(vmid),
    cluster,
    headings: [],
    name,
    node,
    status,
    addresses: vm.addresses.filter((one) => !one.reserved && !one.dynamic && !one.virtual).map((one) => one.address),
    unreadable,
    since,
  };
  rows.set(vm, row);
  return row;
}
