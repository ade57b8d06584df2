import type { Declaration, GuestDeclaration, VmDeclaration } from '../declaration.js';
import type { GuestId } from '../guest.js';
import type { Mac } from '../mac.js';
import type { GuestView, InventoryView } from '../view.js';
import { bareName, givenName, NodeNames, sameName } from './names.js';
import { type Placement, Placements } from './placement.js';

/**
 * The guest that a declared VM means.
 * `gone`: it names a VMID (its own field, or the guest it was tied to) under which no guest lives that it could mean.
 * `untied`: nothing ties it yet, or it fits several guests of different VMIDs: it is listed, and compared with nothing.
 */
export type Tie =
  | { readonly kind: 'tied'; readonly guest: GuestView }
  | { readonly kind: 'several'; readonly vmid: number; readonly guests: readonly GuestView[] }
  | { readonly kind: 'gone'; readonly vmid: number; readonly placement: Placement }
  | { readonly kind: 'untied' };

const UNTIED: Tie = { kind: 'untied' };

/** What a row says that a guest may agree with. */
type Agreeable = Pick<GuestDeclaration, 'name' | 'addresses'>;

/** What ties hang on beside VMIDs, MACs and clusters: a guest that is none of these may change its name and addresses freely. */
export interface TiedBy {
  /** VMIDs whose guests had to agree with a row in name or address. */
  readonly agreement: ReadonlySet<number>;
  /** Names told which guest a VM means. */
  readonly names: boolean;
}

function agrees(row: Agreeable, guest: GuestView): boolean {
  if (row.name !== null && guest.row.name !== null && sameName(row.name, guest.row.name)) return true;
  return row.addresses.some((address) => guest.carried.some((carried) => carried.address === address));
}

/** Finds the guests of a view by what ties a declaration to them. What only few need is made when it is first asked for. */
export class Ties {
  readonly #view: InventoryView;
  readonly #living = new Map<number, GuestView[]>();
  #byMac: ReadonlyMap<Mac, readonly GuestView[]> | undefined;
  #byName: ReadonlyMap<string, readonly GuestView[]> | undefined;
  #unread: ReadonlySet<string> | undefined;
  readonly #agreement = new Set<number>();
  #namesTold = false;

