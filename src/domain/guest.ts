import type { IpAddress } from './address.js';
import type { Mac } from './mac.js';
import type { ChangeInterval, Instant } from './time.js';

export type GuestKind = 'QEMU' | 'LXC';
export type GuestStatus = 'RUNNING' | 'STOPPED' | 'PAUSED' | 'UNKNOWN';
export type NodeStatus = 'ONLINE' | 'OFFLINE' | 'UNKNOWN';

/** `cluster/vmid`: a place that guests may come to live in, one after another. */
export type GuestKey = string;
/** `cluster/vmid@n`: the n-th guest that lived there (n from 1). */
export type GuestId = string;

export function guestKey(cluster: string, vmid: number): GuestKey {
  return `${cluster}/${vmid}`;
}
export function guestId(cluster: string, vmid: number, incarnation: number): GuestId {
  return `${cluster}/${vmid}@${incarnation}`;
}

/** The parts a Proxmox estate is read in. `row` comes with every poll, `power` one request a node, the rest one a guest. */
export type GuestPart = 'row' | 'config' | 'addresses' | 'power';

/**
 * What a list row says of a guest, as kept (the body of a version of kind `guest`).
 * Without rrd data Proxmox gives presence and node only: then `sparse` is true, and name, template, sizes are the last known.
 */
export interface GuestRow {
  readonly kind: GuestKind;
  readonly node: string;
  readonly status: 'RUNNING' | 'STOPPED' | 'PAUSED' | 'UNKNOWN';
  readonly name: string | null;
  readonly template: boolean;
  readonly tags: readonly string[];
  readonly pool: string | null;
  readonly lock: string | null;
  /** Since when the lock is held, as far as polls can tell; null without a lock. */
  readonly lockedSince: Instant | null;
  readonly ha: string | null;
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly diskBytes: number | null;
  /** Poll time less uptime, kept while it moves by less than a minute; null when not running. */
  readonly startedAt: Instant | null;
  readonly sparse: boolean;
  /** True while the list no longer shows the guest and its absence is not proven: the token lost VM.Audit on it. */
  readonly hidden: boolean;
  readonly since: {
    readonly name: ChangeInterval;
    readonly node: ChangeInterval;
    readonly status: ChangeInterval;
    readonly presence: ChangeInterval;
    /** When the lock came to be what it is; what a lock excused begins to count when it is released. */
    readonly lock?: ChangeInterval;
  };
}

export type AddressSetting =
  | { readonly mode: 'static'; readonly address: IpAddress; readonly prefixLength: number | null }
  | { readonly mode: 'dhcp' }
  | { readonly mode: 'auto' }
  | { readonly mode: 'manual' };

/** One `netN` of a guest's config, joined with its `ipconfigN` (QEMU). */
export interface NetworkDevice {
  readonly key: string;
  readonly mac: Mac | null;
  readonly bridge: string | null;
  readonly vlan: number | null;
  readonly linkDown: boolean;
  readonly ip4: AddressSetting | null;
  readonly ip6: AddressSetting | null;
}

/** What `/config` says (the body of a version of kind `guest.config`). Pending values win, as Proxmox gives them. */
export interface GuestConfig {
  readonly name: string | null;
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
  /** Sum of `size=` over disks, without cdrom, cloud-init, efidisk, tpmstate and unused ones; bytes. */
  readonly diskBytes: number | null;
  /** Whether a guest agent is configured (QEMU). Containers answer without one. */
  readonly agent: boolean;
  readonly smbiosUuid: string | null;
  readonly devices: readonly NetworkDevice[];
}

/** A config as kept: with the interval in which its network devices came to be what they are. */
export interface KeptConfig extends GuestConfig {
  readonly devicesSince: ChangeInterval;
}

/** Who lives, or lived last, under a VMID: what tells another guest from the same one come back. */
export interface GuestIdentity {
  readonly incarnation: number;
  readonly kind: GuestKind;
  readonly smbiosUuid: string | null;
  readonly macs: readonly Mac[];
}

export interface GuestInterfaceReading {
  readonly name: string;
  readonly mac: Mac | null;
  readonly addresses: readonly { readonly address: IpAddress; readonly prefixLength: number | null }[];
}

/** What the agent or a container's interfaces say (the body of a version of kind `guest.addresses`). Sorted by name; loopback left out. */
export interface GuestInterfaces {
  readonly by: 'AGENT' | 'INTERFACES';
  readonly interfaces: readonly GuestInterfaceReading[];
}

/** What `/nodes/{n}/qemu?full=1` says of one guest (the body of a version of kind `guest.power`). */
export interface GuestPower {
  readonly qmpStatus: string;
}

/** Body of a version of kind `node`. */
export interface NodeRow {
  readonly status: NodeStatus;
  readonly maintenance: boolean;
  readonly ip: IpAddress | null;
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly diskBytes: number | null;
  readonly since: ChangeInterval;
}

/** Body of a version of kind `cluster`. */
export interface ClusterRow {
  /** The name Proxmox gives the cluster; null for a standalone node. */
  readonly proxmoxName: string | null;
  readonly version: string | null;
  readonly quorate: boolean;
  /** Whether `/cluster/status` was readable; if not, `quorate` means that more than half of the nodes are online. */
  readonly quorumKnown: boolean;
}

/** Body of a version of kind `vmid`: what `/cluster/nextid?vmid=N` said. */
export interface VmidRow {
  readonly free: boolean;
}
