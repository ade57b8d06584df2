import type { CollectorName } from './contract.js';
import type { Instant } from './time.js';
import type { SourceState } from './version.js';
import { type ClusterView, type GuestView, type InventoryView, type PartState, sourceStates } from './view.js';

/** How old a part may be before its word no longer counts, in milliseconds. */
export function staleAfter(view: InventoryView): number {
  return view.contract.collectors.proxmox_guest_ipam.staleAfterSeconds * 1_000;
}

/** The collector that a source belongs to; null: a declared file or the policy, which are watched. */
export function collectorOf({ kind, source }: Pick<SourceState, 'kind' | 'source'>): CollectorName | null {
  if (kind === 'proxmox') return 'proxmox_guest_ipam';
  if (kind === 'policy') return null;
  if (kind !== 'declared') return kind;
  return source.startsWith('declared:netbox:') ? 'netbox' : null;
}

/** The states of all that the contract schedules: clusters, services, declared services. A file is watched instead. */
export function scheduledStates(view: InventoryView): readonly SourceState[] {
  return sourceStates(view).filter((state) => collectorOf(state) !== null);
}

/** Whether a source has had no success within what its collector's contract allows. A file that is watched never grows old. */
export function sourceStale(state: SourceState, view: InventoryView, now: Instant): boolean {
  const collector = collectorOf(state);
  if (collector === null) return false;
  const allowed = view.contract.collectors[collector].staleAfterSeconds * 1_000;
  return state.lastSuccessAt === null || now - state.lastSuccessAt > allowed;
}

/** The service answered when it was last asked, and that is not longer ago than its contract allows. */
export function serviceCovered(view: InventoryView, source: string, now: Instant): boolean {
  const state = view.services.get(source);
  return state?.outcome === 'OBSERVED' && !sourceStale(state, view, now);
}

/** What of an estate is covered at one moment. Everything a comparison concludes from asks here first. */
export class Coverage {
  readonly #view: InventoryView;
  readonly #now: Instant;
  readonly #oldest: Instant;
  readonly #reached = new Map<string, boolean>();
  /** Nodes that are online, by cluster. */
  readonly #online = new Map<string, Set<string>>();

  constructor(view: InventoryView, now: Instant) {
    this.#view = view;
    this.#now = now;
    this.#oldest = now - staleAfter(view);
    for (const cluster of view.clusters.values()) this.#reached.set(cluster.name, reached(cluster, this.#oldest));
    for (const { cluster, name, row } of view.nodes.values()) {
      const online = this.#online.get(cluster) ?? new Set();
      if (row.status === 'ONLINE') this.#online.set(cluster, online.add(name));
    }
  }

  /** The last poll of the cluster succeeded and is young enough. */
  cluster(name: string): boolean {
    return this.#reached.get(name) === true;
  }

  /** The cluster's word on absence, node and name counts: it was reached and has quorum. */
  quorate(name: string): boolean {
    return this.cluster(name) && this.#view.clusters.get(name)?.row?.quorate === true;
  }

  /** The guest's list row: presence, and what `sparse` leaves. */
  row(guest: GuestView): boolean {
    return this.cluster(guest.cluster) && !guest.row.hidden && this.nodeOnline(guest.cluster, guest.row.node);
  }

  nodeOnline(cluster: string, node: string): boolean {
    return this.#online.get(cluster)?.has(node) === true;
  }

  config(guest: GuestView): boolean {
    return this.row(guest) && guest.config !== null && this.#fresh(guest.parts.config);
  }

  /** Config and, where the guest has such a part, the agent's or interfaces' answer. */
  addresses(guest: GuestView): boolean {
    return this.config(guest) && this.#fresh(guest.parts.addresses);
  }

  power(guest: GuestView): boolean {
    const node = this.#view.nodes.get(`${guest.cluster}/${guest.row.node}`);
    const { status, node: moved } = guest.row.since;
    const changed = Math.max(status.before ?? 0, moved.before ?? 0);
    return this.row(guest) && node !== undefined && this.#fresh(node.power) && (node.power.askedAt ?? 0) >= changed;
  }

  /** A read or a `none` that is young enough. */
  #fresh(part: PartState): boolean {
    return (part.state === 'read' || part.state === 'none') && part.askedAt !== null && part.askedAt >= this.#oldest;
  }

  proofFresh(askedAt: Instant): boolean {
    return askedAt >= this.#oldest && askedAt <= this.#now;
  }
}

function reached(cluster: ClusterView, oldest: Instant): boolean {
  const { outcome, lastSuccessAt } = cluster.state;
  return outcome === 'OBSERVED' && lastSuccessAt !== null && lastSuccessAt >= oldest;
}
