import type { Family, IpAddress } from '../domain/address.js';
import type { CollectorName, CollectorTerms } from '../domain/contract.js';
import type { DeclaredFact, DriftFindingKind, Finding, Severity, Subject } from '../domain/finding.js';
import type { GuestId, GuestKind, GuestStatus, NodeStatus } from '../domain/guest.js';
import type { AddressClass } from '../domain/policy.js';
import type { Instant } from '../domain/time.js';

/** How old an answer is, and whether that is older than its collector's contract allows. */
export interface Freshness {
  /** null: never collected. */
  readonly collectedAt: Instant | null;
  readonly ageSeconds: number | null;
  readonly stale: boolean;
  /** Why it is not newer; null while all is well. */
  readonly reason: string | null;
}

/** What stands before every inventory answer of the legacy routes. */
export interface InventoryFreshness {
  /** The oldest last success among the collectors behind the answer. */
  readonly collectedAt: Instant | null;
  readonly stale: boolean;
  /** The last poll of at least one cluster failed; `notes` name it. */
  readonly seedUnreachable: boolean;
  readonly notes: readonly string[];
}

export interface GuestAddressRecord {
  readonly address: IpAddress;
  readonly family: Family;
  readonly prefixLength: number | null;
  readonly scope: string;
  readonly mac: string | null;
  /** The network device that bears it: `net0`. */
  readonly interface: string;
  readonly linkDown: boolean;
  readonly dynamic: boolean;
  readonly evidence: readonly AddressEvidenceRecord[];
  /** Of a guest as it was: what is seen on the network now is no evidence of then. */
  readonly isPast?: true;
}

export interface AddressEvidenceRecord {
  readonly source: string;
  readonly at: Instant | null;
}

/** Somebody was seen answering for an address. */
export interface AddressSightingRecord {
  readonly by: 'NEIGHBOUR' | 'UNIFI';
  /** The service that saw it: `ip_neigh:main/pve1`. */
  readonly source: string;
  readonly mac: string;
  /** When it last answered for itself; null: it is only remembered. */
  readonly at: Instant | null;
  /** Told by a control plane or answered for by proxy. */
  readonly secondHand: boolean;
  /** In words: `pve1 on vmbr0`. */
  readonly where: string;
}

export interface GuestInterfaceRecord {
  readonly key: string;
  readonly mac: string | null;
  readonly bridge: string | null;
  readonly vlan: number | null;
  readonly linkDown: boolean;
}

/** A guest as callers see it, now or at a moment in the past. Its edges are asked of the verbs. */
export interface GuestRecord {
  readonly id: GuestId;
  readonly cluster: string;
  readonly vmid: number;
  readonly incarnation: number;
  readonly name: string | null;
  readonly kind: GuestKind;
  readonly status: GuestStatus;
  readonly nodeName: string;
  readonly tags: readonly string[];
  readonly pool: string | null;
  readonly template: boolean;
  readonly lock: string | null;
  readonly ha: string | null;
  readonly hidden: boolean;
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly diskBytes: number | null;
  readonly startedAt: Instant | null;
  /** What it carries, by device, family and address. */
  readonly addresses: readonly GuestAddressRecord[];
  readonly interfaces: readonly GuestInterfaceRecord[];
  /** null: as it is now. */
  readonly asOf: Instant | null;
}

export interface NodeRecord {
  /** `cluster/node`. */
  readonly id: string;
  readonly cluster: string;
  readonly name: string;
  readonly status: NodeStatus;
  readonly maintenance: boolean;
  readonly ip: IpAddress | null;
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly diskBytes: number | null;
  readonly asOf: Instant | null;
}

export interface AddressDeclarer {
  readonly source: string;
  readonly location: string;
  /** The variable's name, or the cell as written. */
  readonly label: string;
  readonly guests: readonly GuestId[];
  readonly vmids: readonly number[];
}

export interface AddressCarrier extends GuestAddressRecord {
  readonly guestId: GuestId;
}

/** One address of the estate: who declares it, who carries it. */
export interface AddressRecord {
  /** `scope/address`; the bare address in scope `default`. */
  readonly id: string;
  readonly scope: string;
  readonly address: IpAddress;
  readonly family: Family;
  /** null: an ordinary one. */
  readonly class: AddressClass | null;
  readonly declaredBy: readonly AddressDeclarer[];
  readonly carriedBy: readonly AddressCarrier[];
  /** Who was seen answering for it, newest first. */
  readonly seen: readonly AddressSightingRecord[];
  /** Declared and carried by nobody that was read: how many running guests of its scope could not be asked; else 0. */
  readonly unread: number;
}

export interface RunSummary {
  readonly id: string;
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly outcome: string;
  readonly requests: number;
  readonly coverage: { readonly rows: number; readonly parts: number; readonly failed: number };
}

