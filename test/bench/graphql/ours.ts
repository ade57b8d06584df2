import { type Principal, permissionsOf } from '../../../src/domain/access.js';
import type { InventoryView } from '../../../src/domain/view.js';
import { createGraphql } from '../../../src/graphql/graphql.js';
import { startServer } from '../../../src/server/server.js';
import { telemetry } from '../../../src/telemetry.js';
import { inventoryOver } from '../../testkit/inventory.js';
import { KEY } from './key.js';

const ROLES = ['sankofa-it-admin'];
const CALLER: Principal = {
  id: 'key:bench',
  name: 'bench',
  person: 'bench',
  roles: ROLES,
  permissions: permissionsOf(ROLES),
  tenants: 'all',
  expiresAt: null,
};

function never(): never {
  throw new Error('the bench does not ask for it');
}

/** The gateway's own doors and faces over a view in memory: a key is asked for, limits and permissions hold. */
export async function serveOurs(view: InventoryView, keeps = false): Promise<string> {
  const face = await createGraphql({
    verbs: {
      inventory: inventoryOver(view),
      feed: { driftEvents: never, inventoryEvents: never, changeRequestEvents: never },
      drift: { acknowledge: never, suppress: never, reopen: never },
      accounts: { apiKeyCreate: never, apiKeyRevoke: never },
      collection: { run: never, confirmDeclared: never, events: never },
      notifications: { targets: never, deadLetters: never, replay: never, test: never },
    },
    authenticate: async () => CALLER,
    stillHolds: async () => true,
    onKeysChanged: () => () => {},
    log: { error: (fields) => console.error(fields.cause) },
    ...(keeps && { knowledge: () => ({ view, stale: '' }) }),
  });
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    trustedProxies: [],
    telemetry: telemetry({ level: 'info' }),
    authenticate: async (headers) => (headers['x-api-key'] === KEY ? CALLER : undefined),
    graphql: (request, principal) => face.handle(request, principal),
    rest: [],
    websocket: (socket) => socket.terminate(),
    ready: () => ({ ok: true, reasons: [] }),
  });
  return `${server.url}/graphql`;
}
