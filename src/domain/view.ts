import type { CarriedAddress } from './carried.js';
import type { CollectorContract, CollectorName } from './contract.js';
import type { Declaration, Declarations, DeclaredProblem, KeptDeclaration, KeyConflict } from './declaration.js';
import type { Finding, FindingId } from './finding.js';
import type {
  ClusterRow,
  GuestId,
  GuestIdentity,
  GuestInterfaces,
  GuestKey,
  GuestPower,
  GuestRow,
  GuestStatus,
  KeptConfig,
  NodeRow,
} from './guest.js';
import { noRecords, type Records } from './record.js';
import type { ClusterSettings } from './settings.js';
import type { ChangeInterval, Instant } from './time.js';
import type { SourceState } from './version.js';

/** What became of the last attempt to read one part. */
export interface PartState {
  readonly state: 'read' | 'none' | 'failed' | 'never';
  /** When the last success was asked; null: never. */
  readonly askedAt: Instant | null;
  readonly attemptedAt: Instant | null;
  readonly failures: number;
  readonly reason: string | null;
}

export const NEVER_READ: PartState = { state: 'never', askedAt: null, attemptedAt: null, failures: 0, reason: null };

/** A living guest: the last known of each part, with its age. */
export interface GuestView {
  readonly id: GuestId;
  readonly key: GuestKey;
  readonly cluster: string;
  readonly vmid: number;
  readonly incarnation: number;
  readonly row: GuestRow;
  readonly config: KeptConfig | null;
  readonly interfaces: GuestInterfaces | null;
  readonly power: GuestPower | null;
  readonly parts: { readonly config: PartState; readonly addresses: PartState };
  /** When each part came to say what it says. */
  readonly changed: {
    readonly config: ChangeInterval;
    readonly addresses: ChangeInterval;
    readonly power: ChangeInterval;
  };
  /** When the config was first read as it is now, also at the first look; null while there is none. */
  readonly configSince: Instant | null;
  /** When its config as a whole last changed; `changed.config` is of its network devices alone. */
  readonly configChanged: ChangeInterval;
  /** The row's word, with PAUSED from the power detail, and UNKNOWN while its node is not online. */
  readonly status: GuestStatus;
  readonly carried: readonly CarriedAddress[];
  /** The scope of its first network device; its cluster's where it has none. */
  readonly firstScope: string;
}

export interface NodeView {
  /** `cluster/node`. */
  readonly id: string;
  readonly cluster: string;
  readonly name: string;
  readonly row: NodeRow;
  readonly power: PartState;
}

export interface ClusterView {
  readonly name: string;
  readonly settings: ClusterSettings;
  readonly state: SourceState;
  /** null before the first good poll. */
  readonly row: ClusterRow | null;
}

/** Body of the version `declared.meta`. */
export interface DeclaredMeta {
  readonly declaresGuests: boolean;
  readonly declaresAddresses: boolean;
  readonly problems: readonly DeclaredProblem[];
  readonly keyConflicts: readonly KeyConflict[];
  readonly contentHash: string;
}

export interface KeptDeclared {
  readonly state: SourceState;
  readonly meta: DeclaredMeta | null;
  readonly rows: ReadonlyMap<string, KeptDeclaration>;
  readonly removed: readonly { readonly row: Declaration; readonly goneAt: Instant }[];
  /** Of a service: when it was asked for one guest (`cluster/vmid`) alone. */
  readonly asked: ReadonlyMap<GuestKey, Instant>;
}

/** Body of the version `policy`: a policy.yaml that could be used as a whole, as it was written. */
export interface PolicyText {
  readonly text: string;
  /** SHA-256 of the file, in hex. */
  readonly contentHash: string;
}

/** What is kept of policy.yaml: the last good one, and what became of the last look at the file. */
export interface KeptPolicy {
  readonly state: SourceState;
  /** null: none was ever taken, and every default holds. */
  readonly taken: (PolicyText & { readonly since: Instant }) | null;
}

export interface AbsenceProof {
  readonly free: boolean;
  /** When it was first found so. */
  readonly since: Instant;
  readonly askedAt: Instant;
}

/** The inventory as one replica knows it: immutable, numbered, built from the store. */
export interface InventoryView {
  readonly number: number;
  /** The highest sequence number it has learned. */
  readonly seq: bigint;
  readonly contract: CollectorContract;
  /** Collectors that the settings name sources for and whose switch is off. */
  readonly collectorsOff: readonly CollectorName[];
  readonly clusters: ReadonlyMap<string, ClusterView>;
  /** By `cluster/node`, sorted. */
  readonly nodes: ReadonlyMap<string, NodeView>;
  /** Living guests by `cluster/vmid@n`, sorted by cluster and VMID. Hidden ones included. */
  readonly guests: ReadonlyMap<GuestId, GuestView>;
  readonly guestsByKey: ReadonlyMap<GuestKey, GuestView>;
  /** Who lives, or lived last, under each `cluster/vmid`. */
  readonly identities: ReadonlyMap<GuestKey, GuestIdentity>;
  /** Ages of absence reads, by `cluster/vmid`. */
  readonly absenceReads: ReadonlyMap<GuestKey, PartState>;
  /** What was learned of VMIDs that no list shows, by `cluster/vmid`. */
  readonly absences: ReadonlyMap<GuestKey, AbsenceProof>;
  readonly declarations: Declarations;
  /** What is kept of each declared source, by source name (`declared:…`); `declarations` is made of it. */
  readonly declared: ReadonlyMap<string, KeptDeclared>;
  /** null: nobody has looked for a policy.yaml yet. */
  readonly policy: KeptPolicy | null;
  /** States of the services, by source name (`npm:edge-proxy`), sorted; those that retired are not there. */
  readonly services: ReadonlyMap<string, SourceState>;
  readonly records: Records;
  readonly findings: FindingsView;
}

/** Findings in the view: all that are not RESOLVED, and those by the guest they belong to. */
export interface FindingsView {
  readonly number: number;
  readonly byId: ReadonlyMap<FindingId, Finding>;
  readonly byGuest: ReadonlyMap<GuestId, readonly Finding[]>;
  readonly comparedAt: Instant | null;
}

export function emptyView(contract: CollectorContract): InventoryView {
  return {
    number: 0,
    seq: 0n,
    contract,
    collectorsOff: [],
    clusters: new Map(),
    nodes: new Map(),
    guests: new Map(),
    guestsByKey: new Map(),
    identities: new Map(),
    absenceReads: new Map(),
    absences: new Map(),
    declared: new Map(),
    declarations: [],
    policy: null,
    services: new Map(),
    records: noRecords(),
    findings: { number: 0, byId: new Map(), byGuest: new Map(), comparedAt: null },
  };
}

/** The state of every source, by kind: clusters, declared ones, the policy, services. Those that retired are left out. */
export function sourceStates(
  view: Pick<InventoryView, 'clusters' | 'declared' | 'policy' | 'services'>,
): readonly SourceState[] {
  const policy = view.policy === null ? [] : [view.policy];
  const states = [...view.clusters.values(), ...view.declared.values(), ...policy].map(({ state }) => state);
  return [...states, ...view.services.values()].filter(({ outcome }) => outcome !== 'RETIRED');
}
