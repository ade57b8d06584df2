import type { Finding, FindingEvent, FindingId } from '../domain/finding.js';
import type { Learned } from '../domain/learn/learned.js';
import type { Instant } from '../domain/time.js';
import type { Batch, Version, VersionKind } from '../domain/version.js';
import type { Deliveries } from './deliveries.js';

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
  readonly findings: {
    /** Upserts findings and appends their history; `cursors[i]` is the event-log cursor of `history[i]`. */
    save(
      findings: readonly Finding[],
      history: readonly (FindingEvent & { readonly cursor: bigint | null })[],
    ): Promise<void>;
  };
  readonly comparisons: { latest(): Promise<ComparisonRecord | undefined>; record(c: ComparisonRecord): Promise<void> };
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
export type Channel = 'inventory' | 'events' | 'api_keys' | 'asks' | 'deliveries';

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
  };
  readonly runs: {
    latest(source: string): Promise<RunRecord | undefined>;
    latestBySource(): Promise<ReadonlyMap<string, RunRecord>>;
    everReal(): Promise<boolean>;
  };
  readonly findings: {
    /** All that are not RESOLVED. */
    living(): Promise<readonly Finding[]>;
    byIds(ids: readonly FindingId[]): Promise<ReadonlyMap<FindingId, Finding>>;
    /** Keyset page, newest `firstSeenAt` first, ties by id. */
    page(query: FindingQuery): Promise<readonly Finding[]>;
    count(query: FindingQuery): Promise<number>;
    history(
      ids: readonly FindingId[],
    ): Promise<ReadonlyMap<FindingId, readonly (FindingEvent & { readonly cursor: bigint | null })[]>>;
  };
  readonly events: {
    /** Events after `cursor` whose topic is wanted, oldest first, at most `limit`. */
    after(cursor: bigint, topics: readonly string[], limit: number): Promise<readonly LogEvent[]>;
    /** The newest cursor, and the oldest one a reader may still resume after. */
    bounds(): Promise<{ readonly last: bigint; readonly resumableAfter: bigint }>;
    prune(before: Instant): Promise<number>;
  };
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
  readonly since?: Instant;
  readonly after?: { readonly firstSeenAt: Instant; readonly id: string };
  readonly limit: number;
}
