import { authenticator } from '../../../src/auth/authenticator.js';
import { feed } from '../../../src/feed/feed.js';
import { createGraphql } from '../../../src/graphql/graphql.js';
import { startServer } from '../../../src/server/server.js';
import { openStore } from '../../../src/store/open.js';
import { telemetry } from '../../../src/telemetry.js';
import { inventoryOver } from '../../testkit/inventory.js';
import { graphqlEstate } from '../graphql/estate.js';

function never(): never {
  throw new Error('the bench does not ask for it');
}

/** The gateway's own sockets, keys, feed and permissions over a log in Postgres and a view in memory. */
async function serve(database: string, sharing: boolean): Promise<string> {
  const store = await openStore({ url: database });
  const inventory = inventoryOver(graphqlEstate());
  const auth = authenticator({ keyByPrefix: (prefix) => store.apiKeys.byPrefix(prefix), now: Date.now });
  const wakes = new Set<() => void>();
  const wakeAll = () => {
    for (const wake of wakes) wake();
  };
  await store.listen((channel) => {
    if (channel === 'events') wakeAll();
  }, wakeAll);
  const events = feed({
    store,
    onEvents(wake) {
      wakes.add(wake);
      return () => wakes.delete(wake);
    },
    learned: async () => {},
    stillValid: ({ expiresAt }) => expiresAt === null || expiresAt > Date.now(),
    matchesGuest: inventory.matchesGuest,
    onTrouble: (cause) => console.error(cause),
  });
  const face = await createGraphql({
    verbs: {
      inventory,
      feed: events,
      drift: { acknowledge: never, suppress: never, reopen: never },
      accounts: { apiKeyCreate: never, apiKeyRevoke: never },
      collection: { run: never, confirmDeclared: never, events: never },
      notifications: { targets: never, deadLetters: never, replay: never, test: never },
    },
    authenticate: (params) => auth.fromConnectionParams(params),
    stillHolds: (principal) => auth.stillHolds(principal),
    onKeysChanged: () => () => {},
    log: { error: (fields) => console.error(fields.cause) },
    sharing,
  });
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    trustedProxies: [],
    telemetry: telemetry({ level: 'warn' }),
    authenticate: (headers) => auth.fromHeaders(headers),
    graphql: (request, principal) => face.handle(request, principal),
    rest: [],
    websocket: face.handleSocket,
    ready: () => ({ ok: true, reasons: [] }),
  });
  return server.url;
}

// A child process, so that its work is on its own account; it ends when its parent leaves.
const [, , database = '', how] = process.argv;
process.on('disconnect', () => process.exit(0));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000, rssMb: process.memoryUsage.rss() / 2 ** 20 });
});
process.send?.({ url: await serve(database, how === 'shared') });
