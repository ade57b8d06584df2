import { Estate } from './estate.js';
import type { AgentState, Guest, Nic, NicAddress, PveVersion, SimNode } from './guest.js';
import {
  guestAddress,
  guestAddress6,
  leasedAddress,
  MOST_CLUSTERS,
  macOf,
  nodeAddress,
  slaac,
  storageAddress,
} from './network-plan.js';
import { below, oneOf, type Random, seeded, uuidOf } from './random.js';
import { GROUPS, SERVICES, type Service } from './services.js';

export interface Size {
  readonly seed: number;
  readonly nodes: number;
  readonly guests: number;
  readonly clusters: number;
  readonly version: PveVersion;
  /** Of the only cluster, where it is not to be `sim-main`. */
  readonly clusterName?: string | undefined;
  now(): number;
}

/** Nobody runs five hundred nodes in one cluster: larger estates are several. */
const NODES_A_CLUSTER = 20;
const LARGEST_ALONE = 32;
/** All that is seeded began in the year after this moment, so that a restart changes no uptime. */
const EPOCH = Date.UTC(2025, 0, 1);
const DAY = 86_400_000;
const GIB = 1024 ** 3;
const MOST_GUESTS_A_CLUSTER = 50_000;
const DEVICES_A_GUEST = 3;

export function clustersFor(nodes: number): number {
  return nodes > LARGEST_ALONE ? Math.ceil(nodes / NODES_A_CLUSTER) : 1;
}

/** The clusters of a seeded estate: the same for the same size and seed, down to uuids and MACs. */
export function populate(size: Size): readonly Estate[] {
  const { clusters, nodes, guests, seed, version, now, clusterName = 'sim-main' } = size;
  if (clusters < 1 || clusters > Math.min(nodes, MOST_CLUSTERS))
    throw new Error(`${clusters} clusters of ${nodes} nodes: give 1 to ${Math.min(nodes, MOST_CLUSTERS)}`);
  return Array.from({ length: clusters }, (_, index) => {
    const name = clusters === 1 ? clusterName : `sim-${String(index + 1).padStart(2, '0')}`;
    const random = seeded(seed, index, 'nodes');
    const first = share(nodes, clusters, index).from;
    const own = nodesOf(index, first, share(nodes, clusters, index).count, random);
    const count = share(guests, clusters, index).count;
    const made = guestsOf({ seed, index, nodes: own }, count);
    return new Estate({ name, seed, index, version, nodes: own, guests: made, now });
  });
}

function share(total: number, parts: number, index: number): { readonly from: number; readonly count: number } {
  const from = Math.floor((total * index) / parts);
  return { from, count: Math.floor((total * (index + 1)) / parts) - from };
}

function nodesOf(cluster: number, first: number, count: number, random: Random): SimNode[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `pve${String(first + i + 1).padStart(2, '0')}`,
    id: i + 1,
    ip: nodeAddress(cluster, i),
    state: 'online' as const,
    cores: oneOf(random, [24, 32, 48, 64]) ?? 32,
    memoryBytes: (oneOf(random, [128, 256, 384, 512]) ?? 256) * GIB,
    diskBytes: (oneOf(random, [480, 960, 1920]) ?? 960) * GIB,
    startedAt: EPOCH + below(random, 200) * DAY,
  }));
}

interface Place {
  readonly seed: number;
  readonly index: number;
  readonly nodes: readonly SimNode[];
}

function guestsOf(place: Place, count: number): Guest[] {
  const templates = count >= 12 ? Math.max(1, Math.floor(count / 30)) : 0;
  const guests: Guest[] = [];
  let vmid = 100;
  for (const [at, service] of SERVICES.entries()) {
    const own = share(count - templates, SERVICES.length, at).count;
    for (let n = 0; n < own; n++) guests.push(guestOf(place, service, { vmid: vmid + n, n, k: guests.length }));
    if (own > 0) vmid = Math.ceil((vmid + own) / 100) * 100;
  }
  const from = Math.max(9000, Math.ceil(vmid / 1000) * 1000);
  for (let n = 0; n < templates; n++) guests.push(templateOf(place, { vmid: from + n, n, k: guests.length }));
  return guests;
}

interface Rank {
  readonly vmid: number;
  /** Within its service. */
  readonly n: number;
  /** Within its cluster. */
  readonly k: number;
}

