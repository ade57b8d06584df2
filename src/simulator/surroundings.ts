import type { Certificate } from './certificate.js';
import type { DeclaredEstate } from './declared-rows.js';
import type { Estate } from './estate.js';
import type { Faults } from './faults.js';
import type { ServicePorts, ServiceSecrets } from './identity.js';
import { declareNetbox } from './netbox-declared.js';
import type { PlantedDrift } from './plant.js';
import { type SimulatedHost, type SshHosts, startSshHosts } from './ssh-hosts.js';
import { NetboxFaults } from './wire/netbox/faults.js';
import { type SimulatedNetbox, startSimulatedNetbox } from './wire/netbox/netbox.js';
import { type SimulatedNpm, startSimulatedNpm } from './wire/npm.js';
import type { Waits } from './wire/routes.js';
import { type SimulatedUnifi, startSimulatedUnifi } from './wire/unifi.js';

/** A service and what it is called where it is named as a source. */
type Named<S> = S & { readonly name: string };

/** What stands around the clusters: their nodes over SSH, a proxy manager, two UniFi controllers, a NetBox. */
export interface Surroundings {
  readonly hosts: readonly SimulatedHost[];
  readonly npm: readonly SimulatedNpm[];
  readonly unifi: readonly (Named<SimulatedUnifi> & { readonly signIn: 'password' | 'apiKey' })[];
  readonly netbox: readonly Named<SimulatedNetbox>[];
  readonly planted: readonly PlantedDrift[];
  /** `cluster/vmid` of guests that must stay as they are. */
  readonly touched: ReadonlySet<string>;
  /** Commands so far on a node. */
  commands(cluster: string, node: string): ReadonlyMap<string, number>;
  forgetRequests(): void;
  stop(): Promise<void>;
}

export interface SurroundingsNeeds {
  readonly clusters: readonly { readonly estate: Estate; readonly faults: Faults }[];
  readonly told: DeclaredEstate;
  /** `cluster/vmid` of guests that planted drift depends on. */
  readonly touched: ReadonlySet<string>;
  readonly seed: number;
  readonly certificate: Certificate;
  readonly secrets: ServiceSecrets;
  readonly ports: ServicePorts;
  readonly waits: Waits;
  /** How many nodes are open over SSH. */
  readonly sshHosts: number;
  now(): number;
}

export const NO_SURROUNDINGS: Surroundings = {
  ...{ hosts: [], npm: [], unifi: [], netbox: [], planted: [], touched: new Set() },
  commands: (cluster, node) => {
    throw new Error(`no node ${node} of ${cluster} is open over SSH: the simulator was started without services`);
  },
  forgetRequests: () => {},
  stop: async () => {},
};

/** Starts all of them, or none. Each plants drift on guests of its own, so that no guest has two findings to tell apart. */
export async function startSurroundings(needs: SurroundingsNeeds): Promise<Surroundings> {
  const started: { stop(): Promise<void> }[] = [];
  const stop = async () => {
    await Promise.all(started.map((each) => each.stop()));
  };
  try {
    return { ...(await open(needs, started)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(
  needs: SurroundingsNeeds,
  started: { stop(): Promise<void> }[],
): Promise<Omit<Surroundings, 'stop'>> {
  const { clusters, told, certificate, secrets, ports, seed, now } = needs;
  const estates = clusters.map(({ estate }) => estate);
  const keep = <S extends { stop(): Promise<void> }>(service: S): S => {
    started.push(service);
    return service;
  };
  const declared = declareNetbox({ estates, told, touched: needs.touched, now });
  const afterNetbox = new Set([...needs.touched, ...declared.touched]);
  const tokens = { first: secrets.netboxToken, second: secrets.netboxTokenV2 };
  const { model } = declared;
  const netbox = keep(
    await startSimulatedNetbox({
      model,
      faults: new NetboxFaults(),
      certificate,
      seed,
      tokens,
      port: ports.netbox ?? 0,
    }),
  );
  const common = { estates, certificate, seed, now };
  const npm = keep(
    await startSimulatedNpm({
      ...{ ...common, name: 'sim-npm', port: ports.npm ?? 0, secret: secrets.npm, untouchable: afterNetbox },
    }),
  );
  const afterNpm = new Set([...afterNetbox, ...npm.touched]);
  const controller = (flavour: 'classic' | 'os', at: number) =>
    startSimulatedUnifi({
      ...{ ...common, flavour, port: ports.unifi?.[at] ?? 0, untouchable: afterNpm },
      ...{ password: secrets.unifiPassword, apiKey: secrets.unifiApiKey },
    });
  const classic = keep(await controller('classic', 0));
  const console = keep(await controller('os', 1));
  const failing = plantFailingDisk(estates);
  const ssh: SshHosts = keep(
    await startSshHosts({
      clusters: clusters.map((one) => ({ ...one, stranger: classic.stranger ?? undefined })),
      ...{ identity: secrets.ssh, waits: needs.waits, most: needs.sshHosts, ports: ports.ssh ?? [] },
    }),
  );
  return {
    hosts: ssh.hosts,
    npm: [npm],
    unifi: [
      { ...classic, name: 'sim-unifi', signIn: 'password' },
      { ...console, name: 'sim-unifi-os', signIn: 'apiKey' },
    ],
    netbox: [{ ...netbox, name: 'sim-netbox' }],
    // Both controllers see the same stranger.
    planted: [...declared.planted, ...npm.plantedDrift, ...classic.plantedDrift, ...failing],
    touched: new Set([...afterNpm, ...classic.touched]),
    commands: (cluster, node) => ssh.commands(cluster, node),
    forgetRequests() {
      for (const each of [npm, classic, console, netbox]) each.forgetRequests();
      ssh.forgetCommands();
    },
  };
}

/** On the last node, which is read over SSH or over the API according to how many are open. */
function plantFailingDisk(estates: readonly Estate[]): PlantedDrift[] {
  const estate = estates.at(-1);
  const node = estate?.nodes().at(-1);
  if (estate === undefined || node === undefined) return [];
  estate.machines.failDisk(node.name);
  const disk = estate.machines.of(node.name).disks.find(({ failing }) => failing);
  return [{ kind: 'DISK_FAILING', subject: `${estate.name}/${node.name}`, field: disk?.serial ?? '' }];
}
