import type { Estate } from './estate.js';
import type { Guest } from './guest.js';
import { assignedTo, type NetboxModel, type NetboxVm } from './netbox-model.js';
import { type PlantedDrift, placeOf } from './plant.js';
import { seeded, shuffled } from './random.js';

/** A VM of the model with the guest that it stands for. */
export interface Written {
  readonly estate: Estate;
  readonly guest: Guest;
  readonly vm: NetboxVm;
  /** Whether the table has a row of its own for it, that names it. */
  readonly named: boolean;
}

/** One in so many VMs has no VMID, and is known by the MACs of its interfaces; one in so many by its name alone. */
const BY_MAC = 25;
const BY_NAME = 60;

/** Makes a NetBox that was written by rule look as if people had kept it, and plants drift where it is wanted. */
export class NetboxPlanting {
  readonly planted: PlantedDrift[] = [];
  readonly touched = new Set<string>();
  readonly #model: NetboxModel;
  readonly #all: readonly Written[];
  readonly #quiet: Written[];

  constructor(model: NetboxModel, written: readonly Written[], touched: ReadonlySet<string>) {
    this.#model = model;
    this.#all = written;
    const random = seeded(written[0]?.estate.seed ?? 0, 'netbox');
    const untouched = written.filter((one) => !touched.has(placeOfVm(one)) && isCalm(one.guest));
    this.#quiet = shuffled(random, [...untouched]);
  }

  /** What makes no drift: VMs without a VMID, a lease, an address that hangs on nothing. */
  everyday(): void {
    for (let n = 0; n * BY_MAC < this.#all.length; n++) this.#withoutVmid(true);
    for (let n = 0; n * BY_NAME < this.#all.length; n++) this.#withoutVmid(false);
    this.#leased();
    this.#unassigned();
  }

  drift(): void {
    this.#vlan();
    this.#memory();
    this.#name();
  }

  #take(fits: (one: Written) => boolean): Written | undefined {
    const at = this.#quiet.findIndex(fits);
    const [taken] = at < 0 ? [] : this.#quiet.splice(at, 1);
    if (taken !== undefined) this.touched.add(placeOfVm(taken));
    return taken;
  }

  #withoutVmid(byMac: boolean): void {
    const taken = this.#take(() => true);
    if (taken === undefined) return;
    this.#model.vms.edit(taken.vm.id, { vmid: null });
    if (byMac) return;
    for (const { id } of this.#model.interfacesOf(taken.vm.id)) this.#model.interfaces.edit(id, { macs: [] });
  }

  #leased(): void {
    const taken = this.#take(({ guest }) => guest.nics[0]?.v4?.by === 'dhcp' && canBeAsked(guest));
    const lease = taken?.guest.nics[0]?.v4;
    const own = taken === undefined ? undefined : this.#model.interfacesOf(taken.vm.id)[0];
    if (own === undefined || lease === null || lease === undefined) return;
    const assigned = { kind: 'virtualization.vminterface', id: own.id } as const;
    const address = assignedTo(assigned, `${lease.address}/${lease.prefix}`);
    this.#model.addresses.add({ ...address, status: 'dhcp' });
  }

  #unassigned(): void {
    const taken = this.#take(({ guest }) => hasFixed(guest));
    if (taken === undefined) return;
    for (const { id } of this.#model.addressesOf(taken.vm.id))
      this.#model.addresses.edit(id, { assigned: null, description: 'whose is this?' });
  }

  /** A device was moved to another VLAN, and nobody wrote it down. */
  #vlan(): void {
    const taken = this.#take(({ guest }) => guest.nics[0]?.tag === 20);
    if (taken === undefined) return;
    this.#model.setVlan(taken.vm.id, 'net0', 40);
    this.#add('VLAN_DIFFERS', `${placeOfVm(taken)}@1`, 'net0');
  }

  #memory(): void {
    const taken = this.#take(() => true);
    if (taken === undefined) return;
    this.#model.vms.edit(taken.vm.id, { memoryMb: taken.guest.memoryMiB * 2 });
    this.#add('RESOURCES_DIFFER', `${placeOfVm(taken)}@1`, 'memory');
  }

  /** The table calls it what the cluster calls it, and NetBox does not. */
  #name(): void {
    const taken = this.#take(({ named }) => named);
    if (taken === undefined) return;
    this.#model.renameVm(taken.vm.id, `${taken.vm.name}-dcim`);
    this.#add('DECLARATIONS_CONFLICT', placeOfVm(taken), 'name');
  }

  #add(kind: string, subject: string, field: string): void {
    this.planted.push({ kind, subject, field });
  }
}

/** Runs, and nothing excuses a difference, or moves it by itself. */
function isCalm(guest: Guest): boolean {
  return guest.power === 'running' && guest.lock === null && guest.ha === null;
}

/** Its address is in its config, and it has no other. */
function hasFixed({ nics }: Guest): boolean {
  const [nic] = nics;
  return nics.length === 1 && nic?.v4?.by === 'config' && nic.v6 === null;
}

function canBeAsked({ kind, agent }: Guest): boolean {
  return kind === 'lxc' || agent === 'alive';
}

function placeOfVm({ estate, guest }: Written): string {
  return placeOf(estate, guest.vmid);
}
