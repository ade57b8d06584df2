import type { Estate } from './estate.js';
import type { Faults } from './faults.js';
import type { Stranger } from './neighbourhood.js';
import { seeded } from './random.js';
import { fingerprintOf, type SshIdentity } from './ssh-keys.js';
import { ClusterFiles } from './wire/cluster-files.js';
import { Resources } from './wire/resources.js';
import { RootSight } from './wire/root-sight.js';
import type { Waits } from './wire/routes.js';
import { type SshHost, startSshHost } from './wire/ssh-host.js';

/** A node that is open over SSH, as `hosts` of sources.yaml names it. */
export interface SimulatedHost {
  /** Of the node. */
  readonly name: string;
  readonly cluster: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** In OpenSSH's format. */
  readonly privateKey: string;
  /** `SHA256:…` */
  readonly hostKeyFingerprint: string;
}

export interface SshHostsNeeds {
  readonly clusters: readonly {
    readonly estate: Estate;
    readonly faults: Faults;
    /** Who answers for addresses of the cluster that are others'. */
    readonly stranger?: Stranger | undefined;
  }[];
  readonly identity: SshIdentity;
  readonly waits: Waits;
  /** How many nodes are open, of each cluster as many as there is room for. */
  readonly most: number;
  /** In the order of the hosts; a missing one is any free port. */
  readonly ports: readonly number[];
}

export interface SshHosts {
  readonly hosts: readonly SimulatedHost[];
  /** Commands so far of a host, by the name of its cluster and its own. */
  commands(cluster: string, node: string): ReadonlyMap<string, number>;
  forgetCommands(): void;
  stop(): Promise<void>;
}

const USER = 'it-read';

/** Opens nodes over SSH: all or none. */
export async function startSshHosts(needs: SshHostsNeeds): Promise<SshHosts> {
  const open = new Map<string, { readonly told: SimulatedHost; readonly host: SshHost }>();
  const stop = async () => {
    await Promise.all([...open.values()].map(({ host }) => host.stop()));
  };
  const share = Math.max(1, Math.ceil(needs.most / Math.max(1, needs.clusters.length)));
  const { identity, waits } = needs;
  try {
    for (const { estate, faults, stranger } of needs.clusters) {
      const files = new ClusterFiles(estate);
      for (const node of estate.nodes().slice(0, Math.min(share, needs.most - open.size))) {
        const sight = new RootSight(node, estate, faults, seeded(estate.seed, estate.index, node.id, 'ssh'));
        const host = await startSshHost({
          host: { node, sight, resources: new Resources(sight), files, waits, stranger },
          ...{ faults, identity, port: needs.ports[open.size] ?? 0 },
        });
        const told = {
          ...{ name: node.name, cluster: estate.name, host: '127.0.0.1', port: host.port, user: USER },
          ...{ privateKey: identity.client.privateKey, hostKeyFingerprint: fingerprintOf(identity.host) },
        };
        open.set(`${estate.name}/${node.name}`, { told, host });
      }
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    hosts: [...open.values()].map(({ told }) => told),
    commands(cluster, node) {
      const found = open.get(`${cluster}/${node}`);
      if (found === undefined) throw new Error(`no node ${node} of ${cluster} is open over SSH`);
      return found.host.commands();
    },
    forgetCommands() {
      for (const { host } of open.values()) host.forgetCommands();
    },
    stop,
  };
}
