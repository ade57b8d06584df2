import { type Principal, seesTenant } from '../domain/access.js';
import { familyOf, type IpAddress } from '../domain/address.js';
import { scopeOf } from '../domain/carried.js';
import { type Classify, classifier } from '../domain/classify.js';
import type { Binding, DeclaredAddress } from '../domain/compare/binding.js';
import { canBeAsked } from '../domain/compare/scope-reading.js';
import type { GuestId } from '../domain/guest.js';
import type { Mac } from '../domain/mac.js';
import type { AddressClass, Policy } from '../domain/policy.js';
import { seesFinding } from '../domain/sees-finding.js';
import { type Sighting, sightingsOf } from '../domain/sightings.js';
import { tenantOf } from '../domain/tenancy.js';
import type { Instant } from '../domain/time.js';
import type { GuestView, InventoryView } from '../domain/view.js';
import { addressKey } from './address-key.js';
import { guestRecord, guestRecordAsOf } from './guest-record.js';
import type { SortedList } from './page.js';
import type {
  AddressCarrier,
  AddressDeclarer,
  AddressEvidenceRecord,
  AddressRecord,
  AddressSightingRecord,
  GuestAddressRecord,
} from './records.js';
import type { AddressFilter } from './verbs.js';

/** `scope/address`, or the bare address in scope `default`. */
export function addressId(scope: string, address: string): string {
  return scope === 'default' ? address : `${scope}/${address}`;
}

interface Draft {
  readonly scope: string;
  readonly address: IpAddress;
  declaredBy: readonly AddressDeclarer[];
  readonly carriedBy: AddressCarrier[];
}

const lists = new WeakMap<InventoryView, SortedList<AddressRecord>>();

/**
 * Every address that is declared or carried, by scope, family and number. Templates own none. `asOf`: the view is of that
 * moment, of which nobody knows any more who could be asked or was seen.
 */
export function addressList(
  view: InventoryView,
  binding: Binding,
  policy: Policy,
  asOf: Instant | null = null,
): SortedList<AddressRecord> {
  let list = lists.get(view);
  if (list === undefined) {
    const keys = new Map<AddressRecord, readonly (string | number)[]>();
    const unread = asOf === null ? unreadByScope(view) : new Map<string, number>();
    const classify = classifier(view, policy, binding);
    const sightings = sightingsOf(view);
    const sorted = [...drafts(view, binding, asOf).values()].map((draft): AddressRecord => {
      const record = {
        id: addressId(draft.scope, draft.address),
        scope: draft.scope,
        address: draft.address,
        family: familyOf(draft.address),
        class: classOf(draft, classify),
        declaredBy: draft.declaredBy,
        carriedBy: draft.carriedBy,
        seen: sightingRecords(sightings.get(`${draft.scope}/${draft.address}`)),
        unread: draft.carriedBy.length === 0 ? (unread.get(`${familyOf(draft.address)}:${draft.scope}`) ?? 0) : 0,
      };
      keys.set(record, [draft.scope, record.family, addressKey(draft.address)]);
      return record;
    });
    const placeOf = (record: AddressRecord) => keys.get(record) ?? [];
    sorted.sort((a, b) => {
      const [x, y] = [placeOf(a), placeOf(b)];
      for (let i = 0; i < 3; i++) if (x[i] !== y[i]) return (x[i] ?? 0) < (y[i] ?? 0) ? -1 : 1;
      return 0;
    });
    list = { order: 'addresses', sorted, descending: false, placeOf };
    lists.set(view, list);
  }
  return list;
}

function drafts(view: InventoryView, binding: Binding, asOf: Instant | null): Map<string, Draft> {
  const all = new Map<string, Draft>();
  const at = (scope: string, address: IpAddress): Draft => {
    const key = `${scope}/${address}`;
    let draft = all.get(key);
    if (draft === undefined) {
      draft = { scope, address, declaredBy: [], carriedBy: [] };
      all.set(key, draft);
    }
    return draft;
  };
  for (const facts of binding.declaredAddresses.values()) {
    const [first] = facts;
    if (first !== undefined) at(first.scope, first.address).declaredBy = facts.map(declarer);
  }
  for (const guest of view.guests.values()) {
    if (guest.row.template) continue;
    const record = asOf === null ? guestRecord(guest) : guestRecordAsOf(guest, asOf);
    for (const carried of record.addresses) {
      at(carried.scope, carried.address).carriedBy.push({ ...carried, guestId: guest.id });
    }
  }
  return all;
}

const UNSEEN: readonly AddressSightingRecord[] = [];

function sightingRecords(sightings: readonly Sighting[] | undefined): readonly AddressSightingRecord[] {
  if (sightings === undefined) return UNSEEN;
  const records = sightings.map(({ by, source, mac, at, secondHand, where }) => {
    return { by, source, mac, at, secondHand, where };
  });
  return records.sort((a, b) => (b.at ?? 0) - (a.at ?? 0) || (a.source < b.source ? -1 : 1));
}