  constructor(view: InventoryView) {
    this.#view = view;
    for (const guest of view.guests.values()) push(this.#living, guest.vmid, guest);
  }

  /** What the ties found so far hang on. */
  by(): TiedBy {
    return { agreement: this.#agreement, names: this.#namesTold };
  }

  /** The guests that a row may speak of under one VMID: none, the one it binds to, or several. */
  fitting(row: Agreeable, placement: Placement, vmid: number, isRange: boolean): readonly GuestView[] {
    const living = this.#living.get(vmid);
    if (living === undefined || placement.kind === 'elsewhere') return [];
    if (placement.kind === 'in') {
      const { clusters } = placement;
      const there = living.filter((guest) => clusters.includes(guest.cluster));
      if (there.length < 2) return there;
      const agreeing = this.#agreeing(row, vmid, there);
      return agreeing.length === 1 ? agreeing : there;
    }
    // Nothing to agree with: it can only mean the one cluster there is.
    if (row.name === null && row.addresses.length === 0) return this.#view.clusters.size === 1 ? living : [];
    if (isRange && this.#view.clusters.size === 1) return living;
    return this.#agreeing(row, vmid, living);
  }

  #agreeing(row: Agreeable, vmid: number, living: readonly GuestView[]): readonly GuestView[] {
    this.#agreement.add(vmid);
    return living.filter((guest) => agrees(row, guest));
  }

  /** By its VMID, else by a MAC, else by what is remembered, else by a name that fits exactly one guest of its cluster. */
  of(vm: VmDeclaration, placement: Placement): Tie {
    if (placement.kind === 'elsewhere') return UNTIED;
    if (vm.vmid !== null) {
      // Nearly every VM names the VMID of one guest: nothing is made to find it.
      const living = this.#living.get(vm.vmid);
      const only = living?.length === 1 ? living[0] : undefined;
      if (only !== undefined && placement.kind === 'in' && placement.clusters.includes(only.cluster))
        return { kind: 'tied', guest: only };
      const row = { name: vm.name, addresses: vm.addresses.map(({ address }) => address) };
      return oneOf(this.fitting(row, placement, vm.vmid, false)) ?? { kind: 'gone', vmid: vm.vmid, placement };
    }
    const isThere = (guest: GuestView) => placement.kind === 'anywhere' || placement.clusters.includes(guest.cluster);
    const remembered = vm.tiedTo === null ? undefined : this.#view.guests.get(vm.tiedTo);
    const known = remembered !== undefined && isThere(remembered) ? remembered : undefined;
    const bearers = this.#bearing(vm).filter(isThere);
    if (bearers.length > 0) {
      this.#namesTold ||= bearers.length > 1;
      return amongBearers(vm, bearers, known);
    }
    if (known !== undefined) return { kind: 'tied', guest: known };
    return this.#byNameOf(vm, placement) ?? goneFrom(vm, placement, this.#view) ?? UNTIED;
  }

  #bearing(vm: VmDeclaration): readonly GuestView[] {
    const found = new Set<GuestView>();
    for (const { macs } of vm.interfaces)
      for (const mac of macs) for (const guest of this.#macs().get(mac) ?? []) found.add(guest);
    return [...found];
  }

  /** A name alone is weak: it speaks only once no config that is still unread could show one of the MACs elsewhere. */
  #byNameOf(vm: VmDeclaration, placement: Placement): Tie | undefined {
    if (vm.name === null || placement.kind !== 'in') return undefined;
    const hasMacs = vm.interfaces.some(({ macs }) => macs.length > 0);
    if (hasMacs && placement.clusters.some((cluster) => this.#unreadIn().has(cluster))) return UNTIED;
    const { name } = vm;
    this.#namesTold = true;
    const fits = placement.clusters.flatMap((cluster) => this.#names().get(`${cluster}/${bareName(name)}`) ?? []);
    const [only] = fits;
    return only === undefined ? undefined : fits.length === 1 ? { kind: 'tied', guest: only } : UNTIED;
  }

  #macs(): ReadonlyMap<Mac, readonly GuestView[]> {
    if (this.#byMac !== undefined) return this.#byMac;
    const byMac = new Map<Mac, GuestView[]>();
    for (const guest of this.#view.guests.values())
      for (const { mac } of guest.config?.devices ?? []) if (mac !== null) push(byMac, mac, guest);
    this.#byMac = byMac;
    return byMac;
  }

  #names(): ReadonlyMap<string, readonly GuestView[]> {
    if (this.#byName !== undefined) return this.#byName;
    const byName = new Map<string, GuestView[]>();
    for (const guest of this.#view.guests.values()) {
      const name = givenName(guest);
      if (name !== null) push(byName, `${guest.cluster}/${bareName(name)}`, guest);
    }
    this.#byName = byName;
    return byName;
  }

  /** Clusters with a guest whose config was never asked for yet. */
  #unreadIn(): ReadonlySet<string> {
    if (this.#unread !== undefined) return this.#unread;
    const unread = new Set<string>();
    for (const { cluster, parts } of this.#view.guests.values())
      if (parts.config.state === 'never') unread.add(cluster);
    this.#unread = unread;
    return unread;
  }
}

function oneOf(guests: readonly GuestView[]): Tie | undefined {
  const [first] = guests;
  if (first === undefined) return undefined;
  return guests.length === 1 ? { kind: 'tied', guest: first } : { kind: 'several', vmid: first.vmid, guests };
}

/** Several bear its MACs: the one it was tied to, else the one that agrees in name. */
function amongBearers(vm: VmDeclaration, bearers: readonly GuestView[], known: GuestView | undefined): Tie {
  if (known !== undefined && bearers.includes(known)) return { kind: 'tied', guest: known };
  const agreeing = bearers.filter(({ row }) => row.name !== null && vm.name !== null && sameName(row.name, vm.name));
  const [one] = agreeing.length === 1 ? agreeing : bearers.length === 1 ? bearers : [];
  if (one !== undefined) return { kind: 'tied', guest: one };
  return new Set(bearers.map(({ vmid }) => vmid)).size === 1 ? (oneOf(bearers) ?? UNTIED) : UNTIED;
}

/** It was tied to a guest of a cluster that we still collect, and that one lives no more. */
function goneFrom(vm: VmDeclaration, placement: Placement, view: InventoryView): Tie | undefined {
  if (vm.tiedTo === null || view.guests.has(vm.tiedTo)) return undefined;
  const slash = vm.tiedTo.indexOf('/');
  const cluster = vm.tiedTo.slice(0, slash);
  const isThere = placement.kind === 'anywhere' || (placement.kind === 'in' && placement.clusters.includes(cluster));
  if (!isThere || !view.clusters.has(cluster)) return undefined;
  const vmid = Number.parseInt(vm.tiedTo.slice(slash + 1), 10);
  return { kind: 'gone', vmid, placement: { kind: 'in', clusters: [cluster] } };
}

/**
 * What is to be remembered with each VM among the rows: the guest it is tied to now. One whose guest went keeps its
 * memory, so that it is missed under its VMID. `tiedTo` of the rows is what was remembered before.
 */
export function tiesOf(view: InventoryView, rows: readonly Declaration[]): ReadonlyMap<string, GuestId | null> {
  const vms = rows.filter((row): row is VmDeclaration => row.kind === 'vm');
  const remembered = new Map<string, GuestId | null>();
  if (vms.length === 0) return remembered;
  const ties = new Ties(view);
  const placements = new Placements(view, new NodeNames(view));
  for (const vm of vms) {
    const tie = ties.of(vm, placements.ofVm(vm));
    const isDead = vm.tiedTo !== null && !view.guests.has(vm.tiedTo);
    remembered.set(vm.key, tie.kind === 'tied' ? tie.guest.id : isDead ? vm.tiedTo : null);
  }
  return remembered;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
