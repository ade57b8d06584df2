import type { IpAddress } from './address.js';
import { scopeOf } from './carried.js';
import type { NetworkDevice } from './guest.js';
import { isVrrpMac, type Mac } from './mac.js';
import type { KeptRecord, Neighbour, UnifiClient, UnifiDevice } from './record.js';
import type { ClusterSettings } from './settings.js';
import { type ChangeInterval, DAY, type Instant } from './time.js';
import type { InventoryView } from './view.js';

/** An address that somebody was seen to answer for. It is evidence, not carrying. */
export interface Sighting {
  readonly by: 'NEIGHBOUR' | 'UNIFI';
  /** The service that saw it: `ip_neigh:main/pve1`, `unifi:campus`. */
  readonly source: string;
  readonly scope: string;
  readonly address: IpAddress;
  readonly mac: Mac;
  /** When it last answered for itself; null: it is only remembered. */
  readonly at: Instant | null;
  /** Learned by a control plane or answered for by proxy: no word of the machine itself. */
  readonly secondHand: boolean;
  /** Where it was seen, for people: `pve1 on vmbr0`. */
  readonly where: string;
  /** Since when this MAC is the one that is shown. */
  readonly since: ChangeInterval;
}

export type Sightings = ReadonlyMap<string, readonly Sighting[]>;

const DEFAULT_SCOPE = 'default';
/** Who was silent for longer than this no longer counts as answering. */
const ANSWERS_FOR = 30 * DAY;

interface Seen {
  readonly byKey: Sightings;
  /** `scope/address` of what VRRP's own MACs answered for. */
  readonly virtual: ReadonlySet<string>;
}

const seenIn = new WeakMap<InventoryView, Seen>();

/**
 * Who was seen answering, by `scope/address`.
 * A neighbour lives in the scope that its host's device gives to it, as a guest's device would; what a UniFi controller
 * lists lives in the scope of its LAN (see {@link controllerScopes}). What retired services said counts no more; what
 * those out of reach said stays, and whoever concludes from it asks whether its source is covered.
 */
export function sightingsOf(view: InventoryView): Sightings {
  return seenOf(view).byKey;
}

/** `scope/address` of what VRRP's own MACs were seen answering for. */
export function virtuallyAnswered(view: InventoryView): ReadonlySet<string> {
  return seenOf(view).virtual;
}

/** Whether somebody answered for an address lately, with his own voice. */
export function isAnswered(sightings: readonly Sighting[] | undefined, now: Instant): boolean {
  return sightings?.some(({ at, secondHand }) => !secondHand && at !== null && at >= now - ANSWERS_FOR) === true;
}

function seenOf(view: InventoryView): Seen {
  let seen = seenIn.get(view);
  if (seen === undefined) {
    seen = joined(neighboursOf(view), unifiOf(view));
    seenIn.set(view, seen);
  }
  return seen;
}

/** The neighbours of one state of the records: a poll of a cluster changes nothing of it, and tens of thousands are kept. */
interface KeptNeighbours extends Seen {
  readonly services: string;
  readonly settings: readonly ClusterSettings[];
}
const keptNeighbours = new WeakMap<ReadonlyMap<string, KeptRecord<Neighbour>>, KeptNeighbours>();

function neighboursOf(view: InventoryView): Seen {
  const records = view.records.neighbour;
  const settings = [...view.clusters.values()].map((cluster) => cluster.settings);
  const services = [...view.services.keys()].join('\n');
  const kept = keptNeighbours.get(records);
  const holds =
    kept?.services === services &&
    kept.settings.length === settings.length &&
    kept.settings.every((one, i) => one === settings[i]);
  if (kept !== undefined && holds) return kept;
  const seen = { ...collected(neighbourSightings(view)), services, settings };
  keptNeighbours.set(records, seen);
  return seen;
}

function collected(sightings: Iterable<Sighting>): Seen {
  const byKey = new Map<string, Sighting[]>();
  const virtual = new Set<string>();
  for (const sighting of sightings) add(byKey, virtual, sighting);
  return { byKey, virtual };
}

/** What controllers say changes with their looks alone, not with every poll of a cluster. */
interface KeptUnifi extends Seen {
  readonly devices: unknown;
  readonly states: readonly unknown[];
  readonly scopes: string;
}
const keptUnifi = new WeakMap<ReadonlyMap<string, KeptRecord<UnifiClient>>, KeptUnifi>();

function unifiOf(view: InventoryView): Seen {
  const { 'unifi.client': clients, 'unifi.device': devices } = view.records;
  const states = [...view.services.values()].filter(({ kind }) => kind === 'unifi');
  const scopes = [...controllerScopes(view)].join('\n');
  const kept = keptUnifi.get(clients);
  const holds =
    kept?.devices === devices &&
    kept.scopes === scopes &&
    kept.states.length === states.length &&
    kept.states.every((one, i) => one === states[i]);
  if (kept !== undefined && holds) return kept;
  const seen = { ...collected(unifiSightings(view)), devices, states, scopes };
  keptUnifi.set(clients, seen);
  return seen;
}

const joinedOf = new WeakMap<Seen, { readonly more: Seen; readonly seen: Seen }>();

function joined(first: Seen, more: Seen): Seen {
  if (more.byKey.size === 0) return first;
  const known = joinedOf.get(first);
  if (known?.more === more) return known.seen;
  const byKey = new Map<string, readonly Sighting[]>(first.byKey);
  for (const [key, list] of more.byKey) byKey.set(key, [...(byKey.get(key) ?? []), ...list]);
  const seen = { byKey, virtual: new Set([...first.virtual, ...more.virtual]) };
  joinedOf.set(first, { more, seen });
  return seen;
}

