import { COLLECTOR_NAMES, type CollectorContract, type CollectorName } from '../domain/contract.js';
import type { Estate } from './estate.js';

type Named = Pick<Estate, 'clusters' | 'hosts' | 'npm' | 'unifi' | 'netbox'>;

/** Collectors that the settings name sources for and whose switch, as the contract names it, is off. */
export function collectorsOff(
  { clusters, hosts, npm, unifi, netbox }: Named,
  { collectors }: CollectorContract,
  enabled: (name: string) => boolean,
): readonly CollectorName[] {
  const isAsked = (part: (typeof hosts)[number]['collect'][number]) =>
    hosts.some(({ collect }) => collect.includes(part));
  const isNamed: Readonly<Record<CollectorName, boolean>> = {
    proxmox_guest_ipam: false,
    ip_neigh: isAsked('neighbours'),
    hardware: isAsked('hardware') || clusters.some(({ api }) => api !== null),
    npm: npm.length > 0,
    unifi: unifi.length > 0,
    netbox: netbox.length > 0,
  };
  return COLLECTOR_NAMES.filter((name) => {
    const { enabledBy } = collectors[name];
    return isNamed[name] && enabledBy !== undefined && !enabled(enabledBy);
  });
}
