import type { Declarations } from '../declaration.js';
import type { ClusterView, GuestView, InventoryView } from '../view.js';
import { type Binding, bindDeclarations } from './binding.js';
import { NodeNames } from './names.js';

/** The last view that each set of declarations was bound to. */
const bound = new WeakMap<Declarations, { readonly view: InventoryView; readonly binding: Binding }>();

/**
 * The declarations tied to the guests of a view. A poll changes hardly ever what ties them: then the last binding holds,
 * and thousands of rows are not placed anew.
 */
export function bindingOf(view: InventoryView): Binding {
  const last = bound.get(view.declarations);
  if (last?.view === view) return last.binding;
  const binding =
    last !== undefined && bindsAlike(last.view, view) ? carriedOver(last.binding, view) : bindDeclarations(view);
  bound.set(view.declarations, { view, binding });
  return binding;
}

/** A binding holds guests and nodes as they were only where it names several, and to find nodes by name. */
function carriedOver(binding: Binding, view: InventoryView): Binding {
  const now = (guest: GuestView) => view.guests.get(guest.id) ?? guest;
  const ambiguous = [...binding.ambiguous].map(
    ([vmid, rows]) => [vmid, rows.map(({ row, guests }) => ({ row, guests: guests.map(now) }))] as const,
  );
  return { ...binding, nodes: new NodeNames(view), ambiguous: new Map(ambiguous) };
}

/** Whether everything that a binding is made of is the same in two views of the same declarations. */
function bindsAlike(a: InventoryView, b: InventoryView): boolean {
  return (
    alike(a.clusters, b.clusters, sameCluster) &&
    alike(a.nodes, b.nodes, (x, y) => x.name === y.name && x.row.ip === y.row.ip) &&
    alike(a.guests, b.guests, sameGuest)
  );
}

/** Keys come sorted on both sides. */
function alike<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>, same: (x: T, y: T) => boolean): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  for (const [key, y] of b) {
    const x = a.get(key);
    if (x === undefined || (x !== y && !same(x, y))) return false;
  }
  return true;
}

function sameCluster(a: ClusterView, b: ClusterView): boolean {
  return a.settings === b.settings && a.row?.proxmoxName === b.row?.proxmoxName;
}

/** What a row may agree with, what ties a VM to it, and the scopes that its addresses lie in. */
function sameGuest(a: GuestView, b: GuestView): boolean {
  return (
    a.row.name === b.row.name &&
    a.firstScope === b.firstScope &&
    (a.parts.config.state === 'never') === (b.parts.config.state === 'never') &&
    sameDevices(a, b) &&
    (a.carried === b.carried ||
      (a.carried.length === b.carried.length &&
        b.carried.every((c, i) => c.address === a.carried[i]?.address && c.scope === a.carried[i]?.scope)))
  );
}

function sameDevices({ config: a }: GuestView, { config: b }: GuestView): boolean {
  if (a === b) return true;
  const [x, y] = [a?.devices ?? [], b?.devices ?? []];
  return x.length === y.length && x.every(({ key, mac }, i) => key === y[i]?.key && mac === y[i]?.mac);
}
