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

/** Whether a collector is left out while it fails: then that is never a failure, and nobody is told of it. */
export function isOmitted(contract: CollectorContract, collector: CollectorName | null): boolean {
  return collector !== null && contract.collectors[collector].onFailure === 'omit';
}

/** What to do about a collector that is named in the settings and switched off. */
export function switchedOffWords({ enabledBy }: CollectorTerms): string {
  return `it is switched off: set ${enabledBy}=1`;
}

export interface CollectorContract {
  readonly version: number;
  readonly collectors: Readonly<Record<CollectorName, CollectorTerms>>;
  /** The file byte for byte (the default's text where there is no file), and its hash in hex. */
  readonly text: string;
  readonly hash: string;
}
