import type { Principal } from '../domain/access.js';
import type {
  DeclaredFact,
  DriftCategory,
  DriftFindingKind,
  DriftFindingState,
  FindingEvent,
  FindingId,
  Severity,
} from '../domain/finding.js';
import type { GuestKind, GuestStatus, NodeStatus } from '../domain/guest.js';
import type { Instant } from '../domain/time.js';
import type { Page, PageRequest } from './page.js';
import type {
  AddressRecord,
  CollectorRecord,
  DriftFacts,
  FindingRecord,
  Freshness,
  GuestRecord,
  InventoryFreshness,
  NodeRecord,
  SummaryRecord,
} from './records.js';

export interface GuestFilter {
  readonly cluster?: string | undefined;
  readonly node?: string | undefined;
  readonly statuses?: readonly GuestStatus[] | undefined;
  readonly kinds?: readonly GuestKind[] | undefined;
  readonly tag?: string | undefined;
  /** Part of the name, the VMID, a MAC or an address; case does not matter. */
  readonly search?: string | undefined;
  readonly address?: string | undefined;
  readonly withOpenFindings?: boolean | undefined;
  /** undefined: guests and templates alike. */
  readonly template?: boolean | undefined;
}

export type GuestOrderField = 'VMID' | 'NAME' | 'NODE' | 'STATUS' | 'MEMORY';
export interface GuestOrder {
  readonly field: GuestOrderField;
  readonly direction: 'ASC' | 'DESC';
}

export interface GuestsQuery extends PageRequest {
  readonly filter?: GuestFilter | undefined;
  /** Default: by cluster and VMID. */
  readonly orderBy?: GuestOrder | undefined;
}

export interface NodesQuery extends PageRequest {
  readonly filter?: { readonly cluster?: string | undefined; readonly statuses?: readonly NodeStatus[] | undefined };
}

export interface AddressFilter {
  readonly scope?: string | undefined;
  readonly search?: string | undefined;
  readonly declared?: boolean | undefined;
  readonly carried?: boolean | undefined;
  readonly cluster?: string | undefined;
}
export interface AddressesQuery extends PageRequest {
  readonly filter?: AddressFilter | undefined;
}

export interface DriftFindingFilter {
  /** Default: OPEN and ACKNOWLEDGED. */
  readonly states?: readonly DriftFindingState[] | undefined;
  readonly kinds?: readonly DriftFindingKind[] | undefined;
  readonly severities?: readonly Severity[] | undefined;
  readonly categories?: readonly DriftCategory[] | undefined;
  readonly cluster?: string | undefined;
  readonly vmid?: number | undefined;
  /** First seen at or after this moment. */
  readonly since?: Instant | undefined;
}

export type FindingStep = FindingEvent & { readonly cursor: bigint | null };

/**
 * What is known of the estate, for a caller. Every function asks `inventory:read` (`drift:read` where it speaks of
 * findings) and leaves out what the caller's tenants do not hold. What has no Promise is answered from memory.
 */
export interface InventoryVerbs {
  freshness(principal: Principal): InventoryFreshness;
  summary(principal: Principal): SummaryRecord;
  guests(principal: Principal, query: GuestsQuery): Page<GuestRecord>;
  /** All that match, in order of cluster and VMID: for answers that are not paged. */
  allGuests(principal: Principal, filter?: GuestFilter): readonly GuestRecord[];
  /** undefined: absent or not the caller's. CONFLICT names the clusters when several have the VMID. */
  guest(principal: Principal, cluster: string | undefined, vmid: number): GuestRecord | undefined;
  /** `cluster/vmid` or `cluster/vmid@n`. */
  guestById(principal: Principal, id: string): GuestRecord | undefined;
  guestsAsOf(principal: Principal, at: Instant, query: GuestsQuery): Promise<Page<GuestRecord>>;
  guestAsOf(
    principal: Principal,
    at: Instant,
    cluster: string | undefined,
    vmid: number,
  ): Promise<GuestRecord | undefined>;
  nodes(principal: Principal, query: NodesQuery): Page<NodeRecord>;
  addresses(principal: Principal, query: AddressesQuery): Page<AddressRecord>;
  driftFindings(principal: Principal, filter: DriftFindingFilter, page: PageRequest): Promise<Page<FindingRecord>>;
  driftFinding(principal: Principal, id: FindingId): Promise<FindingRecord | undefined>;
  /** Living and resolved ones by id, in one question; absent and hidden ones are left out. */
  driftFindingsById(principal: Principal, ids: readonly FindingId[]): Promise<ReadonlyMap<FindingId, FindingRecord>>;
  driftHistory(
    principal: Principal,
    ids: readonly FindingId[],
  ): Promise<ReadonlyMap<FindingId, readonly FindingStep[]>>;
  driftFacts(principal: Principal): DriftFacts;
  collectors(principal: Principal): Promise<readonly CollectorRecord[]>;

  /** Edges of a guest. */
  nodeOf(guest: GuestRecord): NodeRecord;
  findingsOf(principal: Principal, guest: GuestRecord, states?: readonly DriftFindingState[]): readonly FindingRecord[];
  declaredOf(guest: GuestRecord): readonly DeclaredFact[];
  freshnessOf(guest: GuestRecord): Freshness;
  /** The carried address that the winning declaration names, else the first static one by device, else the lowest other; IPv4 first. */
  primaryAddress(guest: GuestRecord): string | null;
  /** Edges of a node. */
  guestsOn(principal: Principal, node: NodeRecord): readonly GuestRecord[];
  nodeFreshness(node: NodeRecord): Freshness;
}
