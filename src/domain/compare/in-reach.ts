import type { Declarations, DeclaredSource } from '../declaration.js';
import { type Instant, SECOND } from '../time.js';
import type { InventoryView } from '../view.js';

const outOfReach = new WeakMap<Declarations, { readonly stale: string; readonly declarations: Declarations }>();

/**
 * The view, with every declared service whose last success is older than its contract allows as one that is out of
 * reach: it covers nothing. A file tells every change by itself and does not age.
 */
export function withoutStaleServices(view: InventoryView, now: Instant): InventoryView {
  const allowed = view.contract.collectors.netbox.staleAfterSeconds * SECOND;
  const isStale = ({ watched, state }: DeclaredSource) =>
    !watched && state.kind === 'covered' && now - state.readAt > allowed;
  const stale = view.declarations.filter(isStale);
  if (stale.length === 0) return view;
  const names = stale.map(({ name }) => name).join('\n');
  const known = outOfReach.get(view.declarations);
  // The same ones as before: what was bound to them still holds.
  if (known?.stale === names) return { ...view, declarations: known.declarations };
  const declarations = view.declarations.map((source) => (isStale(source) ? unreached(source, allowed) : source));
  outOfReach.set(view.declarations, { stale: names, declarations });
  return { ...view, declarations };
}

function unreached(source: DeclaredSource, allowed: number): DeclaredSource {
  if (source.state.kind !== 'covered') return source;
  const { readAt } = source.state;
  const reason = `not read for longer than ${allowed / SECOND} s`;
  return { ...source, state: { kind: 'unreachable', readAt, since: readAt + allowed, reason } };
}
