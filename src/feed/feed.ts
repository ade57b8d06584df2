import { demand, type Principal, seesTenant } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import type { DriftFindingFilter, GuestFilter } from '../domain/filters.js';
import type { GuestId } from '../domain/guest.js';
import { tenantOf } from '../domain/tenancy.js';
import type { LogEvent, Store } from '../store/store.js';
import { parseCursor } from './cursor.js';
import {
  CHANGE_TOPICS,
  type ChangeRequestEventRecord,
  changeRequestEvent,
  clusterOf,
  DRIFT_TOPICS,
  type DriftEventRecord,
  driftEvent,
  driftMatches,
  INVENTORY_TOPICS,
  type InventoryEventRecord,
  inventoryEvent,
  inventoryMatches,
  vmidOf,
} from './events.js';
import { EventHub } from './hub.js';

export interface FeedNeeds {
  readonly store: { readonly events: Pick<Store['events'], 'after' | 'bounds'> };
  /** Calls back whenever events were committed, and after a lost connection. Returns the way to stop. */
  onEvents(wake: () => void): () => void;
  /** Resolves once what is told beside an event (its finding, its guest) is as new as all events committed before. */
  learned(): Promise<void>;
  /** Whether the credentials behind a caller still hold: asked before each event is handed out. */
  stillValid(principal: Principal): boolean;
  /** Whether a living guest passes a filter, for what an event does not say itself. */
  matchesGuest(principal: Principal, guest: GuestId, filter: GuestFilter): boolean;
  onTrouble(cause: unknown): void;
  /** How long the others wait for a follower that does not keep up, ms. */
  readonly patience?: number;
}

export interface Following<Filter> {
  /** Replays what came after this cursor first. */
  readonly after?: string | undefined;
  readonly filter?: Filter | undefined;
}

/**
 * The event log for a caller: in order, without gap or repeat. Authorisation is checked per event. A stream ends with
 * CURSOR_EXPIRED where the log does not reach back to its cursor, UNAUTHENTICATED when the caller's credentials end.
 * Followers are given one and the same object for one event that they see live.
 */
export interface Feed {
  driftEvents(
    principal: Principal,
    following: Following<DriftFindingFilter>,
    signal: AbortSignal,
  ): AsyncIterableIterator<DriftEventRecord>;
  inventoryEvents(
    principal: Principal,
    following: Following<GuestFilter>,
    signal: AbortSignal,
  ): AsyncIterableIterator<InventoryEventRecord>;
  changeRequestEvents(
    principal: Principal,
    following: Following<never>,
    signal: AbortSignal,
  ): AsyncIterableIterator<ChangeRequestEventRecord>;
  stop(): Promise<void>;
}

const DRIFT: ReadonlySet<string> = new Set(DRIFT_TOPICS);
const INVENTORY: ReadonlySet<string> = new Set(INVENTORY_TOPICS);
const CHANGES: ReadonlySet<string> = new Set(CHANGE_TOPICS);

export function feed(needs: FeedNeeds): Feed {
  const hub = new EventHub({
    events: needs.store.events,
    topics: [...DRIFT_TOPICS, ...INVENTORY_TOPICS, ...CHANGE_TOPICS],
    onEvents: needs.onEvents,
    learned: needs.learned,
    onTrouble: needs.onTrouble,
    patience: needs.patience,
  });
  const asDrift = once(driftEvent);
  const asInventory = once(inventoryEvent);
  const asChange = once(changeRequestEvent);
  const follow = <T>(
    principal: Principal,
    topics: ReadonlySet<string>,
    { after }: Following<unknown>,
    signal: AbortSignal,
    tell: (event: LogEvent) => T | undefined,
  ): AsyncIterableIterator<T> => {
    const cursor = after === undefined ? undefined : parseCursor(after);
    const listener = hub.listen(topics, cursor, signal);
    return told(listener, (event) => {
      if (!needs.stillValid(principal)) {
        throw new DomainError('UNAUTHENTICATED', 'the credentials of this subscription have expired or were revoked');
      }
      return tell(event);
    });
  };
  return {
    driftEvents(principal, following, signal) {
      demand(principal, 'drift:read');
      return follow(principal, DRIFT, following, signal, (raw) => {
        const event = asDrift(raw);
        return seesDrift(principal, event) && driftMatches(event, following.filter ?? {}) ? event : undefined;
      });
    },
    inventoryEvents(principal, following, signal) {
      demand(principal, 'inventory:read');
      const filter = following.filter ?? {};
      const { cluster: _, kinds: __, ...rest } = filter;
      return follow(principal, INVENTORY, following, signal, (raw) => {
        const event = asInventory(raw);
        if (!seesTenant(principal, tenantOf({ cluster: clusterOf(event.guest), vmid: vmidOf(event.guest) }))) return;
        const matches = inventoryMatches(event, filter) ?? needs.matchesGuest(principal, event.guest, rest);
        return matches ? event : undefined;
      });
    },
    changeRequestEvents(principal, following, signal) {
      demand(principal, 'metadata:read');
      return follow(principal, CHANGES, following, signal, (raw) => {
        const event = asChange(raw);
        return seesChange(principal, event) ? event : undefined;
      });
    },
    stop: () => hub.stop(),
  };
}

/** An event is shaped once, so that what is worked out from it can be shared by all who are given it. */
function once<T>(shape: (event: LogEvent) => T): (event: LogEvent) => T {
  const known = new WeakMap<LogEvent, T>();
  return (event) => {
    let shaped = known.get(event);
    if (shaped === undefined) {
      shaped = shape(event);
      known.set(event, shaped);
    }
    return shaped;
  };
}

/** Seen by whoever may see one of the guests in it, before or after; without a guest, by its clusters. */
function seesDrift(principal: Principal, { before, after }: DriftEventRecord): boolean {
  const guests = [...(before?.guests ?? []), ...after.guests];
  if (guests.length > 0) {
    return guests.some((id) => seesTenant(principal, tenantOf({ cluster: clusterOf(id), vmid: vmidOf(id) })));
  }
  const clusters = after.clusters.length > 0 ? after.clusters : ['*'];
  return clusters.some((cluster) => seesTenant(principal, tenantOf({ cluster })));
}

/** Seen by whoever may see the subject, as it was or as it will be; what is nobody's, by all-tenant callers. */
function seesChange(principal: Principal, { tenants }: ChangeRequestEventRecord): boolean {
  return tenants.length === 0 ? seesTenant(principal, null) : tenants.some((tenant) => seesTenant(principal, tenant));
}

interface Source {
  next(): Promise<LogEvent | undefined>;
  close(): void;
}

/** The listener as an iterator that ends at once when its reader leaves, also in the middle of waiting. */
function told<T>(listener: Source, tell: (event: LogEvent) => T | undefined): AsyncIterableIterator<T> {
  const done: IteratorResult<T> = { done: true, value: undefined };
  return {
    async next() {
      try {
        for (;;) {
          const event = await listener.next();
          if (event === undefined) return done;
          const value = tell(event);
          if (value !== undefined) return { done: false, value };
        }
      } catch (cause) {
        listener.close();
        throw cause;
      }
    },
    async return() {
      listener.close();
      return done;
    },
    async throw(cause) {
      listener.close();
      throw cause;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
