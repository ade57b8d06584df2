import type { Mac } from '../../domain/mac.js';
import type { ObservedRecord, RecordKind, ServiceObservation } from '../../domain/record.js';
import { inLanes } from '../lanes.js';
import { PassFailure } from '../service-pass.js';
import { clockAhead } from '../transport/peer-clock.js';
import { noneUnderstood, type Understood, understood } from '../understood.js';
import { type WireObject, wireText } from '../wire-values.js';
import { siteNames, siteReason } from './classic-lists.js';
import { clockNotes, type Pass } from './classic-pass.js';
import { API, allPages, keyRefusal, type Pages } from './pages.js';
import { macOf } from './parse/addresses.js';
import type { SeenClient, Watch } from './parse/clients.js';
import { integrationClient, integrationDevice, integrationNetwork } from './parse/integration.js';
import { isOwnError, notRead, notUnifi, objectOf, unifiWords } from './words.js';

const POOR =
  'the API key opens the integration API only, which tells no VLAN, switch port or fixed address of a client, and no clients that are away; a local user (username, with passwordEnv or passwordFile) sees them';

const DETAILS_AT_ONCE = 4;

/** Reads a site over the API that a key is made for. */
export async function integrationPass(pass: Pass): Promise<ServiceObservation> {
  const askedAt = pass.now();
  const site = `/sites/${await siteId(pass)}`;
  const [devices, macs] = await readDevices(pass, site);
  const { clients, watch } = await readClients(pass, site, macs, askedAt);
  const networks = await readNetworks(pass, site);
  if (devices.made === undefined && clients.made === undefined) {
    throw new PassFailure(`${pass.settings.url} shows nothing of site ${pass.settings.site}: ${devices.notes[0]}`);
  }
  const parts = [devices, networks, clients];
  const foreign = noneUnderstood(
    parts.flatMap(({ made }) => made ?? []),
    'UniFi',
  );
  if (foreign !== undefined) throw new PassFailure(`${pass.settings.url} ${foreign}`);
  return {
    ...{ askedAt, nodes: null },
    records: parts.flatMap(({ records }) => records),
    complete: parts.flatMap(({ isWhole, kind }) => (isWhole ? kind : [])),
    notes: [POOR, ...parts.flatMap(({ notes }) => notes), ...clockNotes(watch)],
  };
}

interface Part {
  readonly kind: RecordKind;
  readonly records: readonly ObservedRecord[];
  readonly isWhole: boolean;
  /** undefined: it was refused. */
  readonly made: Understood<object> | undefined;
  readonly notes: readonly string[];
}

async function siteId(pass: Pass): Promise<string> {
  const { url, site } = pass.settings;
  const sites = await allPages(pass.client, url, '/sites', pass.ask);
  if (sites.kind === 'refused') throw new PassFailure(noSites(pass, sites));
  const { rows } = sites;
  const found =
    rows.find(({ internalReference }) => internalReference === site) ??
    rows.find(({ name }) => wireText(name)?.toLowerCase() === site.toLowerCase());
  const id = wireText(found?.id);
  if (id !== undefined) return encodeURIComponent(id);
  throw new PassFailure(siteReason(url, site, 'integration API', siteNames(rows, 'internalReference', 'name')));
}

/** An application of its own, without a console around it, takes no keys at all. */
function noSites({ client, settings: { url } }: Pass, { answer }: Extract<Pages, { kind: 'refused' }>): string {
  if (client.console()?.kind === 'classic') {
    return `${url} is a controller without UniFi OS and takes no API key (${unifiWords(answer)}); give a local user (username, with passwordEnv or passwordFile)`;
  }
  const reason = keyRefusal(answer, url, '/sites');
  if (reason === undefined && !isOwnError(answer))
    return `${notUnifi(answer, url, `${API}/sites`)}, and that Network 9.0 or later runs there`;
  return (
    reason ??
    `${url} has no integration API for this key (${unifiWords(answer)}); it needs Network 9.0 or later and a key made there (apiKeyEnv or apiKeyFile)`
  );
}

/** What a refused list comes to: the pass ends, or what was known of it stays. */
function refusedPart({ settings: { url } }: Pass, kind: RecordKind, what: string, { answer }: Pages): Part {
  const reason = keyRefusal(answer, url, `/…/${what}`);
  if (reason !== undefined) throw new PassFailure(reason);
  const notes = [notRead(what, answer)];
  return { kind, records: [], isWhole: false, made: undefined, notes };
}

