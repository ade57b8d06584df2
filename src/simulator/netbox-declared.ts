import type { DeclaredEstate, DeclaredRow, DeclaredWord } from './declared-rows.js';
import { fixedAddresses } from './declared-rows.js';
import type { Estate } from './estate.js';
import type { Guest, Nic } from './guest.js';
import {
  assignedTo,
  type NetboxCluster,
  type NetboxInterface,
  NetboxModel,
  type NetboxVm,
  type NetboxVmStatus,
} from './netbox-model.js';
import { NetboxPlanting, type Written } from './netbox-plant.js';
import { gateway } from './network-plan.js';
import type { PlantedDrift } from './plant.js';

export interface NetboxNeeds {
  readonly estates: readonly Estate[];
  /** The rows of the declared files, after drift was planted in them: NetBox says the same. */
  readonly told: DeclaredEstate;
  /** `cluster/vmid` of guests that other planted drift depends on: they are left alone here. */
  readonly touched: ReadonlySet<string>;
  /** Whether NetBox has drift of its own; by default it has. */
  readonly plant?: boolean;
  /** Addresses of devices on this bridge are in a VRF of this name, for estates where equal addresses live apart. */
  readonly vrfs?: readonly { readonly name: string; readonly bridge: string }[];
  readonly now: () => number;
}

export interface NetboxDeclared {
  readonly model: NetboxModel;
  readonly planted: readonly PlantedDrift[];
  /** Guests whose tie to NetBox or planted drift would not survive being changed. */
  readonly touched: ReadonlySet<string>;
}

/** When the simulated people began to write things down. */
const BORN = Date.UTC(2025, 6, 1);
const STATUS: Readonly<Record<DeclaredWord, NetboxVmStatus>> = {
  running: 'active',
  stopped: 'offline',
  paused: 'paused',
  planned: 'planned',
  retired: 'decommissioning',
  none: 'active',
};

/** Writes a NetBox that agrees with the declared files, and then plants drift of its own in it. */
export function declareNetbox(needs: NetboxNeeds): NetboxDeclared {
  const model = new NetboxModel(needs.now);
  const writing = new Writing(model, needs);
  writing.networks();
  const written = needs.estates.flatMap((estate) => writing.estate(estate));
  const planting = new NetboxPlanting(model, written, needs.touched);
  if (needs.plant !== false) planting.drift();
  planting.everyday();
  return { model, planted: planting.planted, touched: planting.touched };
}

class Writing {
  readonly #model: NetboxModel;
  readonly #needs: NetboxNeeds;
  /** Ids by what they are asked for. */
  readonly #vrfs = new Map<string, number>();
  readonly #devices = new Map<string, number>();

  constructor(model: NetboxModel, needs: NetboxNeeds) {
    this.#model = model;
    this.#needs = needs;
  }

  networks(): void {
    for (const [vid, name] of [
      [20, 'guests'],
      [30, 'storage'],
      [40, 'guests-new'],
    ] as const)
      this.#model.knowVlan(vid, name, BORN);
    for (const [at, { name, bridge }] of (this.#needs.vrfs ?? []).entries()) {
      const { id } = this.#model.vrfs.add({ name, rd: `65000:${at + 1}` }, BORN);
      this.#vrfs.set(bridge, id);
    }
    this.#model.prefixes.add({ prefix: '10.0.0.0/8', vrfId: null, vlan: null, status: 'container' }, BORN);
  }

  estate(estate: Estate): readonly Written[] {
    const cluster = this.#model.clusters.add({ name: estate.name }, BORN);
    this.#prefixes(estate);
    for (const node of estate.nodes()) this.#device(cluster, estate, node.name, node.ip);
    this.#shared(estate);
    const rows = this.#needs.told.rows.filter((row) => row.cluster === estate.name);
    const seen = new Set<number>();
    return rows.flatMap((row) => {
      const vmids = Array.from({ length: row.to - row.from + 1 }, (_, n) => row.from + n);
      return vmids.flatMap((vmid) => {
        // A guest in two tables is one VM here; templates are nobody's business.
        if (seen.has(vmid) || row.word === 'none') return [];
        seen.add(vmid);
        return this.#vm(cluster, estate, row, vmid);
      });
    });
  }

  #prefixes({ index }: Estate): void {
    const storage = this.#vrfs.get('vmbr1') ?? null;
    const add = (prefix: string, vlan: number | null = null, vrfId: number | null = null) =>
      this.#model.prefixes.add({ prefix, vlan, vrfId, status: 'active' }, BORN);
    add(`10.${100 + index}.0.0/16`);
    add(`10.${150 + index}.0.0/16`, 30, storage);
    add(`10.${200 + index}.0.0/16`);
    add(`fd77:0:0:${(index + 1).toString(16)}::/64`);
  }

