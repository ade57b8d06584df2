import type { Instant } from './time.js';

export const DRIFT_KINDS = [
  'GUEST_NOT_DECLARED',
  'GUEST_MISSING',
  'NAME_DIFFERS',
  'NODE_DIFFERS',
  'STATUS_DIFFERS',
  'ADDRESS_DIFFERS',
  'ADDRESS_NOT_DECLARED',
  'DECLARED_ADDRESS_UNUSED',
  'DUPLICATE_ADDRESS',
  'DUPLICATE_MAC',
  'VLAN_DIFFERS',
  'RESOURCES_DIFFER',
  'DECLARATIONS_CONFLICT',
  'ADDRESS_ANSWERED_BY_OTHER',
  'PROXY_TARGET_UNKNOWN',
  'PROXY_TARGET_STOPPED',
  'CERTIFICATE_EXPIRING',
  'HARDWARE_CHANGED',
  'DISK_FAILING',
] as const;
export type DriftFindingKind = (typeof DRIFT_KINDS)[number];

export const FINDING_STATES = ['OPEN', 'ACKNOWLEDGED', 'SUPPRESSED', 'RESOLVED', 'IGNORED'] as const;
export type DriftFindingState = (typeof FINDING_STATES)[number];

export const SEVERITIES = ['INFO', 'WARNING', 'CRITICAL'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const DRIFT_CATEGORIES = ['CONFIGURATION', 'PACKAGE', 'NETWORK', 'STATE', 'SECURITY', 'FIRMWARE'] as const;
export type DriftCategory = (typeof DRIFT_CATEGORIES)[number];

/** What may happen to a finding. Of these, IGNORED is kept in its history alone and told to nobody. */
export type DriftEventType = 'OPENED' | 'UPDATED' | 'ACKNOWLEDGED' | 'SUPPRESSED' | 'RESOLVED' | 'REOPENED' | 'IGNORED';

export type SubjectKind =
  | 'GUEST'
  | 'ADDRESS'
  | 'MAC'
  | 'PROXMOX_NODE'
  | 'PROXY_HOST'
  | 'CERTIFICATE'
  | 'SWITCH_PORT'
  | 'API';

/**
 * Ids: `cluster/vmid@n`, `cluster/vmid` or `*​/vmid` for a declared one, `scope/address`, `cluster/mac`, `cluster/node`;
 * of a service `its name/id` (proxy host, certificate) and `its name/device mac/port` (switch port);
 * of an API its id in the catalogue, which is spoken of in change requests only.
 */
export interface Subject {
  readonly kind: SubjectKind;
  readonly id: string;
}

export interface FindingIdentity {
  readonly kind: DriftFindingKind;
  readonly subject: Subject;
  /** '' for kinds that have no field. */
  readonly field: string;
}

/** `KIND:subject id:field`. Stable over runs, restarts and replicas; it never changes hands. */
export type FindingId = string;

export function findingId(identity: FindingIdentity): FindingId {
  return `${identity.kind}:${identity.subject.id}:${identity.field}`;
}

export interface DeclaredFact {
  readonly field: string;
  readonly value: string;
  readonly source: string;
  readonly location: string;
  readonly wins: boolean;
}

/** Why a finding says what it says: where it was read, and when that was asked. */
export interface Evidence {
  readonly source: string;
  readonly text: string;
  readonly at: Instant | null;
}

/** One difference that is so now. */
export interface Difference {
  readonly identity: FindingIdentity;
  readonly id: FindingId;
  readonly severity: Severity;
  readonly category: DriftCategory;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly declaredBy: readonly DeclaredFact[];
  readonly evidence: readonly Evidence[];
  readonly message: string;
  /** Ids of the living guests in it (`cluster/vmid@n`): they decide who may see it. */
  readonly guests: readonly string[];
  /** Clusters it belongs to where no living guest is in it. */
  readonly clusters: readonly string[];
  readonly onsetAfter: Instant | null;
  readonly onsetBefore: Instant | null;
  /** Identities that would tell it already: it is swallowed when each group has one that is so. No group: never. */
  readonly swallowers: readonly (readonly FindingId[])[];
  /** One of them that is so, where it is swallowed. */
  readonly swallowedBy: FindingId | undefined;
}

/** A person's word on a finding, and the values it was given for. */
export interface Decided {
  readonly state: 'ACKNOWLEDGED' | 'SUPPRESSED';
  readonly at: Instant;
  readonly by: string;
  readonly reason: string | null;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly severity: Severity;
}

/** A finding as kept. `lastSeenAt` is not stored: it is the last run that covered the subject. */
export interface Finding {
  readonly id: FindingId;
  readonly identity: FindingIdentity;
  readonly state: DriftFindingState;
  readonly severity: Severity;
  readonly category: DriftCategory;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly declaredBy: readonly DeclaredFact[];
  readonly evidence: readonly Evidence[];
  readonly message: string;
  readonly guests: readonly string[];
  readonly clusters: readonly string[];
  readonly firstSeenAt: Instant;
  readonly lastSeenAt: Instant;
  readonly onsetAfter: Instant | null;
  readonly onsetBefore: Instant;
  readonly resolvedAt: Instant | null;
  readonly occurrences: number;
  readonly suppressedUntil: Instant | null;
  readonly reason: string | null;
  /** The last person's word, as long as it may hold again: also while the finding is RESOLVED or IGNORED. */
  readonly decided: Decided | null;
}

/** One step of a finding's life. `actor` null: the gateway itself. */
export interface FindingEvent {
  readonly findingId: FindingId;
  readonly at: Instant;
  readonly type: DriftEventType;
  readonly actor: string | null;
  readonly reason: string | null;
  readonly declared: string | null;
  readonly observed: string | null;
}

/** A step with the finding on both sides of it. A silent one stands in the finding's history and is told to nobody. */
export interface FindingStep extends FindingEvent {
  readonly before: Finding | null;
  readonly after: Finding;
  readonly silent: boolean;
}
