import type { IpAddress } from '../address.js';
import type {
  AddressDeclaration,
  DeclaredSource,
  GuestDeclaration,
  KeptDeclaration,
  VmDeclaration,
} from '../declaration.js';
import type { DeclaredFact } from '../finding.js';
import type { GuestId } from '../guest.js';
import type { ChangeInterval } from '../time.js';
import type { GuestView, InventoryView } from '../view.js';
import { declaredFacts } from './declared-facts.js';
import { rememberGone, WIDEST_RANGE } from './gone-rows.js';
import { bareName, NodeNames } from './names.js';
import { type Placement, Placements } from './placement.js';
import { scopeFor } from './scopes.js';
import { type TiedBy, Ties } from './ties.js';
import { vmRow } from './vm-row.js';

/** A row and the source it stands in. */
export interface Row {
  readonly source: DeclaredSource;
  readonly row: GuestDeclaration & { readonly since: ChangeInterval };
  /** The VM that the row is, where its source keeps VMs: what it says beyond a table's row. */
  readonly vm?: VmDeclaration;
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
  /** Set aside, a lease, shared in turn, or a device's: it is declared, and no guest is expected to carry it. */
  readonly isExcused: boolean;
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
  /** VMs of a cluster of ours that nothing ties to a guest yet: their names and addresses as `cluster/…`. */
  readonly untied: ReadonlySet<string>;
  /** `scope/address` that a source calls a lease. */
  readonly leases: ReadonlySet<string>;
  /** Addresses in rows over a range of VMIDs, and of VMs that are tied to nothing: listed, and compared with nothing. */
  readonly listed: ReadonlySet<string>;
  /** Removed rows, by VMID and by address text: when they went. */
  readonly goneVmids: ReadonlyMap<number, number>;
  readonly goneAddresses: ReadonlyMap<string, number>;
  /** What of the guests it hangs on, beside who they are, and their devices and scopes. */
  readonly tiedBy: TiedBy;
  factsOf(guest: GuestId): readonly DeclaredFact[];
}

export const DEFAULT_SCOPE = 'default';

class Binder {
  readonly nodes: NodeNames;
  readonly #view: InventoryView;
  readonly #placements: Placements;
  readonly #ties: Ties;
  readonly byGuest = new Map<GuestId, Row[]>();
  readonly byVmid = new Map<number, Row[]>();
  readonly ambiguous = new Map<number, { row: Row; guests: readonly GuestView[] }[]>();
  readonly declaredAddresses = new Map<string, DeclaredAddress[]>();
  readonly names = new Set<string>();
  readonly addresses = new Set<string>();
  readonly untied = new Set<string>();
  readonly leases = new Set<string>();
  readonly listed = new Set<string>();

  constructor(view: InventoryView) {
    this.#view = view;
    this.nodes = new NodeNames(view);
    this.#placements = new Placements(view, this.nodes);
    this.#ties = new Ties(view);
  }

  tiedBy(): TiedBy {
    return this.#ties.by();
  }

  add(source: DeclaredSource, row: KeptDeclaration): void {
    switch (row.kind) {
      case 'guest':
        this.#addGuestRow(source, row);
        return;
      case 'vm':
        this.#addVm(source, row);
        return;
      case 'address':
        this.#addAddress(source, row);
        return;
      case 'unreadable':
        if (row.name !== null) this.names.add(bareName(row.name));
        for (const address of row.addresses) this.addresses.add(address);
        return;
      case 'prefix':
      case 'device':
        return;
    }
  }

