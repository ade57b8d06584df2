/** The collectors' contract: how often each is due, when its word is stale, what happens when it fails. */
export const COLLECTOR_NAMES = ['proxmox_guest_ipam', 'ip_neigh', 'hardware', 'npm', 'unifi', 'netbox'] as const;
export type CollectorName = (typeof COLLECTOR_NAMES)[number];

export interface CollectorTerms {
  readonly refreshSeconds: number;
  readonly staleAfterSeconds: number;
  readonly onFailure: 'keep_last' | 'omit';
  /** Name of the environment variable that must be `1`; undefined: always on. */
  readonly enabledBy: string | undefined;
}

export interface CollectorContract {
  readonly version: number;
  readonly collectors: Readonly<Record<CollectorName, CollectorTerms>>;
  /** The file byte for byte (the default's text where there is no file), and its hash in hex. */
  readonly text: string;
  readonly hash: string;
}
