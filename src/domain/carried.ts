import type { Family, IpAddress } from './address.js';
import type { Mac } from './mac.js';
import type { Instant } from './time.js';

export type EvidenceSource = 'CONFIG' | 'AGENT' | 'INTERFACES';

/** One address that a guest carries on one of its network devices. */
export interface CarriedAddress {
  readonly address: IpAddress;
  readonly family: Family;
  readonly prefixLength: number | null;
  /** The scope it lives in: equal text in two scopes is two addresses. */
  readonly scope: string;
  readonly device: string;
  readonly mac: Mac | null;
  readonly linkDown: boolean;
  readonly dynamic: boolean;
  /** Who says so, and when that was asked. The first one decides. */
  readonly evidence: readonly { readonly source: EvidenceSource; readonly at: Instant | null }[];
}
