export type PveVersion = '7.4' | '8.4' | '9.1';
export type Power = 'running' | 'stopped' | 'paused';
/** `none`: not configured. `dead`: configured, and silent. `broken`: answers with an error of its own. */
export type AgentState = 'none' | 'alive' | 'dead' | 'broken';

/**
 * An address of a device and who knows of it.
 * `config`: written in the guest's config. `dhcp`, `auto`: the config says so, the value is what was leased.
 * `inside`: set within the guest, and only its agent can tell.
 */
export interface NicAddress {
  readonly by: 'config' | 'dhcp' | 'auto' | 'inside';
  readonly address: string;
  readonly prefix: number;
}

export interface Nic {
  readonly index: number;
  /** Upper-case with colons, as Proxmox makes them. */
  readonly mac: string;
  readonly bridge: string;
  readonly tag: number | null;
  readonly linkDown: boolean;
  readonly v4: NicAddress | null;
  readonly v6: NicAddress | null;
}

/** A guest as it is now. Every change is a new object, so that answers may be kept by it. */
export interface Guest {
  readonly vmid: number;
  readonly kind: 'qemu' | 'lxc';
  readonly name: string;
  readonly node: string;
  readonly power: Power;
  readonly template: boolean;
  /** A stopped VM that a backup has started without letting it run. */
  readonly prelaunch: boolean;
  readonly tags: readonly string[];
  readonly pool: string | null;
  readonly lock: string | null;
  readonly ha: string | null;
  readonly cores: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  readonly uuid: string;
  readonly nics: readonly Nic[];
  readonly agent: AgentState;
  readonly system: 'linux' | 'windows' | 'docker';
  /** The group of services it belongs to: its heading in the tables. */
  readonly group: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly startedAt: number;
  /** Until when the statistics daemon has not told of it; Infinity: until it is said otherwise. */
  readonly statisticsFrom: number;
}

export type NodeState = 'online' | 'offline' | 'maintenance';

export interface SimNode {
  readonly name: string;
  readonly id: number;
  readonly ip: string;
  readonly state: NodeState;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly startedAt: number;
}

export function isListedRunning(guest: Guest): boolean {
  return guest.power !== 'stopped' || guest.prelaunch;
}
