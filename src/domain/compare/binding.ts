import { type Family, familyOf, type IpAddress } from '../address.js';
import type { Declaration, DeclaredSource, GuestDeclaration, KeptDeclaration } from '../declaration.js';
import type { DeclaredFact } from '../finding.js';
import type { GuestId } from '../guest.js';
import type { ChangeInterval } from '../time.js';
import type { GuestView, InventoryView } from '../view.js';
import { bareName, NodeNames, sameName } from './names.js';
import { type Placement, Placements } from './placement.js';

/** A row and the source it stands in. */
export interface Row {
  readonly source: DeclaredSource;
  readonly row: GuestDeclaration & { readonly since: ChangeInterval };
  readonly placement: Placement;
  readonly isRange: boolean;
}

/** One address as declared: by whom, and for which guests where the declaration says. */
export interface DeclaredAddress {
  readonly address: IpAddress;
  readonly scope: string;
  readonly source: string;
  readonly location: string;
  readonly label: string;
  /** Living guests that it is declared for. */
  readonly guests: readonly GuestId[];
  /** VMIDs that its row names, whether they live or not; empty: it names no guest. */
  readonly vmids: readonly number[];
  readonly row: Row | undefined;
  readonly from: DeclaredSource;
  /** Its source is in reach and its cell can be read. */
  readonly covered: boolean;
  readonly since: ChangeInterval;
}

/** The declarations tied to the guests of a view, and what could not be tied. */
export interface Binding {
  readonly nodes: NodeNames;
  /** Rows by the guest they speak of, in precedence. */
  readonly byGuest: ReadonlyMap<GuestId, readonly Row[]>;
  /** Every row that names a VMID, by VMID. */
  readonly byVmid: ReadonlyMap<number, readonly Row[]>;
  /** Rows that fit several guests, by VMID: compared with none. */
  readonly ambiguous: ReadonlyMap<number, readonly { readonly row: Row; readonly guests: readonly GuestView[] }[]>;
  /** By `scope/address`. */
  readonly declaredAddresses: ReadonlyMap<string, readonly DeclaredAddress[]>;
  /** Names and addresses of rows whose VMID cannot be read. */
  readonly unreadable: { readonly names: ReadonlySet<string>; readonly addresses: ReadonlySet<string> };
  /** Addresses in rows over a range of VMIDs: listed, and compared with nothing. */
  readonly listed: ReadonlySet<string>;
  /** Removed rows, by VMID and by address text: when they went. */
  readonly goneVmids: ReadonlyMap<number, number>;
  readonly goneAddresses: ReadonlyMap<string, number>;
  factsOf(guest: GuestId): readonly DeclaredFact[];
}

/** Rows over a range of VMIDs are expanded at most this far. */
const WIDEST_RANGE = 1_000;
export const DEFAULT_SCOPE = 'default';

function agrees(row: GuestDeclaration, guest: GuestView): boolean {
  if (row.name !== null && guest.row.name !== null && sameName(row.name, guest.row.name)) return true;
  return row.addresses.some((address) => guest.carried.some((carried) => carried.address === address));
}

class Binder {
  readonly nodes: NodeNames;
  readonly #view: InventoryView;
  readonly #placements: Placements;
  readonly #living = new Map<number, GuestView[]>();
  readonly byGuest = new Map<GuestId, Row[]>();
  readonly byVmid = new Map<number, Row[]>();
  readonly ambiguous = new Map<number, { row: Row; guests: readonly GuestView[] }[]>();
  readonly declaredAddresses = new Map<string, DeclaredAddress[]>();
  readonly names = new Set<string>();
  readonly addresses = new Set<string>();
  readonly listed = new Set<string>();

