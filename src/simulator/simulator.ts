import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startAdmin } from './admin.js';
import { declare, markerOf, type Written, writeDeclared } from './declared-files.js';
import { directions } from './directions.js';
import type { Estate } from './estate.js';
import { Faults } from './faults.js';
import type { PveVersion } from './guest.js';
import { type Identity, keepIdentity, keptIdentity, newIdentity, type ServicePorts } from './identity.js';
import { Life } from './life.js';
import type { PlantedDrift } from './plant.js';
import { clustersFor, populate } from './populate.js';
import { seeded } from './random.js';
import { NO_SURROUNDINGS, type Surroundings, startSurroundings } from './surroundings.js';
import { type ProxmoxApi, startProxmoxApi } from './wire/proxmox-api.js';

export interface SimulatorOptions {
  readonly seed?: number;
  readonly nodes?: number;
  readonly guests?: number;
  /** By default one, and of more than 32 nodes so many that each has at most 20. */
  readonly clusters?: number;
  /** Of the only cluster; simulated ones are called `sim-…` unless a test plays a real one. */
  readonly clusterName?: string;
  readonly version?: PveVersion;
  /** Where the declared files are written; they are left alone when somebody edited them. */
  readonly declaredDir: string;
  /** Whether the nodes are open over SSH, and a proxy manager, two UniFi controllers and a NetBox stand around; by default not. */
  readonly services?: boolean;
  /** How many nodes are open over SSH: 20. */
  readonly sshHosts?: number;
  /** Whether guests move, stop and change by themselves. */
  readonly live?: boolean;
  readonly liveIntervalMs?: number;
  readonly now: () => number;
  /** Milliseconds that Proxmox lets a caller wait: for a dead agent, for a hung node, after a wrong token. */
  readonly waits?: { readonly agentMs?: number; readonly proxyMs?: number; readonly authMs?: number };
  /** What stays the same over restarts of a simulator that stands alone; made anew without it. */
  readonly identity?: Identity;
}

export interface SimulatedCluster {
  readonly name: string;
  readonly url: string;
  /** SHA-256, upper-case pairs with colons. */
  readonly fingerprint: string;
  readonly tokenId: string;
  readonly tokenSecret: string;
}

export interface Simulator extends Pick<Surroundings, 'hosts' | 'npm' | 'unifi' | 'netbox' | 'commands'> {
  readonly clusters: readonly SimulatedCluster[];
  readonly declaredDir: string;
  readonly plantedDrift: readonly PlantedDrift[];
  /** Of a cluster by its name; throws for another. */
  estate(name: string): Estate;
  faults(name: string): Faults;
  /** Requests so far, by path with query. */
  requests(name: string): ReadonlyMap<string, number>;
  forgetRequests(): void;
  /** Lets so many of life's moments pass at once. */
  tick(ticks?: number): void;
  readonly adminUrl: string;
  readonly adminToken: string;
  stop(): Promise<void>;
}

const TOKEN_ID = 'it-read@pve!sankofa';
const SEED = 20_260;
const WAITS = { agentMs: 3_000, proxyMs: 30_000, authMs: 3_000 };
const LIVE_INTERVAL_MS = 7_000;
const SSH_HOSTS = 20;

type Houses = ReadonlyMap<string, House>;
interface House {
  readonly estate: Estate;
  readonly faults: Faults;
  readonly api: ProxmoxApi;
}

/** Starts a simulated estate that speaks Proxmox's API over HTTPS on the loopback. Its `stop` ends all of it. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const size = sizeOf(options);
  const marker = markerOf(size);
  const estates = populate(size);
  const written = declare(estates, marker);
  await writeDeclared(options.declaredDir, written, marker);
  const identity = options.identity ?? newIdentity();
  const houses = await openHouses(estates, identity, options);
  const around = await openSurroundings(houses, identity, options, written, size.seed);
  const life = new Life(estates, new Set([...written.touched, ...around.touched]), size.seed);
  const adminToken = randomBytes(24).toString('base64url');
  const admin = await startAdmin({ token: adminToken, clusters: houses, services: around });
  const every = options.liveIntervalMs ?? LIVE_INTERVAL_MS;
  const timer = options.live === true ? setInterval(() => life.tick(), every) : undefined;
  const { hosts, npm, unifi, netbox, commands } = around;
  const { forgetRequests, ...rest } = doors(houses, identity);
  return {
    ...{ ...rest, hosts, npm, unifi, netbox, commands },
    forgetRequests() {
      forgetRequests();
      around.forgetRequests();
    },
    declaredDir: options.declaredDir,
    plantedDrift: [...written.planted, ...around.planted],
    tick: (ticks) => life.tick(ticks),
    adminUrl: admin.url,
    adminToken,
    async stop() {
      clearInterval(timer);
      await Promise.all([admin.stop(), around.stop(), closeHouses(houses)]);
    },
  };
}

/** Nothing is left open where one of them does not start. */
async function openSurroundings(
  houses: Houses,
  identity: Identity,
  options: SimulatorOptions,
  { told, touched }: Written,
  seed: number,
): Promise<Surroundings> {
  if (options.services !== true) return NO_SURROUNDINGS;
  const { certificate, secrets, servicePorts: ports } = identity;
  const { sshHosts = SSH_HOSTS, now } = options;
  const waits = { ...WAITS, ...options.waits };
  const clusters = [...houses.values()];
  try {
    return await startSurroundings({
      clusters,
      told,
      touched,
      seed,
      certificate,
      secrets,
      ports,
      waits,
      sshHosts,
      now,
    });
  } catch (error) {
    await closeHouses(houses);
    throw error;
  }
}