function add(byKey: Map<string, Sighting[]>, virtual: Set<string>, sighting: Sighting): void {
  const key = `${sighting.scope}/${sighting.address}`;
  const list = byKey.get(key);
  if (list === undefined) byKey.set(key, [sighting]);
  else list.push(sighting);
  if (isVrrpMac(sighting.mac)) virtual.add(key);
}

function* neighbourSightings(view: InventoryView): Iterable<Sighting> {
  const scopes = new Map<string, string>();
  for (const { source, cluster, body, seenAt, since } of view.records.neighbour.values()) {
    const settings = view.clusters.get(cluster)?.settings;
    if (settings === undefined || !view.services.has(source)) continue;
    const { host, device, address, mac, secondHand } = body;
    const place = `${cluster}/${host}/${device}`;
    const scope = scopes.get(place) ?? scopeOf(settings, host, hostDevice(device));
    scopes.set(place, scope);
    const where = `${host} on ${device}`;
    yield { by: 'NEIGHBOUR', source, scope, address, mac, at: seenAt, secondHand, where, since };
  }
}

/**
 * A host's interface as a guest's device on the same wire: `vmbr0.20`, and `vmbr0v20` as Proxmox calls the bridge that it
 * makes for a tag, are VLAN 20 of `vmbr0`.
 */
function hostDevice(device: string): NetworkDevice {
  const tagged = /^(.+?)[.v](\d+)$/.exec(device);
  const bridge = tagged?.[1] ?? device;
  const vlan = tagged?.[2] === undefined ? null : Number(tagged[2]);
  return { key: device, mac: null, bridge, vlan, linkDown: false, ip4: null, ip6: null };
}

function* unifiSightings(view: InventoryView): Iterable<Sighting> {
  const { 'unifi.client': clients, 'unifi.device': devices } = view.records;
  if (clients.size === 0 && devices.size === 0) return;
  const scopes = controllerScopes(view);
  const common = { by: 'UNIFI' as const, secondHand: false };
  for (const record of clients.values()) {
    const { source, service, body, seenAt, since } = record;
    if (body.address === null || !view.services.has(source)) continue;
    const scope = scopes.get(source) ?? DEFAULT_SCOPE;
    yield {
      ...common,
      source,
      scope,
      address: body.address,
      mac: body.mac,
      at: seenAt,
      where: where(service, body),
      since,
    };
  }
  for (const { source, service, body, since } of devices.values()) {
    const state = view.services.get(source);
    if (body.address === null || state === undefined) continue;
    const scope = scopes.get(source) ?? DEFAULT_SCOPE;
    // A device that is connected answers its controller at every look.
    const at = body.state === 'CONNECTED' ? state.lastSuccessAt : null;
    yield { ...common, source, scope, address: body.address, mac: body.mac, at, where: where(service, body), since };
  }
}

function where(service: string, { name, mac }: Pick<UnifiClient | UnifiDevice, 'name' | 'mac'>): string {
  return `UniFi ${service} as ${name ?? mac}`;
}

const controllersOf = new WeakMap<InventoryView, ReadonlyMap<string, string>>();

/**
 * The scope of each controller's LAN, by source. A controller knows nothing of clusters: its LAN is that of the guests it
 * lists, by their MACs (the scope that most of them have); where it lists none, the one scope that all clusters have in
 * common, else `default`.
 */
export function controllerScopes(view: InventoryView): ReadonlyMap<string, string> {
  let scopes = controllersOf.get(view);
  if (scopes === undefined) {
    scopes = findControllerScopes(view);
    controllersOf.set(view, scopes);
  }
  return scopes;
}

function findControllerScopes(view: InventoryView): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const sources = [...view.services.values()].filter(({ kind }) => kind === 'unifi').map(({ source }) => source);
  if (sources.length === 0) return found;
  const shared = new Set([...view.clusters.values()].map(({ settings }) => settings.addressScope));
  const [only = DEFAULT_SCOPE, ...others] = shared;
  const hasRules = [...view.clusters.values()].some(({ settings }) => settings.addressScopes.length > 0);
  const usual = others.length === 0 ? only : DEFAULT_SCOPE;
  if (others.length === 0 && !hasRules) return new Map(sources.map((source) => [source, usual]));
  const byMac = guestScopes(view);
  const votes = new Map<string, Map<string, number>>();
  for (const { source, body } of view.records['unifi.client'].values()) {
    const scope = byMac.get(body.mac);
    if (scope === undefined) continue;
    const own = votes.get(source) ?? new Map<string, number>();
    votes.set(source, own.set(scope, (own.get(scope) ?? 0) + 1));
  }
  for (const source of sources) {
    const ranked = [...(votes.get(source) ?? [])].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    found.set(source, ranked[0]?.[0] ?? usual);
  }
  return found;
}

function guestScopes(view: InventoryView): ReadonlyMap<Mac, string> {
  const byMac = new Map<Mac, string>();
  for (const guest of view.guests.values()) {
    const settings = view.clusters.get(guest.cluster)?.settings;
    if (settings === undefined) continue;
    for (const device of guest.config?.devices ?? [])
      if (device.mac !== null) byMac.set(device.mac, scopeOf(settings, guest.row.node, device));
  }
  return byMac;
}
