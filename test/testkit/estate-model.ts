import type { AddressSetting, GuestConfig, GuestInterfaces, GuestKind, NetworkDevice } from '../../src/domain/guest.js';
import type { ObservedRow, PartKey, PartRead, PartResult, ProxmoxObservation } from '../../src/domain/observation.js';
import { type Instant, SECOND } from '../../src/domain/time.js';
import { ip, mac } from './view.js';

/** One network device as it truly is. `ip4` and `ip6` are what its config says: an address with prefix, `dhcp`, `auto`, or nothing. */
export interface TrueDevice {
  readonly mac: string;
  readonly bridge: string;
  readonly vlan: number | null;
  readonly linkDown: boolean;
  readonly ip4: string | null;
  readonly ip6: string | null;
  /** What is really on it, whatever the config says. */
  readonly shows: readonly string[];
}

/** A guest as it truly is; nobody but the model sees this. */
export interface TrueGuest {
  readonly cluster: string;
  readonly vmid: number;
  readonly kind: GuestKind;
  readonly name: string | null;
  readonly node: string;
  readonly power: 'RUNNING' | 'STOPPED' | 'PAUSED';
  readonly template: boolean;
  readonly lock: string | null;
  readonly ha: string | null;
  readonly tags: readonly string[];
  readonly uuid: string | null;
  readonly agent: boolean;
  /** The agent is configured and does not answer. */
  readonly agentDead: boolean;
  /** Its config may not be read. */
  readonly denied: boolean;
  readonly startedAt: Instant;
  /** Right after a start the agent answers, and has no addresses to tell yet. */
  readonly quietUntil: Instant;
  /** The token may see it. */
  readonly listed: boolean;
  /** rrd data exists: without it a row says presence and node only. */
  readonly tracked: boolean;
  readonly devices: readonly TrueDevice[];
  /** What its config gives it; an edit shows here before a restart makes it so. */
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export interface TrueNode {
  readonly name: string;
  readonly online: boolean;
  readonly maintenance: boolean;
  readonly ip: string | null;
  /** Right after a node went, the list still tells its guests as they were. */
  readonly lingers: boolean;
}

interface TrueCluster {
  quorate: boolean;
  readonly nodes: Map<string, TrueNode>;
}

type GuestWish = Partial<Omit<TrueGuest, 'devices'>> & {
  readonly vmid: number;
  /** Shorthand for one device with one static IPv4, `10.0.0.5/24`. */
  readonly address?: string;
  readonly devices?: readonly Partial<TrueDevice>[];
};

/** Which parts a pass reads besides the list. */
export type Reading = 'all' | 'list' | readonly PartKey[];

/**
 * A world with clusters, nodes and guests that truly are somehow, and a reader that shows as much of it as the token,
 * the nodes and the agents let through. It shares no code with what is tested but the types of an observation.
 */
export class Estate {
  now: Instant = Date.parse('2026-11-21T20:00:00Z');
  readonly guests = new Map<string, TrueGuest>();
  readonly #clusters = new Map<string, TrueCluster>();

  constructor(clusters: Readonly<Record<string, readonly string[]>> = { main: ['pve1', 'pve2'] }) {
    for (const [cluster, nodes] of Object.entries(clusters)) {
      const known = nodes.map(
        (name) => [name, { name, online: true, maintenance: false, ip: null, lingers: false }] as const,
      );
      this.#clusters.set(cluster, { quorate: true, nodes: new Map<string, TrueNode>(known) });
    }
  }

  pass(milliseconds: number): void {
    this.now += milliseconds;
  }

  cluster(name: string): TrueCluster {
    const cluster = this.#clusters.get(name);
    if (cluster === undefined) throw new Error(`the model has no cluster ${name}`);
    return cluster;
  }

