import type { IpAddress } from './address.js';
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

export type Declaration = GuestDeclaration | AddressDeclaration | UnreadableDeclaration;

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
