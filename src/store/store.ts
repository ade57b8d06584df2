import type { DriftEventType, Finding, FindingEvent, FindingId, Severity } from '../domain/finding.js';
import type { Learned } from '../domain/learn/learned.js';
import type { Instant } from '../domain/time.js';
import type { Batch, Version, VersionKind, VersionWrite } from '../domain/version.js';
import type { Deliveries } from './delivery-words.js';
import type { Retention } from './retention.js';

/** A row of the event log. `cursor` is in commit order: whoever has passed one never finds a later commit behind it. */
export interface LogEvent {
  readonly cursor: bigint;
  readonly topic: string;
  readonly at: Instant;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly payload: unknown;
}
export type NewLogEvent = Omit<LogEvent, 'cursor'>;

export interface RunRecord {
  readonly id: string;
  readonly source: string;
  readonly mode: 'POLL' | 'FULL' | 'ON_DEMAND';
  readonly startedAt: Instant;
  readonly finishedAt: Instant;
  readonly outcome: 'OBSERVED' | 'UNREACHABLE' | 'DISABLED';
  readonly reason: string | null;
  readonly requests: number;
  readonly coverage: { readonly rows: number; readonly parts: number; readonly failed: number };
}

export interface ApiKeyRow {
  readonly id: string;
  /** The first characters of the key, shown in lists; unique. */
  readonly prefix: string;
  /** Hex SHA-256 of the whole key. The key itself is shown once and kept nowhere. */
  readonly hash: string;
  readonly name: string;
  readonly person: string;
  readonly roles: readonly string[];
  /** null: all tenants that the roles allow. */
  readonly tenants: readonly string[] | null;
  readonly createdAt: Instant;
  readonly createdBy: string;
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
}

/** One comparison as recorded. A later one (higher seq) makes an earlier one void. */
export interface ComparisonRecord {
  readonly seq: bigint;
  readonly at: Instant;
}

/** Everything the versions, read times and states after a sequence number say. */
export type Delta = Learned;

/** What may be done inside a write transaction. All of them commit in one order (docs/adr/0001). */
export interface Transaction {
  /** The database's clock at the transaction's start. */
  readonly now: Instant;
  /** The sequence number that everything written here carries. */
  readonly seq: bigint;
  readonly batches: {
    /** Writes a run. Returns the sequence number of the last one written before it, by whichever replica. */
    apply(batch: Batch): Promise<bigint>;
  };
  readonly runs: { add(run: RunRecord): Promise<void> };
  readonly events: { append(events: readonly NewLogEvent[]): Promise<readonly bigint[]> };
  readonly versions: {
    /** Writes versions that no run read: what a person accepted. */
    write(writes: readonly VersionWrite[]): Promise<void>;
  };
  readonly findings: {
    find(id: FindingId): Promise<Finding | undefined>;
    /** Upserts findings and appends their history; `cursors[i]` is the event-log cursor of `history[i]`. */
    save(
      findings: readonly Finding[],
      history: readonly (FindingEvent & { readonly cursor: bigint | null })[],
    ): Promise<void>;
  };
  readonly comparisons: {
    latest(): Promise<ComparisonRecord | undefined>;
    record(c: ComparisonRecord): Promise<void>;
    /** A person's word changed findings: no comparison that began without it may write, on whichever replica. */
    outdate(): Promise<void>;
  };
  readonly apiKeys: {
    add(key: ApiKeyRow): Promise<void>;
    revoke(id: string, at: Instant): Promise<ApiKeyRow | undefined>;
    any(): Promise<boolean>;
  };
  readonly marks: { get(name: string): Promise<string | undefined>; put(name: string, value: string): Promise<void> };
  readonly asks: {
    add(source: string, parts: readonly { part: string; key: string }[]): Promise<void>;
    clear(source: string, parts: readonly { part: string; key: string }[]): Promise<void>;
  };
}

/** The channels on which a commit is announced. The payload carries who and which number, never the truth. */
export type Channel = 'inventory' | 'findings' | 'decisions' | 'events' | 'api_keys' | 'asks' | 'deliveries';

