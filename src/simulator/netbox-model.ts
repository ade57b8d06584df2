/** A row of a simulated NetBox: its id is given once and never again. */
export interface NetboxRow {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly updated: number;
}

export interface NetboxCluster extends NetboxRow {
  readonly name: string;
}

/** In NetBox's words; `paused` is one of them only in late versions. */
export type NetboxVmStatus = 'active' | 'offline' | 'paused' | 'planned' | 'staged' | 'failed' | 'decommissioning';

export interface NetboxVm extends NetboxRow {
  readonly name: string;
  readonly status: NetboxVmStatus;
  readonly clusterId: number | null;
  readonly deviceId: number | null;
  /** The custom field `vmid`. */
  readonly vmid: number | null;
  readonly vcpus: number | null;
  readonly memoryMb: number | null;
  /** GB of 1000 MB, as people type it. */
  readonly diskGb: number | null;
}

export interface NetboxInterface extends NetboxRow {
  readonly vmId: number;
  readonly name: string;
  readonly macs: readonly string[];
  /** The untagged VLAN's number. */
  readonly vlan: number | null;
  readonly enabled: boolean;
}

export interface NetboxDevice extends NetboxRow {
  readonly name: string;
  readonly clusterId: number;
  readonly serial: string;
}

export interface NetboxDeviceInterface extends NetboxRow {
  readonly deviceId: number;
  readonly name: string;
}

export type NetboxAssigned =
  | { readonly kind: 'virtualization.vminterface'; readonly id: number }
  | { readonly kind: 'dcim.interface'; readonly id: number }
  | { readonly kind: 'ipam.fhrpgroup'; readonly id: number };

export interface NetboxAddress extends NetboxRow {
  /** With its mask. */
  readonly address: string;
  readonly vrfId: number | null;
  readonly status: 'active' | 'reserved' | 'deprecated' | 'dhcp' | 'slaac';
  readonly role: '' | 'secondary' | 'vip' | 'vrrp' | 'anycast' | 'loopback';
  readonly assigned: NetboxAssigned | null;
  readonly dnsName: string;
  readonly description: string;
}

export interface NetboxPrefix extends NetboxRow {
  readonly prefix: string;
  readonly vrfId: number | null;
  readonly vlan: number | null;
  readonly status: 'container' | 'active' | 'reserved' | 'deprecated';
}

export interface NetboxVlan extends NetboxRow {
  readonly vid: number;
  readonly name: string;
}

export interface NetboxVrf extends NetboxRow {
  readonly name: string;
  readonly rd: string;
}

export interface NetboxFhrpGroup extends NetboxRow {
  readonly name: string;
  readonly groupId: number;
}

/** What every row gets by itself. */
export type Unborn<Row extends NetboxRow> = Omit<Row, keyof NetboxRow>;

/** One kind of rows, by id. */
export class NetboxTable<Row extends NetboxRow> {
  readonly #rows = new Map<number, Row>();
  readonly #now: () => number;
  #last = 0;
  #revision = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Grows with every change. */
  get revision(): number {
    return this.#revision;
  }

