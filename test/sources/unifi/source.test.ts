import { describe, expect, it } from 'vitest';
import type { UnifiSettings } from '../../../src/domain/settings.js';
import { unifiSource } from '../../../src/sources/unifi/source.js';
import { collect, keep, observe, reason } from '../../testkit/service-source.js';
import { DOOR, deadPort, type Handler, json, NOBODY, scriptedServer } from '../scripted-server.js';
import {
  byKey,
  error,
  html,
  KEY,
  LISTS,
  listPath,
  PASSWORD,
  paged,
  says,
  scriptedUnifi,
  station,
  T0,
  unifiSettings,
} from './scripted-unifi.js';

const unifi = async (...how: Parameters<typeof scriptedUnifi>) => keep(await scriptedUnifi(...how));
const source = (url: string, more: Partial<UnifiSettings> = {}, now = () => T0) =>
  keep(unifiSource(unifiSettings(url, more), { now, limits: { backOffMs: 1 } }));
const logins = (asked: readonly string[]) => asked.filter((each) => each.startsWith('POST')).length;
const clientsOf = ({ records }: Awaited<ReturnType<typeof observe>>) =>
  records.flatMap((record) => (record.kind === 'unifi.client' ? [record] : []));

describe.each([
  ['classic', '', '/api/login'],
  ['os', '/proxy/network', '/api/auth/login'],
] as const)('a controller (%s)', (kind, prefix, loginPath) => {
  it('is found out, signed in to and read by one question a list', async () => {
    const server = await unifi(kind);
    server.paths.set(listPath('stat/sta'), [station(5)]);
    server.paths.set(listPath('stat/device'), [{ mac: '0A:00:00:00:00:02', type: 'usw', state: 1, port_table: [] }]);
    server.paths.set(listPath('rest/networkconf'), [{ _id: 'lan', name: 'LAN', ip_subnet: '10.0.0.1/24' }]);
    expect(await collect(source(server.url))).toMatchObject({
      ...{ kind: 'observed', at: T0, requests: 6 },
      value: {
        ...{ askedAt: T0, complete: ['unifi.device', 'unifi.network', 'unifi.client'], nodes: null, notes: [] },
        records: [
          { kind: 'unifi.device', key: '0a:00:00:00:00:02', seenAt: null },
          { kind: 'unifi.network', key: 'lan', seenAt: null, body: { prefix: '10.0.0.0/24' } },
          { kind: 'unifi.client', key: 'bc:24:11:00:00:05', seenAt: T0 - 30_000, body: { address: '10.0.0.5' } },
        ],
      },
    });
    const lists = LISTS.map((list) => `GET ${prefix}${listPath(list)}`);
    expect(server.asked()).toEqual(['GET /', `POST ${loginPath}`, ...lists]);
  });

  it('is not signed in to again while its session holds, and once when it has ended', async () => {
    const server = await unifi(kind);
    const of = source(server.url);
    await observe(of);
    expect(logins(server.asked())).toBe(1);
    await observe(of);
    expect(logins(server.asked())).toBe(0);
    server.sessions.clear();
    expect((await observe(of)).complete).toHaveLength(3);
    expect(logins(server.asked())).toBe(1);
  });

  it('that takes no session of its own is no loop of logins', async () => {
    const server = await unifi(kind);
    server.login = (_, response) => {
      response.setHeader('set-cookie', kind === 'os' ? 'TOKEN=strange' : 'unifises=strange');
      json(response, { meta: { rc: 'ok' } });
    };
    expect(await reason(source(server.url))).toContain('does not take its own new session at stat/device: 401');
    expect(logins(server.asked())).toBe(1);
  });

  it('hands back what guards it against forgery', async () => {
    const server = await unifi(kind);
    server.paths.set(listPath('stat/device'), (_, response) => {
      response.setHeader('x-updated-csrf-token', 'renewed');
      json(response, { meta: { rc: 'ok' }, data: [] });
    });
    await observe(source(server.url));
    const sent = server.headers.map((headers) => headers['x-csrf-token']);
    const first = kind === 'os' ? 'csrf-1' : 'classic';
    expect(sent).toEqual([undefined, undefined, first, 'renewed', 'renewed', 'renewed']);
  });
});

