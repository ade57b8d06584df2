import type {
  AddressDeclaration,
  Declaration,
  DeclaredStatus,
  GuestDeclaration,
  KeyConflict,
  UnreadableDeclaration,
} from '../../src/domain/declaration.js';
import { ip } from './view.js';

export const TABLE = 'ALL_VMIDS_ENDPOINTS.md';
export const CONF = 'ip-addresses.conf';
export const NETBOX = 'netbox';

export interface RowWish {
  readonly vmid: number;
  readonly to?: number;
  readonly name?: string | null;
  readonly node?: string | null;
  readonly cluster?: string | null;
  readonly headings?: readonly string[];
  readonly status?: readonly [string, DeclaredStatus] | DeclaredStatus | null;
  readonly addresses?: readonly string[];
  readonly unreadable?: GuestDeclaration['unreadable'];
  /** Tells several rows of one VMID apart. */
  readonly ordinal?: number;
}

/** A row of a VMID table. It says no more than what is given; the only cluster of most models is `main`. */
export function row(wish: RowWish): GuestDeclaration {
  const { vmid, to = vmid, status = null, ordinal = 1, cluster = 'main' } = wish;
  return {
    kind: 'guest',
    key: `${vmid}#${ordinal}`,
    location: `${TABLE}:${vmid}`,
    from: vmid,
    to,
    text: to === vmid ? String(vmid) : `${vmid}-${to}`,
    cluster,
    headings: wish.headings ?? [],
    name: wish.name ?? null,
    node: wish.node ?? null,
    status:
      status === null
        ? null
        : typeof status === 'string'
          ? { word: status, means: status }
          : { word: status[0], means: status[1] },
    addresses: (wish.addresses ?? []).map(ip),
    unreadable: wish.unreadable ?? [],
  };
}

/** A line of an address file. */
export function line(label: string, address: string): AddressDeclaration {
  return { kind: 'address', key: label, location: `${CONF}:${label}`, address: ip(address), prefixLength: null, label };
}

/** A row whose VMID cell nobody can read. */
export function garbled(name: string | null, ...addresses: readonly string[]): UnreadableDeclaration {
  const location = `${TABLE}:999`;
  const reason = 'its VMID cell is no number';
  return { kind: 'unreadable', key: `garbled ${name}`, location, name, addresses: addresses.map(ip), reason };
}

/** One key that stands twice in an address file. */
export function twice(label: string, first: string, second: string): KeyConflict {
  const facts = [first, second].map((text, i) => ({ address: ip(text), location: `${CONF}:${i + 1}` }));
  return { label, facts };
}

export function declaresGuests(rows: readonly Declaration[]): boolean {
  return rows.some((one) => one.kind !== 'address');
}