/** Whose neighbours or controllers show an address on a device's own MAC: evidence that it is carried, not what decides. */
export function witnesses(
  view: InventoryView,
  { scope, address, mac }: Pick<GuestAddressRecord, 'scope' | 'address' | 'mac'>,
): readonly AddressEvidenceRecord[] {
  const seen = sightingsOf(view).get(`${scope}/${address}`) ?? [];
  return seen.filter((one) => one.mac === mac && !one.secondHand).map(({ by, at }) => ({ source: by, at }));
}

function declarer({ source, location, label, guests, vmids }: DeclaredAddress): AddressDeclarer {
  return { source, location, label, guests, vmids };
}

function classOf({ scope, address, ...draft }: Draft, classify: Classify): AddressClass | null {
  const macs = draft.carriedBy.map(({ mac }) => mac as Mac | null);
  const known = classify(address, { scope, macs });
  if (known !== undefined) return known;
  if (draft.carriedBy.length > 0 && draft.carriedBy.every((carrier) => carrier.dynamic)) return 'dynamic';
  return null;
}

/** Running guests that cannot be asked what they carry in a family, by each scope that a device of theirs lives in. */
function unreadByScope(view: InventoryView): Map<string, number> {
  const counts = new Map<string, number>();
  for (const guest of view.guests.values()) {
    if (guest.status === 'STOPPED' || guest.row.template) continue;
    for (const family of [4, 6] as const) {
      if (canBeAsked(guest, family)) continue;
      for (const scope of scopesOf(view, guest)) {
        const key = `${family}:${scope}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  return counts;
}

function scopesOf(view: InventoryView, guest: GuestView): Set<string> {
  const settings = view.clusters.get(guest.cluster)?.settings;
  const devices = guest.config?.devices ?? [];
  if (settings === undefined || devices.length === 0) return new Set([guest.firstScope]);
  return new Set(devices.map((device) => scopeOf(settings, guest.row.node, device)));
}

/** Whose an address is: the tenants of the guests that carry it or are declared with it. */
export function addressKeeper(
  principal: Principal,
  filter: AddressFilter | undefined,
): ((record: AddressRecord) => boolean) | undefined {
  const tests: ((record: AddressRecord) => boolean)[] = [];
  if (principal.tenants !== 'all') tests.push((record) => seesAddress(principal, record));
  const { scope, search, declared, carried, cluster } = filter ?? {};
  if (scope !== undefined) tests.push((record) => record.scope === scope);
  if (declared !== undefined) tests.push((record) => record.declaredBy.length > 0 === declared);
  if (carried !== undefined) tests.push((record) => record.carriedBy.length > 0 === carried);
  if (cluster !== undefined) tests.push((record) => guestsOf(record).some((id) => id.startsWith(`${cluster}/`)));
  if (search !== undefined && search.trim() !== '') {
    const text = search.trim().toLowerCase();
    const labelled = (record: AddressRecord) => record.declaredBy.some((by) => by.label.toLowerCase().includes(text));
    tests.push((record) => record.address.includes(text) || labelled(record));
  }
  return tests.length === 0 ? undefined : (record) => tests.every((test) => test(record));
}

function guestsOf(record: AddressRecord): string[] {
  return [...record.carriedBy.map((by) => by.guestId), ...record.declaredBy.flatMap((by) => by.guests)];
}

function seesAddress(principal: Principal, record: AddressRecord): boolean {
  return seesAddressOf(principal, guestsOf(record));
}

/** An address belongs to the tenants of the guests that carry it or are declared with it. */
export function seesAddressOf(principal: Principal, guests: readonly GuestId[]): boolean {
  return guests.length === 0
    ? seesTenant(principal, tenantOf({ cluster: '*' }))
    : seesFinding(principal, { guests, clusters: [] });
}

/** What a list with one address a guest shows (CONTRACTS §3, `ip`). */
export function primaryAddress(guest: GuestView, binding: Binding): string | null {
  const { carried } = guest;
  if (carried.length === 0) return null;
  const facts = binding.factsOf(guest.id).filter((fact) => fact.wins && fact.field.startsWith('address'));
  const named = (family: number) =>
    facts.find((f) => f.field === `address${family}` && carried.some((c) => c.address === f.value))?.value;
  const fixed = (family: number) =>
    carried.find((c) => c.family === family && c.evidence.some((by) => by.source === 'CONFIG'))?.address;
  const lowest = (family: number) =>
    carried.reduce<IpAddress | undefined>(
      (low, c) =>
        c.family === family && (low === undefined || addressKey(c.address) < addressKey(low)) ? c.address : low,
      undefined,
    );
  return named(4) ?? named(6) ?? fixed(4) ?? fixed(6) ?? lowest(4) ?? lowest(6) ?? null;
}
