import type { Store } from '../store/store.js';
import type { Running } from './runner.js';
import type { CollectedSource } from './source.js';

export type Lock = Awaited<ReturnType<Store['lock']>>;

/** A source's place in the schedule. */
export interface Slot {
  source: CollectedSource;
  running: Running | undefined;
  startedAt: number;
  wanted: boolean;
  /** Somebody asks something of a service: it is run if that is still so when its turn comes. */
  asked: boolean;
  /** Another replica held it when it was last tried here. */
  elsewhere: boolean;
  lock: Lock;
  /** The lock is being asked for: whoever wants it meanwhile waits for the same answer. */
  locking: Promise<void> | undefined;
  /** Whether what another replica was asked for is still to be done. */
  looking: NodeJS.Timeout | undefined;
  stop: AbortController;
}

/** Whether this replica is the one that runs it. */
export function isHeld({ lock }: Slot): boolean {
  return lock !== undefined && !lock.lost.aborted;
}

/** A service has no poll that costs it little: what is asked of it may have been answered by the run before. */
export function isService({ source }: Slot): boolean {
  return source.collector !== null && source.kind !== 'proxmox';
}

export function slotOf(source: CollectedSource): Slot {
  return {
    source,
    running: undefined,
    startedAt: 0,
    wanted: source.atStart,
    asked: false,
    elsewhere: false,
    lock: undefined,
    locking: undefined,
    looking: undefined,
    stop: new AbortController(),
  };
}
