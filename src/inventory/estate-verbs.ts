import { demand, seesTenant } from '../domain/access.js';
import { tenantOf } from '../domain/tenancy.js';
import { addressKeeper, addressList, witnesses } from './addresses.js';
import { addressesAsOf, pastCarrier, pastFreshness } from './as-of.js';
import { refuseFuture } from './as-of-freshness.js';
import { inventoryChanges } from './changes.js';
import { collectorRecords, collectorSources, declaredSourceRecords } from './collectors.js';
import { clusterFreshness, inventoryFreshness } from './freshness.js';
import { guestRecord, nodeRecord } from './guest-record.js';
import { seesGuest } from './guests.js';
import { hardwareOf } from './hardware.js';
import type { InventoryNeeds, Verbs } from './needs.js';
import { nodeKeeper, nodeList } from './nodes.js';
import { pageOf } from './page.js';
import { portMapFreshness, portMapKeeper, portMapList } from './port-map.js';
import { serviceInventory } from './services.js';
import { summaryRecord } from './summary.js';

/** Clusters, nodes, addresses, the port map, collectors: what is no guest and no finding. */
export function estateVerbs(
  needs: InventoryNeeds,
): Verbs<
  | 'freshness'
  | 'summary'
  | 'declaredSources'
  | 'nodes'
  | 'nodeById'
  | 'addresses'
  | 'addressesAsOf'
  | 'inventoryChanges'
  | 'portMap'
  | 'wholePortMap'
  | 'collectors'
> {
  const { view, binding, policy, store, now } = needs;
  return {
    freshness(principal) {
      demand(principal, 'inventory:read');
      return inventoryFreshness(principal, view(), now());
    },
    summary(principal) {
      demand(principal, 'inventory:read');
      demand(principal, 'drift:read');
      return summaryRecord(principal, view(), now());
    },
    declaredSources(principal) {
      demand(principal, 'inventory:read');
      return declaredSourceRecords(view());
    },
    nodes(principal, query) {
      demand(principal, 'inventory:read');
      return pageOf(principal, nodeList(view()), nodeKeeper(principal, query.filter), query);
    },
    nodeById(principal, id) {
      demand(principal, 'inventory:read');
      const node = view().nodes.get(id);
      return node !== undefined && seesTenant(principal, tenantOf(node)) ? nodeRecord(node) : undefined;
    },
    addresses(principal, query) {
      demand(principal, 'inventory:read');
      const list = addressList(view(), binding(), policy());
      return pageOf(principal, list, addressKeeper(principal, query.filter), query);
    },
    async addressesAsOf(principal, at, query) {
      demand(principal, 'inventory:read');
      refuseFuture(at, now());
      const list = await addressesAsOf({ store, view: view(), policy: policy() }, at);
      return pageOf(principal, list, addressKeeper(principal, query.filter), query);
    },
    inventoryChanges: (principal, query) => inventoryChanges(principal, store, query),
    portMap(principal, query) {
      demand(principal, 'portmap:read');
      const known = view();
      return pageOf(principal, portMapList(known, binding()), portMapKeeper(principal, known, query.filter), query);
    },
    wholePortMap(principal) {
      demand(principal, 'portmap:read');
      const known = view();
      const rows = portMapList(known, binding()).sorted.filter(portMapKeeper(principal, known, undefined));
      return { freshness: portMapFreshness(principal, known, now()), rows };
    },
    async collectors(principal) {
      demand(principal, 'inventory:read');
      const runs = await store.runs.latestBySource();
      const at = now();
      return collectorRecords(view(), collectorSources(principal, view(), runs, at), at);
    },
  };
}

/** Edges of nodes and addresses, and what services said. */
export function networkEdges(
  needs: InventoryNeeds,
): Verbs<'nodeFreshness' | 'carrierOf' | 'hardwareOf' | 'evidenceOf' | 'services'> {
  const { view, now } = needs;
  return {
    evidenceOf(address) {
      const seen = address.isPast === true ? [] : witnesses(view(), address);
      return seen.length === 0 ? address.evidence : [...address.evidence, ...seen];
    },
    carrierOf(principal, carrier) {
      const past = pastCarrier(carrier);
      if (past !== undefined) return seesTenant(principal, tenantOf(past)) ? past : undefined;
      const known = view().guests.get(carrier.guestId);
      return known !== undefined && seesGuest(principal, known) ? guestRecord(known) : undefined;
    },
    hardwareOf(node) {
      return node.asOf === null ? hardwareOf(view(), node, now()) : undefined;
    },
    services(principal, collector) {
      demand(principal, 'inventory:read');
      return serviceInventory(principal, view(), collector, now());
    },
    nodeFreshness(node) {
      return pastFreshness(node) ?? clusterFreshness(view(), view().clusters.get(node.cluster), now());
    },
  };
}
