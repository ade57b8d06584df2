import { join } from 'node:path';
import { declaredCollector } from '../collection/declared.js';
import { doubted } from '../collection/doubted.js';
import { proxmoxCollector } from '../collection/proxmox.js';
import type { CollectedSource } from '../collection/source.js';
import type { Config } from '../config.js';
import { declaredFile } from '../declared/source.js';
import { declaredSourceName } from '../domain/absorb-declared.js';
import { proxmoxSourceName } from '../domain/absorbing.js';
import type { Binding } from '../domain/compare/binding.js';
import { contentHash } from '../domain/content-hash.js';
import type { CollectorContract } from '../domain/contract.js';
import { scheduledStates } from '../domain/coverage.js';
import { declaredName, precedenceName } from '../domain/declared-sources.js';
import type { Policy } from '../domain/policy.js';
import {
  type ClusterSettings,
  type Doubted,
  type HostSettings,
  type InventorySettings,
  type NetboxSettings,
  type NpmSettings,
  Secret,
  type UnifiSettings,
  unnamedCluster,
} from '../domain/settings.js';
import type { InventoryView } from '../domain/view.js';
import { type ProxmoxSource, proxmoxSource } from '../sources/proxmox/source.js';
import { proxmoxSshSource } from '../sources/proxmox-ssh/source.js';
import { serviceEntries } from './services.js';
import type { Settings } from './settings-files.js';

export const DECLARED_FILES = ['ip-addresses.conf', 'ALL_VMIDS_ENDPOINTS.md'] as const;

/** Which sources are collected and where the declared files lie, under one reading of the settings. */
export interface Estate {
  readonly clusters: readonly ClusterSettings[];
  readonly hosts: readonly HostSettings[];
  readonly npm: readonly NpmSettings[];
  readonly unifi: readonly UnifiSettings[];
  readonly netbox: readonly NetboxSettings[];
  /** Services that are known and that the settings cannot name now: what they last said stays. */
  readonly away: readonly AwaySource[];
  readonly declaredDir: string;
  readonly declaredOff: readonly string[];
}

/** A source that something is known of, by name. */
export type KnownSource = Pick<CollectedSource, 'source' | 'kind' | 'cluster'>;

export interface AwaySource extends KnownSource {
  readonly why: string;
}

/** Clusters and services that something is known of; files are there whether anything is known of them or not. */
export function knownSources(view: InventoryView): readonly KnownSource[] {
  return scheduledStates(view).map(({ source, kind, cluster }) => ({ source, kind, cluster }));
}

/** The declared sources that are switched off: a file by its name, all services of a kind by their kind. */
export function switchedOff(view: InventoryView, off: readonly string[]): readonly string[] {
  const known = [...view.declared.keys()].filter((source) => off.includes(precedenceName(declaredName(source))));
  return [...new Set([...off.filter((name) => isFile(name)).map(declaredSourceName), ...known])];
}

function isFile(name: string): boolean {
  return DECLARED_FILES.some((file) => file === name);
}

export function realEstate(
  config: Config,
  settings: Settings,
  outOfReach: readonly ClusterSettings[],
  away: readonly AwaySource[],
): Estate {
  const named = settings.sources?.settings;
  return {
    clusters: [...(named?.clusters ?? []), ...outOfReach],
    hosts: named?.hosts ?? [],
    npm: named?.npm ?? [],
    unifi: named?.unifi ?? [],
    netbox: named?.netbox ?? [],
    away,
    declaredDir: config.configDir,
    declaredOff: named?.declaredOff ?? [],
  };
}

export function inventorySettings(
  settings: Settings,
  { precedence }: Pick<Policy, 'precedence'>,
  estate: Estate,
): InventorySettings {
  const byName = new Map(estate.clusters.map((cluster) => [cluster.name, cluster]));
  return {
    contract: settings.contract,
    precedence,
    declaredOff: estate.declaredOff,
    cluster: (name) => byName.get(name) ?? unnamedCluster(name, 'the settings do not name it'),
  };
}

interface CollectorNeeds {
  now(): number;
  binding(): Binding;
  contract(): CollectorContract;
  /** Whether the environment variable that the contract names is on. */
  enabled(name: string): boolean;
  confirmed(source: string): Promise<string | null>;
  pending(source: string, contentHash: string | null): Promise<void>;
}

/** Makes the collectors of an estate; one whose settings did not change is kept as it runs. */
export class Collectors {
  readonly #needs: CollectorNeeds;
  readonly #made = new Map<string, { readonly under: string; readonly source: CollectedSource }>();

  constructor(needs: CollectorNeeds) {
    this.#needs = needs;
  }

  of(estate: Estate): readonly CollectedSource[] {
    const { now } = this.#needs;
    const proxmox = estate.clusters.map((settings) =>
      this.#make(proxmoxSourceName(settings.name), settings, () =>
        proxmoxCollector(settings, { ...this.#needs, proxmox: proxmoxFor(settings, now) }),
      ),
    );
    const files = DECLARED_FILES.filter((name) => !estate.declaredOff.includes(name)).map((name) => {
      const path = join(estate.declaredDir, name);
      return this.#make(declaredSourceName(name), path, () =>
        declaredCollector({ ...this.#needs, file: declaredFile({ name, path }, { now }) }),
      );
    });
    const services = serviceEntries(estate, this.#needs).map(({ source, settings, make }) =>
      this.#make(source, settings, make),
    );
    return [...proxmox, ...files, ...services];
  }

  #make(name: string, settings: string | Doubted, make: () => CollectedSource): CollectedSource {
    const under = fingerprint(settings);
    const known = this.#made.get(name);
    if (known?.under === under) return known.source;
    const made = doubted(make(), typeof settings === 'string' ? [] : (settings.doubts ?? []));
    const source = {
      ...made,
      close: () => {
        // A source that is named again under the same settings gets one that is open.
        if (this.#made.get(name)?.source === source) this.#made.delete(name);
        return made.close();
      },
    };
    this.#made.set(name, { under, source });
    return source;
  }
}

function proxmoxFor(settings: ClusterSettings, now: () => number): ProxmoxSource {
  const overSsh = settings.api === null && settings.ssh !== null;
  return overSsh ? proxmoxSshSource(settings, { now }) : proxmoxSource(settings, { now });
}

/** Tells two readings of a source's settings apart, the secrets included, without keeping them. */
function fingerprint(settings: unknown): string {
  return contentHash(revealed(settings));
}

function revealed(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revealed(item)]));
}
