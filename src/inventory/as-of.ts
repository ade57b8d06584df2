import { type Binding, bindDeclarations } from '../domain/compare/binding.js';
import { declaredName, precedenceName } from '../domain/declared-sources.js';
import { learn } from '../domain/learn/learn.js';
import type { Policy } from '../domain/policy.js';
import { type InventorySettings, unnamedCluster } from '../domain/settings.js';
import type { Instant } from '../domain/time.js';
import { neverCollected, type SourceState, type Version, type VersionKind } from '../domain/version.js';
import { emptyView, type InventoryView } from '../domain/view.js';
import type { Store } from '../store/store.js';
import { addressList } from './addresses.js';
import { freshnessOfThen } from './as-of-freshness.js';
import { guestRecordAsOf, nodeRecordOf } from './guest-record.js';
import type { SortedList } from './page.js';
import type { AddressCarrier, AddressRecord, Freshness, GuestRecord, NodeRecord } from './records.js';

const OF_GUESTS: readonly VersionKind[] = ['guest', 'guest.config', 'guest.addresses', 'guest.power'];
const OF_THE_REST: readonly VersionKind[] = ['node', 'cluster', 'declared.row', 'declared.meta'];

/** Guests as they were, and what their edges are asked of. */
export interface Past {
  readonly view: InventoryView;
  readonly guests: readonly GuestRecord[];
}

/** The view of a moment in the past, made of the versions that held then by the same function as the one of now. */
export async function pastOf(
  needs: { readonly store: Pick<Store, 'versions' | 'runs'>; readonly view: InventoryView },
  at: Instant,
  only: { readonly cluster?: string; readonly vmids?: readonly number[] },
): Promise<Past> {
  const { store, view } = needs;
  const ofCluster = only.cluster === undefined ? {} : { cluster: only.cluster };
  const ofGuest = only.vmids === undefined ? {} : { keys: only.vmids.map(String) };
  // Nodes and declarations are asked for whole: a cluster or VMID names none of them.
  const [guests, rest, runs] = await Promise.all([
    store.versions.asOf(at, OF_GUESTS, { ...ofCluster, ...ofGuest }),
    store.versions.asOf(at, OF_THE_REST),
    store.runs.latestBySource(at),
  ]);
  const versions = [...rest, ...guests].sort((a, b) => rank(a) - rank(b));
  const states = statesFor(view, versions);
  const past = learn(
    emptyView(view.contract),
    { seq: view.seq, opened: versions, ended: [], reads: [], states },
    settingsOf(view),
  );
  const fresh = states.map(({ source, cluster }) => {
    return [cluster, freshnessOfThen(view, cluster, runs.get(source), at)] as const;
  });
  freshnesses.set(past, new Map(fresh));
  const records = [...past.guests.values()].map((guest) => {
    const record = guestRecordAsOf(guest, at);
    origins.set(record, past);
    return record;
  });
  return { view: past, guests: records };
}

/** Addresses as they were; the guests that carry them are those of then. */
export async function addressesAsOf(
  needs: { readonly store: Pick<Store, 'versions' | 'runs'>; readonly view: InventoryView; readonly policy: Policy },
  at: Instant,
): Promise<SortedList<AddressRecord>> {
  const past = await pastOf(needs, at, {});
  const list = addressList(past.view, pastBinding(past.view), needs.policy, at);
  const guests = new Map(past.guests.map((guest) => [guest.id, guest]));
  for (const { carriedBy } of list.sorted)
    for (const carrier of carriedBy) {
      const guest = guests.get(carrier.guestId);
      if (guest !== undefined) carriers.set(carrier, guest);
    }
  return list;
}

const carriers = new WeakMap<AddressCarrier, GuestRecord>();

/** The guest of then that carried an address; undefined for an address of now. */
export function pastCarrier(carrier: AddressCarrier): GuestRecord | undefined {
  return carriers.get(carrier);
}

/** A guest's other parts are learned onto its row, so that rows come first; nodes before them settle their status. */
function rank(version: Version): number {
  return version.kind === 'guest' ? 1 : OF_GUESTS.includes(version.kind) ? 2 : 0;
}

/** The states of now, and one for each cluster of then that is retired since. */
function statesFor(view: InventoryView, versions: readonly Version[]): SourceState[] {
  const states = [...view.clusters.values()].map((cluster) => cluster.state);
  const known = new Set(view.clusters.keys());
  for (const { cluster, source } of versions) {
    if (cluster === '' || known.has(cluster)) continue;
    known.add(cluster);
    states.push(retired(cluster, source));
  }
  return [...states, ...[...view.declared.values()].map((declared) => declared.state)];
}

function retired(cluster: string, source: string): SourceState {
  return { ...neverCollected({ source, kind: 'proxmox', cluster }), reason: 'no longer collected' };
}

/** Scopes and precedence are those of now: settings keep no history. */
function settingsOf(view: InventoryView): InventorySettings {
  const declared = new Set(view.declarations.map((source) => precedenceName(source.name)));
  return {
    contract: view.contract,
    precedence: [...declared],
    declaredOff: [...view.declared.values()]
      .map(({ state }) => precedenceName(declaredName(state.source)))
      .filter((name) => !declared.has(name)),
    cluster: (name) => view.clusters.get(name)?.settings ?? unnamedCluster(name, 'no longer collected'),
  };
}

const origins = new WeakMap<GuestRecord | NodeRecord, InventoryView>();
const freshnesses = new WeakMap<InventoryView, ReadonlyMap<string, Freshness>>();
const bindings = new WeakMap<InventoryView, Binding>();

/** The view that a guest or node of the past belongs to; undefined for one of now. */
export function originOf(record: GuestRecord | NodeRecord): InventoryView | undefined {
  return record.asOf === null ? undefined : origins.get(record);
}

/** How fresh its cluster's word was at that moment; undefined for a guest or node of now. */
export function pastFreshness(record: GuestRecord | NodeRecord): Freshness | undefined {
  const origin = originOf(record);
  return origin === undefined ? undefined : freshnesses.get(origin)?.get(record.cluster);
}

export function pastBinding(view: InventoryView): Binding {
  let binding = bindings.get(view);
  if (binding === undefined) {
    binding = bindDeclarations(view);
    bindings.set(view, binding);
  }
  return binding;
}

export function pastNode(view: InventoryView, guest: GuestRecord): NodeRecord {
  const node = view.nodes.get(`${guest.cluster}/${guest.nodeName}`);
  const record = nodeRecordOf(guest.cluster, guest.nodeName, node?.row, guest.asOf);
  origins.set(record, view);
  return record;
}
