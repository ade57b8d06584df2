import type { Mac } from '../../domain/mac.js';
import type { UnifiClient as Client, ObservedRecord, RecordKind, ServiceObservation } from '../../domain/record.js';
import type { UnifiSettings } from '../../domain/settings.js';
import { MINUTE } from '../../domain/time.js';
import { type PassAsk, PassFailure } from '../service-pass.js';
import { clockAhead } from '../transport/peer-clock.js';
import { noneUnderstood, understood } from '../understood.js';
import { type WireObject, wireObject } from '../wire-values.js';
import { type ClassicList, classicList, refusal } from './classic-lists.js';
import type { UnifiClient, UnifiNeeds } from './client.js';
import { macOf } from './parse/addresses.js';
import { absentClient, connectedClient, learnedClient, type SeenClient, type Watch } from './parse/clients.js';
import { device, type ReadDevice } from './parse/devices.js';
import { edgeMacs, type Place } from './parse/mac-tables.js';
import { type NetworkIndex, network, networkIndex } from './parse/networks.js';
import { notRead } from './words.js';

export interface Pass {
  readonly settings: UnifiSettings;
  readonly client: UnifiClient;
  readonly now: UnifiNeeds['now'];
  readonly ask: PassAsk;
  readonly progress: (done: number, total: number) => void;
  /** The last word of each client while it was connected, as far as this process heard it. */
  readonly lastWords: Map<Mac, Client>;
}

const LISTS = [
  { list: 'stat/device', what: 'devices' },
  { list: 'rest/networkconf', what: 'networks' },
  { list: 'stat/sta', what: 'connected clients' },
  { list: 'rest/user', what: 'known clients' },
] as const;
type What = (typeof LISTS)[number]['what'];

/** Reads a site over the paths that controllers have always had. */
export async function classicPass(pass: Pass, first?: ClassicList): Promise<ServiceObservation> {
  const { client, settings, now, ask, progress } = pass;
  const askedAt = now();
  const read = new Map<What, readonly unknown[]>();
  const notes: string[] = [];
  let ahead = 0;
  for (const [done, { list, what }] of LISTS.entries()) {
    progress(done, LISTS.length);
    const at = now();
    const came = first !== undefined && done === 0 ? first : await classicList(client, settings, list, ask);
    if (came.kind === 'rows') {
      read.set(what, came.rows);
      if (what === 'connected clients') ahead = clockAhead(came.answer, at);
      continue;
    }
    const reason = await refusal(client, settings, list, came.answer, ask);
    if (reason !== undefined) throw new PassFailure(reason);
    notes.push(notRead(what, came.answer));
  }
  progress(LISTS.length, LISTS.length);
  if (read.size === 0) throw new PassFailure(`${settings.url} shows nothing of site ${settings.site}: ${notes[0]}`);
  return observation(pass, read, { askedAt, ahead }, notes);
}

function observation(
  { lastWords, settings }: Pass,
  read: ReadonlyMap<What, readonly unknown[]>,
  watch: Watch,
  notes: readonly string[],
): ServiceObservation {
  const networks = understood(read.get('networks') ?? [], 'networks', network);
  const index = networkIndex(networks.rows);
  const devices = understood(read.get('devices') ?? [], 'devices', (row) => device(row, index));
  const users = userRows(read.get('known clients') ?? []);
  const connected = understood(read.get('connected clients') ?? [], 'clients', (row) =>
    connectedClient(row, users, index, watch),
  );
  const parts = [networks, devices, connected];
  const foreign = users.size > 0 ? undefined : noneUnderstood(parts, 'UniFi');
  if (foreign !== undefined) throw new PassFailure(`${settings.url} ${foreign}`);
  const clients = allClients(connected.rows, { users, devices: devices.rows, index, watch, lastWords });
  const records: ObservedRecord[] = [
    ...devices.rows.map(({ body }) => ({ kind: 'unifi.device', key: body.mac, seenAt: null, body }) as const),
    ...networks.rows.map((body) => ({ kind: 'unifi.network', key: body.id, seenAt: null, body }) as const),
    ...clients.map(({ body, seenAt }) => ({ kind: 'unifi.client', key: body.mac, seenAt, body }) as const),
  ];
  const isRead = (...whats: What[]) => whats.every((what) => read.has(what));
  const complete: RecordKind[] = [];
  if (isRead('devices') && devices.isWhole) complete.push('unifi.device');
  if (isRead('networks') && networks.isWhole) complete.push('unifi.network');
  if (isRead('connected clients', 'known clients') && connected.isWhole) complete.push('unifi.client');
  const odd = parts.flatMap((each) => each.notes);
  return { askedAt: watch.askedAt, records, complete, nodes: null, notes: [...notes, ...odd, ...clockNotes(watch)] };
}

interface Around {
  readonly users: ReadonlyMap<Mac, WireObject>;
  readonly devices: readonly ReadDevice[];
  readonly index: NetworkIndex;
  readonly watch: Watch;
  readonly lastWords: Map<Mac, Client>;
}

/** Those connected; those behind a port that are in no list; those that were here within the month. */
function allClients(connected: readonly SeenClient[], around: Around): readonly SeenClient[] {
  const { users, devices, index, watch, lastWords } = around;
  const clients = new Map(connected.map((each) => [each.body.mac, each]));
  for (const { body } of connected) lastWords.set(body.mac, body);
  for (const [mac, place] of edgeMacs(devices)) {
    if (clients.has(mac) || isStillThere(place, lastWords.get(mac), users.has(mac))) continue;
    clients.set(mac, learnedClient(place, users.get(mac), index, watch));
  }
  for (const [mac, row] of users) {
    if (clients.has(mac)) continue;
    const absent = absentClient(row, lastWords.get(mac), index, watch);
    if (absent !== undefined) clients.set(mac, absent);
  }
  // What nobody lists any more is not worth its place.
  for (const mac of lastWords.keys()) if (!clients.has(mac)) lastWords.delete(mac);
  return [...clients.values()];
}

/** It fell silent where it was: its last word says more than its bare MAC on that port. */
function isStillThere({ switchMac, port }: Place, before: Client | undefined, isKnown: boolean): boolean {
  return isKnown && before?.switchMac === switchMac && before.switchPort === port;
}

function userRows(rows: readonly unknown[]): ReadonlyMap<Mac, WireObject> {
  const users = new Map<Mac, WireObject>();
  for (const raw of rows) {
    const row = wireObject(raw);
    const mac = macOf(row?.mac);
    if (row !== undefined && mac !== null) users.set(mac, row);
  }
  return users;
}

export function clockNotes({ ahead }: Pick<Watch, 'ahead'>): readonly string[] {
  const minutes = Math.round(Math.abs(ahead) / MINUTE);
  if (minutes === 0) return [];
  const way = ahead > 0 ? 'ahead of' : 'behind';
  return [`the controller's clock is about ${minutes} min ${way} ours, which is allowed for; let it use NTP`];
}