describe('a login', () => {
  const cases: readonly ['classic' | 'os', string, Handler, string][] = [
    [
      ...(['classic', 'with a wrong password'] as const),
      error(400, 'api.err.Invalid'),
      'refuses the login of it: 400 api.err.Invalid; check username and the password that passwordEnv or passwordFile names, and that the user is a local one',
    ],
    [
      ...(['os', 'with a wrong password'] as const),
      says(403, { code: 'AUTHENTICATION_FAILED_INVALID_CREDENTIALS', message: 'Invalid username or password' }),
      'refuses the login of it: 403 AUTHENTICATION_FAILED_INVALID_CREDENTIALS Invalid username or password; check username and the password that passwordEnv or passwordFile names, and that the user is a local one',
    ],
    [
      ...(['classic', 'that wants a second factor'] as const),
      error(400, 'api.err.Ubic2faTokenRequired'),
      'asks it for a second factor, which a program cannot give; create a local user without it that may only view, and name it as username, or give an API key (apiKeyEnv or apiKeyFile)',
    ],
    [
      ...(['os', 'that wants a second factor'] as const),
      says(499, { code: 'MFA_AUTH_REQUIRED', data: { mfaCookie: 'UBIC_2FA=x' } }),
      'asks it for a second factor, which a program cannot give; create a local user without it that may only view, and name it as username, or give an API key (apiKeyEnv or apiKeyFile)',
    ],
    [
      ...(['os', 'while the console starts'] as const),
      html,
      'answers, but not as UniFi does: an HTML page at /api/auth/login; it may be starting, else check url, and whether a login page stands in between',
    ],
    [
      ...(['os', 'at an Nginx Proxy Manager'] as const),
      says(403, { error: { code: 403, message: 'Permission Denied' } }),
      'answers, but not as UniFi does: 403 Error with JSON of another kind at /api/auth/login; something else answers there: check url and its port',
    ],
    [
      ...(['os', 'that its door refuses'] as const),
      says(401, { error: { code: 401, message: 'Unauthorized' } }),
      'refuses the login of it: 401 Unauthorized; check username and the password that passwordEnv or passwordFile names, and that the user is a local one',
    ],
    [
      ...(['os', 'that gives no session'] as const),
      says(200, { status: 'ok' }),
      'answers, but not as UniFi does: JSON of another kind at /api/auth/login; something else answers there: check url and its port',
    ],
    [
      ...(['os', 'that fails'] as const),
      says(500, { code: 'INTERNAL', message: 'no' }),
      'fails at the login: 500 INTERNAL no; it may be starting, else see the log of the Network application',
    ],
  ];
  it.each(cases)('(%s) %s is one clear reason', async (kind, _, login, words) => {
    const server = await unifi(kind);
    server.login = login;
    expect(await collect(source(server.url))).toEqual({
      ...{ kind: 'unreachable', at: T0, requests: 2 },
      reason: `${server.url} ${words}`,
    });
  });

  it('that was tried too often is not tried again before its time', async () => {
    const server = await unifi('os');
    const code = 'AUTHENTICATION_FAILED_LIMIT_REACHED';
    server.login = says(429, { code, message: 'Too many attempts' }, { 'retry-after': '300' });
    let now = T0;
    const of = source(server.url, {}, () => now);
    const words = `${server.url} takes no more logins for now: 429 ${code} Too many attempts; check username and the password that passwordEnv or passwordFile names: they were refused too often`;
    expect(await reason(of)).toBe(words);
    server.asked();
    server.login = undefined;
    now = T0 + 299_000;
    expect(await reason(of)).toBe(words);
    expect(server.asked()).toEqual([]);
    now = T0 + 301_000;
    expect((await observe(of)).complete).toHaveLength(3);
  });

  it('never shows the password or the key', async () => {
    const server = await unifi('os');
    server.login = (request, response) => {
      let sent = '';
      request.on('data', (chunk) => (sent += chunk));
      request.on('end', () => json(response, { code: 'NO', sent }, 403));
    };
    expect(await reason(source(server.url))).not.toContain(PASSWORD);
    expect(await reason(source(server.url, byKey))).not.toContain(KEY);
  });
});

