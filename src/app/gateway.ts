import { type FirstKey, seedFirstKey } from '../accounts/first-key.js';
import { accountVerbs } from '../accounts/keys.js';
import { keyScheme } from '../auth/api-key.js';
import { authenticator } from '../auth/authenticator.js';
import type { Config } from '../config.js';
import { sourceStale } from '../domain/coverage.js';
import type { InventoryView } from '../domain/view.js';
import { feed as openFeed } from '../feed/feed.js';
import { createGraphql } from '../graphql/graphql.js';
import { inventoryVerbs } from '../inventory/inventory.js';
import { restFacts } from '../inventory/rest-facts.js';
import { restRoutes } from '../rest/routes.js';
import { startServer } from '../server/server.js';
import type { Telemetry } from '../telemetry.js';
import { believed } from './believed.js';
import { type Core, openCore } from './core.js';
import { startNotifying } from './notifying.js';
import { readiness } from './readiness.js';
import { scrapeReading } from './scrape.js';

export interface Gateway {
  readonly url: string;
  readonly core: Core;
  readonly firstKey: FirstKey;
  stop(): Promise<void>;
}

/** Starts everything: the database, the collectors, the comparison, the faces and the sockets they are served on. */
export async function startGateway(config: Config, telemetry: Telemetry): Promise<Gateway> {
  const { log } = telemetry;
  for (const warning of config.warnings) log.warn(warning);
  const core = await openCore(config, telemetry);
  const stops: (() => Promise<void> | void)[] = [() => core.stop()];
  try {
    const { store } = core.database;
    // Before anything is written that targets are told: at a first start they begin where the log does.
    const notifying = await startNotifying(core, config, telemetry);
    stops.unshift(() => notifying.stop());
    const firstKey = await seedFirstKey(
      { store, scheme: keyScheme },
      { initAdminApiKey: config.initAdminApiKey ?? undefined, dataDir: config.dataDir },
    );
    const { now } = core.clock;
    const auth = authenticator({ keyByPrefix: (prefix) => store.apiKeys.byPrefix(prefix), now });
    const wakes = new Set<() => void>();
    const keyListeners = new Set<() => void>();
    const keysChanged = () => {
      auth.forget();
      for (const listener of keyListeners) listener();
    };
    /** Who waits by itself for what it needs to know. */
    const earlyWakes = new Set<() => void>();
    // What is sent out tells its finding as it is now: the view has to know it first.
    const eventsCommitted = async () => {
      for (const wake of earlyWakes) wake();
      await core.findingsLearned().catch((error) => log.warn({ err: error }, 'catching up with findings failed'));
      for (const wake of wakes) wake();
    };
    wakes.add(notifying.wake);
    const unlisten = await store.listen(
      (channel, payload) => {
        if (channel === 'deliveries') notifying.wakeReplay(payload);
        if (channel === 'events') void eventsCommitted();
        if (channel === 'api_keys') keysChanged();
      },
      () => {
        void eventsCommitted();
        keysChanged();
      },
    );
    stops.unshift(unlisten);

    const { replica, collection, confirmations } = core;
    const inventory = inventoryVerbs({
      view: () => replica.view(),
      binding: () => replica.binding(),
      differences: () => core.differences(),
      policy: core.policy,
      store,
      now,
    });
    const feed = openFeed({
      store,
      onEvents(wake) {
        earlyWakes.add(wake);
        return () => earlyWakes.delete(wake);
      },
      async learned() {
        await core.findingsLearned();
        await replica.catchUp();
      },
      stillValid: (principal) => principal.expiresAt === null || principal.expiresAt > now(),
      matchesGuest: inventory.matchesGuest,
      onTrouble: (cause) => log.warn({ err: cause }, 'reading the event log failed; it is tried again'),
    });
    stops.unshift(() => feed.stop());
    const graphql = await createGraphql({
      verbs: {
        inventory,
        feed,
        drift: core.decisions,
        accounts: accountVerbs({ store, scheme: keyScheme }),
        notifications: notifying.verbs,
        collection: {
          run: (principal, wish, signal) => collection.run(principal, wish, signal),
          async confirmDeclared(principal, wish) {
            await confirmations.confirm(principal, wish);
            await believed(wish.source, () => replica.view());
          },
          events: (principal, signal) => collection.events(principal, signal),
        },
      },
      authenticate: (params) => auth.fromConnectionParams(params),
      stillHolds: (principal) => auth.stillHolds(principal),
      onKeysChanged(listener) {
        keyListeners.add(listener);
        return () => keyListeners.delete(listener);
      },
      log,
      knowledge: () => ({ view: replica.view(), stale: staleBits(replica.view(), now()) }),
    });
    stops.unshift(() => graphql.stop());
    const ready = readiness(core);
    stops.unshift(() => ready.stop());
    telemetry.readAtScrape(() => scrapeReading(replica.view(), now()));
    const server = await startServer({
      host: config.host,
      port: config.port,
      tls: config.tls === null ? undefined : { cert: config.tls.cert, key: config.tls.key.reveal() },
      trustedProxies: config.trustedProxies,
      metricsToken: config.metricsToken ?? undefined,
      telemetry,
      authenticate: (headers) => auth.fromHeaders(headers),
      graphql: graphql.handle,
      rest: restRoutes({ inventory, facts: restFacts({ view: () => replica.view(), now }) }),
      websocket: graphql.handleSocket,
      ready: ready.now,
    });
    stops.unshift(() => server.close());
    core.start();
    return { url: server.url, core, firstKey, stop: () => stopAll(stops) };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

/** Which clusters are stale: what time alone changes in an answer about now. */
function staleBits(view: InventoryView, at: number): string {
  return [...view.clusters.values()].map(({ state }) => (sourceStale(state, view, at) ? '1' : '0')).join('');
}

/** In the order given: sockets first, the database last. One that fails does not keep the rest from stopping. */
async function stopAll(stops: readonly (() => Promise<void> | void)[]): Promise<void> {
  let failure: unknown;
  for (const stop of stops) {
    try {
      await stop();
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
}
