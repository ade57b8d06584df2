import { join } from 'node:path';
import { declaredCollector } from '../collection/declared.js';
import { proxmoxCollector } from '../collection/proxmox.js';
import type { CollectedSource } from '../collection/source.js';
import type { Config } from '../config.js';
import { declaredFile } from '../declared/source.js';
import { declaredSourceName } from '../domain/absorb-declared.js';
import { proxmoxSourceName } from '../domain/absorbing.js';
import type { Binding } from '../domain/compare/binding.js';
import { contentHash } from '../domain/content-hash.js';
import { type ClusterSettings, type InventorySettings, unnamedCluster } from '../domain/settings.js';
import { type ProxmoxSource, proxmoxSource } from '../sources/proxmox/source.js';
import { proxmoxSshSource } from '../sources/proxmox-ssh/source.js';
import type { Settings } from './settings-files.js';

export const DECLARED_FILES = ['ip-addresses.conf', 'ALL_VMIDS_ENDPOINTS.md'] as const;

/** Which clusters are collected and where the declared files lie, under one reading of the settings. */
export interface Estate {
  readonly clusters: readonly ClusterSettings[];
  readonly declaredDir: string;
  readonly declaredOff: readonly string[];
}

export function realEstate(config: Config, settings: Settings, outOfReach: readonly ClusterSettings[]): Estate {
  const named = settings.sources?.settings;
  return {
    clusters: [...(named?.clusters ?? []), ...outOfReach],
    declaredDir: config.configDir,
    declaredOff: named?.declaredOff ?? [],
  };
}

export function inventorySettings(settings: Settings, estate: Estate): InventorySettings {
  const byName = new Map(estate.clusters.map((cluster) => [cluster.name, cluster]));
  return {
    contract: settings.contract,
    precedence: settings.policy.precedence,
    declaredOff: estate.declaredOff,
    cluster: (name) => byName.get(name) ?? unnamedCluster(name, 'the settings do not name it'),
  };
}

interface SourceNeeds {
  now(): number;
  binding(): Binding;
  confirmed(source: string): Promise<string | null>;
  pending(source: string, contentHash: string | null): Promise<void>;
}

/** Makes the collectors of an estate; one whose settings did not change is kept as it runs. */
export class Collectors {
  readonly #needs: SourceNeeds;
  readonly #made = new Map<string, { readonly under: string; readonly source: CollectedSource }>();

  constructor(needs: SourceNeeds) {
    this.#needs = needs;
  }

  of(estate: Estate): readonly CollectedSource[] {
    const { now } = this.#needs;
    const proxmox = estate.clusters.map((settings) =>
      this.#make(proxmoxSourceName(settings.name), fingerprint(settings), () =>
        proxmoxCollector(settings, { ...this.#needs, proxmox: sourceFor(settings, now) }),
      ),
    );
    const files = DECLARED_FILES.filter((name) => !estate.declaredOff.includes(name)).map((name) => {
      const path = join(estate.declaredDir, name);
      return this.#make(declaredSourceName(name), path, () =>
        declaredCollector({ ...this.#needs, file: declaredFile({ name, path }, { now }) }),
      );
    });
    return [...proxmox, ...files];
  }

  #make(name: string, under: string, make: () => CollectedSource): CollectedSource {
    const known = this.#made.get(name);
    if (known?.under === under) return known.source;
    const made = make();
    const source = {
      ...made,
      close: () => {
        // A cluster that is named again under the same settings gets one that is open.
        if (this.#made.get(name)?.source === source) this.#made.delete(name);
        return made.close();
      },
    };
    this.#made.set(name, { under, source });
    return source;
  }
}

function sourceFor(settings: ClusterSettings, now: () => number): ProxmoxSource {
  const overSsh = settings.api === null && settings.ssh !== null;
  return overSsh ? proxmoxSshSource(settings, { now }) : proxmoxSource(settings, { now });
}

/** Tells two readings of a cluster's settings apart, the secret included, without keeping them. */
function fingerprint(settings: ClusterSettings): string {
  const { api, ssh } = settings;
  return contentHash({
    ...settings,
    api: { ...api, tokenSecret: api?.tokenSecret.reveal() ?? null },
    ssh: { ...ssh, key: ssh?.key.reveal() ?? null, passphrase: ssh?.passphrase?.reveal() ?? null },
  });
}
