import type { DriftCategory, DriftFindingKind, DriftFindingState, Severity } from './finding.js';
import type { GuestKind, GuestStatus } from './guest.js';
import type { Instant } from './time.js';

/** Which guests are meant. What is undefined matches all. */
export interface GuestFilter {
  readonly cluster?: string | undefined;
  /** The node's name, or `cluster/node`. */
  readonly node?: string | undefined;
  readonly statuses?: readonly GuestStatus[] | undefined;
  readonly kinds?: readonly GuestKind[] | undefined;
  readonly tag?: string | undefined;
  /** Part of the name or of an address, or the VMID or a MAC; case does not matter. */
  readonly search?: string | undefined;
  readonly address?: string | undefined;
  readonly withOpenFindings?: boolean | undefined;
  /** undefined: guests and templates alike. */
  readonly template?: boolean | undefined;
}

/** Which findings are meant. What is undefined matches all; which states are meant then, the reader says. */
export interface DriftFindingFilter {
  readonly states?: readonly DriftFindingState[] | undefined;
  readonly kinds?: readonly DriftFindingKind[] | undefined;
  readonly severities?: readonly Severity[] | undefined;
  readonly categories?: readonly DriftCategory[] | undefined;
  readonly cluster?: string | undefined;
  readonly vmid?: number | undefined;
  /** First seen (of an event: happened) at or after this moment. */
  readonly since?: Instant | undefined;
}
