import { type Principal, seesTenant } from '../domain/access.js';
import { tenantOf } from '../domain/tenancy.js';
import type { InventoryView } from '../domain/view.js';
import { nodeRecord } from './guest-record.js';
import type { SortedList } from './page.js';
import type { NodeRecord } from './records.js';
import type { NodesQuery } from './verbs.js';

const lists = new WeakMap<InventoryView['nodes'], SortedList<NodeRecord>>();

/** All nodes by cluster and name. */
export function nodeList(view: InventoryView): SortedList<NodeRecord> {
  let list = lists.get(view.nodes);
  if (list === undefined) {
    const sorted = [...view.nodes.values()]
      .map(nodeRecord)
      .sort((a, b) => (a.cluster === b.cluster ? (a.name < b.name ? -1 : 1) : a.cluster < b.cluster ? -1 : 1));
    list = { order: 'nodes', sorted, descending: false, placeOf: (node) => [node.cluster, node.name] };
    lists.set(view.nodes, list);
  }
  return list;
}

export function nodeKeeper(principal: Principal, filter: NodesQuery['filter']): (node: NodeRecord) => boolean {
  const { cluster, statuses } = filter ?? {};
  return (node) =>
    (cluster === undefined || node.cluster === cluster) &&
    (statuses === undefined || statuses.includes(node.status)) &&
    seesTenant(principal, tenantOf(node));
}
