import type { Declarations } from '../declaration.js';
import type { ClusterView, GuestView, InventoryView } from '../view.js';
import { type Binding, bindDeclarations, factsIn } from './binding.js';
import { NodeNames } from './names.js';
import type { TiedBy } from './ties.js';

interface Kept {
  readonly view: InventoryView;
  readonly binding: Binding;
}

/** The last view that each set of declarations was bound to. */
const bound = new WeakMap<Declarations, Kept>();

/**
 * The declarations tied to the guests of a view. A poll changes hardly ever what ties them: then the last binding holds,
 * and thousands of rows are not placed anew.
 */
export function bindingOf(view: InventoryView): Binding {
  const last = bound.get(view.declarations);
  // Findings change without anything that a binding is made of.
  if (last !== undefined && isMadeOfTheSame(last.view, view)) return last.binding;
  const binding =
    last !== undefined && bindsAlike(last, view) ? carriedOver(last.binding, view) : bindDeclarations(view);
  bound.set(view.declarations, { view, binding });
  return binding;
}

function isMadeOfTheSame(a: InventoryView, b: InventoryView): boolean {
  return a.guests === b.guests && a.nodes === b.nodes && a.clusters === b.clusters;
}

/** A binding holds guests and nodes as they were only where it names several, and to find nodes by name. */
function carriedOver(binding: Binding, view: InventoryView): Binding {
  const now = (guest: GuestView) => view.guests.get(guest.id) ?? guest;
  const ambiguous = [...binding.ambiguous].map(
    ([vmid, rows]) => [vmid, rows.map(({ row, guests }) => ({ row, guests: guests.map(now) }))] as const,
  );
  const { byGuest } = binding;
  return { ...binding, nodes: new NodeNames(view), ambiguous: new Map(ambiguous), factsOf: factsIn(view, byGuest) };
}

/** Whether everything that a binding is made of is the same in another view of the same declarations. */
function bindsAlike({ view: a, binding: { tiedBy } }: Kept, b: InventoryView): boolean {
  return (
    alike(a.clusters, b.clusters, sameCluster) &&
    alike(a.nodes, b.nodes, (x, y) => x.name === y.name && x.row.ip === y.row.ip) &&
    alike(a.guests, b.guests, (x, y) => sameGuest(x, y, tiedBy))
  );
}

/** Keys come sorted on both sides: what stands at the same place has the same key, or the keys are not the same ones. */
function alike<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>, same: (x: T, y: T) => boolean): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  const before = a.values();
  for (const [key, y] of b) {
    const { value: x } = before.next();
    if (x === undefined || (x !== y && (a.get(key) !== x || !same(x, y)))) return false;
  }
  return true;
}

function sameCluster(a: ClusterView, b: ClusterView): boolean {
  return a.settings === b.settings && a.row?.proxmoxName === b.row?.proxmoxName;
}

/** What a row had to agree with, what ties a VM to it, and the scopes that its addresses lie in. */
function sameGuest(a: GuestView, b: GuestView, tiedBy: TiedBy): boolean {
  const agreed = tiedBy.agreement.has(a.vmid);
  return (
    a.firstScope === b.firstScope &&
    (a.parts.config.state === 'never') === (b.parts.config.state === 'never') &&
    (a.row.name === b.row.name || !(agreed || tiedBy.names)) &&
    sameDevices(a, b) &&
    (sameCarried(a, b) || (!agreed && livesInOneScope(a) && livesInOneScope(b)))
  );
}

function sameCarried({ carried: a }: GuestView, { carried: b }: GuestView): boolean {
  return (
    a === b || (a.length === b.length && b.every((c, i) => c.address === a[i]?.address && c.scope === a[i]?.scope))
  );
}

/** Whatever it carries, it carries in the scope of its first device, which is not one that is split by node. */
function livesInOneScope({ carried, firstScope }: GuestView): boolean {
  return !firstScope.includes('@') && carried.every(({ scope }) => scope === firstScope);
}

function sameDevices({ config: a }: GuestView, { config: b }: GuestView): boolean {
  if (a === b) return true;
  const [x, y] = [a?.devices ?? [], b?.devices ?? []];
  return x.length === y.length && x.every(({ key, mac }, i) => key === y[i]?.key && mac === y[i]?.mac);
}
