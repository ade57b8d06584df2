import type { SourceState } from './version.js';
import type { InventoryView } from './view.js';

/** The cluster was polled at least once: a node that is not in the view is none of its nodes. */
export function knowsNodes(view: InventoryView, cluster: string): boolean {
  const row = view.clusters.get(cluster)?.row;
  return row !== undefined && row !== null;
}

/** A host that the settings place in a cluster which, as far as it is known, has no node of that name. */
export function isForeign(view: InventoryView, cluster: string, host: string): boolean {
  return knowsNodes(view, cluster) && !view.nodes.has(`${cluster}/${host}`);
}

/** What is to be said of a source that asks such a host; null: it asks a node, no one host, or nobody can tell yet. */
export function foreignHost(view: InventoryView, { source, cluster }: SourceState): string | null {
  const [, host] = source.split('/');
  if (host === undefined || !isForeign(view, cluster, host)) return null;
  const names = [...view.nodes.values()].flatMap((node) => (node.cluster === cluster ? [node.name] : []));
  const has = names.length === 0 ? 'none at all' : names.join(', ');
  return `the cluster ${cluster} has no node ${host}, it has ${has}: correct this host's name in hosts of sources.yaml`;
}
