import type { SimNode } from './guest.js';
import { type Disk, type Hardware, hardwareOf, newDisk } from './hardware-model.js';
import { seeded } from './random.js';

/** A package update that waits on a node. */
export interface PackageUpdate {
  readonly name: string;
  readonly title: string;
  readonly installed: string;
  readonly available: string;
  readonly origin: string;
  readonly section: string;
}

const UPDATES: readonly PackageUpdate[] = [
  update('bind9-host', 'DNS Lookup Utility', '1:9.20.11-4', '1:9.20.15-1~deb13u1', 'Debian', 'net'),
  update('libssl3t64', 'Secure Sockets Layer toolkit', '3.5.1-1', '3.5.4-1~deb13u1', 'Debian', 'libs'),
  update('pve-manager', 'Proxmox Virtual Environment Management Tools', '9.1.1', '9.1.2', 'Proxmox', 'admin'),
  update('pve-firmware', 'Binary firmware code for the pve-kernel', '3.17-1', '3.17-2', 'Proxmox', 'misc'),
];

function update(
  name: string,
  title: string,
  installed: string,
  available: string,
  origin: string,
  section: string,
): PackageUpdate {
  return { name, title, installed, available, origin, section };
}

/** The machines of a cluster, and what may happen to their parts. A node that is not there throws. */
export class Machines {
  readonly #seed: number;
  readonly #cluster: number;
  readonly #node: (name: string) => SimNode;
  readonly #known = new Map<string, Hardware>();
  #deeds = 0;

  constructor(seed: number, cluster: number, node: (name: string) => SimNode) {
    this.#seed = seed;
    this.#cluster = cluster;
    this.#node = node;
  }

  of(node: string): Hardware {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const made = hardwareOf(this.#seed, this.#cluster, this.#node(node));
    this.#known.set(node, made);
    return made;
  }

  updatesOf(node: string): readonly PackageUpdate[] {
    const { id } = this.#node(node);
    return UPDATES.filter((_, n) => (n + id) % 3 !== 0);
  }

  /** Takes a disk out and puts a new one of its kind in: the first, unless a device is named. */
  swapDisk(node: string, device?: string): void {
    const random = seeded(this.#seed, this.#cluster, node, 'swap', ++this.#deeds);
    this.#change(node, device, (disk) => newDisk(disk, random));
  }

  /** SMART says of a disk that it fails. */
  failDisk(node: string, device?: string): void {
    this.#change(node, device, (disk) => ({ ...disk, failing: true, reallocated: disk.reallocated + 184 }));
  }

  /** Takes out a memory module: the first that is there. */
  pullMemory(node: string): void {
    const machine = this.of(node);
    const pulled = machine.memory.find(({ module }) => module !== null);
    if (pulled === undefined) throw new Error(`node ${node} has no memory left`);
    const memory = machine.memory.map((slot) => (slot === pulled ? { ...slot, module: null } : slot));
    this.#known.set(node, { ...machine, memory });
  }

  #change(node: string, device: string | undefined, change: (disk: Disk) => Disk): void {
    const machine = this.of(node);
    const wanted = machine.disks.find((disk) => device === undefined || disk.device === device);
    if (wanted === undefined) throw new Error(`node ${node} has no disk ${device ?? ''}`);
    const disks = machine.disks.map((disk) => (disk === wanted ? change(disk) : disk));
    this.#known.set(node, { ...machine, disks });
  }
}
