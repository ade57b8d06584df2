import type { IpAddress } from './address.js';
import type { GuestConfig, GuestInterfaces, GuestKind, GuestRow, NodeStatus } from './guest.js';
import type { Instant } from './time.js';

/** What a source's collect comes back with. Unreachable is a state, not an exception. */
export type Outcome<T> =
  | { readonly kind: 'observed'; readonly at: Instant; readonly value: T; readonly requests: number }
  | { readonly kind: 'unreachable'; readonly at: Instant; readonly reason: string; readonly requests: number }
  | { readonly kind: 'disabled'; readonly reason: string };

/** One guest of the list, as read: no history, no doubt left. */
export interface ObservedRow {
  readonly vmid: number;
  readonly kind: GuestKind;
  readonly node: string;
  readonly status: GuestRow['status'];
  /** undefined: the row did not carry the key (no rrd data). */
  readonly name: string | undefined;
  readonly template: boolean | undefined;
  readonly tags: readonly string[];
  readonly pool: string | null;
  readonly lock: string | null;
  readonly ha: string | null;
  readonly cores: number | undefined;
  readonly memoryBytes: number | undefined;
  readonly diskBytes: number | undefined;
  readonly uptimeSeconds: number | undefined;
}

export interface ObservedNode {
  readonly name: string;
  readonly status: NodeStatus;
  readonly maintenance: boolean;
  readonly ip: IpAddress | null;
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly diskBytes: number | null;
}

/** The parts read one by one, besides the list. `power` is keyed by node, `vmid` by a VMID whose absence is in question. */
export type SlicePart = 'config' | 'addresses' | 'power' | 'vmid';

/** Names one part: `key` is the VMID in decimal, or the node's name for `power`. */
export interface PartKey {
  readonly part: SlicePart;
  readonly key: string;
}

/**
 * What came of asking for one part.
 * `none`: the guest has no such part (stopped, no agent configured, a version without the call): nothing to read, nothing in doubt.
 * `failed`: it should be there and could not be read; the last known stays and is not covered.
 */
export type PartResult =
  | { readonly kind: 'read'; readonly part: 'config'; readonly value: GuestConfig }
  | { readonly kind: 'read'; readonly part: 'addresses'; readonly value: GuestInterfaces }
  | { readonly kind: 'read'; readonly part: 'power'; readonly value: ReadonlyMap<number, string> }
  | { readonly kind: 'read'; readonly part: 'vmid'; readonly value: { readonly free: boolean } }
  | { readonly kind: 'none'; readonly part: SlicePart; readonly reason: string }
  | { readonly kind: 'failed'; readonly part: SlicePart; readonly reason: string };

export interface PartRead {
  readonly key: string;
  /** When the request was sent. */
  readonly askedAt: Instant;
  readonly result: PartResult;
}

/** One pass over a Proxmox cluster: the poll, and the parts that were read with it. */
export interface ProxmoxObservation {
  /** When the list was asked for. */
  readonly askedAt: Instant;
  readonly proxmoxName: string | null;
  readonly version: string | null;
  readonly quorate: boolean;
  readonly quorumKnown: boolean;
  readonly nodes: readonly ObservedNode[];
  readonly rows: readonly ObservedRow[];
  readonly parts: readonly PartRead[];
  /** Whether every part of every guest was asked for in this pass. */
  readonly full: boolean;
  /** Up to where tasks and log were seen; handed back as `KnownCluster.activityMark` by the next poll. Opaque. */
  readonly activityMark: string | null;
  /** Things a person should know: a missing privilege, an unknown row type, a call this version does not have. */
  readonly notes: readonly string[];
}

/** What the store knows of one guest, for a source to see what changed and what is longest unread. */
export interface KnownGuest {
  readonly vmid: number;
  readonly row: GuestRow;
  readonly agent: boolean | undefined;
  readonly parts: Readonly<Partial<Record<'config' | 'addresses', PartAge>>>;
}

export interface PartAge {
  /** Last success, null: never. */
  readonly askedAt: Instant | null;
  /** Last attempt. */
  readonly attemptedAt: Instant | null;
  readonly failures: number;
}

export interface KnownCluster {
  readonly guests: ReadonlyMap<number, KnownGuest>;
  /** Ages of the power detail, by node. */
  readonly power: ReadonlyMap<string, PartAge>;
  /** Ages of the absence proofs, by VMID; also those asked for and never read. */
  readonly vmids: ReadonlyMap<number, PartAge>;
  /** `ProxmoxObservation.activityMark` of the last good poll; null at first. */
  readonly activityMark: string | null;
}

/** How much to read besides the list: some of the longest unread (`slice`), or every part (`all`); `asked` comes first. */
export interface ReadPlan {
  readonly mode: 'slice' | 'all';
  readonly slice: number;
  readonly asked: readonly PartKey[];
}

export type Progress = (done: number, total: number) => void;
