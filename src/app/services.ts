import { netboxCollector, netboxName } from '../collection/netbox.js';
import { type ServiceSource, serviceCollector, serviceSourceName } from '../collection/service.js';
import type { CollectedSource } from '../collection/source.js';
import { declaredSourceName } from '../domain/absorb-declared.js';
import type { CollectorContract, CollectorName } from '../domain/contract.js';
import type { Doubted, HostSettings } from '../domain/settings.js';
import { isServiceKind, type ServiceKind } from '../domain/version.js';
import { hardwareApiSource } from '../sources/hardware/source.js';
import { hostSources } from '../sources/hosts/source.js';
import { netboxSource } from '../sources/netbox/source.js';
import { npmSource } from '../sources/npm/source.js';
import { unifiSource } from '../sources/unifi/source.js';
import type { AwaySource, Estate } from './estate.js';

interface Needs {
  now(): number;
  contract(): CollectorContract;
  /** Whether the environment variable that the contract names is on. */
  enabled(name: string): boolean;
  confirmed(source: string): Promise<string | null>;
  pending(source: string, contentHash: string | null): Promise<void>;
}

interface EntrySettings extends Doubted {
  readonly broken: string | null;
}

/** A service that the settings name: what it is called, what it is made under, and how. */
interface ServiceEntry {
  readonly source: string;
  readonly collector: CollectorName;
  readonly settings: EntrySettings;
  make(): CollectedSource;
}

/** Everything besides clusters and files that an estate is collected from. */
export function serviceEntries(estate: Estate, needs: Needs): readonly ServiceEntry[] {
  const { now } = needs;
  const service = (kind: ServiceKind, name: string, settings: EntrySettings, open: () => ServiceSource, cluster = '') =>
    entry({ kind, name, cluster, settings, needs, open });
  return [
    ...estate.hosts.flatMap((host) => hostEntries(host, needs)),
    ...estate.clusters.flatMap((cluster) => {
      if (cluster.api === null) return [];
      // A node that is read over SSH tells more than the API does of it.
      const skip = estate.hosts
        .filter((host) => host.cluster === cluster.name && host.collect.includes('hardware'))
        .map(({ name }) => name);
      const open = () => hardwareApiSource(cluster, { now, skip: () => skip });
      // What is wrong in the cluster's entry is told once, where the cluster is.
      const settings = { ...cluster, skip, doubts: [] };
      return [service('hardware', cluster.name, settings, open, cluster.name)];
    }),
    ...estate.npm.map((npm) => service('npm', npm.name, npm, () => npmSource(npm, { now }))),
    ...estate.unifi.map((unifi) => service('unifi', unifi.name, unifi, () => unifiSource(unifi, { now }))),
    ...(estate.declaredOff.includes('netbox') ? [] : estate.netbox.map((netbox) => netboxEntry(netbox, needs))),
    ...estate.away.map((away) => awayEntry(away, needs)),
  ].filter(({ collector }) => isOn(collector, needs));
}

/** A collector that the contract ties to a switch is there while the switch is on. */
function isOn(collector: CollectorName, needs: Needs): boolean {
  const { enabledBy } = needs.contract().collectors[collector];
  return enabledBy === undefined || needs.enabled(enabledBy);
}

const PART_OF = { neighbours: 'ip_neigh', hardware: 'hardware' } as const;

/** One connection to a host for whatever it is asked: its entries are made under the same settings, and so together. */
function hostEntries(host: HostSettings, needs: Needs): readonly ServiceEntry[] {
  const { cluster } = host;
  const name = `${cluster}/${host.name}`;
  const collect = host.collect.filter((part) => isOn(PART_OF[part], needs));
  const settings = { ...host, collect };
  let sources: ReturnType<typeof hostSources> | undefined;
  const open = (part: HostSettings['collect'][number]) => {
    sources ??= hostSources(settings, { now: needs.now });
    return sources[part] ?? unreachable(`${name} is not asked for its ${part}`);
  };
  return collect.map((part) => entry({ kind: PART_OF[part], name, cluster, settings, needs, open: () => open(part) }));
}

function entry({
  kind,
  name,
  cluster,
  settings,
  needs,
  open,
}: {
  readonly kind: ServiceKind;
  readonly name: string;
  readonly cluster: string;
  readonly settings: EntrySettings;
  readonly needs: Needs;
  readonly open: () => ServiceSource;
}): ServiceEntry {
  return {
    source: serviceSourceName(kind, name),
    collector: kind,
    settings,
    make: () =>
      serviceCollector({
        ...{ kind, name, cluster, now: needs.now },
        source: settings.broken === null ? open() : unreachable(settings.broken),
        intervalSeconds: () => needs.contract().collectors[kind].refreshSeconds,
      }),
  };
}

function netboxEntry(settings: Estate['netbox'][number], needs: Needs): ServiceEntry {
  return {
    source: declaredSourceName(netboxName(settings.name)),
    collector: 'netbox',
    settings,
    make: () =>
      netboxCollector(settings, {
        ...needs,
        netbox: settings.broken === null ? netboxSource(settings, needs) : unreachableNetbox(settings.broken, needs),
        intervalSeconds: () => needs.contract().collectors.netbox.refreshSeconds,
      }),
  };
}

/** A service that is known and that the settings cannot name now: it is out of reach, and not retired. */
function awayEntry({ source, kind, cluster, why }: AwaySource, needs: Needs): ServiceEntry {
  const name = source.slice(source.indexOf(':') + 1);
  if (isServiceKind(kind))
    return entry({ kind, name, cluster, settings: { broken: why }, needs, open: () => unreachable(why) });
  const settings = { name: name.slice(name.indexOf(':') + 1), broken: why };
  return {
    source,
    collector: 'netbox',
    settings,
    make: () =>
      netboxCollector(settings, {
        ...needs,
        netbox: unreachableNetbox(why, needs),
        intervalSeconds: () => needs.contract().collectors.netbox.refreshSeconds,
      }),
  };
}

function unreachable(reason: string): ServiceSource {
  return { collect: async () => ({ kind: 'disabled', reason }), async close() {} };
}

function unreachableNetbox(reason: string, { now }: Pick<Needs, 'now'>): ReturnType<typeof netboxSource> {
  return {
    collect: async () => ({
      outcome: { kind: 'unreachable' as const, at: now(), reason, contentHash: null },
      requests: 0,
      notes: [],
    }),
    async close() {},
  };
}
