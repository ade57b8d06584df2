import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../../src/domain/settings.js';
import { netboxSource } from '../../../src/sources/netbox/source.js';
import { deadPort, json, NOBODY } from '../scripted-server.js';
import {
  collect,
  type FakeOptions,
  fakeNetbox,
  reason,
  request,
  settings,
  smallNetbox,
  source,
  T0,
  V1_TOKEN,
  V2_TOKEN,
} from './fake-netbox.js';

/** A NetBox that gives this answer instead of its own, for one path or for all. */
const answering =
  (answer: (response: ServerResponse) => void, path = ''): NonNullable<FakeOptions['instead']> =>
  (_request, response, url) => {
    if (!url.pathname.includes(path)) return false;
    answer(response);
    return true;
  };
const denied = (detail: string) => (response: ServerResponse) => json(response, { detail }, 403, 'Forbidden');
const html = (status: number) => (response: ServerResponse) => {
  response.writeHead(status, { 'content-type': 'text/html' });
  response.end('<!DOCTYPE html><title>Sign in</title>');
};

describe('A NetBox that does not admit the token', () => {
  const cases: readonly (readonly [detail: string, token: string, words: string])[] = [
    [
      'Authentication credentials were not provided.',
      V2_TOKEN,
      'Authentication credentials were not provided. It saw no token it understands: tokens of version 2 (nbt_…) are understood from NetBox 4.5 on; or a proxy before it takes the Authorization header away',
    ],
    [
      'Authentication credentials were not provided.',
      V1_TOKEN,
      'Authentication credentials were not provided. It saw no token it understands: tokens of version 1 are not understood from NetBox 5.0 on; or a proxy before it takes the Authorization header away',
    ],
    ...['Invalid token', 'Invalid v1 token', 'Invalid v2 token'].map(
      (detail) =>
        [
          detail,
          V1_TOKEN,
          `${detail}: it does not know this token: make one for a user who may read, and put it where tokenEnv or tokenFile of this source says`,
        ] as const,
    ),
    ['Token expired', V1_TOKEN, 'Token expired: the token has expired: extend it or make another'],
    ['Token disabled', V1_TOKEN, 'Token disabled: the token is disabled: enable it or make another'],
    ['User inactive', V1_TOKEN, "User inactive: the token's user is not active: activate it or use another's token"],
    [
      'Source IP 10.0.0.9 is not permitted to authenticate using this token.',
      V1_TOKEN,
      "Source IP 10.0.0.9 is not permitted to authenticate using this token.: the token's allowed IPs do not contain the one that we come from",
    ],
    ['Something new.', V1_TOKEN, 'Something new.'],
  ];

  it.each(cases)('%s', async (detail, token, words) => {
    const server = await fakeNetbox({}, { instead: answering(denied(detail)) });
    const told = await reason(collect(source(server, { token: new Secret(token) })));
    expect(told).toBe(`unreachable: ${server.url}/api/status/: 403 ${words}`);
    expect(told).not.toContain(token);
  });

  it('names the permission that a list takes', async () => {
    const refused = answering(denied('You do not have permission to perform this action.'), '/ipam/prefixes/');
    const server = await fakeNetbox(smallNetbox(), { instead: refused });
    expect(await reason(collect(source(server)))).toBe(
      `unreachable: ${server.url}/api/ipam/prefixes/: 403 You do not have permission to perform this action. The token's user lacks the permission ipam.view_prefix: add an object permission with the action "view"`,
    );
  });
});

describe('What answers and is not NetBox, or not whole', () => {
  const cases: readonly (readonly [what: string, answer: (response: ServerResponse) => void, words: string])[] = [
    [
      'a login page',
      html(200),
      'it answers, but is not a NetBox API: an HTML page; check url and its port, and whether a proxy or a login page stands in between',
    ],
    [
      'a proxy that asks for a login',
      html(401),
      '401 Unauthorized: it does not sound like NetBox; check url, and whether a proxy in between asks for a login',
    ],
    [
      'another product',
      (response) => json(response, { version: '2.15' }),
      'it answers, but is not a NetBox API: JSON without "netbox-version"; check url and its port, and whether a proxy or a login page stands in between',
    ],
    [
      'a redirect',
      (response) => {
        response.writeHead(302, { location: 'https://sso.example/login' });
        response.end();
      },
      'it redirects (302 Found) instead of answering: write the address that NetBox itself answers at',
    ],
    [
      'a path where nothing is',
      html(404),
      '404 Not Found: there is no NetBox API at this address, or no such list in its version; check url and its path',
    ],
    [
      'an error of its own',
      (response) => json(response, { error: 'relation', exception: 'ProgrammingError' }, 500, 'Server Error'),
      "500 Server Error: ProgrammingError; look at NetBox's log",
    ],
    [
      'half an answer',
      (response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end('{"netbox-version": "4.2');
      },
      'the answer breaks off after 23 characters: it is not whole JSON; is it restarting, does something in between cut it short?',
    ],
  ];

  it.each(cases)('%s', async (_what, answer, words) => {
    const server = await fakeNetbox({}, { instead: answering(answer) });
    expect(await reason(collect(source(server)))).toBe(`unreachable: ${server.url}/api/status/: ${words}`);
  });

  it('says so when nobody listens, and when the certificate is of no CA that is named', async () => {
    const url = `https://127.0.0.1:${await deadPort()}`;
    const limits = { retries: 0 };
    expect(await reason(collect(source({ url }, {}, { limits })))).toBe(`unreachable: ${url}: ${NOBODY}`);
    const server = await fakeNetbox(smallNetbox(), { certificate: 'other' });
    expect(await reason(collect(source(server)))).toMatch(/^unreachable: .*self-signed.*$/);
    expect(server.seen).toEqual([]);
  });

  it('says so soon when it hangs, and is patient with a slow list', async () => {
    const limits = { doorMs: 400 };
    const hung = await fakeNetbox({}, { instead: answering(() => {}) });
    expect(await reason(collect(source(hung, {}, { limits })))).toBe(
      `unreachable: ${hung.url}: no answer within 0.4 s: it took the connection and says nothing; does it hang? (asked for /api/status/)`,
    );
    let wasSlow = false;
    const slow = await fakeNetbox(smallNetbox(), {
      instead: (_request, response, url) => {
        if (wasSlow || !url.pathname.includes('/ipam/prefixes/')) return false;
        wasSlow = true;
        setTimeout(() => json(response, { count: 0, next: null, results: [] }), 700);
        return true;
      },
    });
    expect((await collect(source(slow, {}, { limits }))).outcome.kind).toBe('observed');
  });

  it('stays unreachable, with the reason, where its settings are broken', async () => {
    const broken = netboxSource(
      { ...settings('https://127.0.0.1:1'), broken: 'NETBOX_TOKEN is not set' },
      { now: () => T0 },
    );
    expect(await collect(broken)).toEqual({
      outcome: { kind: 'unreachable', at: T0, reason: 'NETBOX_TOKEN is not set', contentHash: null },
      ...{ requests: 0, notes: [] },
    });
  });

  it('throws only when it is cancelled', async () => {
    const cancel = new AbortController();
    const server = await fakeNetbox(smallNetbox(), {
      instead: answering(() => cancel.abort(new Error('enough')), '/ipam/ip-addresses/'),
    });
    await expect(source(server).collect(request(), cancel.signal)).rejects.toThrow('enough');
  });
});