  all(): readonly Row[] {
    return [...this.#rows.values()];
  }

  find(id: number): Row | undefined {
    return this.#rows.get(id);
  }

  get(id: number): Row {
    const row = this.#rows.get(id);
    if (row === undefined) throw new Error(`the simulated NetBox has no row ${id} here`);
    return row;
  }

  /** `born`: when it was written down; now, unless the estate is older than this process. */
  add(row: Unborn<Row>, born = this.#now()): Row {
    this.#last += 1;
    const whole = { ...row, id: this.#last, created: born, updated: born } as Row;
    this.#rows.set(whole.id, whole);
    this.#revision += 1;
    return whole;
  }

  edit(id: number, change: Partial<Unborn<Row>>): Row {
    const next = { ...this.get(id), ...change, updated: this.#now() };
    this.#rows.set(id, next);
    this.#revision += 1;
    return next;
  }

  drop(id: number): void {
    if (this.#rows.delete(id)) this.#revision += 1;
  }
}

/**
 * What a simulated NetBox holds, and what people do to it. It knows nothing of the wire, and follows the estate in nothing:
 * a guest that moves or is renamed stays here as it was written down.
 */
export class NetboxModel {
  readonly clusters: NetboxTable<NetboxCluster>;
  readonly vms: NetboxTable<NetboxVm>;
  readonly interfaces: NetboxTable<NetboxInterface>;
  readonly devices: NetboxTable<NetboxDevice>;
  readonly deviceInterfaces: NetboxTable<NetboxDeviceInterface>;
  readonly addresses: NetboxTable<NetboxAddress>;
  readonly prefixes: NetboxTable<NetboxPrefix>;
  readonly vlans: NetboxTable<NetboxVlan>;
  readonly vrfs: NetboxTable<NetboxVrf>;
  readonly fhrpGroups: NetboxTable<NetboxFhrpGroup>;

  constructor(now: () => number) {
    this.clusters = new NetboxTable(now);
    this.vms = new NetboxTable(now);
    this.interfaces = new NetboxTable(now);
    this.devices = new NetboxTable(now);
    this.deviceInterfaces = new NetboxTable(now);
    this.addresses = new NetboxTable(now);
    this.prefixes = new NetboxTable(now);
    this.vlans = new NetboxTable(now);
    this.vrfs = new NetboxTable(now);
    this.fhrpGroups = new NetboxTable(now);
  }

  /** Grows with every change: indexes may be kept under it. */
  get revision(): number {
    const { clusters, vms, interfaces, devices, deviceInterfaces, addresses } = this;
    const { prefixes, vlans, vrfs, fhrpGroups } = this;
    const tables = [clusters, vms, interfaces, devices, deviceInterfaces, addresses];
    return [...tables, prefixes, vlans, vrfs, fhrpGroups].reduce((sum, { revision }) => sum + revision, 0);
  }

  cluster(name: string): NetboxCluster {
    const found = this.clusters.all().find((one) => one.name === name);
    if (found === undefined) throw new Error(`the simulated NetBox has no cluster ${name}`);
    return found;
  }

  /** The VM with that name in that cluster. */
  vm(cluster: string, name: string): NetboxVm {
    const { id } = this.cluster(cluster);
    const found = this.vms.all().find((one) => one.clusterId === id && one.name === name);
    if (found === undefined) throw new Error(`the simulated NetBox has no VM ${name} in ${cluster}`);
    return found;
  }

  /** The VM whose custom field says this VMID; throws where the field is empty, as it is on some. */
  vmOf(cluster: string, vmid: number): NetboxVm {
    const { id } = this.cluster(cluster);
    const found = this.vms.all().find((one) => one.clusterId === id && one.vmid === vmid);
    if (found === undefined) throw new Error(`no VM of ${cluster} in the simulated NetBox says VMID ${vmid}`);
    return found;
  }

  interfacesOf(vmId: number): readonly NetboxInterface[] {
    return this.interfaces.all().filter((one) => one.vmId === vmId);
  }

  /** Of all the VM's interfaces. */
  addressesOf(vmId: number): readonly NetboxAddress[] {
    const own = new Set(this.interfacesOf(vmId).map(({ id }) => id));
    return this.addresses
      .all()
      .filter(({ assigned }) => assigned?.kind === 'virtualization.vminterface' && own.has(assigned.id));
  }

  renameVm(vmId: number, name: string): void {
    this.vms.edit(vmId, { name });
  }

  /** Its interfaces and their addresses go with it, as in NetBox. */
  deleteVm(vmId: number): void {
    for (const { id } of this.addressesOf(vmId)) this.addresses.drop(id);
    for (const { id } of this.interfacesOf(vmId)) this.interfaces.drop(id);
    this.vms.drop(vmId);
  }

  /** Replaces the addresses of that family on the VM's first interface; `10.0.0.5/16`. */
  setAddress(vmId: number, address: string): NetboxAddress {
    const [first] = this.interfacesOf(vmId);
    if (first === undefined) throw new Error(`VM ${vmId} of the simulated NetBox has no interface`);
    const isSix = address.includes(':');
    for (const { id, assigned, address: before } of this.addressesOf(vmId))
      if (assigned?.id === first.id && before.includes(':') === isSix) this.addresses.drop(id);
    return this.addresses.add(assignedTo({ kind: 'virtualization.vminterface', id: first.id }, address));
  }

  /** The untagged VLAN of an interface; null takes it away. */
  setVlan(vmId: number, name: string, vlan: number | null): void {
    const found = this.interfacesOf(vmId).find((one) => one.name === name);
    if (found === undefined) throw new Error(`VM ${vmId} of the simulated NetBox has no interface ${name}`);
    if (vlan !== null) this.knowVlan(vlan);
    this.interfaces.edit(found.id, { vlan });
  }

  knowVlan(vid: number, name = `vlan-${vid}`, born?: number): void {
    if (!this.vlans.all().some((one) => one.vid === vid)) this.vlans.add({ vid, name }, born);
  }
}

/** An active address with nothing remarkable about it. */
export function assignedTo(assigned: NetboxAssigned | null, address: string): Unborn<NetboxAddress> {
  return { address, assigned, vrfId: null, status: 'active', role: '', dnsName: '', description: '' };
}
