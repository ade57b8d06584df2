import type { IncomingMessage, ServerResponse } from 'node:http';
import { type NpmSettings, Secret } from '../../../src/domain/settings.js';
import { type Handler, json, type ScriptedServer, scriptedServer, sha256Of } from '../scripted-server.js';

export const T0 = Date.parse('2026-11-20T12:00:00Z');
export const SECRET = 'correct horse';

/** What a path answers: a list, or a whole handler. */
export type Reaction = Handler | readonly unknown[];

export interface ScriptedNpm extends ScriptedServer {
  /** Answers by path, changed at will. */
  readonly paths: Map<string, Reaction>;
  /** Tokens that are taken; a login adds one. */
  readonly tokens: Set<string>;
  /** What a login is answered with instead of a token. */
  login: Handler | undefined;
  /** What a token that is not taken is answered with. */
  expired: Handler;
  /** What its clock says. */
  clock: number;
  /** Method and path of the requests since the last call. */
  asked(): readonly string[];
}

export const refuse =
  (status: number, message: string): Handler =>
  (_, response) =>
    json(response, { error: { code: status, message } }, status, message);

export const page: Handler = (_, response) => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<!doctype html><title>Sign in</title>');
};

const LISTS = ['proxy-hosts', 'redirection-hosts', 'streams', 'certificates'];
export const listPath = (list: string) => `/api/nginx/${list}`;

/** A small proxy manager below `prefix`, as 2.15 answers: no rows, one user who may see all. */
export async function scriptedNpm(prefix = ''): Promise<ScriptedNpm> {
  const paths = new Map<string, Reaction>(LISTS.map((list) => [listPath(list), []]));
  const tokens = new Set<string>();
  const asked: string[] = [];
  let count = 0;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').slice(prefix.length).replace(/\?.*/, '');
    asked.push(`${request.method} ${path}`);
    response.setHeader('date', new Date(npm.clock).toUTCString());
    if (path === '/api/') {
      json(response, { status: 'OK', setup: true, version: { major: 2, minor: 9, revision: 22 } });
    } else if (path === '/api/tokens') {
      if (npm.login !== undefined) return npm.login(request, response);
      count += 1;
      tokens.add(`token-${count}`);
      json(response, { token: `token-${count}`, expires: new Date(npm.clock + 86_400_000).toISOString() });
    } else if (!tokens.has((request.headers.authorization ?? '').replace('Bearer ', ''))) {
      npm.expired(request, response);
    } else {
      const reaction = paths.get(path) ?? refuse(404, 'Not Found');
      if (typeof reaction === 'function') reaction(request, response);
      else json(response, reaction);
    }
  };
  paths.set('/api/users/me', (_, response) => json(response, { id: 2, roles: [], permissions: { visibility: 'all' } }));
  const server = await scriptedServer(answer);
  const npm: ScriptedNpm = {
    ...{ ...server, url: `${server.url}${prefix}`, paths, tokens },
    ...{ clock: T0, login: undefined },
    expired: refuse(400, 'Token has expired'),
    asked: () => asked.splice(0),
  };
  return npm;
}

export function npmSettings(url: string, more: Partial<NpmSettings> = {}): NpmSettings {
  const tls = { kind: 'fingerprint', sha256: [sha256Of('node')] } as const;
  return {
    ...{ name: 'edge', broken: null, url, tls, identity: 'it@example.org', secret: new Secret(SECRET) },
    ...more,
  };
}

export const proxyRow = (id: number, more: object = {}) => ({
  ...{ id, domain_names: [`w${id}.example.org`], forward_scheme: 'http', forward_host: '10.0.0.5', forward_port: 8080 },
  ...{ certificate_id: 0, ssl_forced: false, enabled: true, locations: [], meta: { nginx_online: true } },
  ...more,
});
