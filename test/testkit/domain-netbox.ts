import { tiesOf } from '../../src/domain/compare/ties.js';
import type {
  AddressDeclaration,
  Declaration,
  DeclaredObservation,
  DeclaredSize,
  DeclaredStatus,
  VmAddress,
  VmDeclaration,
} from '../../src/domain/declaration.js';
import type { GuestKey } from '../../src/domain/guest.js';
import type { InventoryView, KeptDeclared } from '../../src/domain/view.js';
import { ip, mac } from './view.js';

/** An inventory that is asked, not watched. */
export const DCIM = 'netbox:dcim';

export interface VmWish {
  readonly id: number;
  readonly vmid?: number | null;
  /** The cluster as the inventory calls it; null: it names none. */
  readonly clusterName?: string | null;
  /** Ours that it stands for, where the names differ. */
  readonly cluster?: string;
  readonly name?: string | null;
  readonly node?: string | null;
  readonly status?: DeclaredStatus | null;
  readonly addresses?: readonly (string | (Partial<VmAddress> & { readonly text: string }))[];
  readonly interfaces?: readonly { readonly name?: string; readonly mac?: string; readonly vlan?: number }[];
  readonly cpus?: number | null;
  readonly memory?: DeclaredSize;
  readonly disk?: DeclaredSize;
  readonly unreadable?: VmDeclaration['unreadable'];
}

/** A VM of an inventory. It says no more than what is given. */
export function vm(wish: VmWish): VmDeclaration {
  const { id, clusterName = 'main', status = null } = wish;
  return {
    kind: 'vm',
    key: `vm/${id}`,
    location: `https://dcim.example.org/virtualization/virtual-machines/${id}/`,
    vmid: wish.vmid ?? null,
    clusterName,
    cluster: wish.cluster ?? clusterName,
    name: wish.name ?? null,
    node: wish.node ?? null,
    status: status === null ? null : { word: status, means: status },
    addresses: (wish.addresses ?? []).map((one) => addressOf(one)),
    interfaces: (wish.interfaces ?? []).map(({ name, mac: own, vlan }, i) => ({
      name: name ?? `eth${i}`,
      macs: own === undefined ? [] : [mac(own)],
      vlan: vlan ?? null,
    })),
    cpus: wish.cpus ?? null,
    memory: wish.memory ?? null,
    disk: wish.disk ?? null,
    unreadable: wish.unreadable ?? [],
    tiedTo: null,
  };
}

function addressOf(one: string | (Partial<VmAddress> & { readonly text: string })): VmAddress {
  const plain = { scope: null, reserved: false, dynamic: false, virtual: false };
  if (typeof one === 'string') return { ...plain, address: ip(one) };
  const { text, ...more } = one;
  return { ...plain, ...more, address: ip(text) };
}

/** An address of the inventory that is no VM's. */
export function record(text: string, more: Partial<AddressDeclaration> = {}): AddressDeclaration {
  const location = `https://dcim.example.org/ipam/ip-addresses/${text}/`;
  return { kind: 'address', key: `ip/${text}`, location, address: ip(text), prefixLength: 24, label: text, ...more };
}

/** What such an inventory answers: all it has, or (`asked`) what it has of some guests alone. */
export function answer(
  view: InventoryView,
  known: KeptDeclared | undefined,
  truth: readonly Declaration[],
  askedAt: number,
  asked?: readonly GuestKey[],
): DeclaredObservation {
  const remembered = truth.map((row): Declaration => {
    const before = known?.rows.get(row.key);
    return row.kind === 'vm' && before?.kind === 'vm' ? { ...row, tiedTo: before.tiedTo } : row;
  });
  const ties = tiesOf(view, remembered);
  const all = remembered.map(
    (row): Declaration => (row.kind === 'vm' ? { ...row, tiedTo: ties.get(row.key) ?? null } : row),
  );
  const common = { askedAt, declaresGuests: true, declaresAddresses: true, problems: [], keyConflicts: [] };
  if (asked === undefined) return { ...common, rows: all, rowCount: all.length };
  const rows = all.filter((row) => row.kind === 'vm' && asked.some((key) => concerns(view, row, key)));
  const gone = [...(known?.rows.values() ?? [])].filter(
    (row) =>
      row.kind === 'vm' && asked.some((key) => concerns(view, row, key)) && !all.some((one) => one.key === row.key),
  );
  return { ...common, rows, rowCount: rows.length, only: { guests: asked, gone: gone.map((row) => row.key) } };
}

/** Whether a VM could be this guest, by anything that an inventory can be asked for. */
function concerns(view: InventoryView, row: VmDeclaration, key: GuestKey): boolean {
  const guest = view.guestsByKey.get(key);
  const own = guest?.config?.devices.flatMap((device) => device.mac ?? []) ?? [];
  return (
    row.tiedTo?.startsWith(`${key}@`) === true ||
    (row.vmid !== null && key.endsWith(`/${row.vmid}`)) ||
    (row.name !== null && row.name === guest?.row.name) ||
    row.interfaces.some(({ macs }) => macs.some((one) => own.includes(one)))
  );
}
