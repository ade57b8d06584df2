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
