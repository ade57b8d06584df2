import { type Principal, seesTenant } from '../domain/access.js';
import { ipAddress } from '../domain/address.js';
import { DomainError } from '../domain/errors.js';
import type { GuestFilter } from '../domain/filters.js';
import { guestKey } from '../domain/guest.js';
import { macAddress } from '../domain/mac.js';
import { tenantOf } from '../domain/tenancy.js';
import type { InventoryView } from '../domain/view.js';
import { guestRecord } from './guest-record.js';
import type { SortedList } from './page.js';
import type { GuestRecord } from './records.js';
import type { GuestOrder, GuestOrderField } from './verbs.js';

export function seesGuest(principal: Principal, guest: Pick<GuestRecord, 'cluster' | 'vmid'>): boolean {
  return seesTenant(principal, tenantOf(guest));
}

const KEY: Record<GuestOrderField, (guest: GuestRecord) => string | number | null> = {
  VMID: (guest) => guest.vmid,
  NAME: (guest) => guest.name?.toLowerCase() ?? null,
  NODE: (guest) => guest.nodeName,
  STATUS: (guest) => guest.status,
  MEMORY: (guest) => guest.memoryBytes,
};

const byText = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

function compareGuests(a: GuestRecord, b: GuestRecord): number {
  return byText(a.cluster, b.cluster) || a.vmid - b.vmid || a.incarnation - b.incarnation;
}

function compareKeys(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -1 : 1;
}

/** Guests in one order. Without an order: by cluster and VMID. */
export function sortGuests(guests: readonly GuestRecord[], orderBy: GuestOrder | undefined): SortedList<GuestRecord> {
  const identity = (guest: GuestRecord) => [guest.cluster, guest.vmid, guest.incarnation];
  if (orderBy === undefined) {
    return { order: 'guests', sorted: [...guests].sort(compareGuests), descending: false, placeOf: identity };
  }
  const key = KEY[orderBy.field];
  const sorted = [...guests].sort((a, b) => compareKeys(key(a), key(b)) || compareGuests(a, b));
  return {
    order: `guests.${orderBy.field}`,
    sorted,
    descending: orderBy.direction === 'DESC',
    placeOf: (guest) => [key(guest), ...identity(guest)],
  };
}

const lists = new WeakMap<InventoryView['guests'], Map<string, SortedList<GuestRecord>>>();

/** All guests of the view in one order; each order is sorted once a view. */
export function guestList(view: InventoryView, orderBy: GuestOrder | undefined): SortedList<GuestRecord> {
  let orders = lists.get(view.guests);
  if (orders === undefined) {
    orders = new Map();
    lists.set(view.guests, orders);
  }
  const name = orderBy === undefined ? '' : `${orderBy.field}.${orderBy.direction}`;
  let list = orders.get(name);
  if (list === undefined) {
    list = sortGuests([...view.guests.values()].map(guestRecord), orderBy);
    orders.set(name, list);
  }
  return list;
}

/** The filter as one predicate; undefined when it keeps everything, so that a page need not look at what it skips. */
export function guestKeeper(
  principal: Principal,
  filter: GuestFilter | undefined,
  hasOpenFindings: (guest: GuestRecord) => boolean,
): ((guest: GuestRecord) => boolean) | undefined {
  const tests: ((guest: GuestRecord) => boolean)[] = [];
  if (principal.tenants !== 'all') tests.push((guest) => seesGuest(principal, guest));
  const { cluster, node, statuses, kinds, tag, search, address, withOpenFindings, template } = filter ?? {};
  if (cluster !== undefined) tests.push((guest) => guest.cluster === cluster);
  if (node !== undefined)
    tests.push((guest) => guest.nodeName === node || `${guest.cluster}/${guest.nodeName}` === node);
  if (statuses !== undefined) tests.push((guest) => statuses.includes(guest.status));
  if (kinds !== undefined) tests.push((guest) => kinds.includes(guest.kind));
  if (tag !== undefined) tests.push((guest) => guest.tags.includes(tag));
  if (template !== undefined) tests.push((guest) => guest.template === template);
  if (address !== undefined) tests.push(carries(address));
  if (search !== undefined && search.trim() !== '') tests.push(finder(search.trim()));
  if (withOpenFindings !== undefined) tests.push((guest) => hasOpenFindings(guest) === withOpenFindings);
  return tests.length === 0 ? undefined : (guest) => tests.every((test) => test(guest));
}

function carries(text: string): (guest: GuestRecord) => boolean {
  const address = ipAddress(text);
  if (address === undefined) {
    throw new DomainError('VALIDATION_ERROR', `address: "${text}" is not an IPv4 or IPv6 address`, {
      field: ['filter', 'address'],
    });
  }
  return (guest) => guest.addresses.some((carried) => carried.address === address);
}

function finder(search: string): (guest: GuestRecord) => boolean {
  const text = search.toLowerCase();
  const mac = macAddress(text);
  return (guest) =>
    (guest.name?.toLowerCase().includes(text) ?? false) ||
    String(guest.vmid) === text ||
    guest.addresses.some((carried) => carried.address.includes(text)) ||
    (mac !== undefined && guest.interfaces.some((device) => device.mac === mac));
}

/** The guest under a VMID; CONFLICT names the clusters that the caller may see when several have it. */
export function oneGuest(
  principal: Principal,
  candidates: readonly GuestRecord[],
  cluster: string | undefined,
  vmid: number,
): GuestRecord | undefined {
  const found = candidates.filter(
    (guest) =>
      guest.vmid === vmid && (cluster === undefined || guest.cluster === cluster) && seesGuest(principal, guest),
  );
  if (found.length < 2) return found[0];
  const clusters = found.map((guest) => guest.cluster).join(', ');
  throw new DomainError('CONFLICT', `VMID ${vmid} is in several clusters (${clusters}): name one`, {
    field: ['cluster'],
  });
}

export function guestsUnder(view: InventoryView, vmid: number): readonly GuestRecord[] {
  return [...view.clusters.keys()].flatMap((cluster) => {
    const guest = view.guestsByKey.get(guestKey(cluster, vmid));
    return guest === undefined ? [] : [guestRecord(guest)];
  });
}
