import type { NetboxSettings } from '../../../domain/settings.js';

/** How `sources.yaml` reads NetBox's own names. */
export interface Meaning {
  readonly settings: Pick<NetboxSettings, 'url' | 'clusters' | 'vrfScopes' | 'vmidField'>;
  /** Ours that a cluster of NetBox stands for: as mapped, also in another case, else the one of equal name. */
  cluster(name: string | null): string | null;
  /** The scope of a VRF; null where the table is the global one and no scope is written for it. */
  scope(vrf: string | null): string | null;
  /** The page of an object. NetBox's own word for it follows from how it was asked: behind a proxy it leads nowhere. */
  pageOf(path: string, id: number): string;
}

/** What `vrfScopes` calls the table of no VRF. */
export const GLOBAL = 'global';

export const MACHINE_PAGE = '/virtualization/virtual-machines/';
export const ADDRESS_PAGE = '/ipam/ip-addresses/';

export function meaningOf(settings: Meaning['settings']): Meaning {
  const anyCase = new Map(Object.entries(settings.clusters).map(([name, ours]) => [name.toLowerCase(), ours]));
  const ownOf = (map: Readonly<Record<string, string>>, key: string) =>
    Object.hasOwn(map, key) ? map[key] : undefined;
  return {
    settings,
    cluster: (name) =>
      name === null ? null : (ownOf(settings.clusters, name) ?? anyCase.get(name.toLowerCase()) ?? name),
    scope: (vrf) =>
      vrf === null ? (ownOf(settings.vrfScopes, GLOBAL) ?? null) : (ownOf(settings.vrfScopes, vrf) ?? vrf),
    pageOf: (path, id) => `${settings.url.replace(/\/+$/, '')}${path}${id}/`,
  };
}
