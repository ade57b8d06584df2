import type { Principal } from '../domain/access.js';
import type { CollectorName } from '../domain/contract.js';
import type { Instant } from '../domain/time.js';
import type { Feed } from '../feed/feed.js';
import type { InventoryVerbs } from '../inventory/verbs.js';
import type { NotificationVerbs } from '../notifications/verbs.js';
import type { Loaders } from './loaders.js';

/** A run asked for on demand, or shown live. */
export interface CollectionRunRecord {
  readonly id: string;
  readonly collector: CollectorName;
  readonly source: string;
  readonly state: 'RUNNING' | 'FINISHED';
  readonly startedAt: Instant;
  readonly finishedAt: Instant | null;
  readonly outcome: 'OBSERVED' | 'UNREACHABLE' | 'DISABLED' | null;
  readonly reason: string | null;
  readonly requests: number | null;
  readonly coverage: { readonly rows: number; readonly parts: number; readonly failed: number } | null;
}

/** Progress of a run: ephemeral, kept nowhere. */
export interface CollectorEventRecord {
  readonly type: 'STARTED' | 'PROGRESS' | 'FINISHED';
  readonly at: Instant;
  readonly run: CollectionRunRecord;
  readonly done: number | null;
  readonly total: number | null;
}

/** COLLECT, as this face calls it. `run` asks `collection:run`, `events` asks `inventory:read`. */
export interface CollectionVerbs {
  run(
    principal: Principal,
    wish: { readonly collectors: readonly CollectorName[] | undefined; readonly waitSeconds: number },
    signal: AbortSignal,
  ): Promise<readonly CollectionRunRecord[]>;
  /** A declared source that lost many rows at once: yes, that is right. */
  confirmDeclared(principal: Principal, wish: { readonly source: string; readonly reason: string }): Promise<void>;
  events(principal: Principal, signal: AbortSignal): AsyncIterable<CollectorEventRecord>;
}

export interface ApiKeyRecord {
  readonly id: string;
  readonly prefix: string;
  readonly name: string;
  readonly person: string;
  readonly roles: readonly string[];
  readonly tenants: readonly string[] | null;
  readonly createdAt: Instant;
  readonly createdBy: string;
  readonly expiresAt: Instant | null;
  readonly revokedAt: Instant | null;
}

/** ADMIT, as this face calls it. */
export interface AccountVerbs {
  apiKeyCreate(
    principal: Principal,
    input: {
      readonly name: string;
      readonly roles: readonly string[];
      readonly person?: string | null;
      readonly tenants?: readonly string[] | null;
      readonly expiresAt?: Instant | null;
    },
  ): Promise<{ readonly apiKey: ApiKeyRecord; readonly secret: string }>;
  apiKeyRevoke(principal: Principal, id: string): Promise<ApiKeyRecord>;
}

/** DECIDE about findings, as this face calls it. Each asks `drift:decide`, and answers once the view has it. */
export interface DriftVerbs {
  acknowledge(principal: Principal, word: { readonly id: string; readonly reason?: string | null }): Promise<void>;
  suppress(
    principal: Principal,
    word: { readonly id: string; readonly until: Instant; readonly reason: string },
  ): Promise<void>;
  reopen(principal: Principal, word: { readonly id: string; readonly reason?: string | null }): Promise<void>;
}

/** What the face chooses from. */
export interface Verbs {
  readonly inventory: InventoryVerbs;
  readonly feed: Omit<Feed, 'stop'>;
  readonly drift: DriftVerbs;
  readonly accounts: AccountVerbs;
  readonly collection: CollectionVerbs;
  readonly notifications: NotificationVerbs;
}

/** What every resolver is given: who asks, and whom to ask. */
export interface Context {
  readonly principal: Principal;
  readonly verbs: Verbs;
  readonly loaders: Loaders;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
}