describe('what stands behind the address', () => {
  it('may be another product, or elsewhere', async () => {
    const other = keep(await scriptedServer((_, response) => json(response, {}, 404, 'Not Found')));
    expect(await reason(source(other.url))).toBe(
      `${other.url} answers, but not as UniFi does: 404 Not Found with JSON of another kind at /; something else answers there: check url and its port`,
    );
    const moved = keep(
      await scriptedServer((_, response) => {
        response.writeHead(301, { location: 'https://unifi.example.org/' });
        response.end();
      }),
    );
    expect(await reason(source(moved.url))).toBe(
      `${moved.url} redirects (301 to https://unifi.example.org/); give the address that the controller answers at`,
    );
    const port = await deadPort();
    expect(await reason(source(`https://127.0.0.1:${port}`))).toBe(`https://127.0.0.1:${port}: ${NOBODY}`);
  });

  it('is unreachable while its entry is broken, and nothing is sent', async () => {
    expect(await reason(source('https://192.0.2.1', { broken: 'apiKeyEnv is not set' }))).toBe('apiKeyEnv is not set');
  });

  it('hangs: then the light first question of the pass says so soon, and a list may take longer', async () => {
    const server = await unifi('classic');
    const hung = keep(await scriptedServer(() => {}));
    const limits = { doorMs: 400 };
    const silent = keep(unifiSource(unifiSettings(hung.url), { now: () => T0, limits }));
    expect(await reason(silent)).toBe(
      `${hung.url}: no answer within 0.4 s: it took the connection and says nothing; does it hang? (asked for /)`,
    );
    expect(hung.seen).toEqual(['/']);
    server.login = () => {};
    server.paths.set(listPath('stat/device'), (_, response) => {
      setTimeout(() => json(response, { meta: { rc: 'ok' }, data: [] }), 700);
    });
    const slow = keep(unifiSource(unifiSettings(server.url), { now: () => T0, limits }));
    expect(await reason(slow)).toContain(
      'no answer within 0.4 s: it took the connection and says nothing; does it hang? (asked for /api/login)',
    );
    server.login = undefined;
    expect((await observe(slow)).complete).toHaveLength(3);
    expect((await observe(slow)).complete).toHaveLength(3);
  });

  it.each([
    [502, 'Bad Gateway'],
    [503, 'Service Unavailable'],
    [504, 'Gateway Timeout'],
  ] as const)(
    'may be a proxy that answers %i in its place, or a console whose application starts',
    async (status, words) => {
      const inItsPlace: Handler = (_, response) => json(response, {}, status, words);
      const proxy = keep(await scriptedServer(inItsPlace));
      const told = `${status} ${words}, ${DOOR[status]}`;
      expect(await reason(source(proxy.url))).toBe(`${proxy.url}: ${told} (asked for /)`);
      const [classic, os] = [await unifi('classic'), await unifi('os')];
      for (const server of [classic, os]) server.paths.set(listPath('stat/sta'), inItsPlace);
      expect(await reason(source(classic.url))).toBe(`${classic.url}: ${told} (asked for /api/s/default/stat/sta)`);
      expect(await reason(source(os.url))).toBe(
        `${os.url}: ${told} (asked for /proxy/network/api/s/default/stat/sta); the console answers, its Network application may be starting`,
      );
    },
  );

  it('may fail before anybody signed in', async () => {
    const failing = keep(await scriptedServer(error(500, 'api.err.ServerError')));
    expect(await reason(source(failing.url))).toBe(
      `${failing.url} fails at /: 500 api.err.ServerError; it may be starting, else see the log of the Network application`,
    );
  });

  it('is given up when cancelled', async () => {
    const server = await unifi('classic');
    const cancel = new AbortController();
    server.paths.set(listPath('stat/sta'), () => cancel.abort(new Error('shutting down')));
    await expect(source(server.url).collect({ progress: () => {} }, cancel.signal)).rejects.toThrow('shutting down');
  });

  it('is found out anew after it failed: the controller may have moved into a console', async () => {
    const server = await unifi('os');
    let isOld = true;
    const proxy = keep(
      await scriptedServer((request, response) => {
        if (request.url === '/' && isOld) {
          response.writeHead(302, { location: '/manage' });
          return void response.end();
        }
        isOld = false;
        response.writeHead(307, { location: server.url });
        response.end();
      }),
    );
    const of = source(proxy.url);
    expect(await reason(of)).toContain(`redirects /api/login (307 to ${server.url}`);
    expect(await reason(of)).toContain(`redirects (307 to ${server.url}`);
  });
});

