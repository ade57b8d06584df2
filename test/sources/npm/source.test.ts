import { describe, expect, it } from 'vitest';
import type { NpmSettings } from '../../../src/domain/settings.js';
import { npmSource } from '../../../src/sources/npm/source.js';
import { collect, keep, observe, reason } from '../../testkit/service-source.js';
import { DOOR, deadPort, type Handler, json, NOBODY } from '../scripted-server.js';
import { listPath, npmSettings, page, proxyRow, refuse, SECRET, scriptedNpm, T0 } from './scripted-npm.js';

const npm = async (prefix?: string) => keep(await scriptedNpm(prefix));
const source = (url: string, more: Partial<NpmSettings> = {}, now = () => T0) =>
  keep(npmSource(npmSettings(url, more), { now, limits: { backOffMs: 1 } }));
const ALL = ['npm.proxy_host', 'npm.redirection', 'npm.stream', 'npm.certificate'];
const LISTS = ['proxy-hosts', 'redirection-hosts', 'streams', 'certificates'].map((list) => `GET ${listPath(list)}`);

describe('a proxy manager', () => {
  it('is read in one pass of one login and five questions', async () => {
    const server = await npm();
    server.paths.set(listPath('proxy-hosts'), [proxyRow(7), proxyRow(8, { enabled: false })]);
    server.paths.set(listPath('certificates'), [{ id: 3, provider: 'other', domain_names: ['B.org', 'a.org'] }]);
    const outcome = await collect(source(server.url));
    expect(outcome).toMatchObject({
      ...{ kind: 'observed', at: T0, requests: 6 },
      value: { askedAt: T0, complete: ALL, nodes: null, notes: [] },
    });
    expect(outcome.kind === 'observed' && outcome.value.records.map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      'npm.proxy_host 7',
      'npm.proxy_host 8',
      'npm.certificate 3',
    ]);
    expect(server.asked()).toEqual(['POST /api/tokens', ...LISTS, 'GET /api/users/me']);
  });

  it('tells how far a pass is', async () => {
    const told: string[] = [];
    const of = source((await npm()).url);
    await of.collect({ progress: (done, total) => told.push(`${done}/${total}`) }, new AbortController().signal);
    expect(told).toEqual(['0/4', '1/4', '2/4', '3/4', '4/4']);
  });

  it('may stand behind a path', async () => {
    const server = await npm('/proxy/manager');
    expect((await observe(source(server.url))).complete).toEqual(ALL);
    expect(server.seen.every((url) => url.startsWith('/proxy/manager/api/'))).toBe(true);
  });

  it('whose rows are one too many is told once', async () => {
    const server = await npm();
    server.paths.set(listPath('proxy-hosts'), [proxyRow(7), proxyRow(7, { forward_port: 81 })]);
    expect((await observe(source(server.url))).records).toHaveLength(1);
  });
});

describe('a token', () => {
  it('is kept until it is about to end', async () => {
    const server = await npm();
    let now = T0;
    const of = source(server.url, {}, () => now);
    const logins = async () => {
      await observe(of);
      return server.asked().filter((asked) => asked === 'POST /api/tokens').length;
    };
    expect([await logins(), await logins()]).toEqual([1, 0]);
    now = T0 + 24 * 3_600_000 - 60_000;
    expect(await logins()).toBe(1);
  });

  it('ends by our clock, however wrong the manager’s is', async () => {
    const server = await npm();
    server.clock = T0 - 48 * 3_600_000;
    const of = source(server.url);
    await observe(of);
    await observe(of);
    expect(server.asked().filter((asked) => asked === 'POST /api/tokens')).toHaveLength(1);
  });

  it.each([
    ['expired, up to 2.12', refuse(401, 'Token has expired')],
    ['expired, from 2.13 on', refuse(400, 'Token has expired')],
    ['signed by another key', refuse(500, 'Internal Error')],
  ])('that is %s costs one new login', async (_, expired) => {
    const server = await npm();
    server.expired = expired;
    const of = source(server.url);
    await observe(of);
    server.asked();
    server.tokens.clear();
    expect((await observe(of)).complete).toEqual(ALL);
    expect(server.asked()).toEqual([LISTS[0], 'POST /api/tokens', ...LISTS, 'GET /api/users/me']);
  });

  it('that is never taken is no loop of logins', async () => {
    const server = await npm();
    server.login = (_, response) => json(response, { token: 'unknown', expires: '2026-11-21T12:00:00Z' });
    expect(await reason(source(server.url))).toBe(
      `${server.url} fails at /api/nginx/proxy-hosts: 400 Token has expired; see the log of Nginx Proxy Manager`,
    );
    expect(server.asked()).toEqual(['POST /api/tokens', LISTS[0]]);
  });
});

