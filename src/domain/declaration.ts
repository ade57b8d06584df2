import type { IpAddress } from './address.js';
import type { GuestId, GuestKey } from './guest.js';
import type { Mac } from './mac.js';
import type { ChangeInterval, Instant } from './time.js';

/** Sources in which people write down what should be. The name is also what `precedence` in policy.yaml uses. */
export type DeclaredSourceName = string;

/** What a status cell clearly means; `unclear` words are listed and never compared. */
export type DeclaredStatus = 'running' | 'stopped' | 'planned' | 'retired' | 'unclear';

/** One row of a table of VMIDs, or one VM of an inventory that names its VMID. */
export interface GuestDeclaration {
  readonly kind: 'guest';
  /** Stable over edits elsewhere in the file: made of the VMID and its ordinal, not of the line. */
  readonly key: string;
  readonly location: string;
  /** One VMID, or every one of a range (then name and addresses are listed, not compared). */
  readonly from: number;
  readonly to: number;
  /** The cell as written, for people. */
  readonly text: string;
  /** Cluster column of the row; null without one. */
  readonly cluster: string | null;
  /** Headings above the row, nearest first: one may name a cluster or a node. */
  readonly headings: readonly string[];
  readonly name: string | null;
  readonly node: string | null;
  readonly status: { readonly word: string; readonly means: DeclaredStatus } | null;
  readonly addresses: readonly IpAddress[];
  /** Fields whose cell is there and could not be read: they cover nothing. */
  readonly unreadable: readonly ('name' | 'node' | 'status' | 'addresses')[];
}

/** One address that a file gives a name to, without saying which guest has it. */
export interface AddressDeclaration {
  readonly kind: 'address';
  readonly key: string;
  readonly location: string;
  readonly address: IpAddress;
  readonly prefixLength: number | null;
  /** The variable's name, as written. */
  readonly label: string;
  /** The scope it lives in; absent: `default`. */
  readonly scope?: string;
  /** Set aside (NetBox: reserved, deprecated): it makes no DECLARED_ADDRESS_UNUSED and no conflict. */
  readonly reserved?: boolean;
  /** A lease (NetBox: dhcp, slaac): it makes no ADDRESS_NOT_DECLARED. */
  readonly dynamic?: boolean;
  /** Shared by several in turn (NetBox role vip, vrrp, hsrp, glbp, carp, anycast, loopback, or an FHRP group's). */
  readonly virtual?: boolean;
  /** The device (NetBox) whose address it is: no guest is expected to carry it. */
  readonly device?: string;
}

/** One address of a declared VM. */
export interface VmAddress {
  readonly address: IpAddress;
  /** The scope that its VRF is mapped to; null: whichever the guest carries it in. */
  readonly scope: string | null;
  readonly reserved: boolean;
  readonly dynamic: boolean;
  readonly virtual: boolean;
}

/** An amount in the unit that the source counts in: whether that is of 1000 or of 1024 is not written anywhere. */
export interface DeclaredSize {
  readonly amount: number;
  readonly unit: 'MB' | 'GB';
}

/** One VM of an inventory that has its own ids. Its VMID may be missing: then it is tied to a guest by a MAC, or by its name. */
export interface VmDeclaration {
  readonly kind: 'vm';
  /** `vm/<id of the inventory>`. */
  readonly key: string;
  /** The URL of its page. */
  readonly location: string;
  readonly vmid: number | null;
  /** The cluster as the inventory calls it; null: it names none. */
  readonly clusterName: string | null;
  /** Ours that it stands for: mapped by the settings, else of equal name. Whether we collect that one, the view tells. */
  readonly cluster: string | null;
  readonly name: string | null;
  readonly node: string | null;
  readonly status: GuestDeclaration['status'];
  readonly addresses: readonly VmAddress[];
  readonly interfaces: readonly {
    readonly name: string;
    readonly macs: readonly Mac[];
    readonly vlan: number | null;
  }[];
  readonly cpus: number | null;
  readonly memory: DeclaredSize | null;
  readonly disk: DeclaredSize | null;
  /** Fields that are there and could not be read. */
  readonly unreadable: GuestDeclaration['unreadable'];
  /** The guest it was last tied to (`cluster/vmid@n`): remembered, so that a rename does not part them. */
  readonly tiedTo: GuestId | null;
}

/** A prefix that the inventory knows. It is compared with nothing; it tells where addresses live. */
export interface PrefixDeclaration {
  readonly kind: 'prefix';
  readonly key: string;
  readonly location: string;
  /** `10.0.0.0/24`. */
  readonly prefix: string;
  readonly scope: string;
  readonly status: string | null;
  readonly vlan: number | null;
}