describe('a list', () => {
  it.each([
    [
      403,
      'api.err.NoPermission',
      'the networks may not be read (403 api.err.NoPermission); what was known of them stays. Let the user or key view the site',
    ],
    [
      404,
      'api.err.NotFound',
      'this version has no list of networks (404 api.err.NotFound); what was known of them stays',
    ],
  ])('that is refused (%i) leaves what was known of it', async (status, code, note) => {
    const server = await unifi('classic');
    server.paths.set(listPath('rest/networkconf'), error(status, code));
    expect(await observe(source(server.url))).toMatchObject({
      complete: ['unifi.device', 'unifi.client'],
      notes: [note],
    });
  });

  it('of known clients that is refused leaves the connected ones', async () => {
    const server = await unifi('classic');
    server.paths.set(listPath('stat/sta'), [station(5)]);
    server.paths.set(listPath('rest/user'), error(403, 'api.err.NoPermission'));
    const seen = await observe(source(server.url));
    expect(clientsOf(seen).map(({ key }) => key)).toEqual(['bc:24:11:00:00:05']);
    expect(seen.complete).not.toContain('unifi.client');
  });

  it('of nothing at all is no estate without a network', async () => {
    const server = await unifi('classic');
    for (const list of LISTS) server.paths.set(listPath(list), error(403, 'api.err.NoPermission'));
    expect(await reason(source(server.url))).toBe(
      `${server.url} shows nothing of site default: the devices may not be read (403 api.err.NoPermission); what was known of them stays. Let the user or key view the site`,
    );
  });

  it.each([400, 200])('of a site that is not there (%i) names those that are', async (status) => {
    const server = await unifi('classic');
    server.paths.set(listPath('stat/device', 'main'), error(status, 'api.err.NoSiteContext'));
    expect(await reason(source(server.url, { site: 'main' }))).toBe(
      `${server.url} has no site main (${status} api.err.NoSiteContext): there are default (Main office), abc123 (Branch); site takes the internal name`,
    );
  });

  it('that fails or is a page makes the whole pass fail', async () => {
    const server = await unifi('classic');
    const of = source(server.url);
    server.paths.set(listPath('stat/sta'), error(500, 'api.err.Unknown'));
    expect(await reason(of)).toBe(
      `${server.url} fails at stat/sta of site default: 500 api.err.Unknown; it may be starting, else see the log of the Network application`,
    );
    server.paths.set(listPath('stat/sta'), html);
    expect(await reason(of)).toContain('answers, but not as UniFi does: an HTML page at /api/s/default/stat/sta; ');
  });

  it('of which no row could be understood is somebody else’s: the pass fails, and all that was known stays', async () => {
    const server = await unifi('classic');
    for (const list of ['stat/device', 'rest/networkconf', 'stat/sta', 'rest/user'])
      server.paths.set(listPath(list), [{ foo: 1 }]);
    const said = await reason(source(server.url));
    expect(said).toBe(
      `${server.url} answers, but perhaps not as UniFi does: not one of the 3 rows that came could be understood (for one: a network without an id), so nothing is taken from it; check url and its port`,
    );
  });

  it('with a row that makes no sense keeps the others, and lets none be taken for gone', async () => {
    const server = await unifi('classic');
    server.paths.set(listPath('stat/sta'), [station(5), { ip: '10.0.0.6', hostname: 'odd' }]);
    const seen = await observe(source(server.url));
    expect(clientsOf(seen)).toHaveLength(1);
    expect(seen.complete).toEqual(['unifi.device', 'unifi.network']);
    expect(seen.notes).toEqual([
      '1 of 2 clients could not be understood, for one: a client without a MAC (odd); the others are kept',
    ]);
  });
});

