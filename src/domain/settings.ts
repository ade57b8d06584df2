import type { CollectorContract } from './contract.js';

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

export interface ClusterSettings {
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

export interface SourcesSettings {
  readonly clusters: readonly ClusterSettings[];
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
