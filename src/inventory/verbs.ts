import type { Principal } from '../domain/access.js';
import type { DriftFindingFilter, GuestFilter } from '../domain/filters.js';
import type { DeclaredFact, DriftFindingState, FindingEvent, FindingId } from '../domain/finding.js';
import type { GuestId, NodeStatus } from '../domain/guest.js';
import type { Page, PageRequest } from '../domain/page.js';
import type { Instant } from '../domain/time.js';
import type { ChangeRecord, ChangesWanted } from './changes.js';
import type { NodeHardware } from './hardware.js';
import type { PortMapQuery, PortMapRecord } from './port-map.js';
import type {
  AddressCarrier,
  AddressEvidenceRecord,
  AddressRecord,
  CollectorRecord,
  DeclaredSourceRecord,
  DriftFacts,
  FindingRecord,
  Freshness,
  GuestAddressRecord,
  GuestRecord,
  InventoryFreshness,
  NodeRecord,
  SummaryRecord,
} from './records.js';
import type { RecordCollector, ServiceInventory } from './services.js';
import type { DriftBucketRecord, TimeBucket } from './timeline.js';

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
  /** Whether a living guest passes a filter; false where it is gone or not the caller's. */
  matchesGuest(principal: Principal, id: GuestId, filter: GuestFilter): boolean;
  guestsAsOf(principal: Principal, at: Instant, query: GuestsQuery): Promise<Page<GuestRecord>>;
  guestAsOf(
    principal: Principal,
    at: Instant,
    cluster: string | undefined,
    vmid: number,
  ): Promise<GuestRecord | undefined>;
  /** Guests as they were then, by `cluster/vmid@n`; absent and hidden ones are left out. */
  guestsByIdAsOf(
    principal: Principal,
    at: Instant,
    ids: readonly GuestId[],
  ): Promise<ReadonlyMap<GuestId, GuestRecord>>;
  /** The files and services in which people wrote down what should be. */
  declaredSources(principal: Principal): readonly DeclaredSourceRecord[];
  nodes(principal: Principal, query: NodesQuery): Page<NodeRecord>;
  /** `cluster/node`; undefined: absent or not the caller's. */
  nodeById(principal: Principal, id: string): NodeRecord | undefined;
  addresses(principal: Principal, query: AddressesQuery): Page<AddressRecord>;
  addressesAsOf(principal: Principal, at: Instant, query: AddressesQuery): Promise<Page<AddressRecord>>;
  /** The guest that carries an address, as it was where the address is of the past; undefined: not the caller's. */
  carrierOf(principal: Principal, carrier: AddressCarrier): GuestRecord | undefined;
  /** What changed between two moments, newest first; of what was there at the first look at its source, nothing did. */
  inventoryChanges(principal: Principal, query: ChangesWanted): Promise<Page<ChangeRecord>>;
  /** Public names on their way to a guest and its switch port; needs `portmap:read`. */
  portMap(principal: Principal, query: PortMapQuery): Page<PortMapRecord>;
  /** All rows, for answers that are not paged; undefined freshness: no proxy is configured. */
  wholePortMap(principal: Principal): {
    readonly freshness: InventoryFreshness | undefined;
    readonly rows: readonly PortMapRecord[];
  };
  driftFindings(principal: Principal, filter: DriftFindingFilter, page: PageRequest): Promise<Page<FindingRecord>>;
  /** Findings in the states and with the values of then. */
  driftFindingsAsOf(
    principal: Principal,
    at: Instant,
    filter: DriftFindingFilter,
    page: PageRequest,
  ): Promise<Page<FindingRecord>>;
  /** The findings that guests had then, in whatever state, newest first. */
  guestFindingsAsOf(
    principal: Principal,
    at: Instant,
    ids: readonly GuestId[],
  ): Promise<ReadonlyMap<GuestId, readonly FindingRecord[]>>;
  /** What happened to findings, in whole buckets (UTC) of the time asked for; at most 1,000. */
  driftTimeline(
    principal: Principal,
    query: { readonly from: Instant; readonly to: Instant; readonly bucket: TimeBucket },
  ): Promise<readonly DriftBucketRecord[]>;
  driftFinding(principal: Principal, id: FindingId): Promise<FindingRecord | undefined>;
  /** Living and resolved ones by id, in one question; absent and hidden ones are left out. */
  driftFindingsById(principal: Principal, ids: readonly FindingId[]): Promise<ReadonlyMap<FindingId, FindingRecord>>;
  driftHistory(
    principal: Principal,
    ids: readonly FindingId[],
  ): Promise<ReadonlyMap<FindingId, readonly FindingStep[]>>;
  driftFacts(principal: Principal): DriftFacts;
  collectors(principal: Principal): Promise<readonly CollectorRecord[]>;

  /** Edges of a guest; `findingsOf` is of one as it is now. */
  nodeOf(guest: GuestRecord): NodeRecord;
  findingsOf(principal: Principal, guest: GuestRecord, states?: readonly DriftFindingState[]): readonly FindingRecord[];
  declaredOf(guest: GuestRecord): readonly DeclaredFact[];
  freshnessOf(guest: GuestRecord): Freshness;
  /** The carried address that the winning declaration names, else the first static one by device, else the lowest other; IPv4 first. */
  primaryAddress(guest: GuestRecord): string | null;
  /** Who says that a guest carries an address: what decides it first, then who saw its device answer. */
  evidenceOf(address: GuestAddressRecord): readonly AddressEvidenceRecord[];
  /** Edges of a node. */
  nodeFreshness(node: NodeRecord): Freshness;
  hardwareOf(node: NodeRecord): NodeHardware | undefined;
  /** What a collector's services said last. */
  services(principal: Principal, collector: RecordCollector): ServiceInventory;
}