describe('a client', () => {
  const at = (seconds: number) => T0 / 1000 - seconds;

  it('was seen by our clock, however wrong the controller’s is', async () => {
    const server = await unifi('classic');
    const hour = 3600;
    server.clock = T0 + hour * 1000;
    server.paths.set(listPath('stat/sta'), [station(5, { last_seen: at(30 - hour) })]);
    const seen = await observe(source(server.url));
    expect(clientsOf(seen)[0]?.seenAt).toBe(T0 - 30_000);
    expect(seen.notes).toEqual([
      "the controller's clock is about 60 min ahead of ours, which is allowed for; let it use NTP",
    ]);
  });

  it('is told as it was while connected for as long as the controller knows when it was here', async () => {
    const server = await unifi('classic');
    const of = source(server.url);
    const user = { mac: station(5).mac, name: 'Lap', use_fixedip: true, fixed_ip: '10.0.0.5', last_seen: at(30) };
    server.paths.set(listPath('rest/user'), [user]);
    server.paths.set(listPath('stat/sta'), [station(5)]);
    const here = clientsOf(await observe(of));
    expect(here).toMatchObject([{ seenAt: T0 - 30_000, body: { name: 'Lap', fixedAddress: '10.0.0.5' } }]);
    server.paths.set(listPath('stat/sta'), []);
    expect(clientsOf(await observe(of))).toEqual(here);
    const mac_table = [{ mac: user.mac, age: 1 }];
    const port_table = [{ port_idx: 3, mac_table }];
    server.paths.set(listPath('stat/device'), [{ mac: '0a:00:00:00:00:02', type: 'usw', port_table }]);
    expect(clientsOf(await observe(of))).toEqual(here);
    server.paths.set(listPath('stat/device'), []);
    server.paths.set(listPath('rest/user'), [{ ...user, last_seen: at(31 * 86_400) }]);
    expect(clientsOf(await observe(of))).toEqual([]);
  });

  it('that only a switch port knows is told with its place', async () => {
    const server = await unifi('classic');
    const quiet = { mac: 'bc:24:11:00:00:09', vlan: 20, age: 7 };
    const port_table = [
      { port_idx: 1, is_uplink: true, mac_table: [{ mac: 'bc:24:11:00:00:08' }] },
      { port_idx: 3, mac_table: [{ mac: station(5).mac, vlan: 1 }, quiet] },
    ];
    server.paths.set(listPath('stat/device'), [{ mac: '0a:00:00:00:00:02', type: 'usw', port_table }]);
    server.paths.set(listPath('rest/networkconf'), [{ _id: 'n', name: 'Lab', purpose: 'corporate', vlan: 20 }]);
    server.paths.set(listPath('stat/sta'), [station(5)]);
    expect(clientsOf(await observe(source(server.url)))).toMatchObject([
      { key: 'bc:24:11:00:00:05', body: { address: '10.0.0.5' } },
      {
        ...{ key: 'bc:24:11:00:00:09', seenAt: T0 - 7_000 },
        body: { address: null, network: 'Lab', vlan: 20, switchMac: '0a:00:00:00:00:02', switchPort: 3 },
      },
    ]);
  });
});

