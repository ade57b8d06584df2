import { demand, type Principal } from '../domain/access.js';
import type { CollectorContract } from '../domain/contract.js';
import type { Instant } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import { collectorRecords, collectorSources } from './collectors.js';
import type { CollectorRecord } from './records.js';

/** What the legacy routes ask of the inventory besides its verbs. All of it is answered from memory. */
export interface RestFacts {
  /** The contract as its file has it. */
  contract(principal: Principal): CollectorContract;
  /** One per name of the contract, without their last runs: those would ask the database. */
  collectors(principal: Principal): readonly CollectorRecord[];
}

export function restFacts({ view, now }: { view: () => InventoryView; now: () => Instant }): RestFacts {
  return {
    contract(principal) {
      demand(principal, 'inventory:read');
      return view().contract;
    },
    collectors(principal) {
      demand(principal, 'inventory:read');
      const current = view();
      const at = now();
      return collectorRecords(current, collectorSources(principal, current, new Map(), at), at);
    },
  };
}