describe('a login', () => {
  const refusals: readonly [string, Handler, string][] = [
    [
      'with a wrong password, up to 2.12',
      refuse(401, 'Invalid email or password'),
      'refuses the login of it@example.org: 401 Invalid email or password; check identity, and the secret that secretEnv or secretFile names',
    ],
    [
      'with a wrong password, from 2.13 on',
      refuse(400, 'Invalid email or password'),
      'refuses the login of it@example.org: 400 Invalid email or password; check identity, and the secret that secretEnv or secretFile names',
    ],
    [
      'that wants a second factor',
      (_, response) => json(response, { requires_2fa: true, challenge_token: 'x' }),
      'asks it@example.org for a second factor, which a program cannot give; create a user without two-factor authentication for it that may view all items, and name it as identity',
    ],
    [
      'that fails',
      refuse(500, 'Internal Error'),
      'fails at the login: 500 Internal Error; see the log of Nginx Proxy Manager',
    ],
    [
      'at another product',
      page,
      "answers, but is not Nginx Proxy Manager's API: an HTML page at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
    ],
    [
      'where there is no such call',
      refuse(404, 'Not Found'),
      "answers, but is not Nginx Proxy Manager's API: 404 Not Found with JSON of another kind at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
    ],
    [
      'at a UniFi controller',
      (_, response) => json(response, { meta: { rc: 'error', msg: 'api.err.LoginRequired' } }, 401, 'Unauthorized'),
      "answers, but is not Nginx Proxy Manager's API: 401 Unauthorized with JSON of another kind at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
    ],
    [
      'at a UniFi console',
      refuse(401, 'Unauthorized'),
      "answers, but is not Nginx Proxy Manager's API: 401 Unauthorized with JSON of another kind at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
    ],
    [
      'that gives no token',
      (_, response) => json(response, { ok: true }),
      "answers, but is not Nginx Proxy Manager's API: JSON of another kind at /api/tokens; url must lead to its admin page (port 81 by default), with no login page in between",
    ],
    [
      'that is sent elsewhere',
      (_, response) => {
        response.writeHead(301, { location: 'https://proxy.example.org/' });
        response.end();
      },
      "redirects the login (301 to https://proxy.example.org/); give the address that Nginx Proxy Manager's admin page answers at",
    ],
  ];
  it.each(refusals)('%s is one clear reason, after one request', async (_, login, words) => {
    const server = await npm();
    server.login = login;
    expect(await collect(source(server.url))).toEqual({
      ...{ kind: 'unreachable', at: T0, requests: 1 },
      reason: `${server.url} ${words}`,
    });
  });

  it('never shows the secret', async () => {
    const server = await npm();
    server.login = (request, response) => {
      let sent = '';
      request.on('data', (chunk) => (sent += chunk));
      request.on('end', () => json(response, { error: { code: 400, message: 'no' }, sent }, 400));
    };
    expect(await reason(source(server.url))).not.toContain(SECRET);
  });
});