  constructor(view: InventoryView) {
    this.#view = view;
    this.nodes = new NodeNames(view);
    this.#placements = new Placements(view, this.nodes);
    for (const guest of view.guests.values()) push(this.#living, guest.vmid, guest);
  }

  add(source: DeclaredSource, row: KeptDeclaration): void {
    switch (row.kind) {
      case 'guest':
        this.#addGuestRow(source, row);
        return;
      case 'address':
        push(this.declaredAddresses, `${DEFAULT_SCOPE}/${row.address}`, {
          address: row.address,
          scope: DEFAULT_SCOPE,
          source: source.name,
          location: row.location,
          label: row.label,
          guests: [],
          vmids: [],
          row: undefined,
          from: source,
          covered: source.state.kind === 'covered',
          since: row.since,
        });
        return;
      case 'unreadable':
        if (row.name !== null) this.names.add(bareName(row.name));
        for (const address of row.addresses) this.addresses.add(address);
        return;
    }
  }

  #addGuestRow(source: DeclaredSource, declaration: GuestDeclaration & { readonly since: ChangeInterval }): void {
    const isRange = declaration.to > declaration.from;
    const row: Row = { source, row: declaration, placement: this.#placements.of(declaration), isRange };
    const bound: GuestView[] = [];
    const last = Math.min(declaration.to, declaration.from + WIDEST_RANGE - 1);
    for (let vmid = declaration.from; vmid <= last; vmid++) {
      push(this.byVmid, vmid, row);
      const fits = this.#fitting(row, vmid);
      const [only] = fits;
      if (only === undefined) continue;
      if (fits.length > 1) push(this.ambiguous, vmid, { row, guests: fits });
      else {
        push(this.byGuest, only.id, row);
        bound.push(only);
      }
    }
    if (isRange) for (const address of declaration.addresses) this.listed.add(address);
    else this.#addAddresses(row, bound);
  }

  /** The guests that a row may speak of under one VMID: none, the one it binds to, or several. */
  #fitting(row: Row, vmid: number): readonly GuestView[] {
    const living = this.#living.get(vmid);
    if (living === undefined || row.placement.kind === 'elsewhere') return [];
    if (row.placement.kind === 'in') {
      const { clusters } = row.placement;
      const there = living.filter((guest) => clusters.includes(guest.cluster));
      if (there.length < 2) return there;
      const agreeing = there.filter((guest) => agrees(row.row, guest));
      return agreeing.length === 1 ? agreeing : there;
    }
    // Nothing to agree with: it can only mean the one cluster there is.
    if (row.row.name === null && row.row.addresses.length === 0) return this.#view.clusters.size === 1 ? living : [];
    if (row.isRange && this.#view.clusters.size === 1) return living;
    return living.filter((guest) => agrees(row.row, guest));
  }

  #addAddresses(row: Row, bound: readonly GuestView[]): void {
    const [guest] = bound;
    for (const address of row.row.addresses) {
      const scope = guest === undefined ? this.#scopeOfPlace(row.placement) : scopeFor(guest, address);
      push(this.declaredAddresses, `${scope}/${address}`, {
        address,
        scope,
        source: row.source.name,
        location: row.row.location,
        label: row.row.name ?? row.row.text,
        guests: bound.map((g) => g.id),
        vmids: [row.row.from],
        row,
        from: row.source,
        covered: row.source.state.kind === 'covered' && !row.row.unreadable.includes('addresses'),
        since: row.row.since,
      });
    }
  }

  #scopeOfPlace(placement: Placement): string {
    const [cluster] = placement.kind === 'in' ? placement.clusters : [];
    return (
      (cluster === undefined ? undefined : this.#view.clusters.get(cluster)?.settings.addressScope) ?? DEFAULT_SCOPE
    );
  }
}

/** A row that names a guest declares its address in the scope where that guest carries it, else in that of its first device. */
function scopeFor(guest: GuestView, address: IpAddress): string {
  const carried =
    guest.carried.find((c) => c.address === address) ?? guest.carried.find((c) => c.family === familyOf(address));
  return carried?.scope ?? guest.firstScope;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Ties every declaration to the guests of a view. Sources come in precedence, so the first fact of a field wins. */
export function bindDeclarations(view: InventoryView): Binding {
  const binder = new Binder(view);
  const goneVmids = new Map<number, number>();
  const goneAddresses = new Map<string, number>();
  for (const source of view.declarations) {
    for (const row of source.rows) binder.add(source, row);
    for (const { row, goneAt } of source.removed) rememberGone(row, goneAt, goneVmids, goneAddresses);
  }
  const { nodes, byGuest, byVmid, ambiguous, declaredAddresses, names, addresses, listed } = binder;
  const unreadable = { names, addresses };
  const factsOf = (id: GuestId) => facts(byGuest.get(id) ?? []);
  return {
    nodes,
    byGuest,
    byVmid,
    ambiguous,
    declaredAddresses,
    unreadable,
    listed,
    goneVmids,
    goneAddresses,
    factsOf,
  };
}

function rememberGone(
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
  for (const address of addressesIn(row)) later(addresses, address);
}

/** Whether a row's word on a field is compared: retired rows speak of nothing but their end, ranges of no name and address. */
export function speaksOf(row: Row, field: 'name' | 'node' | 'status' | 'addresses'): boolean {
  if (row.row.unreadable.includes(field)) return false;
  if (row.isRange && (field === 'name' || field === 'addresses')) return false;
  return row.row.status?.means !== 'retired' || field === 'status';
}

function facts(rows: readonly Row[]): readonly DeclaredFact[] {
  const list: DeclaredFact[] = [];
  const winner = new Map<string, string>();
  const add = (row: Row, field: string, value: string, by: string) => {
    const wins = !winner.has(field) || winner.get(field) === by;
    if (wins) winner.set(field, by);
    list.push({ field, value, source: row.source.name, location: row.row.location, wins });
  };
  for (const row of rows) {
    const by = `${row.source.name}:${row.row.key}`;
    if (row.row.name !== null && speaksOf(row, 'name')) add(row, 'name', row.row.name, by);
    if (row.row.node !== null && speaksOf(row, 'node')) add(row, 'node', row.row.node, by);
    if (row.row.status !== null && speaksOf(row, 'status')) add(row, 'status', row.row.status.word, by);
    if (speaksOf(row, 'addresses')) {
      // Declared addresses of one family are a set: all that the winning source names win together.
      for (const address of row.row.addresses) add(row, `address${familyOf(address)}`, address, row.source.name);
    }
  }
  return list;
}

export function declaredSet(
  rows: readonly Row[],
  family: Family,
): readonly { readonly row: Row; readonly addresses: readonly IpAddress[] }[] {
  return rows.flatMap((row) => {
    const addresses = speaksOf(row, 'addresses') ? row.row.addresses.filter((a) => familyOf(a) === family) : [];
    return addresses.length === 0 ? [] : [{ row, addresses }];
  });
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
