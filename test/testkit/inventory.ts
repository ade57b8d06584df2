import { bindDeclarations } from '../../src/domain/compare/binding.js';
import type { Difference, Finding } from '../../src/domain/finding.js';
import { DEFAULT_POLICY } from '../../src/domain/policy.js';
import type { InventoryView } from '../../src/domain/view.js';
import { inventoryVerbs } from '../../src/inventory/inventory.js';
import type { InventoryVerbs } from '../../src/inventory/verbs.js';
import type { Store } from '../../src/store/store.js';
import { THEN } from './view.js';

/** A store that holds nothing: for questions that are answered from the view. */
export function emptyStore(resolved: readonly Finding[] = []): Pick<Store, 'versions' | 'findings' | 'runs'> {
  const nothing = { seq: 0n, opened: [], ended: [], reads: [], states: [] };
  return {
    versions: {
      open: async () => nothing,
      since: async () => nothing,
      asOf: async () => [],
      endedSince: async () => [],
      changes: async () => [],
    },
    findings: {
      living: async () => [],
      changedSince: async () => ({ seq: 0n, findings: [] }),
      byIds: async (ids) => new Map(resolved.filter((f) => ids.includes(f.id)).map((f) => [f.id, f])),
      page: async ({ after, limit }) =>
        resolved
          .filter(
            (f) =>
              after === undefined ||
              f.firstSeenAt < after.firstSeenAt ||
              (f.firstSeenAt === after.firstSeenAt && f.id < after.id),
          )
          .slice(0, limit),
      count: async () => resolved.length,
      pageAsOf: async () => [],
      countAsOf: async () => 0,
      touching: async () => [],
      timeline: async () => ({ before: [], steps: [], moves: [] }),
      history: async (ids) => new Map(ids.map((id) => [id, []])),
    },
    runs: { latest: async () => undefined, latestBySource: async () => new Map(), everReal: async () => false },
  };
}

export function inventoryOver(
  view: InventoryView | (() => InventoryView),
  more: {
    store?: Pick<Store, 'versions' | 'findings' | 'runs'>;
    differences?: readonly Difference[];
    now?: number;
  } = {},
): InventoryVerbs {
  const current = typeof view === 'function' ? view : () => view;
  return inventoryVerbs({
    view: current,
    binding: () => bindDeclarations(current()),
    differences: () => more.differences ?? [],
    policy: () => DEFAULT_POLICY,
    store: more.store ?? emptyStore(),
    now: () => more.now ?? THEN + 30_000,
  });
}
