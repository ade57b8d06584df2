import type { RecordKind } from './record.js';
import type { Instant } from './time.js';

/**
 * What was observed is kept as versions: a body that held from `validFrom` until the next one.
 * `cluster` is the cluster's name, or '' for a declared source or a service of no cluster.
 *
 *   kind             key           incarnation   body
 *   cluster          cluster       0             ClusterRow
 *   node             node name     0             NodeRow
 *   guest            vmid          n             GuestRow
 *   guest.config     vmid          n             KeptConfig
 *   guest.addresses  vmid          n             GuestInterfaces
 *   guest.power      vmid          n             GuestPower, while it says other than running or stopped
 *   guest.identity   vmid          0             GuestIdentity, written when a guest goes: who lived there last
 *   vmid             vmid          0             VmidRow
 *   declared.row     declaration   0             KeptDeclaration
 *   declared.meta    'meta'        0             DeclaredMeta
 *   policy           policy.yaml   0             PolicyText
 *   and the records of services, as domain/record lists them
 */
export type VersionKind =
  | 'cluster'
  | 'node'
  | 'guest'
  | 'guest.config'
  | 'guest.addresses'
  | 'guest.power'
  | 'guest.identity'
  | 'vmid'
  | 'declared.row'
  | 'declared.meta'
  | 'policy'
  | RecordKind;

export interface VersionKey {
  /** The source's name: `proxmox:main`, `declared:ip-addresses.conf`. */
  readonly source: string;
  readonly cluster: string;
  readonly kind: VersionKind;
  readonly key: string;
  readonly incarnation: number;
}

export interface Version extends VersionKey {
  readonly body: unknown;
  /** Hex digest of the body's canonical JSON, without what changes at every read. */
  readonly hash: string;
  readonly validFrom: Instant;
  /** The last read that still showed what was before; null: there was none. */
  readonly priorReadAt: Instant | null;
}

/**
 * A version that begins now (ending the open one of the same key, if any), or one that ends with no successor.
 * `text`: its body as JSON, where that was made anyway; it is written as it stands.
 */
export type VersionWrite =
  | { readonly op: 'put'; readonly version: Version; readonly text?: string }
  | { readonly op: 'end'; readonly key: VersionKey; readonly validTo: Instant };

/**
 * The read time of one part. `never` undoes what an earlier incarnation had.
 * `vm`: a declared service was asked for one guest (`cluster/vmid`). `neighbour`, `unifi.client`: when such a record last answered.
 */
export interface PartReadRow {
  readonly source: string;
  readonly part: 'config' | 'addresses' | 'power' | 'vmid' | 'vm' | 'neighbour' | 'unifi.client';
  readonly key: string;
  readonly state: 'read' | 'none' | 'failed' | 'never';
  /** When the last success (or `none`) was asked. */
  readonly askedAt: Instant | null;
  readonly attemptedAt: Instant | null;
  readonly failures: number;
  readonly reason: string | null;
}

export type SourceKind = 'proxmox' | 'declared' | 'policy' | ServiceKind;
/** What is collected besides clusters and declarations. The kind is also the head of the source's name. */
export const SERVICE_KINDS = ['ip_neigh', 'hardware', 'npm', 'unifi'] as const;
export type ServiceKind = (typeof SERVICE_KINDS)[number];

export function isServiceKind(kind: SourceKind): kind is ServiceKind {
  return (SERVICE_KINDS as readonly string[]).includes(kind);
}

/** One row a source: what became of its last attempt. */
export interface SourceState {
  readonly source: string;
  readonly kind: SourceKind;
  /** '' for a declared source, the policy, and a service of no cluster. */
  readonly cluster: string;
  readonly outcome: 'OBSERVED' | 'UNREACHABLE' | 'NEVER' | 'RETIRED';
  readonly reason: string | null;
  readonly notes: readonly string[];
  readonly firstSuccessAt: Instant | null;
  /** When the last good poll was asked; for a declared file: when its present content was read. */
  readonly lastSuccessAt: Instant | null;
  readonly lastAttemptAt: Instant | null;
  readonly unreachableSince: Instant | null;
  /** When a pass last read every part. */
  readonly lastFullAt: Instant | null;
  readonly activityMark: string | null;
  /** Requests of the last run. */
  readonly requests: number;
  readonly failures: number;
  /** Until when a source that keeps failing is left alone; null: closed breaker. */
  readonly backOffUntil: Instant | null;
}

/** The state of a source of which nothing was ever read. */
export function neverCollected({
  source,
  kind,
  cluster,
}: Pick<SourceState, 'source' | 'kind' | 'cluster'>): SourceState {
  return {
    source,
    kind,
    cluster,
    outcome: 'NEVER',
    reason: null,
    notes: [],
    firstSuccessAt: null,
    lastSuccessAt: null,
    lastAttemptAt: null,
    unreachableSince: null,
    lastFullAt: null,
    activityMark: null,
    requests: 0,
    failures: 0,
    backOffUntil: null,
  };
}

/** All that one run changes. Written in one transaction, then learned by every replica. */
export interface Batch {
  readonly writes: readonly VersionWrite[];
  readonly reads: readonly PartReadRow[];
  readonly state: SourceState;
}
