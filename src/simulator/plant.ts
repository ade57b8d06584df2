import type { DeclaredEstate, DeclaredRow } from './declared-rows.js';
import { keyOf } from './declared-rows.js';
import type { Estate } from './estate.js';
import type { Guest } from './guest.js';
import { spareAddress } from './network-plan.js';
import { seeded, shuffled } from './random.js';

/** One difference between the estate and its declared files that is there on purpose. */
export interface PlantedDrift {
  readonly kind: string;
  /** As the subject of a finding is written: `cluster/vmid@1`, `cluster/vmid`, an address, `cluster/mac`. */
  readonly subject: string;
  readonly field: string;
}

interface Place {
  readonly estate: Estate;
  readonly guest: Guest;
}

/**
 * Plants drift of every kind, one or two of each, as far as there are guests for it: no guest has two of them, and none
 * that moves by itself (HA), is locked, or cannot be asked is chosen. Gives what was planted, and whom it touches.
 */
export function plant(
  estates: readonly Estate[],
  told: DeclaredEstate,
): { readonly planted: readonly PlantedDrift[]; readonly touched: ReadonlySet<string> } {
  const planting = new Planting(estates, told);
  planting.all();
  return { planted: planting.planted, touched: planting.touched };
}

export function placeOf(estate: Estate, vmid: number): string {
  return `${estate.name}/${vmid}`;
}

class Planting {
  readonly planted: PlantedDrift[] = [];
  readonly touched = new Set<string>();
  readonly #told: DeclaredEstate;
  readonly #estates: readonly Estate[];
  readonly #running: Place[];
  readonly #stopped: Place[];
  #spares = 0;

  constructor(estates: readonly Estate[], told: DeclaredEstate) {
    this.#estates = estates;
    this.#told = told;
    const random = seeded(estates[0]?.seed ?? 0, 'planted');
    const all = shuffled(
      random,
      estates.flatMap((estate) => estate.guests().map((guest) => ({ estate, guest }))),
    );
    this.#running = all.filter(({ guest }) => isPlain(guest) && guest.power === 'running');
    this.#stopped = all.filter(({ guest }) => isPlain(guest) && guest.power === 'stopped');
  }

  /** In the order of what an estate of few guests should show first. */
  all(): void {
    this.#each(this.#name, this.#address, this.#undeclared, this.#status, this.#missing, this.#undeclaredAddress);
    this.#each(this.#conflict, this.#twins, this.#node, this.#unused, this.#sameMac, this.#keyTwice);
    this.#each(this.#name, this.#address, this.#undeclared, this.#stoppedStatus, this.#missing, this.#unused);
  }