describe('an API key', () => {
  const POOR = expect.stringContaining('opens the integration API only');
  const SITE = '/integration/v1/sites/s-1';
  const sites = [{ id: 's-1', internalReference: 'default', name: 'Main office' }];
  const wired = (number: number) => ({
    ...{ id: `c-${number}`, type: 'WIRED', name: `c${number}`, connectedAt: '2026-11-20T11:00:00Z' },
    macAddress: `bc:24:11:00:${String(number >> 8).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`,
    ...{ uplinkDeviceId: 'd-1', ipAddress: '10.0.0.5' },
  });
  const switchRow = {
    id: 'd-1',
    macAddress: '0a:00:00:00:00:02',
    name: 'Core',
    state: 'ONLINE',
    features: ['switching'],
  };

  const estate = async (clients: number, networks = true) => {
    const server = await unifi('os', /./);
    for (const list of LISTS) server.paths.set(listPath(list), error(403, 'api.err.NoPermission'));
    paged(server, '/integration/v1/sites', sites);
    const ports = [{ idx: 1, state: 'UP', speedMbps: 2500, connector: 'RJ45', maxSpeedMbps: 2500 }];
    paged(server, `${SITE}/devices`, [switchRow], { interfaces: { ports } });
    paged(
      server,
      `${SITE}/clients`,
      Array.from({ length: clients }, (_, number) => wired(number)),
    );
    if (networks)
      paged(server, `${SITE}/networks`, [{ id: 'n-1' }], {
        ipv4Configuration: { hostIpAddress: '10.0.0.1', prefixLength: 24 },
      });
    return server;
  };

  it('that understands no row of the integration API takes nothing from it', async () => {
    const server = await estate(0, false);
    paged(server, `${SITE}/devices`, [{ id: 'x' }, { id: 'y' }]);
    expect(await reason(source(server.url, byKey))).toMatch(
      /answers, but perhaps not as UniFi does: not one of the 2 rows that came could be understood \(for one: .*\), so nothing/,
    );
  });

  it('opens the old paths where the console lets it, which tell more', async () => {
    const server = await unifi('os', /^\/api\//);
    server.paths.set(listPath('stat/sta'), [station(5)]);
    const outcome = await collect(source(server.url, byKey));
    expect(outcome).toMatchObject({ kind: 'observed', requests: 5, value: { notes: [] } });
    expect(server.headers.every((headers) => headers.cookie === undefined)).toBe(true);
  });

  it.each([
    ['refuses it', error(401, 'api.err.LoginRequired')],
    ['has no such site', error(400, 'api.err.NoSiteContext')],
    ['shows a page', html],
  ])('opens the integration API where the old path %s', async (_, reaction) => {
    const server = await estate(1);
    server.paths.set(listPath('stat/device'), reaction);
    expect(await observe(source(server.url, byKey))).toMatchObject({
      ...{ complete: ['unifi.device', 'unifi.network', 'unifi.client'], notes: [POOR] },
      records: [
        { kind: 'unifi.device', body: { name: 'Core', kind: 'switch', ports: [{ index: 1, speedMbps: 2500 }] } },
        { kind: 'unifi.network', key: 'n-1', body: { prefix: '10.0.0.0/24', gateway: '10.0.0.1' } },
        { kind: 'unifi.client', body: { switchMac: '0a:00:00:00:00:02', switchPort: null }, seenAt: T0 - 300_000 },
      ],
    });
  });

  it('reads lists to their end, 200 at a time', async () => {
    const server = await estate(401);
    expect(clientsOf(await observe(source(server.url, byKey)))).toHaveLength(401);
    const pages = server.asked().filter((asked) => asked.includes('/clients'));
    expect(pages.map((asked) => asked.replace(/.*\?/, ''))).toEqual([
      'offset=0&limit=200',
      'offset=200&limit=200',
      'offset=400&limit=200',
    ]);
  });

  it('takes a list that changed under its hands for no whole one', async () => {
    const server = await estate(1);
    server.paths.set(`${SITE}/clients`, says(200, { offset: 0, count: 2, totalCount: 2, data: [wired(1), wired(1)] }));
    expect((await observe(source(server.url, byKey))).complete).toEqual(['unifi.device', 'unifi.network']);
  });

  it('finds no networks before 10, and says so', async () => {
    const seen = await observe(source((await estate(1, false)).url, byKey));
    expect(seen.complete).toEqual(['unifi.device', 'unifi.client']);
    expect(seen.notes).toEqual([
      POOR,
      'this version has no list of networks (404 api.err.NotFound); what was known of them stays',
    ]);
  });

  it('may miss the details of a device, which then has no ports and is not taken for whole', async () => {
    const server = await estate(1);
    server.paths.delete(`${SITE}/devices/d-1`);
    const seen = await observe(source(server.url, byKey));
    expect(seen.complete).toEqual(['unifi.network', 'unifi.client']);
    expect(seen.notes[1]).toBe('of 1 devices the details could not be read: Core (404 api.err.NotFound)');
  });

  it('finds a site by its internal name, else by the name that people read', async () => {
    const server = await estate(1);
    for (const site of ['default', 'main office'])
      expect((await observe(source(server.url, { ...byKey, site }))).records).toHaveLength(3);
    expect(await reason(source(server.url, { ...byKey, site: 'branch' }))).toBe(
      `${server.url} has no site branch (integration API): there are default (Main office); site takes the internal name`,
    );
  });

  const refusals: readonly [string, Handler, string][] = [
    [
      'is refused',
      says(401, { statusCode: 401, code: 'api.authentication.missing-credentials', message: 'Missing credentials' }),
      'refuses the API key: 401 api.authentication.missing-credentials Missing credentials; make one in the Network application under Integrations, and put it where apiKeyEnv or apiKeyFile of this source says',
    ],
    [
      'meets another product',
      says(401, { error: { code: 401, message: 'Token has expired' } }),
      'answers, but not as UniFi does: 401 Error with JSON of another kind at /integration/v1/sites; something else answers there: check url and its port',
    ],
    [
      'meets an Nginx Proxy Manager',
      says(403, { error: { code: 403, message: 'Permission Denied' } }),
      'answers, but not as UniFi does: 403 Error with JSON of another kind at /integration/v1/sites; something else answers there: check url and its port, and that Network 9.0 or later runs there',
    ],
    [
      'has no API',
      says(404, { code: 'api.err.NotFound' }),
      'has no integration API for this key (404 api.err.NotFound); it needs Network 9.0 or later and a key made there (apiKeyEnv or apiKeyFile)',
    ],
    [
      'is asked for too often',
      says(429, { code: 'api.rate', message: 'slow down' }),
      'takes no more requests for now, asked for /integration/v1/sites: 429 api.rate slow down; it is asked again later',
    ],
    [
      'meets a page',
      html,
      'answers, but not as UniFi does: an HTML page at /integration/v1/sites; it may be starting, else check url, and whether a login page stands in between',
    ],
    [
      'meets a failure',
      says(500, { code: 'x' }),
      'fails at /integration/v1/sites: 500 x; it may be starting, else see the log of the Network application',
    ],
  ];
  it.each(refusals)('that %s is one clear reason', async (_, reaction, words) => {
    const server = await estate(1);
    server.paths.set('/integration/v1/sites', reaction);
    expect(await reason(source(server.url, byKey))).toBe(`${server.url} ${words}`);
  });

  it('is nothing to a controller without UniFi OS', async () => {
    const server = await unifi('classic');
    expect(await reason(source(server.url, byKey))).toBe(
      `${server.url} is a controller without UniFi OS and takes no API key (401 api.err.LoginRequired); give a local user (username, with passwordEnv or passwordFile)`,
    );
  });
});