  #device(cluster: NetboxCluster, estate: Estate, name: string, ip: string): void {
    const { serial } = estate.machines.of(name);
    const device = this.#model.devices.add({ name, clusterId: cluster.id, serial }, BORN);
    this.#devices.set(`${cluster.id}/${name}`, device.id);
    const { id } = this.#model.deviceInterfaces.add({ deviceId: device.id, name: 'vmbr0' }, BORN);
    this.#model.addresses.add(assignedTo({ kind: 'dcim.interface', id }, `${ip}/16`), BORN);
  }

  /** The gateway that two routers share, and an address that is set aside. */
  #shared({ name, index }: Estate): void {
    const group = this.#model.fhrpGroups.add({ name: `gateway-${name}`, groupId: index + 1 }, BORN);
    const vip = assignedTo({ kind: 'ipam.fhrpgroup', id: group.id }, `${gateway(index)}/16`);
    this.#model.addresses.add({ ...vip, role: 'vrrp', description: 'shared by both routers' }, BORN);
    const spare = assignedTo(null, `10.${100 + index}.254.10/16`);
    this.#model.addresses.add({ ...spare, status: 'reserved', description: 'for the next appliance' }, BORN);
  }

  #vm(cluster: NetboxCluster, estate: Estate, row: DeclaredRow, vmid: number): Written[] {
    const guest = estate.has(vmid) ? estate.guest(vmid) : undefined;
    const node = row.node ?? (row.from === row.to ? null : (guest?.node ?? null));
    const device = this.#devices.get(`${cluster.id}/${node}`);
    const vm = this.#model.vms.add(
      {
        name: row.name ?? guest?.name ?? `vm-${vmid}`,
        status: STATUS[row.word],
        clusterId: cluster.id,
        deviceId: device ?? null,
        vmid,
        vcpus: guest?.cores ?? null,
        memoryMb: guest?.memoryMiB ?? null,
        diskGb: guest?.diskGiB ?? null,
      },
      BORN,
    );
    const interfaces = (guest?.nics ?? []).map((nic) => this.#interface(vm, nic));
    this.#addresses(vm, row, guest, interfaces);
    return guest === undefined ? [] : [{ estate, guest, vm, named: row.from === row.to }];
  }

  #interface({ id }: NetboxVm, { index, mac, tag, linkDown }: Nic): NetboxInterface {
    return this.#model.interfaces.add(
      { vmId: id, name: `net${index}`, macs: [mac], vlan: tag, enabled: !linkDown },
      BORN,
    );
  }

  /** What the table's row says, and what only the other file says: the fixed addresses of second devices. */
  #addresses(vm: NetboxVm, row: DeclaredRow, guest: Guest | undefined, interfaces: readonly NetboxInterface[]): void {
    const nics = guest?.nics ?? [];
    const second = nics.slice(1).flatMap(({ v4 }) => (v4?.by === 'config' ? [v4.address] : []));
    const fixed = row.from === row.to || guest === undefined ? row.addresses : fixedAddresses(guest);
    for (const address of new Set([...fixed, ...second])) {
      const at = nics.findIndex(({ v4, v6 }) => v4?.address === address || v6?.address === address);
      const own = interfaces[Math.max(at, 0)] ?? this.#bare(vm);
      const mask = address.includes(':') ? 64 : 16;
      const vrfId = this.#vrfs.get(nics[at]?.bridge ?? 'vmbr0') ?? null;
      const assigned = assignedTo({ kind: 'virtualization.vminterface', id: own.id }, `${address}/${mask}`);
      this.#model.addresses.add({ ...assigned, vrfId, dnsName: at <= 0 ? `${vm.name}.example.org` : '' }, BORN);
    }
  }

  /** Of a VM that is no guest: somebody gave it an interface to hang an address on. */
  #bare({ id }: NetboxVm): NetboxInterface {
    const [first] = this.#model.interfacesOf(id);
    return first ?? this.#model.interfaces.add({ vmId: id, name: 'eth0', macs: [], vlan: null, enabled: true }, BORN);
  }
}
