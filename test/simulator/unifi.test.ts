import { describe, expect, it, onTestFinished } from 'vitest';
import type { Guest } from '../../src/simulator/guest.js';
import {
  type NetworkVersion,
  type SimulatedUnifi,
  type SimulatedUnifiOptions,
  startSimulatedUnifi,
} from '../../src/simulator/wire/unifi.js';
import { UNIFI_CODE } from '../../src/simulator/wire/unifi-door.js';
import { describeRecordings, recording } from '../sources/recordings.js';
import { NOW } from './asking.js';
import { type Definitions, type JsonSchema, schemaMisfits } from './json-schema.js';
import { askService, CERTIFICATE, estates, SEED, type Told } from './service-asking.js';

type Row = Readonly<Record<string, unknown>>;

async function unifi(options: Partial<SimulatedUnifiOptions> = {}): Promise<SimulatedUnifi> {
  const own = { estates: estates(), certificate: CERTIFICATE, now: () => NOW, seed: SEED };
  const started = await startSimulatedUnifi({ ...own, ...options });
  onTestFinished(() => started.stop());
  return started;
}

const LOGIN = { os: '/api/auth/login', classic: '/api/login' } as const;
const PREFIX = { os: '/proxy/network', classic: '' } as const;
type Flavour = keyof typeof LOGIN;

function login({ url, username, password }: SimulatedUnifi, flavour: Flavour, more: object = {}, headers = {}) {
  return askService(`${url}${LOGIN[flavour]}`, { body: { username, password, ...more }, headers });
}