export interface CollectorSourceRecord {
  readonly name: string;
  readonly collector: CollectorName | null;
  /** '' for a service of no cluster. */
  readonly cluster: string;
  readonly outcome: 'OBSERVED' | 'UNREACHABLE' | 'NEVER';
  readonly reason: string | null;
  readonly notes: readonly string[];
  readonly lastSuccessAt: Instant | null;
  readonly lastAttemptAt: Instant | null;
  readonly stale: boolean;
  /** Until when it is left alone after failing again and again; null: it is asked as usual. */
  readonly breaker: { readonly failures: number; readonly until: Instant } | null;
  readonly lastRun: RunSummary | null;
}

/** One collector of the contract with its sources. */
export interface CollectorRecord {
  readonly name: CollectorName;
  readonly terms: CollectorTerms;
  /** `NOT_CONFIGURED` where it has no source. Else the worst of its sources. */
  readonly outcome: 'OBSERVED' | 'UNREACHABLE' | 'NEVER' | 'NOT_CONFIGURED' | 'DISABLED';
  readonly reason: string | null;
  /** Oldest success among its sources. */
  readonly freshness: Freshness;
  readonly lastRun: RunSummary | null;
  readonly sources: readonly CollectorSourceRecord[];
}

/** A file or service in which people wrote down what should be. */
export interface DeclaredSourceRecord {
  readonly name: string;
  readonly state: 'NEVER' | 'COVERED' | 'UNREACHABLE';
  readonly reason: string | null;
  readonly readAt: Instant | null;
  readonly rows: number;
  readonly problems: readonly { readonly location: string; readonly message: string }[];
}

/** A finding as callers see it: its identity laid open, `lastSeenAt` from the last read that covered its subject. */
export interface FindingRecord extends Finding {
  readonly kind: DriftFindingKind;
  readonly subject: Subject;
  /** null for kinds that have no field. */
  readonly field: string | null;
  /** null: as it is now. */
  readonly asOf: Instant | null;
}

export interface HealthParts {
  readonly critical: number;
  readonly warning: number;
  readonly info: number;
  readonly guests: number;
  readonly staleCollectors: number;
  /** Points lost by findings and by stale collectors, of 100. */
  readonly lostByFindings: number;
  readonly lostByStaleness: number;
}

export interface SummaryRecord {
  readonly clusters: number;
  readonly nodes: { readonly total: number; readonly online: number };
  /** Templates count nowhere else. PAUSED counts as running. */
  readonly guests: {
    readonly total: number;
    readonly running: number;
    readonly stopped: number;
    readonly unknown: number;
    readonly templates: number;
  };
  readonly drift: {
    readonly open: number;
    readonly acknowledged: number;
    readonly suppressed: number;
    readonly ignored: number;
    /** Open ones, by kind and by severity; kinds without any are left out. */
    readonly byKind: readonly { readonly kind: DriftFindingKind; readonly count: number }[];
    readonly bySeverity: readonly { readonly severity: Severity; readonly count: number }[];
    readonly comparedAt: Instant | null;
  };
  readonly healthScore: number;
  readonly health: HealthParts;
  readonly freshness: InventoryFreshness;
  /** null: no policy.yaml was ever taken, and every default holds. */
  readonly policy: { readonly contentHash: string; readonly since: Instant } | null;
  readonly sources: readonly CollectorSourceRecord[];
  readonly declaredSources: readonly DeclaredSourceRecord[];
}

/** The facts beside the findings: all that is so, also what a finding swallows. */
export interface DriftFacts {
  readonly freshness: InventoryFreshness;
  readonly ipAddressesConfIpsNotOnGuests: readonly {
    readonly ip: string;
    readonly key: string;
    readonly line: number;
  }[];
  readonly guestIpsNotDeclared: readonly { readonly ip: string; readonly vmid: number; readonly name: string | null }[];
  readonly vmidsNotDeclared: readonly {
    readonly vmid: number;
    readonly name: string | null;
    readonly cluster: string;
    readonly node: string;
  }[];
  readonly declaredVmidsNotLive: readonly {
    readonly vmid: number;
    readonly name: string | null;
    readonly source: string;
    readonly location: string;
  }[];
  readonly mismatches: readonly {
    readonly vmid: number;
    readonly field: string;
    readonly declared: string | null;
    readonly observed: string | null;
    readonly source: string;
  }[];
  readonly duplicateIps: readonly { readonly ip: string; readonly vmids: readonly number[] }[];
  readonly declarationsInConflict: readonly {
    readonly subject: string;
    readonly field: string;
    readonly facts: readonly Pick<DeclaredFact, 'value' | 'source' | 'location'>[];
  }[];
  /** Open and acknowledged ones. */
  readonly findings: readonly FindingRecord[];
}
