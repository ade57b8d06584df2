import type { GuestId } from './guest.js';
import type { Instant } from './time.js';

export type InventoryEventType = 'CREATED' | 'REMOVED' | 'MOVED' | 'POWER_CHANGED' | 'CONFIG_CHANGED';

/** What a run saw happen to a guest: one event each, written with the versions that say so. */
export interface InventoryEvent {
  readonly type: InventoryEventType;
  readonly guest: GuestId;
  readonly at: Instant;
  readonly from: string | null;
  readonly to: string | null;
}

/** What a run saw happen to a node. */
export interface NodeEvent {
  readonly type: 'ADDED' | 'REMOVED' | 'STATUS_CHANGED';
  /** `cluster/node`. */
  readonly node: string;
  readonly at: Instant;
  readonly from: string | null;
  readonly to: string | null;
}