describe('a list', () => {
  it('that this version has not leaves what was known of it', async () => {
    const server = await npm();
    server.paths.delete(listPath('streams'));
    const seen = await observe(source(server.url));
    expect(seen.complete).toEqual(ALL.filter((kind) => kind !== 'npm.stream'));
    expect(seen.notes).toEqual(['version 2.9.22 has no list of streams (404 Not Found); what was known of them stays']);
  });

  it('that this user may not see leaves what was known of it', async () => {
    const server = await npm();
    server.paths.set(listPath('certificates'), refuse(403, 'Permission Denied'));
    const seen = await observe(source(server.url));
    expect(seen.complete).toEqual(ALL.filter((kind) => kind !== 'npm.certificate'));
    expect(seen.notes).toEqual([
      'it@example.org may not see the certificates (403 Permission Denied); what was known of them stays. Let the user view them',
    ]);
  });

  it('with a row that makes no sense lets nothing be taken for deleted', async () => {
    const server = await npm();
    server.paths.set(listPath('proxy-hosts'), [proxyRow(7), proxyRow(8, { forward_host: null })]);
    const seen = await observe(source(server.url));
    expect(seen.complete).toEqual(ALL.slice(1));
    expect(seen.notes).toEqual([
      '1 of 2 proxy hosts could not be understood, for one: id 8: it sends to no host; the others are kept',
    ]);
  });

  it('of which no row could be understood is somebody else’s: the pass fails, and all that was known stays', async () => {
    const server = await npm();
    const rows = [{ foo: 1 }];
    for (const list of ['proxy-hosts', 'streams', 'certificates']) server.paths.set(listPath(list), rows);
    expect(await reason(source(server.url))).toBe(
      `${server.url} answers, but perhaps not as Nginx Proxy Manager does: not one of the 3 rows that came could be understood (for one: a row without an id), so nothing is taken from it; check url and its port`,
    );
    server.paths.set(listPath('streams'), []);
    server.paths.set(listPath('certificates'), []);
    expect(await reason(source(server.url))).toContain('the one row that came could not be understood (for one: a row');
  });

  it('of one’s own rows only lets nothing be taken for deleted', async () => {
    const server = await npm();
    server.paths.set('/api/users/me', (_, response) => json(response, { permissions: { visibility: 'user' } }));
    expect(await observe(source(server.url))).toMatchObject({
      complete: [],
      notes: [
        'it@example.org sees only the items that it created itself, so none is taken for deleted; set its item visibility to all items',
      ],
    });
  });

  it.each([
    [
      refuse(403, 'Permission Denied'),
      'lets it@example.org see nothing (403 Permission Denied); give the user permission to view all items',
    ],
    [
      refuse(404, 'Not Found'),
      "signs in it@example.org, but has none of Nginx Proxy Manager's lists (404 Not Found); check url",
    ],
  ])('of nothing at all is no estate without proxies', async (nothing, words) => {
    const server = await npm();
    for (const path of server.paths.keys()) server.paths.set(path, nothing);
    expect(await reason(source(server.url))).toBe(`${server.url} ${words}`);
  });

  it('that fails, is a login page or something else makes the whole pass fail', async () => {
    const server = await npm();
    const of = source(server.url);
    const failing = async (reaction: Handler) => {
      server.paths.set(listPath('streams'), reaction);
      return reason(of);
    };
    const foreign = `${server.url} answers, but is not Nginx Proxy Manager's API`;
    expect(await failing(refuse(500, 'Internal Error'))).toContain('fails at /api/nginx/streams: 500 Internal Error');
    expect(await failing(page)).toContain(`${foreign}: an HTML page at /api/nginx/streams; `);
    expect(await failing((_, response) => json(response, { rows: [] }))).toContain(`${foreign}: JSON of another kind`);
    expect(await failing((_, response) => response.end('[{"id": 1'))).toContain(
      `${server.url} answers /api/nginx/streams with JSON that breaks off after 9 characters; is it restarting, `,
    );
  });
});

describe('a proxy manager that cannot be asked', () => {
  it('is unreachable with the reason of the wire', async () => {
    const port = await deadPort();
    expect(await reason(source(`https://127.0.0.1:${port}`))).toBe(`https://127.0.0.1:${port}: ${NOBODY}`);
  });

  it.each([
    [502, 'Bad Gateway', DOOR[502]],
    [503, 'Service Unavailable', DOOR[503]],
    [504, 'Gateway Timeout', DOOR[504]],
  ])('stands behind a proxy that answers %i in its place, at the login or at a list', async (status, words, advice) => {
    const server = await npm();
    const of = source(server.url);
    const inItsPlace: Handler = (_, response) => json(response, {}, status, words);
    server.login = inItsPlace;
    expect(await reason(of)).toBe(`${server.url}: ${status} ${words}, ${advice} (asked for /api/tokens)`);
    server.login = undefined;
    server.paths.set(listPath('streams'), inItsPlace);
    expect(await reason(of)).toBe(`${server.url}: ${status} ${words}, ${advice} (asked for ${listPath('streams')})`);
  });

  it('hangs: that is found out soon, and what hung is named, however far the pass was', async () => {
    const server = await npm();
    // Against the half minute that any other question may take.
    const of = keep(npmSource(npmSettings(server.url), { now: () => T0, limits: { doorMs: 400, headersMs: 60_000 } }));
    const hangs = (path: string) =>
      `${server.url}: no answer within 0.4 s: it took the connection and says nothing; does it hang? (asked for ${path})`;
    server.login = () => {};
    expect(await reason(of)).toBe(hangs('/api/tokens'));
    server.login = undefined;
    for (const path of [listPath('proxy-hosts'), listPath('streams'), '/api/users/me']) {
      const well = server.paths.get(path) ?? [];
      server.paths.set(path, () => {});
      expect(await reason(of)).toBe(hangs(path));
      server.paths.set(path, well);
    }
    expect((await observe(of)).complete).toEqual(ALL);
  });

  it('is unreachable while its entry is broken, and nothing is sent', async () => {
    expect(await reason(source('https://192.0.2.1', { broken: 'secretEnv is not set' }))).toBe('secretEnv is not set');
  });

  it('is given up when cancelled', async () => {
    const server = await npm();
    server.paths.set(listPath('streams'), () => cancel.abort(new Error('shutting down')));
    const cancel = new AbortController();
    await expect(source(server.url).collect({ progress: () => {} }, cancel.signal)).rejects.toThrow('shutting down');
  });
});
