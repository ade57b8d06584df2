import DataLoader from 'dataloader';
import type { Principal } from '../domain/access.js';
import type { FindingId } from '../domain/finding.js';
import type { GuestId } from '../domain/guest.js';
import type { Instant } from '../domain/time.js';
import type { FindingRecord, GuestRecord } from '../inventory/records.js';
import type { FindingStep, InventoryVerbs } from '../inventory/verbs.js';

/** A thing as it was at a moment. */
interface OfThen<Id> {
  readonly at: Instant;
  readonly id: Id;
}

/** Questions to the database, asked together. */
export interface Loaders {
  readonly finding: DataLoader<FindingId, FindingRecord | null>;
  readonly history: DataLoader<FindingId, readonly FindingStep[]>;
  readonly guestOfThen: DataLoader<OfThen<GuestId>, GuestRecord | null, string>;
  readonly findingsOfThen: DataLoader<OfThen<GuestId>, readonly FindingRecord[], string>;
}

/** `remember`: within one request an answer is asked for once; a subscription asks anew with each event. */
export function loadersFor(
  principal: Principal,
  inventory: Pick<InventoryVerbs, 'driftFindingsById' | 'driftHistory' | 'guestsByIdAsOf' | 'guestFindingsAsOf'>,
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
    guestOfThen: ofThen((at, ids: readonly GuestId[]) => inventory.guestsByIdAsOf(principal, at, ids), null, remember),
    findingsOfThen: ofThen(
      (at, ids: readonly GuestId[]) => inventory.guestFindingsAsOf(principal, at, ids),
      [],
      remember,
    ),
  };
}

/** One question for each moment: a request that speaks of several is rare, one for each thing would not be. */
function ofThen<Id, Thing, None>(
  ask: (at: Instant, ids: readonly Id[]) => Promise<ReadonlyMap<Id, Thing>>,
  none: None,
  remember: boolean,
): DataLoader<OfThen<Id>, Thing | None, string> {
  return new DataLoader(
    async (wanted) => {
      const moments = [...new Set(wanted.map(({ at }) => at))];
      const idsAt = (moment: Instant) => wanted.filter(({ at }) => at === moment).map(({ id }) => id);
      const asked = moments.map(async (at) => [at, await ask(at, idsAt(at))] as const);
      const found = new Map(await Promise.all(asked));
      return wanted.map(({ at, id }) => found.get(at)?.get(id) ?? none);
    },
    { cache: remember, cacheKeyFn: ({ at, id }) => `${at} ${id}` },
  );
}
