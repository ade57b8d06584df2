/** The versions that are played: each has shapes of its own. */
export type NetboxVersion = '3.7' | '4.0' | '4.2' | '4.6';

export const RELEASES: Readonly<Record<NetboxVersion, string>> = {
  '3.7': '3.7.8',
  '4.0': '4.0.11',
  '4.2': '4.2.2',
  '4.6': '4.6.1',
};

/** What a version does otherwise than the one before. */
export interface NetboxManners {
  readonly version: NetboxVersion;
  /** Since 4.0: nobody reads anything without a token, and devices have only `role`. */
  readonly four: boolean;
  /** Since 4.1: disks in MB of which a thousand are a GB, serials of VMs. */
  readonly megabytes: boolean;
  /** Since 4.2: MAC addresses are objects, and a site is a scope. */
  readonly macObjects: boolean;
  /** Since 4.5: tokens of version 2. */
  readonly secondTokens: boolean;
  /** Since 4.6: paging from an id on. */
  readonly cursors: boolean;
}

const ORDER: readonly NetboxVersion[] = ['3.7', '4.0', '4.2', '4.6'];

export function mannersOf(version: NetboxVersion): NetboxManners {
  const since = (first: NetboxVersion) => ORDER.indexOf(version) >= ORDER.indexOf(first);
  return {
    version,
    four: since('4.0'),
    megabytes: since('4.2'),
    macObjects: since('4.2'),
    secondTokens: since('4.6'),
    cursors: since('4.6'),
  };
}