/** A device of the inventory: what a node, a switch or an appliance is called there, and its addresses. */
export interface DeviceDeclaration {
  readonly kind: 'device';
  readonly key: string;
  readonly location: string;
  readonly name: string | null;
  readonly role: string | null;
  readonly serial: string | null;
  readonly status: string | null;
  readonly addresses: readonly IpAddress[];
}

/**
 * A row whose VMID cell cannot be read. It declares nothing, but whoever bears its name or one of its addresses
 * is not called undeclared on its account.
 */
export interface UnreadableDeclaration {
  readonly kind: 'unreadable';
  readonly key: string;
  readonly location: string;
  readonly name: string | null;
  readonly addresses: readonly IpAddress[];
  readonly reason: string;
}

export type Declaration =
  | GuestDeclaration
  | AddressDeclaration
  | UnreadableDeclaration
  | VmDeclaration
  | PrefixDeclaration
  | DeviceDeclaration;

/** A line a person should look at. It never stops the rest of the file. */
export interface DeclaredProblem {
  readonly location: string;
  readonly message: string;
}

/** One key of an address file written twice with two values; the last one wins, as a shell would have it. */
export interface KeyConflict {
  readonly label: string;
  readonly facts: readonly { readonly address: IpAddress; readonly location: string }[];
}

/** What one good read of a declared source gives. */
export interface DeclaredObservation {
  readonly askedAt: Instant;
  readonly declaresGuests: boolean;
  readonly declaresAddresses: boolean;
  readonly rows: readonly Declaration[];
  readonly problems: readonly DeclaredProblem[];
  readonly keyConflicts: readonly KeyConflict[];
  /** Rows of the source, for the rule that one read may not lose over 20 % (at least 5) of them unseen. */
  readonly rowCount: number;
  /**
   * Of a service that was asked for some guests alone: `rows` are what it says of these (`cluster/vmid`) now, and it says
   * nothing of all others, which stay but for the keys that are `gone`. Absent: `rows` are all there is.
   */
  readonly only?: { readonly guests: readonly GuestKey[]; readonly gone: readonly string[] };
}

/** What came of looking at a declared file or service. */
export type DeclaredOutcome =
  | {
      readonly kind: 'observed';
      readonly at: Instant;
      readonly value: DeclaredObservation;
      readonly contentHash: string;
    }
  /** Nothing is there, or nothing with a row in it. `collection` knows whether something ever was. */
  | { readonly kind: 'absent'; readonly at: Instant; readonly reason: string }
  /** It is there and cannot be trusted. `contentHash`: what a person would confirm (`declaredConfirm`) where only too much was lost. */
  | {
      readonly kind: 'unreachable';
      readonly at: Instant;
      readonly reason: string;
      readonly contentHash: string | null;
    };

/** A row as the store keeps it: with the interval in which it came to say what it says. */
export type KeptDeclaration = Declaration & { readonly since: ChangeInterval };

/**
 * A declared source with its coverage.
 * `never`: it was never there; it declares nothing and covers nothing.
 * `covered`: read, and watched since (a watched file counts as read now).
 * `unreachable`: it had rows and now is gone, empty, unreadable or lost too much at once; its last good rows stay.
 */
export interface DeclaredSource {
  readonly name: DeclaredSourceName;
  readonly state:
    | { readonly kind: 'never'; readonly reason: string }
    | { readonly kind: 'covered'; readonly readAt: Instant }
    | { readonly kind: 'unreachable'; readonly readAt: Instant; readonly since: Instant; readonly reason: string };
  /** A file: its directory tells every change, so it counts as read now. A service does not: what it says is of when it was asked. */
  readonly watched: boolean;
  /** Later reads for some guests alone (`cluster/vmid`), by a service. */
  readonly asked: ReadonlyMap<GuestKey, Instant>;
  readonly declaresGuests: boolean;
  readonly declaresAddresses: boolean;
  readonly rows: readonly KeptDeclaration[];
  readonly problems: readonly DeclaredProblem[];
  readonly keyConflicts: readonly KeyConflict[];
  /** Rows that went away lately: what they said is held against the estate only once that was read after `goneAt`. */
  readonly removed: readonly { readonly row: Declaration; readonly goneAt: Instant }[];
}

/** All declared sources that are switched on, in the order of precedence (first wins). */
export type Declarations = readonly DeclaredSource[];

/** From when what a source says of a guest is; of a watched file: now. */
export function saidAt(source: DeclaredSource, guest: GuestKey, now: Instant): Instant {
  if (source.state.kind !== 'covered') return 0;
  return source.watched ? now : Math.max(source.state.readAt, source.asked.get(guest) ?? 0);
}