function guestOf(place: Place, service: Service, { vmid, n, k }: Rank): Guest {
  const random = seeded(place.seed, place.index, vmid);
  const { name, kind, group, system, tags, cores, memoryMiB, diskGiB } = service;
  const chance = random();
  const power = chance < 0.8 ? 'running' : kind === 'qemu' && chance < 0.83 ? 'paused' : 'stopped';
  const agent = kind === 'lxc' ? 'none' : agentOf(random);
  const createdAt = EPOCH + below(random, 150) * DAY;
  return {
    vmid,
    kind,
    name: `${name}-${String(n + 1).padStart(2, '0')}`,
    node: place.nodes[(k + below(random, 2)) % place.nodes.length]?.name ?? '',
    power,
    template: false,
    prelaunch: false,
    tags: tags.filter(() => random() < 0.7),
    pool: random() < 0.6 ? (group.split(' ')[0]?.toLowerCase() ?? null) : null,
    lock: power === 'running' && random() < 0.02 ? 'backup' : null,
    ha: kind === 'qemu' && power === 'running' && random() < 0.1 ? 'started' : null,
    cores,
    memoryMiB,
    diskGiB,
    uuid: uuidOf(place.seed, place.index, vmid),
    nics: nicsOf(place, service, k, random),
    agent,
    system,
    group,
    createdAt,
    startedAt: createdAt + below(random, 100) * DAY + below(random, DAY),
    statisticsFrom: 0,
  };
}

function agentOf(random: Random): AgentState {
  const chance = random();
  if (chance < 0.7) return 'alive';
  if (chance < 0.92) return 'none';
  return chance < 0.97 ? 'dead' : 'broken';
}

function nicsOf(place: Place, service: Service, k: number, random: Random): Nic[] {
  const cluster = place.index;
  const mac = (nic: number) => macOf(place.seed, (cluster * MOST_GUESTS_A_CLUSTER + k) * DEVICES_A_GUEST + nic);
  const nic = (index: number, v4: NicAddress | null, more: Partial<Nic> = {}): Nic => ({
    ...{ index, mac: mac(index), bridge: 'vmbr0', tag: null, linkDown: false, v4, v6: null },
    ...more,
  });
  const first = nic(0, primary(place, service, k, random), {
    tag: random() < 0.25 ? 20 : null,
    v6: sixth(cluster, k, mac(0), random),
  });
  if (service.kind === 'lxc' || random() > 0.22) return [first];
  const by = first.v4?.by === 'dhcp' || service.cloudInit === true ? 'config' : (first.v4?.by ?? 'inside');
  const storage: NicAddress = { by, address: storageAddress(cluster, k), prefix: 16 };
  const second = nic(1, storage, { bridge: 'vmbr1', tag: 30 });
  return random() < 0.8 ? [first, second] : [first, second, nic(2, null, { bridge: 'vmbr1', linkDown: true })];
}

function primary({ index }: Place, service: Service, k: number, random: Random): NicAddress {
  const chance = random();
  const leased = chance < 0.15 || (service.system === 'windows' && chance < 0.7);
  if (leased) return { by: 'dhcp', address: leasedAddress(index, k), prefix: 16 };
  const written = service.kind === 'lxc' || service.cloudInit === true || chance < 0.6;
  return { by: written ? 'config' : 'inside', address: guestAddress(index, k), prefix: 16 };
}

function sixth(cluster: number, k: number, mac: string, random: Random): NicAddress | null {
  const chance = random();
  if (chance < 0.12) return { by: 'config', address: guestAddress6(cluster, k), prefix: 64 };
  return chance < 0.24 ? slaac(cluster, mac) : null;
}

const TEMPLATES = ['debian-13', 'ubuntu-24.04', 'rocky-10', 'alpine-3.22'];

function templateOf(place: Place, { vmid, n, k }: Rank): Guest {
  const random = seeded(place.seed, place.index, vmid);
  const system = TEMPLATES[n % TEMPLATES.length] ?? 'debian-13';
  const template: Service = {
    ...{ name: 'template', kind: n % 2 === 0 ? 'qemu' : 'lxc', group: GROUPS.templates, system: 'linux' },
    ...{ tags: ['template'], cores: 2, memoryMiB: 2048, diskGiB: 16 },
  };
  const guest = guestOf(place, template, { vmid, n, k });
  const nics = guest.nics.slice(0, 1).map((nic) => ({ ...nic, tag: null, v4: null, v6: null }));
  const name = `tpl-${system.replaceAll('.', '-')}-${1 + below(random, 9)}${n}`;
  return { ...guest, name, power: 'stopped', template: true, lock: null, ha: null, nics };
}
