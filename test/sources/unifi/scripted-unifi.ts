import type { IncomingMessage, ServerResponse } from 'node:http';
import { Secret, type UnifiSettings } from '../../../src/domain/settings.js';
import { type Handler, json, type ScriptedServer, scriptedServer, sha256Of } from '../scripted-server.js';

export const T0 = Date.parse('2026-11-20T12:00:00Z');
export const PASSWORD = 'correct horse';
export const KEY = 'key-of-nine';

/** What a path answers: rows, or a whole handler. */
export type Reaction = Handler | readonly unknown[];

export interface ScriptedUnifi extends ScriptedServer {
  /** Answers by path below the Network application, changed at will. */
  readonly paths: Map<string, Reaction>;
  /** Sessions that are taken; a login adds one. */
  readonly sessions: Set<string>;
  /** What a login is answered with instead of a session. */
  login: Handler | undefined;
  /** What its clock says. */
  clock: number;
  /** Method and path (with its query) of the requests since the last call. */
  asked(): readonly string[];
}

export const html: Handler = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<!doctype html><title>UniFi</title>');
};
export const error =
  (status: number, msg: string): Handler =>
  (_, response) =>
    json(response, { meta: { rc: 'error', msg }, data: [] }, status, 'Error');
export const says =
  (status: number, body: unknown, headers: Record<string, string> = {}): Handler =>
  (_, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    json(response, body, status, 'Error');
  };

export const LISTS = ['stat/device', 'rest/networkconf', 'stat/sta', 'rest/user'] as const;
export const listPath = (list: string, site = 'default') => `/api/s/${site}/${list}`;

const PREFIX = '/proxy/network';

/** A small controller with no rows: of its own, or within a UniFi OS console. Keys open the paths under `keyed`. */
export async function scriptedUnifi(kind: 'classic' | 'os', keyed: RegExp = /^$/): Promise<ScriptedUnifi> {
  const prefix = kind === 'os' ? PREFIX : '';
  const paths = new Map<string, Reaction>(LISTS.map((list) => [listPath(list), []]));
  paths.set('/api/self/sites', [
    { name: 'default', desc: 'Main office' },
    { name: 'abc123', desc: 'Branch' },
  ]);
  const sessions = new Set<string>();
  const asked: string[] = [];
  let count = 0;

  const signIn: Handler = (request, response) => {
    if (unifi.login !== undefined) return unifi.login(request, response);
    count += 1;
    const cookie = kind === 'os' ? `TOKEN=session-${count}` : `unifises=session-${count}`;
    sessions.add(cookie);
    response.setHeader('set-cookie', [`${cookie}; Path=/; Secure; HttpOnly`, 'csrf_token=classic; Path=/']);
    if (kind === 'classic') return json(response, { meta: { rc: 'ok' }, data: [] });
    response.setHeader('x-csrf-token', `csrf-${count}`);
    json(response, { username: 'it', status: 'ACTIVE' });
  };
  const isKnown = (request: IncomingMessage, path: string) =>
    request.headers['x-api-key'] === KEY
      ? keyed.test(path)
      : (request.headers.cookie ?? '').split('; ').some((cookie) => sessions.has(cookie));
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const full = request.url ?? '';
    asked.push(`${request.method} ${full}`);
    response.setHeader('date', new Date(unifi.clock).toUTCString());
    if (full === '/' && kind === 'os') return html(request, response);
    if (full === '/') {
      response.writeHead(302, { location: '/manage' });
      return void response.end();
    }
    if (full === (kind === 'os' ? '/api/auth/login' : '/api/login')) return signIn(request, response);
    const path = full.startsWith(prefix) ? full.slice(prefix.length) : full;
    const bare = path.replace(/\?.*/, '');
    if (!isKnown(request, bare)) {
      const classic = { meta: { rc: 'error', msg: 'api.err.LoginRequired' }, data: [] };
      const os = { error: { code: 401, message: 'Unauthorized' } };
      return json(response, kind === 'os' ? os : classic, 401, 'Unauthorized');
    }
    const reaction = paths.get(path) ?? paths.get(bare) ?? error(404, 'api.err.NotFound');
    if (typeof reaction === 'function') reaction(request, response);
    else json(response, { meta: { rc: 'ok' }, data: reaction });
  };
  const server = await scriptedServer(answer);
  const unifi: ScriptedUnifi = {
    ...{ ...server, paths, sessions, login: undefined, clock: T0 },
    asked: () => asked.splice(0),
  };
  return unifi;
}

/** A list of the integration API, page by page, and the details of each of its rows where there are some. */
export function paged(unifi: ScriptedUnifi, path: string, rows: readonly { id: string }[], details?: object): void {
  unifi.paths.set(path, (request, response) => {
    const query = new URL(request.url ?? '', 'https://x').searchParams;
    const offset = Number(query.get('offset'));
    const data = rows.slice(offset, offset + Number(query.get('limit')));
    json(response, { offset, limit: Number(query.get('limit')), count: data.length, totalCount: rows.length, data });
  });
  if (details === undefined) return;
  for (const row of rows) unifi.paths.set(`${path}/${row.id}`, says(200, { ...row, ...details }));
}

export function unifiSettings(url: string, more: Partial<UnifiSettings> = {}): UnifiSettings {
  const tls = { kind: 'fingerprint', sha256: [sha256Of('node')] } as const;
  const login = { kind: 'password', username: 'it', password: new Secret(PASSWORD) } as const;
  return { name: 'campus', broken: null, url, tls, site: 'default', login, ...more };
}
export const byKey = { login: { kind: 'apiKey', key: new Secret(KEY) } } as const;

export const station = (last: number, more: object = {}) => ({
  ...{ mac: `bc:24:11:00:00:0${last}`, ip: `10.0.0.${last}`, is_wired: true, last_seen: T0 / 1000 - 30 },
  ...{ sw_mac: '0a:00:00:00:00:02', sw_port: 3, network: 'LAN' },
  ...more,
});
