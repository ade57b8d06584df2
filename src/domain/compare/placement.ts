import type { GuestDeclaration, VmDeclaration } from '../declaration.js';
import type { InventoryView } from '../view.js';
import type { NodeNames } from './names.js';

/**
 * Where a table row says that its guest is.
 * `in`: in one of these clusters (several where a node's name stands in several).
 * `anywhere`: it does not say; it binds only to a guest that agrees with it in name or address.
 * `elsewhere`: in a cluster or on a node that is none of ours: out of sight.
 */
export type Placement =
  | { readonly kind: 'in'; readonly clusters: readonly string[] }
  | { readonly kind: 'anywhere' }
  | { readonly kind: 'elsewhere' };

const ANYWHERE: Placement = { kind: 'anywhere' };
const ELSEWHERE: Placement = { kind: 'elsewhere' };

/** Reads placements of rows: the cluster column, else the nearest heading that names a cluster or node of ours, else the node. */
export class Placements {
  readonly #view: InventoryView;
  readonly #nodes: NodeNames;
  readonly #clusterNames: ReadonlyMap<string, string>;
  readonly #headings = new Map<string, readonly string[] | undefined>();
  readonly #byCluster = new Map<string, Placement>();

  constructor(view: InventoryView, nodes: NodeNames) {
    this.#view = view;
    this.#nodes = nodes;
    const names = new Map<string, string>();
    for (const cluster of view.clusters.values()) {
      const theirs = cluster.row?.proxmoxName?.toLowerCase();
      if (theirs !== undefined && !names.has(theirs)) names.set(theirs, cluster.name);
    }
    // Our own name for a cluster goes before the name Proxmox has for it.
    for (const cluster of view.clusters.values()) names.set(cluster.name.toLowerCase(), cluster.name);
    this.#clusterNames = names;
  }

  of(row: GuestDeclaration): Placement {
    if (row.cluster !== null) {
      const cluster = this.#clusterNames.get(row.cluster.trim().toLowerCase());
      return cluster === undefined ? { kind: 'elsewhere' } : { kind: 'in', clusters: [cluster] };
    }
    for (const heading of row.headings) {
      const clusters = this.#named(heading);
      if (clusters !== undefined) return { kind: 'in', clusters: this.#narrowed(clusters, row) };
    }
    if (row.node !== null) {
      const clusters = [...new Set(this.#nodes.find(row.node).map((node) => node.cluster))];
      return clusters.length === 0 ? { kind: 'elsewhere' } : { kind: 'in', clusters };
    }
    return { kind: 'anywhere' };
  }

  /** A VM is where its cluster is; one of a cluster that is none of ours is out of sight, and one without may be anywhere. */
  ofVm({ cluster, clusterName }: Pick<VmDeclaration, 'cluster' | 'clusterName'>): Placement {
    if (cluster === null) return clusterName === null ? ANYWHERE : ELSEWHERE;
    const known = this.#byCluster.get(cluster);
    if (known !== undefined) return known;
    const ours = this.#view.clusters.has(cluster) ? cluster : this.#clusterNames.get(cluster.trim().toLowerCase());
    const placement: Placement = ours === undefined ? ELSEWHERE : { kind: 'in', clusters: [ours] };
    this.#byCluster.set(cluster, placement);
    return placement;
  }

  /** A heading may name a node that stands in several clusters; the row's own node cell may settle which. */
  #narrowed(clusters: readonly string[], row: GuestDeclaration): readonly string[] {
    if (clusters.length < 2 || row.node === null) return clusters;
    const byNode = new Set(this.#nodes.find(row.node).map((node) => node.cluster));
    const both = clusters.filter((cluster) => byNode.has(cluster));
    return both.length > 0 ? both : clusters;
  }

  #named(heading: string): readonly string[] | undefined {
    if (this.#headings.has(heading)) return this.#headings.get(heading);
    const words = new Set(
      heading
        .toLowerCase()
        .split(/[^a-z0-9_.-]+/)
        .map((word) => word.replace(/^[.-]+|[.-]+$/g, '')),
    );
    let clusters: readonly string[] | undefined;
    for (const [name, cluster] of this.#clusterNames) {
      if (words.has(name)) clusters = [cluster];
    }
    if (clusters === undefined) {
      const nodes = [...words].flatMap((word) => (word === '' ? [] : this.#nodes.find(word)));
      if (nodes.length > 0) clusters = [...new Set(nodes.map((node) => node.cluster))];
    }
    this.#headings.set(heading, clusters);
    return clusters;
  }

  /** Clusters that a row could be about, for proving that its guest is in none of them. */
  clusters(placement: Placement): readonly string[] {
    switch (placement.kind) {
      case 'in':
        return placement.clusters;
      case 'anywhere':
        return [...this.#view.clusters.keys()];
      case 'elsewhere':
        return [];
    }
  }
}