function cookiesOf({ headers }: Told): string {
  return (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ');
}

async function rows(controller: SimulatedUnifi, list: string, flavour: Flavour = 'os'): Promise<readonly Row[]> {
  const cookie = cookiesOf(await login(controller, flavour));
  const told = await askService(`${controller.url}${PREFIX[flavour]}/api/s/default/${list}`, { headers: { cookie } });
  expect(told).toMatchObject({ status: 200, json: { meta: { rc: 'ok' } } });
  return (told.json as { data: Row[] }).data;
}

function byKey(controller: SimulatedUnifi, path: string, key = controller.apiKey): Promise<Told> {
  return askService(`${controller.url}/proxy/network/integration/v1${path}`, { headers: { 'x-api-key': key } });
}

async function siteOf(controller: SimulatedUnifi): Promise<string> {
  const { json } = await byKey(controller, '/sites');
  const found = (json as { data: Row[] }).data.find(({ name }) => name === 'Default');
  return `/sites/${String(found?.id)}`;
}

/** Keys that both have, and of which ours is of another type. */
function otherwise(ours: Row, recorded: Row): string[] {
  const kind = (value: unknown) => (Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value);
  return Object.keys(ours).flatMap((key) =>
    key in recorded && kind(ours[key]) !== kind(recorded[key])
      ? [`${key}: ${kind(ours[key])}, recorded as ${kind(recorded[key])}`]
      : [],
  );
}

describeRecordings('rows of the older paths are as real ones are', () => {
  const recorded = (file: string) => recording(`aiounifi/${file}.json`) as Row;
  const unknown = (ours: Row, real: Row) => Object.keys(ours).filter((key) => !(key in real));

  it('clients', async () => {
    const [wired, wireless] = [recorded('wired_client'), recorded('wireless_client')];
    const clients = await rows(await unifi(), 'stat/sta');
    for (const client of clients) expect(otherwise(client, client.is_wired === true ? wired : wireless)).toEqual([]);
    // What no recording has is told of by every client library: fixed addresses, VLANs, the last uplink.
    const extra = new Set(clients.flatMap((client) => unknown(client, { ...wired, ...wireless })));
    expect([...extra].sort()).toEqual(['last_uplink_mac', 'last_uplink_remote_port']);
    for (const key of ['mac', 'ip', 'hostname', 'sw_mac', 'sw_port', 'network', 'network_id', 'last_seen', 'uptime'])
      expect(clients.some((client) => key in client && key in wired)).toBe(true);
  });

  it.each([
    ['usw', 'os', 'switch_8_port'],
    ['uap', 'os', 'access_point_ac_pro'],
    ['ugw', 'classic', 'gateway_usg3'],
  ] as const)('a device of type %s', async (type, flavour, file) => {
    const real = recorded(file);
    const devices = (await rows(await unifi({ flavour }), 'stat/device', flavour)).filter((row) => row.type === type);
    expect(devices.length).toBeGreaterThan(0);
    for (const device of devices) {
      expect(otherwise(device, real)).toEqual([]);
      expect(otherwise(device.uplink as Row, real.uplink as Row)).toEqual([]);
      const [realPort = {}] = real.port_table as Row[];
      for (const port of device.port_table as Row[]) expect(otherwise(port, realPort)).toEqual([]);
    }
  });

  it('networks: every field is one of a controller’s, and its value of the pattern that it takes', async () => {
    const patterns = recording('go-unifi-fields/v9.5.21-NetworkConf.json') as Readonly<Record<string, unknown>>;
    const wrong = (await rows(await unifi(), 'rest/networkconf')).flatMap((network) =>
      Object.entries(network).flatMap(([key, value]) => {
        if (key === '_id' || key === 'site_id') return [];
        const pattern = patterns[key];
        if (pattern === undefined) return [`${key}: no such field`];
        const isFit =
          typeof pattern !== 'string' || pattern === '' || new RegExp(`^(?:${pattern})$`).test(String(value));
        return isFit ? [] : [`${key}: ${String(value)}`];
      }),
    );
    expect(wrong).toEqual([]);
  });

  it('sites and the console’s own user', async () => {
    const controller = await unifi();
    const signedIn = await login(controller, 'os');
    expect(otherwise(signedIn.json as Row, recorded('login_unifios_json_response'))).toEqual([]);
    const sites = await askService(`${controller.url}/proxy/network/api/self/sites`, {
      headers: { cookie: cookiesOf(signedIn) },
    });
    const real = recorded('site_response').data as Row[];
    for (const site of (sites.json as { data: Row[] }).data) expect(otherwise(site, real[0] ?? {})).toEqual([]);
    expect(otherwise((await rows(controller, 'stat/sysinfo'))[0] ?? {}, recorded('system_information'))).toEqual([]);
  });
});

describeRecordings('what the integration API answers fits its own description', () => {
  const FILES = { '9.0': '9.0.99', '9.5': '9.5.21', '10.1': '10.1.89', '10.5': '10.5.66' } as const;
  const descriptionOf = (version: keyof typeof FILES) =>
    recording(`unifi-integration-openapi/network-${FILES[version]}.json`) as {
      paths: Record<
        string,
        { get: { responses: Record<string, { content: Record<string, { schema: JsonSchema }> }> } }
      >;
      components: { schemas: Definitions };
    };

  it.each(Object.keys(FILES) as (keyof typeof FILES)[])('of %s', async (networkVersion) => {
    const controller = await unifi({ networkVersion });
    const { paths, components } = descriptionOf(networkVersion);
    const site = await siteOf(controller);
    const asked: string[] = [];
    const wrong: string[] = [];
    for (const [path, { get }] of Object.entries(paths)) {
      if (path.includes('statistics')) continue;
      const list = path.replace('/v1', '').replace('/sites/{siteId}', site);
      const id = /\/\{\w+\}$/.test(list)
        ? ((await byKey(controller, list.replace(/\/\{\w+\}$/, ''))).json as { data: Row[] }).data[0]?.id
        : '';
      const told = await byKey(controller, list.replace(/\{\w+\}$/, String(id)));
      const schema = get.responses['200']?.content['application/json']?.schema ?? {};
      asked.push(`${told.status} ${path}`);
      wrong.push(...schemaMisfits(told.json, schema, components.schemas, path));
    }
    expect(wrong).toEqual([]);
    expect(asked.filter((one) => !one.startsWith('200 '))).toEqual([]);
  });

  it.each([
    ['9.5', 'WIRED', 'Wired client overview'],
    ['10.5', 'WIRELESS', 'Wireless client overview'],
  ] as const)('of %s a client that is %s has what such a client has', async (networkVersion, type, name) => {
    const controller = await unifi({ networkVersion });
    const { schemas } = descriptionOf(networkVersion).components;
    const { json } = await byKey(controller, `${await siteOf(controller)}/clients?limit=200`);
    const clients = (json as { data: Row[] }).data.filter((client) => client.type === type);
    expect(clients.length).toBeGreaterThan(0);
    expect(schemaMisfits(clients, { type: 'array', items: { $ref: `#/${name}` } }, schemas)).toEqual([]);
    for (const client of clients)
      expect(Object.keys(client)).toEqual(expect.arrayContaining(['macAddress', 'uplinkDeviceId']));
  });
});

describe('the integration API', () => {
  it('tells a list in pages of 25 or as asked, at most 200', async () => {
    const controller = await unifi({ estates: estates({ guests: 260 }) });
    const path = `${await siteOf(controller)}/clients`;
    const first = (await byKey(controller, path)).json as { totalCount: number; data: Row[] };
    expect(first).toMatchObject({ offset: 0, limit: 25, count: 25 });
    const ids = new Set<unknown>();
    for (let offset = 0; offset < first.totalCount; offset += 200) {
      const { json } = await byKey(controller, `${path}?offset=${offset}&limit=200`);
      for (const { id } of (json as { data: Row[] }).data) ids.add(id);
    }
    expect(ids.size).toBe(first.totalCount);
    expect(await byKey(controller, `${path}?limit=201`)).toMatchObject({ status: 400, json: { statusCode: 400 } });
    expect((await byKey(controller, `${path}?offset=100000`)).json).toMatchObject({ count: 0, data: [] });
  });

  it('finds by filter', async () => {
    const { json } = await byKey(
      await unifi(),
      `/sites?filter=${encodeURIComponent("internalReference.eq('default')")}`,
    );
    expect(json).toMatchObject({ totalCount: 1, data: [{ name: 'Default' }] });
  });

  it('grows with the versions: no such API before 9.0, no networks before 10', async () => {
    expect(await byKey(await unifi({ networkVersion: '8.6' }), '/sites')).toMatchObject({ status: 404 });
    const networks = async (networkVersion: NetworkVersion) => {
      const controller = await unifi({ networkVersion });
      return (await byKey(controller, `${await siteOf(controller)}/networks`)).status;
    };
    expect([await networks('9.5'), await networks('10.1')]).toEqual([404, 200]);
  });

  it.each([
    ['without a key', undefined, 'api.authentication.missing-credentials'],
    ['with another key', 'wrong', 'api.authentication.invalid-credentials'],
  ])('refuses who comes %s, in its own words', async (_, key, code) => {
    const controller = await unifi();
    const url = `${controller.url}/proxy/network/integration/v1/sites`;
    const told = await askService(url, { headers: key === undefined ? {} : { 'x-api-key': key } });
    expect(told).toMatchObject({
      status: 401,
      json: { statusCode: 401, statusName: 'UNAUTHORIZED', code, requestPath: '/integration/v1/sites' },
    });
  });

  it('refuses a key that was revoked', async () => {
    const controller = await unifi();
    controller.faults.set({ keyRevoked: true });
    expect(await byKey(controller, '/sites')).toMatchObject({ status: 401 });
  });

  it.each([
    ['9.0', 401],
    ['9.5', 200],
    ['10.5', 200],
  ] as const)('a key of %s on the older paths: %i', async (networkVersion, status) => {
    const { url, apiKey } = await unifi({ networkVersion });
    const told = await askService(`${url}/proxy/network/api/s/default/stat/sta`, { headers: { 'x-api-key': apiKey } });
    expect(told).toMatchObject({ status });
  });
});

describe('logging in', () => {
  it('a controller of its own is known by where it leads, a console by its page', async () => {
    const [controller, box] = [await unifi({ flavour: 'classic' }), await unifi()];
    expect(await askService(`${controller.url}/`)).toMatchObject({ status: 302, headers: { location: '/manage' } });
    expect(await askService(`${box.url}/`)).toMatchObject({
      status: 200,
      body: expect.stringMatching(/^<!DOCTYPE html>/),
    });
  });

  it('at a controller gives two cookies, at a console a token and a word against forgery', async () => {
    const classic = await login(await unifi({ flavour: 'classic' }), 'classic');
    expect([classic.json, cookiesOf(classic)]).toEqual([
      { meta: { rc: 'ok' }, data: [] },
      expect.stringMatching(/^unifises=.+; csrf_token=\w+$/),
    ]);
    const box = await login(await unifi(), 'os');
    expect([cookiesOf(box), box.headers['x-csrf-token']]).toEqual([
      expect.stringMatching(/^TOKEN=[^.]+\.[^.]+\.[^.]+$/),
      expect.stringMatching(/^[0-9a-f-]{36}$/),
    ]);
  });

  it.each([
    ['classic', 400, { meta: { rc: 'error', msg: 'api.err.Invalid' }, data: [] }],
    [
      'os',
      403,
      { code: 'AUTHENTICATION_FAILED_INVALID_CREDENTIALS', message: 'Invalid username or password', level: 'debug' },
    ],
  ] as const)('with a wrong password: %s %i', async (flavour, status, json) => {
    const controller = await unifi({ flavour });
    expect(await login(controller, flavour, { password: 'wrong' })).toMatchObject({ status, json });
    controller.faults.set({ keyRevoked: true });
    expect(await login(controller, flavour)).toMatchObject({ status, json });
  });

  it('too often with a wrong one: a console takes none for a minute', async () => {
    let now = NOW;
    const controller = await unifi({ now: () => now });
    for (let n = 0; n < 5; n++) await login(controller, 'os', { password: 'wrong' });
    expect(await login(controller, 'os')).toMatchObject({
      status: 429,
      headers: { 'retry-after': '60' },
      json: { code: 'AUTHENTICATION_FAILED_LIMIT_REACHED' },
    });
    now += 60_000;
    expect(await login(controller, 'os')).toMatchObject({ status: 200 });
  });

  it('a second factor: each asks in its own way, and takes the code', async () => {
    const [controller, box] = [await unifi({ flavour: 'classic' }), await unifi()];
    for (const { faults } of [controller, box]) faults.set({ twoFactor: true });
    expect(await login(controller, 'classic')).toMatchObject({
      status: 400,
      json: { meta: { msg: 'api.err.Ubic2faTokenRequired' } },
    });
    expect(await login(controller, 'classic', { ubic_2fa_token: UNIFI_CODE })).toMatchObject({ status: 200 });
    const asked = await login(box, 'os');
    expect(asked).toMatchObject({ status: 499, json: { code: 'MFA_AUTH_REQUIRED' } });
    const { mfaCookie: cookie } = (asked.json as { data: { mfaCookie: string } }).data;
    expect(await login(box, 'os', { token: UNIFI_CODE }, { cookie })).toMatchObject({ status: 200 });
    expect(await login(box, 'os', { token: UNIFI_CODE }, { cookie })).toMatchObject({ status: 499 });
  });

  it.each(['os', 'classic'] as const)(
    'a session that is over is told as such, and another login opens again: %s',
    async (flavour) => {
      const controller = await unifi({ flavour });
      const cookie = cookiesOf(await login(controller, flavour));
      const url = `${controller.url}${PREFIX[flavour]}/api/s/default/stat/health`;
      const over = { status: 401, json: { meta: { rc: 'error', msg: 'api.err.LoginRequired' }, data: [] } };
      expect(await askService(url)).toMatchObject(over);
      controller.faults.set({ sessionExpired: true });
      expect(await askService(url, { headers: { cookie } })).toMatchObject(over);
      const fresh = cookiesOf(await login(controller, flavour));
      expect(await askService(url, { headers: { cookie: fresh } })).toMatchObject({ status: 200 });
    },
  );

  it('a write to a console needs the word against forgery, and then is refused to one who may only read', async () => {
    const controller = await unifi();
    const told = await login(controller, 'os');
    const cookie = cookiesOf(told);
    const url = `${controller.url}/proxy/network/api/s/default/rest/user`;
    const csrf = String(told.headers['x-csrf-token']);
    expect(await askService(url, { body: {}, headers: { cookie } })).toMatchObject({ json: { error: { code: 403 } } });
    expect(await askService(url, { body: {}, headers: { cookie, 'x-csrf-token': csrf } })).toMatchObject({
      json: { meta: { msg: 'api.err.NoPermission' } },
    });
  });

  it('a site or list that is not there', async () => {
    const controller = await unifi({ flavour: 'classic' });
    const headers = { cookie: cookiesOf(await login(controller, 'classic')) };
    const ask = (path: string) => askService(`${controller.url}${path}`, { headers });
    expect(await ask('/api/s/other/stat/sta')).toMatchObject({
      status: 400,
      json: { meta: { msg: 'api.err.NoSiteContext' } },
    });
    expect(await ask('/api/s/default/stat/none')).toMatchObject({
      status: 404,
      json: { meta: { msg: 'api.err.NotFound' } },
    });
  });
});

describe('the network', () => {
  const portOf = (row: Row | undefined) => `${row?.sw_mac} ${row?.sw_port}`;
  const find = (list: readonly Row[], { nics }: Guest) => list.find(({ mac }) => mac === nics[0]?.mac.toLowerCase());
  const plain = (guests: readonly Guest[]) =>
    guests.find(({ power, nics, template }) => power === 'running' && !template && nics[0]?.v4?.by === 'config');

  it('has a guest behind its node’s port, and on another when it has moved; gone when it stops, and remembered', async () => {
    const all = estates();
    const [estate] = all;
    const controller = await unifi({ estates: all });
    const before = await rows(controller, 'stat/sta');
    const guest = plain((estate?.guests() ?? []).filter((one) => find(before, one)?.ip !== undefined));
    if (estate === undefined || guest === undefined) throw new Error('no guest fits');
    const [nic] = guest.nics;
    const nodes = new Map(before.map((row) => [row.hostname, row]));
    const client = find(before, guest);
    expect([client?.ip, client?.vlan, portOf(client)]).toEqual([
      nic?.v4?.address,
      nic?.tag ?? undefined,
      portOf(nodes.get(guest.node)),
    ]);
    const other = estate.nodes().find(({ name }) => name !== guest.node)?.name ?? '';
    estate.migrate(guest.vmid, other);
    expect(portOf(find(await rows(controller, 'stat/sta'), guest))).toBe(portOf(nodes.get(other)));
    estate.stop(guest.vmid);
    expect(find(await rows(controller, 'stat/sta'), guest)).toBeUndefined();
    expect(find(await rows(controller, 'rest/user'), guest)).toMatchObject({ last_ip: nic?.v4?.address });
  });

  it('a node that is down: its port is, and nobody is behind it', async () => {
    const all = estates();
    const controller = await unifi({ estates: all });
    const node = (await rows(controller, 'stat/sta')).find(({ hostname }) => hostname === 'pve02');
    all[0]?.setNode('pve02', 'offline');
    const device = (await rows(controller, 'stat/device')).find(({ mac }) => mac === node?.sw_mac);
    const port = ((device?.port_table ?? []) as Row[]).find(({ port_idx }) => port_idx === node?.sw_port);
    expect(port).toMatchObject({ up: false, speed: 0, mac_table: [], lldp_table: [] });
    expect((await rows(controller, 'stat/sta')).filter((row) => portOf(row) === portOf(node))).toEqual([]);
  });

  it('has no client twice, none without a place, and every uplink leads to a port of another device', async () => {
    const controller = await unifi({ estates: estates({ nodes: 25, guests: 300 }) });
    const [clients, devices] = [await rows(controller, 'stat/sta'), await rows(controller, 'stat/device')];
    expect(new Set(clients.map(({ mac }) => mac)).size).toBe(clients.length);
    const ports = new Set(
      devices.flatMap(({ mac, port_table }) => (port_table as Row[]).map(({ port_idx }) => `${mac} ${port_idx}`)),
    );
    for (const client of clients.filter(({ is_wired }) => is_wired)) expect(ports).toContain(portOf(client));
    for (const { uplink, type } of devices) {
      const { uplink_mac, uplink_remote_port } = uplink as Row;
      if (type !== 'udm') expect(ports).toContain(`${uplink_mac} ${uplink_remote_port}`);
    }
  });

  it('gives out leases where guests have leases, and nowhere that an address is written down', async () => {
    const all = estates();
    const weigh = (text: unknown) =>
      String(text)
        .split('.')
        .reduce((sum, part) => sum * 256 + Number(part), 0);
    const ranges = (await rows(await unifi({ estates: all }), 'rest/networkconf')).flatMap((row) =>
      row.dhcpd_enabled === true ? [[weigh(row.dhcpd_start), weigh(row.dhcpd_stop)] as const] : [],
    );
    const isLeased = (address: string) => ranges.some(([from, to]) => from <= weigh(address) && weigh(address) <= to);
    const wrong = all.flatMap((estate) =>
      estate
        .guests()
        .flatMap(({ nics }) =>
          nics.flatMap(({ v4 }) => (v4 === null || isLeased(v4.address) === (v4.by === 'dhcp') ? [] : v4.address)),
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('somebody else answers for a running guest’s address, just now; no other client has another’s', async () => {
    const all = estates();
    const controller = await unifi({ estates: all });
    const owners = new Map(
      all.flatMap((estate) =>
        estate
          .guests()
          .flatMap(({ nics, vmid, power }) =>
            nics.map(
              (nic) =>
                [nic.v4?.address, { mac: nic.mac.toLowerCase(), place: `${estate.name}/${vmid}`, power }] as const,
            ),
          ),
      ),
    );
    const odd = (await rows(controller, 'stat/sta')).filter(({ ip, mac }) => {
      const owner = owners.get(String(ip));
      return ip !== undefined && owner !== undefined && owner.mac !== mac;
    });
    expect(odd).toMatchObject([
      { ip: controller.stranger?.address, mac: controller.stranger?.mac, last_seen: NOW / 1000 },
    ]);
    const owner = owners.get(controller.stranger?.address);
    expect([owner?.place, owner?.power]).toEqual([controller.stranger?.place, 'running']);
    expect(controller.plantedDrift).toEqual([
      { kind: 'ADDRESS_ANSWERED_BY_OTHER', subject: controller.stranger?.address, field: '' },
    ]);
    expect([...controller.touched]).toEqual([controller.stranger?.place]);
    const another = await unifi({ estates: all, untouchable: controller.touched });
    expect(another.stranger?.place).not.toBe(controller.stranger?.place);
  });
});

it('breaks as it is told: a console says in a page that the application is starting', async () => {
  const controller = await unifi();
  const headers = { cookie: cookiesOf(await login(controller, 'os')) };
  const ask = () => askService(`${controller.url}/proxy/network/api/s/default/stat/sta`, { headers });
  controller.faults.set({ paths: [{ match: 'stat/sta', does: 'error', status: 502, times: 1 }] });
  expect(await ask()).toMatchObject({ status: 502, body: expect.stringMatching(/^<!DOCTYPE html>/) });
  controller.faults.set({ paths: [{ match: 'stat/sta', does: 'truncate', times: 1 }] });
  await expect(ask()).rejects.toThrow();
  controller.faults.set({ paths: [], loginPage: true });
  expect(await ask()).toMatchObject({ status: 200, json: undefined });
  controller.faults.clear();
  expect(await ask()).toMatchObject({ status: 200 });
});
