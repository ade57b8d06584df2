import type { z } from 'zod';
import type { PortMapRecord } from '../inventory/port-map.js';
import type { InventoryFreshness } from '../inventory/records.js';
import type { JoinedPortMap } from './schemas.js';
import { beginning, timeOf } from './shapes.js';

const NOTHING_WIRED: InventoryFreshness = {
  collectedAt: null,
  stale: true,
  seedUnreachable: false,
  notes: ['no proxy is configured: name one under npm in sources.yaml'],
};

/** The port map as the legacy clients read it; where no proxy is wired it says so, and is empty. */
export function portMapBody({
  freshness,
  rows,
}: {
  readonly freshness: InventoryFreshness | undefined;
  readonly rows: readonly PortMapRecord[];
}): z.infer<typeof JoinedPortMap> {
  if (freshness === undefined) return { ...beginning(NOTHING_WIRED), implementation: 'stub', items: [] };
  return { ...beginning(freshness), items: rows.map(rowBody) };
}

function rowBody({ publicHostname, proxy, lan, switch: plugged }: PortMapRecord) {
  const { forwardHost, forwardPort, collectedAt, path } = proxy;
  const [cluster = null, node = null] = lan.node?.split('/') ?? [];
  const vmid = lan.guest === null ? null : /\/(\d+)@/.exec(lan.guest)?.[1];
  return {
    ...{ public_hostname: publicHostname, path },
    npm: { forward_host: forwardHost, forward_port: forwardPort, collected_at: timeOf(collectedAt) },
    lan: { ip: lan.address, vmid: vmid ?? null, cluster, node },
    switch: { device_id: plugged.device, port: plugged.port, confidence: plugged.confidence },
    confidence: lan.confidence,
  };
}