  #each(...kinds: readonly (() => void)[]): void {
    for (const kind of kinds) kind.call(this);
  }

  #take(from: Place[] = this.#running, fits: (place: Place) => boolean = () => true): Place | undefined {
    // Half of the guests at least agree with what is written, or nobody would believe the other half.
    if (this.touched.size * 2 >= this.#estates.reduce((sum, estate) => sum + estate.guests().length, 0))
      return undefined;
    const at = from.findIndex(fits);
    const [taken] = at < 0 ? [] : from.splice(at, 1);
    if (taken !== undefined) this.touched.add(placeOf(taken.estate, taken.guest.vmid));
    return taken;
  }

  #add(kind: string, subject: string, field = ''): void {
    this.planted.push({ kind, subject, field });
  }

  #ofGuest(kind: string, { estate, guest }: Place, field = ''): void {
    this.#add(kind, `${placeOf(estate, guest.vmid)}@1`, field);
  }

  /** Rewrites the guest's row, or takes it out, and takes the address it is known by out of the other file. */
  #rewrite({ estate, guest }: Place, change: (row: DeclaredRow) => DeclaredRow | undefined): void {
    const addresses = new Set(guest.nics.flatMap(({ v4 }) => v4?.address ?? []));
    this.#told.keys = this.#told.keys.filter(({ value }) => !addresses.has(value));
    this.#told.rows = this.#told.rows.flatMap((row) =>
      row.cluster === estate.name && row.from === guest.vmid ? (change(row) ?? []) : row,
    );
  }

  #spare(estate: Estate): string {
    this.#spares += 1;
    return spareAddress(estate.index, 'planted', this.#spares);
  }

  #name(): void {
    const place = this.#take();
    if (place === undefined) return;
    this.#rewrite(place, (row) => ({ ...row, name: `${row.name}-old` }));
    this.#ofGuest('NAME_DIFFERS', place, 'name');
  }

  #address(): void {
    const place = this.#take();
    if (place === undefined) return;
    const { estate } = place;
    this.#rewrite(place, (row) => ({ ...row, addresses: [this.#spare(estate), ...row.addresses.filter(isSix)] }));
    this.#ofGuest('ADDRESS_DIFFERS', place, 'address4');
  }

  #undeclared(): void {
    const place = this.#take();
    if (place === undefined) return;
    this.#rewrite(place, () => undefined);
    this.#ofGuest('GUEST_NOT_DECLARED', place);
  }

  #status(): void {
    const place = this.#take();
    if (place === undefined) return;
    this.#rewrite(place, (row) => ({ ...row, word: 'stopped' }));
    this.#ofGuest('STATUS_DIFFERS', place, 'status');
  }

  #stoppedStatus(): void {
    const place = this.#take(this.#stopped);
    if (place === undefined) return;
    this.#rewrite(place, (row) => ({ ...row, word: 'running' }));
    this.#ofGuest('STATUS_DIFFERS', place, 'status');
  }

  /** A row of a guest that is gone; its address, if it has one, is told by the same finding. */
  #missing(): void {
    const [model] = this.#told.rows.filter(({ word }) => word === 'running');
    const estate = this.#estates.find(({ name }) => name === model?.cluster);
    if (model === undefined || estate === undefined) return;
    const vmid = freeVmid(estate, this.#told.rows, 190);
    const addresses = this.#spares % 2 === 0 ? [this.#spare(estate)] : [];
    this.#told.rows.push({ ...model, from: vmid, to: vmid, name: `jump-${vmid}`, addresses, leased: false });
    this.#add('GUEST_MISSING', placeOf(estate, vmid));
  }

  #undeclaredAddress(): void {
    const place = this.#take(this.#running, ({ guest }) => guest.nics[0]?.v6 === null);
    if (place === undefined) return;
    this.#rewrite(place, (row) => ({ ...row, addresses: [] }));
    this.#add('ADDRESS_NOT_DECLARED', place.guest.nics[0]?.v4?.address ?? '');
  }

  /** A second row, in another table, that knows the guest by another name. */
  #conflict(): void {
    const place = this.#take();
    if (place === undefined) return;
    const { estate, guest } = place;
    const row = this.#told.rows.find(({ cluster, from }) => cluster === estate.name && from === guest.vmid);
    if (row === undefined) return;
    this.#told.rows.push({ ...row, group: 'Reachable from outside', name: `${guest.name}-public` });
    this.#add('DECLARATIONS_CONFLICT', placeOf(estate, guest.vmid), 'name');
  }

  /** Somebody gave a guest an address that another one has. */
  #twins(): void {
    const first = this.#take();
    if (first === undefined) return;
    const second = this.#take(this.#running, ({ estate }) => estate === first.estate);
    const shared = first.guest.nics[0]?.v4;
    if (second === undefined || shared === null || shared === undefined) return;
    this.#rewrite(second, (row) => ({ ...row, addresses: row.addresses.filter(isSix) }));
    const nics = second.guest.nics.map((nic) => ({ ...nic, v4: shared }));
    second.estate.put({ ...second.guest, nics });
    this.#add('DUPLICATE_ADDRESS', shared.address);
  }

  #node(): void {
    const place = this.#take(this.#running, ({ estate }) => estate.nodes().length > 1);
    if (place === undefined) return;
    const other = place.estate.nodes().find(({ name }) => name !== place.guest.node);
    this.#rewrite(place, (row) => ({ ...row, node: other?.name ?? null }));
    this.#ofGuest('NODE_DIFFERS', place, 'node');
  }

  /** The row names two addresses, and the guest has only one of them. */
  #unused(): void {
    const place = this.#take();
    if (place === undefined) return;
    const spare = this.#spare(place.estate);
    this.#rewrite(place, (row) => ({ ...row, addresses: [...row.addresses, spare] }));
    this.#add('DECLARED_ADDRESS_UNUSED', spare);
  }

  /** A copy of a disk image and its config file by hand: both devices have one MAC. */
  #sameMac(): void {
    const first = this.#take();
    if (first === undefined) return;
    const second = this.#take(
      this.#running,
      ({ estate, guest }) => estate === first.estate && guest.node !== first.guest.node,
    );
    const mac = first.guest.nics[0]?.mac;
    if (second === undefined || mac === undefined) return;
    second.estate.put({ ...second.guest, nics: second.guest.nics.map((nic) => ({ ...nic, mac })) });
    this.#add('DUPLICATE_MAC', `${first.estate.name}/${mac.toLowerCase()}`);
  }

  #keyTwice(): void {
    const [one, other] = [this.#take(), this.#take()];
    const [before, after] = [one, other].map((place) => place?.guest.nics[0]?.v4?.address);
    if (one === undefined || before === undefined || after === undefined) return;
    const key = `${this.#told.prefixOf(one.estate.name)}${keyOf(one.guest.name)}_VIP`;
    for (const value of [before, after]) this.#told.keys.push({ cluster: one.estate.name, key, value });
    const [smaller = ''] = [before, after].sort(byNumber);
    this.#add('DECLARATIONS_CONFLICT', smaller, key);
  }
}

/** One device, with an address in its config that is also seen in it, and nothing that would excuse a difference. */
function isPlain(guest: Guest): boolean {
  const [nic] = guest.nics;
  const seen = guest.kind === 'lxc' || guest.agent === 'alive';
  const calm = !guest.template && guest.lock === null && guest.ha === null;
  return seen && calm && guest.nics.length === 1 && nic?.v4?.by === 'config' && nic.v6?.by !== 'auto';
}

function isSix(address: string): boolean {
  return address.includes(':');
}

function byNumber(a: string, b: string): number {
  const weigh = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return weigh(a) - weigh(b);
}

export function freeVmid(estate: Estate, rows: readonly DeclaredRow[], from: number): number {
  // Few are tried and rows are many, so none is gathered first.
  const isNamed = (vmid: number) =>
    rows.some((row) => (row.from === vmid || row.to === vmid) && row.cluster === estate.name);
  let vmid = from;
  while (estate.has(vmid) || isNamed(vmid)) vmid += 1;
  return vmid;
}