/** Postgres, in the words of the trade. */
export interface Store {
  /** The database's clock. */
  now(): Promise<Instant>;
  /** Runs `work` in one write transaction; rolls back when it throws. */
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  readonly versions: {
    /** All that is open, with read times and states: what a replica starts from. */
    open(): Promise<Delta>;
    since(seq: bigint): Promise<Delta>;
    /** Versions that held at `at` (valid_from <= at < valid_to), optionally of one cluster and some keys. */
    asOf(
      at: Instant,
      kinds: readonly VersionKind[],
      only?: { readonly cluster?: string; readonly keys?: readonly string[] },
    ): Promise<readonly Version[]>;
    /** Declared rows that ended after `after`. */
    endedSince(
      after: Instant,
      kind: VersionKind,
    ): Promise<readonly { readonly version: Version; readonly validTo: Instant }[]>;
    /** What began or ended in a time, newest first: a page of steps, each with what it followed. */
    changes(query: ChangesQuery): Promise<readonly VersionChange[]>;
  };
  readonly runs: {
    latest(source: string): Promise<RunRecord | undefined>;
    /** The last run of each source that was written down; with a moment: that had begun by then. */
    latestBySource(at?: Instant): Promise<ReadonlyMap<string, RunRecord>>;
    everReal(): Promise<boolean>;
  };
  readonly findings: {
    /** All that are not RESOLVED. */
    living(): Promise<readonly Finding[]>;
    /** All that were written after a sequence number, resolved ones too, and up to which number this is all. */
    changedSince(seq: bigint): Promise<{ readonly seq: bigint; readonly findings: readonly Finding[] }>;
    byIds(ids: readonly FindingId[]): Promise<ReadonlyMap<FindingId, Finding>>;
    /** Keyset page, newest `firstSeenAt` first, ties by id. */
    page(query: FindingQuery): Promise<readonly Finding[]>;
    count(query: FindingQuery): Promise<number>;
    /** The same page of what was so at a moment. Where a finding belongs, and who may see it, is as it is now. */
    pageAsOf(at: Instant, query: FindingQuery): Promise<readonly Finding[]>;
    countAsOf(at: Instant, query: FindingQuery): Promise<number>;
    /** Whom the findings belong to that were there, or took a step, in a time. */
    touching(times: FindingTimes): Promise<readonly Pick<Finding, 'id' | 'guests' | 'clusters'>[]>;
    /** What happened to findings (`ids`: these alone) in buckets of `length` milliseconds, numbered from 0. */
    timeline(times: FindingTimes, length: number, ids: readonly FindingId[] | undefined): Promise<FindingTimeline>;
    history(
      ids: readonly FindingId[],
    ): Promise<ReadonlyMap<FindingId, readonly (FindingEvent & { readonly cursor: bigint | null })[]>>;
  };
  readonly events: {
    /** Events after `cursor` whose topic is wanted, oldest first, at most `limit`. */
    after(cursor: bigint, topics: readonly string[], limit: number): Promise<readonly LogEvent[]>;
    /** The newest cursor, and the oldest one a reader may still resume after. */
    bounds(): Promise<{ readonly last: bigint; readonly resumableAfter: bigint }>;
    /** Forgets the beginning of the log, up to `before` and never beyond the cursor `keepAfter`. Gives the number of events. */
    prune(before: Instant, until?: { readonly keepAfter?: bigint; readonly signal?: AbortSignal }): Promise<number>;
  };
  readonly retention: Retention;
  readonly apiKeys: { byPrefix(prefix: string): Promise<ApiKeyRow | undefined>; all(): Promise<readonly ApiKeyRow[]> };
  readonly comparisons: { latest(): Promise<ComparisonRecord | undefined> };
  readonly asks: { open(source: string): Promise<readonly { readonly part: string; readonly key: string }[]> };
  /** What became of the event log on its way to webhooks, mail and Redis. */
  readonly deliveries: Deliveries;
  /** Forgets all that was ever collected and found: for a demo that gives way to a real estate. */
  forgetCollected(): Promise<void>;
  /** Calls back on every announcement, and once with `reconnected` after a lost connection. Returns the way to stop. */
  listen(onNotify: (channel: Channel, payload: string) => void, onReconnect: () => void): Promise<() => Promise<void>>;
  /** Tries a lock that lasts until released or the connection is lost (`lost` aborts then). undefined: somebody else has it. */
  lock(name: string): Promise<{ readonly lost: AbortSignal; release(): Promise<void> } | undefined>;
  ping(signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export interface FindingQuery {
  readonly states?: readonly string[];
  readonly kinds?: readonly string[];
  readonly severities?: readonly string[];
  readonly categories?: readonly string[];
  readonly cluster?: string;
  readonly vmid?: number;
  /** Only those with one of these guests in them; asked of then only. */
  readonly guests?: readonly string[];
  readonly since?: Instant;
  readonly after?: { readonly firstSeenAt: Instant; readonly id: string };
  /** Only what stands before this place. */
  readonly before?: { readonly firstSeenAt: Instant; readonly id: string };
  /** Oldest first: the page nearest to the end, or to `before`. */
  readonly fromTheEnd?: boolean;
  readonly limit: number;
}

/** From `from` on, and before `to`. */
export interface FindingTimes {
  readonly from: Instant;
  readonly to: Instant;
}

export interface FindingTimeline {
  /** How many were open just before `from`. */
  readonly before: readonly { readonly severity: Severity; readonly count: number }[];
  readonly steps: readonly { readonly n: number; readonly type: DriftEventType; readonly count: number }[];
  /** By how many the open ones of a severity grew in bucket `n`. */
  readonly moves: readonly { readonly n: number; readonly severity: Severity; readonly count: number }[];
}

/** After `from`, up to `to`: what tells the estate of `from` from the estate of `to`. */
export interface ChangesQuery {
  readonly from: Instant;
  readonly to: Instant;
  readonly kinds: readonly VersionKind[];
  readonly cluster?: string;
  readonly keys?: readonly string[];
  /** This step and those before it in time. */
  readonly upto?: ChangePlace;
  /** This step and those behind it in time, oldest first. */
  readonly downto?: ChangePlace;
  /** Read from the oldest on. */
  readonly oldestFirst?: boolean;
  readonly limit: number;
}

/** A step's place: when, then the version, then its beginning (0) before its end (1). */
export interface ChangePlace {
  readonly at: Instant;
  readonly id: string;
  readonly step: 0 | 1;
}

/** A version that began, with what it followed; or one that ended with nothing behind it. */
export interface VersionChange extends ChangePlace {
  readonly version: Omit<Version, 'hash'>;
  /** The body before; null: the key was not there. Of an end: null. */
  readonly before: unknown;
}
