import type { CollectorContract, CollectorName } from './contract.js';

/** A secret that cannot be printed: `reveal()` is the only way to its text. */
export class Secret {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  reveal(): string {
    return this.#text;
  }
  toString(): string {
    return '[secret]';
  }
  toJSON(): string {
    return '[secret]';
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/** How a TLS peer is recognised: its certificate's SHA-256 (lower-case hex, no colons), or a CA in PEM. Plain http only where the URL says so. */
export type TlsPin =
  | { readonly kind: 'fingerprint'; readonly sha256: readonly string[] }
  | { readonly kind: 'ca'; readonly pem: string }
  | { readonly kind: 'system' };

export interface ProxmoxApiSettings {
  /** Tried in order; each `https://host:port` (or http on loopback or private ranges). */
  readonly urls: readonly string[];
  readonly tokenId: string;
  readonly tokenSecret: Secret;
  readonly tls: TlsPin;
}

/** A host that is asked over SSH. A user other than root runs the commands through `sudo -n`. */
export interface SshSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The private key as it stands in its file. */
  readonly key: Secret;
  /** null: the key is not encrypted. */
  readonly passphrase: Secret | null;
  /** `SHA256:…`, as `ssh-keygen -lf` prints it. */
  readonly hostKeyFingerprint: string;
}

/** Devices that match all that is named live in `scope` (one a node where `perNode`: `scope@node`). */
export interface ScopeRule {
  readonly node: string | null;
  readonly bridge: string | null;
  readonly tag: string | null;
  readonly perNode: boolean;
  readonly scope: string;
}

/** An entry that is in use though a field of it is wrong. */
export interface Doubted {
  /** What is wrong, each with its file and line: it is told beside what the source says. */
  readonly doubts?: readonly string[];
}

export interface ClusterSettings extends Doubted {
  readonly name: string;
  /** Why this cluster cannot be asked though it is named (invalid entry, missing secret): then it is unreachable, not retired. */
  readonly broken: string | null;
  readonly api: ProxmoxApiSettings | null;
  /** Asked only where there is no `api`. */
  readonly ssh: SshSettings | null;
  readonly pollSeconds: number;
  readonly readsPerPoll: number;
  readonly addressScope: string;
  readonly addressScopes: readonly ScopeRule[];
}

/** A host that is asked over SSH for its neighbours and its hardware. */
export interface HostSettings extends Doubted {
  /** The node's name where it is one of ours. */
  readonly name: string;
  readonly cluster: string;
  /** Why it cannot be asked though it is named. */
  readonly broken: string | null;
  readonly ssh: SshSettings | null;
  readonly collect: readonly ('neighbours' | 'hardware')[];
}

interface ServiceSettings extends Doubted {
  readonly name: string;
  readonly broken: string | null;
  /** `https://host[:port][/prefix]`, without a slash at its end. */
  readonly url: string;
  readonly tls: TlsPin;
}

export interface NpmSettings extends ServiceSettings {
  readonly identity: string;
  readonly secret: Secret;
}

export interface UnifiSettings extends ServiceSettings {
  /** The site's internal name, `default` at first. */
  readonly site: string;
  readonly login:
    | { readonly kind: 'apiKey'; readonly key: Secret }
    | { readonly kind: 'password'; readonly username: string; readonly password: Secret };
}

export interface NetboxSettings extends ServiceSettings {
  readonly token: Secret;
  /** The custom field that holds a VM's VMID. */
  readonly vmidField: string;
  /** NetBox's cluster name to ours; one that is not named stands for ours of equal name. */
  readonly clusters: Readonly<Record<string, string>>;
  /** A VRF's name to a scope (`global`: no VRF); one that is not named stands for the scope of equal name. */
  readonly vrfScopes: Readonly<Record<string, string>>;
}

export interface SourcesSettings {
  readonly clusters: readonly ClusterSettings[];
  readonly hosts: readonly HostSettings[];
  readonly npm: readonly NpmSettings[];
  readonly unifi: readonly UnifiSettings[];
  readonly netbox: readonly NetboxSettings[];
  /** Declared sources that are switched off. */
  readonly declaredOff: readonly string[];
  /** Loud lines for the log: an http URL, an entry left out. */
  readonly warnings: readonly string[];
}

/** What a view is made under: the settings of its clusters, the contract, and which declared sources count in which order. */
export interface InventorySettings {
  readonly contract: CollectorContract;
  readonly precedence: readonly string[];
  readonly declaredOff: readonly string[];
  /** Collectors that the settings name sources for and whose switch is off. Left out: none. */
  readonly collectorsOff?: readonly CollectorName[];
  cluster(name: string): ClusterSettings;
}

/** The settings of a cluster that nobody names at the moment: nothing can be asked of it. */
export function unnamedCluster(name: string, why: string): ClusterSettings {
  return {
    name,
    broken: why,
    api: null,
    ssh: null,
    pollSeconds: 10,
    readsPerPoll: 50,
    addressScope: 'default',
    addressScopes: [],
  };
}