  clusterNames(): readonly string[] {
    return [...this.#clusters.keys()];
  }

  node(name: string, change: Partial<TrueNode>, cluster = 'main'): void {
    const { nodes } = this.cluster(cluster);
    nodes.set(name, {
      name,
      online: true,
      maintenance: false,
      ip: null,
      lingers: false,
      ...nodes.get(name),
      ...change,
    });
  }

  /** Lets a guest be, or changes the one that is. */
  guest(wish: GuestWish): TrueGuest {
    const key = `${wish.cluster ?? 'main'}/${wish.vmid}`;
    const before = this.guests.get(key) ?? ordinary(wish, this.now);
    const { address, devices, ...rest } = wish;
    const own = address === undefined ? devices : [{ ip4: address, shows: [address] }];
    const next: TrueGuest = {
      ...before,
      ...rest,
      devices: own === undefined ? before.devices : own.map((one, i) => deviceOf(wish.vmid, i, one, before.devices[i])),
    };
    this.guests.set(key, next);
    return next;
  }

  start(vmid: number, cluster = 'main', quiet = 0): void {
    this.guest({ vmid, cluster, power: 'RUNNING', startedAt: this.now, quietUntil: this.now + quiet });
  }

  stop(vmid: number, cluster = 'main'): void {
    this.guest({ vmid, cluster, power: 'STOPPED' });
  }

  remove(vmid: number, cluster = 'main'): void {
    this.guests.delete(`${cluster}/${vmid}`);
  }

  /** One pass over a cluster: the list, and the parts that `reading` names. Each part takes a moment of its own. */
  observe(cluster: string, reading: Reading, questions: readonly number[] = []): ProxmoxObservation {
    const { quorate, nodes } = this.cluster(cluster);
    const askedAt = this.now;
    const listed = [...this.guests.values()].filter((guest) => guest.cluster === cluster && guest.listed);
    const rows = listed.map((guest) => this.#row(guest));
    const keys = reading === 'list' ? [] : reading === 'all' ? allParts(listed, questions) : reading;
    const parts = keys.map((part) => this.#read(cluster, part));
    return {
      askedAt,
      proxmoxName: null,
      version: '9.0',
      quorate,
      quorumKnown: true,
      nodes: [...nodes.values()].map(({ name, online, maintenance, ip: address }) => ({
        name,
        status: online ? 'ONLINE' : 'OFFLINE',
        maintenance,
        ip: address === null ? null : ip(address),
        cores: 8,
        memoryBytes: 1,
        diskBytes: 1,
      })),
      rows,
      parts,
      full: reading === 'all',
      activityMark: null,
      notes: [],
    };
  }

  #row(guest: TrueGuest): ObservedRow {
    const { vmid, kind, node, power, lock, ha, tags } = guest;
    const home = this.cluster(guest.cluster).nodes.get(node);
    const told = guest.tracked && (home?.online === true || home?.lingers === true);
    return {
      vmid,
      kind,
      node,
      // The list calls a paused guest running.
      status: told ? (power === 'STOPPED' ? 'STOPPED' : 'RUNNING') : 'UNKNOWN',
      name: told ? (guest.name ?? `VM ${vmid}`) : undefined,
      template: told ? guest.template : undefined,
      tags,
      pool: null,
      lock,
      ha,
      cores: told ? 2 : undefined,
      memoryBytes: told ? 1_024 : undefined,
      diskBytes: told ? 2_048 : undefined,
      uptimeSeconds: told && power !== 'STOPPED' ? Math.floor((this.now - guest.startedAt) / SECOND) : undefined,
    };
  }

  #read(cluster: string, { part, key }: PartKey): PartRead {
    this.now += 5;
    return { key, askedAt: this.now, result: this.#answer(cluster, part, key) };
  }

  #answer(cluster: string, part: PartKey['part'], key: string): PartResult {
    const there = [...this.guests.values()].filter((guest) => guest.cluster === cluster);
    if (part === 'vmid') return { kind: 'read', part, value: { free: !there.some((g) => String(g.vmid) === key) } };
    const { nodes } = this.cluster(cluster);
    if (part === 'power') {
      if (nodes.get(key)?.online !== true) return { kind: 'failed', part, reason: 'no route to host' };
      const here = there.filter((guest) => guest.node === key && guest.kind === 'QEMU' && guest.listed);
      return { kind: 'read', part, value: new Map(here.map((guest) => [guest.vmid, guest.power.toLowerCase()])) };
    }
    const guest = there.find((one) => String(one.vmid) === key && one.listed);
    if (guest === undefined) return { kind: 'failed', part, reason: 'permission check failed' };
    if (nodes.get(guest.node)?.online !== true) return { kind: 'failed', part, reason: 'no route to host' };
    if (part === 'config' && guest.denied) return { kind: 'failed', part, reason: 'permission check failed' };
    if (part === 'config') return { kind: 'read', part, value: configOf(guest) };
    if (guest.power === 'STOPPED') return { kind: 'none', part, reason: 'stopped' };
    if (guest.kind === 'QEMU' && !guest.agent) return { kind: 'none', part, reason: 'no guest agent is configured' };
    if (guest.agentDead) return { kind: 'failed', part, reason: 'QEMU guest agent is not running' };
    return { kind: 'read', part, value: interfacesOf(guest, this.now) };
  }
}

/** Every part of these guests, their nodes' power details, and the VMIDs in question. */
export function allParts(guests: readonly TrueGuest[], questions: readonly number[]): readonly PartKey[] {
  const nodes = new Set(guests.filter((guest) => guest.kind === 'QEMU').map((guest) => guest.node));
  return [
    ...questions.map((vmid): PartKey => ({ part: 'vmid', key: String(vmid) })),
    ...[...nodes].map((key): PartKey => ({ part: 'power', key })),
    ...guests.flatMap(({ vmid }): PartKey[] => [
      { part: 'config', key: String(vmid) },
      { part: 'addresses', key: String(vmid) },
    ]),
  ];
}

function ordinary(wish: GuestWish, now: Instant): TrueGuest {
  const { vmid } = wish;
  return {
    cluster: wish.cluster ?? 'main',
    vmid,
    kind: 'QEMU',
    name: `guest-${vmid}`,
    node: 'pve1',
    power: 'RUNNING',
    template: false,
    lock: null,
    ha: null,
    tags: [],
    uuid: `00000000-0000-4000-8000-${String(vmid).padStart(12, '0')}`,
    agent: true,
    agentDead: false,
    denied: false,
    startedAt: now - 86_400_000,
    quietUntil: 0,
    listed: true,
    tracked: true,
    devices: [],
    cpus: 2,
    memoryBytes: 1_024,
    diskBytes: 2_048,
  };
}

function deviceOf(vmid: number, index: number, wish: Partial<TrueDevice>, before: TrueDevice | undefined): TrueDevice {
  const own = `bc:24:11:00:${index.toString(16).padStart(2, '0')}:${(vmid % 256).toString(16).padStart(2, '0')}`;
  const plain = { mac: own, bridge: 'vmbr0', vlan: null, linkDown: false, ip4: null, ip6: null, shows: [] };
  return { ...plain, ...before, ...wish };
}

function setting(text: string | null): AddressSetting | null {
  if (text === null) return null;
  if (text === 'dhcp' || text === 'auto' || text === 'manual') return { mode: text };
  const [address = '', length] = text.split('/');
  return { mode: 'static', address: ip(address), prefixLength: length === undefined ? null : Number(length) };
}

function configOf(guest: TrueGuest): GuestConfig {
  const devices = guest.devices.map(
    (device, i): NetworkDevice => ({
      key: `net${i}`,
      mac: mac(device.mac),
      bridge: device.bridge,
      vlan: device.vlan,
      linkDown: device.linkDown,
      ip4: setting(device.ip4),
      ip6: setting(device.ip6),
    }),
  );
  const agent = guest.kind === 'QEMU' && guest.agent;
  const smbiosUuid = guest.kind === 'QEMU' ? guest.uuid : null;
  const { name, cpus, memoryBytes, diskBytes } = guest;
  return { name, cpus, memoryBytes, diskBytes, agent, smbiosUuid, devices };
}

function interfacesOf(guest: TrueGuest, now: Instant): GuestInterfaces {
  const quiet = now < guest.quietUntil;
  return {
    by: guest.kind === 'QEMU' ? 'AGENT' : 'INTERFACES',
    interfaces: guest.devices.map((device, i) => ({
      name: `eth${i}`,
      mac: mac(device.mac),
      addresses: quiet ? [] : device.shows.map((text) => ({ address: ip(text.split('/')[0] ?? ''), prefixLength: 24 })),
    })),
  };
}