  #addAddress(source: DeclaredSource, row: AddressDeclaration & { readonly since: ChangeInterval }): void {
    const { address, scope = DEFAULT_SCOPE, location, label, since } = row;
    if (row.dynamic === true) this.leases.add(`${scope}/${address}`);
    push(this.declaredAddresses, `${scope}/${address}`, {
      address,
      scope,
      source: source.name,
      location,
      label,
      guests: [],
      vmids: [],
      row: undefined,
      from: source,
      covered: source.state.kind === 'covered',
      isExcused: row.reserved === true || row.dynamic === true || row.virtual === true || row.device !== undefined,
      since,
    });
  }

  #addGuestRow(source: DeclaredSource, declaration: GuestDeclaration & { readonly since: ChangeInterval }): void {
    const isRange = declaration.to > declaration.from;
    const row: Row = { source, row: declaration, placement: this.#placements.of(declaration), isRange };
    const bound: GuestView[] = [];
    const last = Math.min(declaration.to, declaration.from + WIDEST_RANGE - 1);
    for (let vmid = declaration.from; vmid <= last; vmid++) {
      push(this.byVmid, vmid, row);
      const fits = this.#ties.fitting(declaration, row.placement, vmid, isRange);
      const [only] = fits;
      if (only === undefined) continue;
      if (fits.length > 1) push(this.ambiguous, vmid, { row, guests: fits });
      else {
        push(this.byGuest, only.id, row);
        bound.push(only);
      }
    }
    if (isRange) for (const address of declaration.addresses) this.listed.add(address);
    else for (const address of declaration.addresses) this.#declare(row, bound, address, null, false);
  }

  #addVm(source: DeclaredSource, vm: VmDeclaration & { readonly since: ChangeInterval }): void {
    const placed = this.#placements.ofVm(vm);
    const tie = this.#ties.of(vm, placed);
    if (tie.kind === 'untied') {
      this.#list(vm, placed);
      return;
    }
    const vmid = tie.kind === 'tied' ? tie.guest.vmid : tie.vmid;
    const placement = tie.kind === 'gone' ? tie.placement : placed;
    const row: Row = { source, row: vmRow(vm, vmid), vm, placement, isRange: false };
    push(this.byVmid, vmid, row);
    if (tie.kind === 'several') push(this.ambiguous, vmid, { row, guests: tie.guests });
    if (tie.kind === 'tied') push(this.byGuest, tie.guest.id, row);
    const bound = tie.kind === 'tied' ? [tie.guest] : [];
    for (const one of vm.addresses) {
      const isExcused = one.reserved || one.dynamic || one.virtual;
      const key = this.#declare(row, bound, one.address, one.scope, isExcused);
      if (one.dynamic) this.leases.add(key);
    }
  }

  /** What cannot be tied is compared with nothing; in a cluster of ours, whoever bears its name or address may be it. */
  #list(vm: VmDeclaration, placement: Placement): void {
    for (const { address } of vm.addresses) this.listed.add(address);
    if (placement.kind !== 'in') return;
    for (const cluster of placement.clusters) {
      if (vm.name !== null) this.untied.add(`${cluster}/${bareName(vm.name)}`);
      for (const { address } of vm.addresses) this.untied.add(`${cluster}/${address}`);
    }
  }

  #declare(
    row: Row,
    bound: readonly GuestView[],
    address: IpAddress,
    named: string | null,
    isExcused: boolean,
  ): string {
    const [guest] = bound;
    const scope = guest === undefined ? (named ?? this.#scopeOfPlace(row.placement)) : scopeFor(guest, address, named);
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
      isExcused,
      since: row.row.since,
    });
    return `${scope}/${address}`;
  }

  #scopeOfPlace(placement: Placement): string {
    const [cluster] = placement.kind === 'in' ? placement.clusters : [];
    return (
      (cluster === undefined ? undefined : this.#view.clusters.get(cluster)?.settings.addressScope) ?? DEFAULT_SCOPE
    );
  }
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
  const { nodes, byGuest, byVmid, ambiguous, declaredAddresses, names, addresses, untied, leases, listed } = binder;
  const unreadable = { names, addresses };
  return {
    nodes,
    byGuest,
    byVmid,
    ambiguous,
    declaredAddresses,
    unreadable,
    untied,
    leases,
    listed,
    goneVmids,
    goneAddresses,
    tiedBy: binder.tiedBy(),
    factsOf: factsIn(view, byGuest),
  };
}

/** Looks up what the rows of a view's guests say. */
export function factsIn(view: InventoryView, byGuest: Binding['byGuest']): Binding['factsOf'] {
  return (id) => declaredFacts(byGuest.get(id) ?? [], view.guests.get(id));
}
