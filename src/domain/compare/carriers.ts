import type { CarriedAddress } from '../carried.js';
import type { GuestView, InventoryView } from '../view.js';

export interface Carrier {
  readonly guest: GuestView;
  readonly carried: CarriedAddress;
}

/** What one guest adds: the key of each of its addresses, and the list that it makes where nobody else carries it. */
interface Share {
  readonly key: string;
  readonly alone: readonly [Carrier];
}

const NOTHING: readonly Share[] = [];
/** Kept with each guest: thousands of them are the same ones in the next view. */
const shares = new WeakMap<GuestView, readonly Share[]>();

function sharesOf(guest: GuestView): readonly Share[] {
  let known = shares.get(guest);
  if (known === undefined) {
    known = guest.row.template
      ? NOTHING
      : guest.carried.map((carried) => ({ key: `${carried.scope}/${carried.address}`, alone: [{ guest, carried }] }));
    shares.set(guest, known);
  }
  return known;
}

/** Who carries (or, stopped, claims) each `scope/address`, in the order of guests. Templates own none. */
export function carriersOf(view: InventoryView): ReadonlyMap<string, readonly Carrier[]> {
  const carriers = new Map<string, readonly Carrier[]>();
  const shared = new Map<string, Carrier[]>();
  for (const guest of view.guests.values()) {
    for (const { key, alone } of sharesOf(guest)) {
      const others = carriers.get(key);
      const list = others === undefined ? undefined : shared.get(key);
      if (others === undefined) carriers.set(key, alone);
      else if (list !== undefined) list.push(alone[0]);
      else {
        const several = [...others, alone[0]];
        shared.set(key, several);
        carriers.set(key, several);
      }
    }
  }
  return carriers;
}