/** All of them, or none: one whose port is taken closes those before it. */
async function openHouses(estates: readonly Estate[], identity: Identity, options: SimulatorOptions): Promise<Houses> {
  const houses = new Map<string, House>();
  const { certificate, tokenSecret, ports } = identity;
  const token = { id: TOKEN_ID, secret: tokenSecret };
  const waits = { ...WAITS, ...options.waits };
  try {
    for (const estate of estates) {
      const faults = new Faults();
      const random = seeded(estate.seed, estate.index, 'wire');
      const port = ports[estate.index] ?? 0;
      const api = await startProxmoxApi({ estate, faults, certificate, token, random, waits, port });
      houses.set(estate.name, { estate, faults, api });
    }
  } catch (error) {
    await closeHouses(houses);
    throw error;
  }
  return houses;
}

async function closeHouses(houses: Houses): Promise<void> {
  await Promise.all([...houses.values()].map(({ api }) => api.stop()));
}

function doors(houses: Houses, { certificate, tokenSecret }: Identity) {
  const told = { fingerprint: certificate.fingerprint, tokenId: TOKEN_ID, tokenSecret };
  const house = (name: string) => {
    const found = houses.get(name);
    if (found === undefined)
      throw new Error(`no simulated cluster ${name}; there are ${[...houses.keys()].join(', ')}`);
    return found;
  };
  return {
    clusters: [...houses].map(([name, { api }]) => ({ name, url: api.url, ...told })),
    estate: (name: string) => house(name).estate,
    faults: (name: string) => house(name).faults,
    requests: (name: string) => house(name).api.requests(),
    forgetRequests: () => {
      for (const { api } of houses.values()) api.forgetRequests();
    },
  };
}

function sizeOf(options: SimulatorOptions) {
  const { seed = SEED, nodes = 5, guests = 60, version = '9.1', now, clusterName } = options;
  if (nodes < 1 || guests < 0) throw new Error(`${nodes} nodes with ${guests} guests: give at least one node`);
  const clusters = options.clusters ?? clustersFor(nodes);
  return { seed, nodes, guests, version, now, clusters, clusterName };
}

export interface RunOptions {
  readonly nodes: number;
  readonly guests: number;
  /** Its files, token and certificate lie below, and are the same at the next start. */
  readonly dataDir: string;
  readonly now: () => number;
}

/** A simulated estate alone, until told to end: prints what points a gateway at it. */
export async function runSimulator(
  options: RunOptions,
  told: AbortSignal,
  print: (text: string) => void,
): Promise<void> {
  const folder = join(options.dataDir, 'simulator');
  const { nodes, guests, now } = options;
  const identity = await keptIdentity(folder);
  const start = (ports: readonly number[], servicePorts: ServicePorts) =>
    startSimulator({
      ...{ nodes, guests, now, live: true, services: true, declaredDir: join(folder, 'config') },
      identity: { ...identity, ports, servicePorts },
    });
  // A port of last time that somebody else has by now is given up for any free one.
  const simulator = await start(identity.ports, identity.servicePorts).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    return start([], {});
  });
  const files = await keepIdentity(folder, { ...identity, ...portsOf(simulator) }, simulator.adminToken);
  print(directions(simulator, files));
  await new Promise<void>((resolve) => {
    if (told.aborted) resolve();
    told.addEventListener('abort', () => resolve(), { once: true });
  });
  await simulator.stop();
}

function portsOf({ clusters, hosts, npm, unifi, netbox }: Simulator): Pick<Identity, 'ports' | 'servicePorts'> {
  const port = ({ url }: { readonly url: string }) => Number(new URL(url).port);
  const [proxy, dcim] = [npm[0], netbox[0]];
  return {
    ports: clusters.map(port),
    servicePorts: {
      ...(proxy === undefined ? {} : { npm: port(proxy) }),
      ...(dcim === undefined ? {} : { netbox: port(dcim) }),
      unifi: unifi.map(port),
      ssh: hosts.map((host) => host.port),
    },
  };
}
