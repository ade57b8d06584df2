import DataLoader from 'dataloader';
import type { Principal } from '../domain/access.js';
import type { FindingId } from '../domain/finding.js';
import type { FindingRecord } from '../inventory/records.js';
import type { FindingStep, InventoryVerbs } from '../inventory/verbs.js';

/** Questions to the database, asked together. */
export interface Loaders {
  readonly finding: DataLoader<FindingId, FindingRecord | null>;
  readonly history: DataLoader<FindingId, readonly FindingStep[]>;
}

/** `remember`: within one request an answer is asked for once; a subscription asks anew with each event. */
export function loadersFor(
  principal: Principal,
  inventory: Pick<InventoryVerbs, 'driftFindingsById' | 'driftHistory'>,
  remember: boolean,
): Loaders {
  return {
    finding: new DataLoader(
      async (ids) => {
        const found = await inventory.driftFindingsById(principal, ids);
        return ids.map((id) => found.get(id) ?? null);
      },
      { cache: remember },
    ),
    history: new DataLoader(
      async (ids) => {
        const found = await inventory.driftHistory(principal, ids);
        return ids.map((id) => found.get(id) ?? []);
      },
      { cache: remember },
    ),
  };
}