async function readDevices(pass: Pass, site: string): Promise<[Part, ReadonlyMap<string, Mac>]> {
  const { client, settings, ask, progress } = pass;
  const kind = 'unifi.device';
  const list = await allPages(client, settings.url, `${site}/devices`, ask);
  if (list.kind === 'refused') return [refusedPart(pass, kind, 'devices', list), new Map()];
  const macs = new Map(list.rows.flatMap(({ id, macAddress }) => pair(id, macAddress)));
  const details = await readDetails(pass, `${site}/devices`, list.rows, (done) => progress(done, list.rows.length));
  const made = understood(list.rows, 'devices', (row) => integrationDevice(row, details.of(row), macs));
  const records = made.rows.map((body) => ({ kind, key: body.mac, seenAt: null, body }) as const);
  const isWhole = list.isWhole && made.isWhole && details.notes.length === 0;
  return [{ kind, records, isWhole, made, notes: [...made.notes, ...details.notes] }, macs];
}

function pair(id: unknown, macAddress: unknown): readonly [string, Mac][] {
  const mac = macOf(macAddress);
  const text = wireText(id);
  return mac === null || text === undefined ? [] : [[text, mac]];
}

async function readNetworks(pass: Pass, site: string): Promise<Part> {
  const kind = 'unifi.network';
  const list = await allPages(pass.client, pass.settings.url, `${site}/networks`, pass.ask);
  if (list.kind === 'refused') return refusedPart(pass, kind, 'networks', list);
  const details = await readDetails(pass, `${site}/networks`, list.rows, () => {});
  const made = understood(list.rows, 'networks', (row) => integrationNetwork(row, details.of(row)));
  const records = made.rows.map((body) => ({ kind, key: body.id, seenAt: null, body }) as const);
  const isWhole = list.isWhole && made.isWhole && details.notes.length === 0;
  return { kind, records, isWhole, made, notes: [...made.notes, ...details.notes] };
}

async function readClients(pass: Pass, site: string, macs: ReadonlyMap<string, Mac>, askedAt: number) {
  const kind = 'unifi.client';
  const at = pass.now();
  const list = await allPages(pass.client, pass.settings.url, `${site}/clients`, pass.ask);
  const watch: Watch = { askedAt, ahead: list.kind === 'rows' ? clockAhead(list.answer, at) : 0 };
  if (list.kind === 'refused') return { clients: refusedPart(pass, kind, 'clients', list), watch };
  const seen: SeenClient[] = [];
  const made = understood(list.rows, 'clients', (row) => {
    const client = integrationClient(row, macs, watch);
    if (typeof client === 'object') seen.push(client);
    return client ?? row;
  });
  const records = seen.map(({ body, seenAt }) => ({ kind, key: body.mac, seenAt, body }) as const);
  const part: Part = { kind, records, isWhole: list.isWhole && made.isWhole, made, notes: made.notes };
  return { clients: part, watch };
}

/** The details of each row, one by one: only they tell ports and subnets. One that cannot be read is a note. */
async function readDetails(
  { client, settings: { url }, ask }: Pass,
  path: string,
  rows: readonly WireObject[],
  progress: (done: number) => void,
) {
  const details = new Map<WireObject, WireObject>();
  const missing: string[] = [];
  let done = 0;
  const readOne = async (row: WireObject) => {
    const answer = await client.get(`${API}${path}/${encodeURIComponent(wireText(row.id) ?? '')}`, ask);
    const body = answer.status === 200 ? objectOf(answer) : undefined;
    if (body !== undefined) details.set(row, body);
    else {
      const reason = keyRefusal(answer, url, path);
      if (reason !== undefined) throw new PassFailure(reason);
      missing.push(`${wireText(row.name) ?? wireText(row.id)} (${unifiWords(answer)})`);
    }
    done += 1;
    progress(done);
  };
  await inLanes(DETAILS_AT_ONCE, rows, readOne);
  const what = path.slice(path.lastIndexOf('/') + 1);
  const notes =
    missing.length === 0 ? [] : [`of ${missing.length} ${what} the details could not be read: ${missing[0]}`];
  return { of: (row: WireObject) => details.get(row), notes };
}
