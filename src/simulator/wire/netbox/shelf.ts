import type { NetboxAddress, NetboxInterface, NetboxModel, NetboxVlan } from '../../netbox-model.js';
import type { NetboxManners } from './version.js';

/** The model under the indexes that rendering needs: made anew when the model changed, not for every row. */
export class Shelf {
  readonly model: NetboxModel;
  readonly manners: NetboxManners;
  #revision = -1;
  #interfaces = new Map<number, NetboxInterface[]>();
  #addresses = new Map<string, NetboxAddress[]>();
  #vlans = new Map<number, NetboxVlan>();
  #vmsOfCluster = new Map<number, number>();
  #lists = new Map<string, readonly number[]>();

  constructor(model: NetboxModel, manners: NetboxManners) {
    this.model = model;
    this.manners = manners;
  }

  interfacesOf(vmId: number): readonly NetboxInterface[] {
    this.#refresh();
    return this.#interfaces.get(vmId) ?? [];
  }

  /** Of one interface, of a VM or a device, or of a group. */
  addressesOf(kind: string, id: number): readonly NetboxAddress[] {
    this.#refresh();
    return this.#addresses.get(`${kind}/${id}`) ?? [];
  }

  /** The first of a family: what somebody would have marked as primary. */
  primary(addresses: readonly NetboxAddress[], family: 4 | 6): NetboxAddress | undefined {
    return addresses.find((one) => familyOf(one.address) === family);
  }

  vmAddresses(vmId: number): readonly NetboxAddress[] {
    return this.interfacesOf(vmId).flatMap(({ id }) => this.addressesOf('virtualization.vminterface', id));
  }

  deviceAddresses(deviceId: number): readonly NetboxAddress[] {
    const own = this.model.deviceInterfaces.all().filter((one) => one.deviceId === deviceId);
    return own.flatMap(({ id }) => this.addressesOf('dcim.interface', id));
  }

  vlan(vid: number): NetboxVlan | undefined {
    this.#refresh();
    return this.#vlans.get(vid);
  }

  vmCount(clusterId: number): number {
    this.#refresh();
    return this.#vmsOfCluster.get(clusterId) ?? 0;
  }

  /** Sorting a list for every page of it would take longer than all else. */
  kept(list: string, make: () => readonly number[]): readonly number[] {
    this.#refresh();
    const ids = this.#lists.get(list) ?? make();
    this.#lists.set(list, ids);
    return ids;
  }

  #refresh(): void {
    const { revision } = this.model;
    if (revision === this.#revision) return;
    this.#revision = revision;
    this.#interfaces = grouped(this.model.interfaces.all(), ({ vmId }) => vmId);
    const assigned = this.model.addresses.all().filter((one) => one.assigned !== null);
    this.#addresses = grouped(assigned, (one) => `${one.assigned?.kind}/${one.assigned?.id}`);
    this.#vlans = new Map(this.model.vlans.all().map((one) => [one.vid, one]));
    this.#lists = new Map();
    this.#vmsOfCluster = new Map();
    for (const { clusterId } of this.model.vms.all())
      if (clusterId !== null) this.#vmsOfCluster.set(clusterId, (this.#vmsOfCluster.get(clusterId) ?? 0) + 1);
  }
}

function grouped<Row, Key>(rows: readonly Row[], keyOf: (row: Row) => Key): Map<Key, Row[]> {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
}

export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}
