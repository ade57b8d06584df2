import type { IncomingHttpHeaders } from 'node:http';
import { onTestFinished } from 'vitest';
import { type Principal, permissionsOf } from '../../src/domain/access.js';
import type { ServerOptions } from '../../src/server/options.js';
import { startServer } from '../../src/server/server.js';
import { telemetry } from '../../src/telemetry.js';

export const KEY = 'the-only-key-there-is';

export const CALLER: Principal = {
  id: 'key:test',
  name: 'test',
  person: 'test',
  roles: ['viewer'],
  permissions: permissionsOf(['viewer']),
  tenants: 'all',
  expiresAt: null,
};

async function authenticate(headers: IncomingHttpHeaders): Promise<Principal | undefined> {
  return headers['x-api-key'] === KEY || headers.authorization === `Bearer ${KEY}` ? CALLER : undefined;
}

/** A real server on a free port of the loopback, closed when the test is over. `lines` is what it logged. */
export async function openServer(more: Partial<ServerOptions> = {}) {
  const lines: string[] = [];
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    trustedProxies: [],
    telemetry: telemetry({ level: 'debug', destination: { write: (line) => lines.push(line) } }),
    authenticate,
    graphql: async ({ method, body, search }) => ({
      status: 200,
      headers: new Map([['content-type', 'application/json']]),
      body: JSON.stringify({ method, body, search }),
    }),
    rest: [],
    websocket: (socket) => socket.on('message', (text) => socket.send(`heard ${text}`)),
    ready: () => ({ ok: true, reasons: [] }),
    ...more,
  });
  onTestFinished(() => server.close());
  const ask = (path: string, init: RequestInit = {}) => fetch(`${server.url}${path}`, init);
  const askWithKey = (path: string, init: RequestInit = {}) =>
    ask(path, { ...init, headers: { ...init.headers, 'x-api-key': KEY } });
  return { ...server, ask, askWithKey, lines };
}
