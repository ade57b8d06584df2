import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from '../collection/collection.js';
import type { RunView } from '../collection/live-events.js';
import type { Replica } from '../inventory/replica.js';
import type { OpenedStore } from '../store/open.js';

interface Needs {
  readonly store: OpenedStore;
  readonly collection: Collection;
  readonly replica: Replica;
}

const LOOK_EVERY = 500;

/** One full pass of each source: by this process, or by the gateway that holds the source, which is asked for it. */
export async function collectOnce(
  { store, collection, replica }: Needs,
  names: readonly string[],
  signal: AbortSignal,
): Promise<readonly RunView[]> {
  const own = await collection.collectNow(names, signal);
  const others = names.filter((name) => name.startsWith('proxmox:') && !own.some((run) => run.source === name));
  return [...own, ...(await Promise.all(others.map((name) => elsewhere(store, replica, name, signal))))];
}

async function elsewhere(store: OpenedStore, replica: Replica, source: string, signal: AbortSignal): Promise<RunView> {
  const begun = await store.now();
  await store.transaction((tx) => tx.asks.add(source, [{ part: 'all', key: '' }]));
  for (;;) {
    await sleep(LOOK_EVERY, undefined, { signal });
    const run = await store.runs.latest(source);
    if (run !== undefined && run.finishedAt > begun && run.mode !== 'POLL') {
      await replica.catchUp();
      return { ...run, collector: 'proxmox_guest_ipam', state: 'FINISHED' };
    }
  }
}
