import { type Principal, seesTenant } from '../domain/access.js';
import type { Binding } from '../domain/compare/binding.js';
import type { PageRequest } from '../domain/page.js';
import { type JoinedPort, joinedPortMap } from '../domain/port-map.js';
import { tenantOf } from '../domain/tenancy.js';
import type { Instant } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import { seesGuest } from './guests.js';
import type { SortedList } from './page.js';
import type { InventoryFreshness } from './records.js';
import { serviceInventory } from './services.js';

/** A row of the port map with its place in the list. */
export interface PortMapRecord extends JoinedPort {
  readonly id: string;
}

export interface PortMapFilter {
  /** Part of the public name, the target, or the address. */
  readonly search?: string | undefined;
  readonly cluster?: string | undefined;
  readonly confidence?: JoinedPort['lan']['confidence'] | undefined;
}
export interface PortMapQuery extends PageRequest {
  readonly filter?: PortMapFilter | undefined;
}

const lists = new WeakMap<readonly JoinedPort[], SortedList<PortMapRecord>>();

export function portMapList(view: InventoryView, binding: Binding): SortedList<PortMapRecord> {
  const rows = joinedPortMap(view, binding);
  let list = lists.get(rows);
  if (list === undefined) {
    const placed = rows.map((row): PortMapRecord => {
      const id = `${row.publicHostname} ${row.proxy.path ?? ''} ${row.proxy.id}`;
      return { ...row, id };
    });
    const placeOf = ({ publicHostname, proxy }: PortMapRecord) => [publicHostname, proxy.path ?? '', proxy.id];
    list = { order: 'portMap', sorted: placed, descending: false, placeOf };
    lists.set(rows, list);
  }
  return list;
}

/** Who sees a row: whoever sees the guest or node it leads to; where it leads to none of ours, whoever sees its proxy. */
export function portMapKeeper(
  principal: Principal,
  view: InventoryView,
  filter: PortMapFilter | undefined,
): (row: PortMapRecord) => boolean {
  const { search, cluster, confidence } = filter ?? {};
  const text = search?.trim().toLowerCase() ?? '';
  return (row) =>
    (confidence === undefined || row.lan.confidence === confidence) &&
    (cluster === undefined || row.lan.node?.startsWith(`${cluster}/`) === true) &&
    (text === '' || textsOf(row).some((one) => one.toLowerCase().includes(text))) &&
    seesRow(principal, view, row);
}

function textsOf({ publicHostname, proxy, lan }: PortMapRecord): readonly string[] {
  return [publicHostname, proxy.forwardHost, lan.address ?? ''];
}

function seesRow(principal: Principal, view: InventoryView, { lan }: JoinedPort): boolean {
  const guest = lan.guest === null ? undefined : view.guests.get(lan.guest);
  if (guest !== undefined) return seesGuest(principal, guest);
  const cluster = lan.node === null ? '' : lan.node.slice(0, lan.node.indexOf('/'));
  return seesTenant(principal, tenantOf({ cluster }));
}

/** How fresh the port map is: as the proxies and switches that it is joined of; undefined where no proxy is configured. */
export function portMapFreshness(
  principal: Principal,
  view: InventoryView,
  now: Instant,
): InventoryFreshness | undefined {
  const proxies = serviceInventory(principal, view, 'npm', now);
  if (!proxies.isConfigured) return undefined;
  const switches = serviceInventory(principal, view, 'unifi', now);
  if (!switches.isConfigured) return proxies.freshness;
  const [a, b] = [proxies.freshness, switches.freshness];
  return {
    collectedAt: a.collectedAt === null || b.collectedAt === null ? null : Math.min(a.collectedAt, b.collectedAt),
    stale: a.stale || b.stale,
    seedUnreachable: a.seedUnreachable || b.seedUnreachable,
    notes: [...a.notes, ...b.notes],
  };
}
