import { join } from 'node:path';
import { type Collection, collection as openCollection } from '../collection/collection.js';
import { type Confirmations, confirmations as openConfirmations } from '../collection/confirmations.js';
import type { RunView } from '../collection/live-events.js';
import type { Config } from '../config.js';
import { watchPaths } from '../declared/watch.js';
import { declaredSourceName } from '../domain/absorb-declared.js';
import { compare } from '../domain/compare/compare.js';
import type { CollectorName } from '../domain/contract.js';
import type { Difference } from '../domain/finding.js';
import type { InventoryView } from '../domain/view.js';
import { type DriftKeeper, driftKeeper } from '../drift/keeper.js';
import { openReplica, type Replica } from '../inventory/replica.js';
import type { Telemetry } from '../telemetry.js';
import { type Clock, databaseClock } from './clock.js';
import { collectOnce } from './collect-once.js';
import { noteContract } from './contract-change.js';
import { type Database, openDatabase } from './database.js';
import { Collectors, DECLARED_FILES, inventorySettings } from './estate.js';
import { openPremises } from './premises.js';
import { type Settings, SettingsFiles } from './settings-files.js';

/** The parts of the house below the faces, tied together: what `serve`, `collect` and `drift` all need. */
export interface Core {
  readonly database: Database;
  readonly clock: Clock;
  readonly replica: Replica;
  readonly collection: Collection;
  readonly drift: DriftKeeper;
  readonly confirmations: Confirmations;
  settings(): Settings;
  /** What is so by the view as it is, swallowed or not. */
  differences(): readonly Difference[];
  sourceNames(): readonly { readonly source: string; readonly collector: CollectorName | null }[];
  /** One full pass of each, by this process or by the gateway that holds the source. */
  collectOnce(names: readonly string[], signal: AbortSignal): Promise<readonly RunView[]>;
  /** Names of the simulated clusters; empty where the estate is real. */
  simulated(): readonly string[];
  /** Reads the settings files again and makes them hold. */
  reload(): Promise<void>;
  /** Begins to collect on schedule and to watch files. */
  start(): void;
  stop(): Promise<void>;
}

export async function openCore(config: Config, telemetry: Telemetry): Promise<Core> {
  const database = await openDatabase(config, telemetry.log);
  try {
    return await tieTogether(config, telemetry, database);
  } catch (error) {
    await database.stop();
    throw error;
  }
}

async function tieTogether(config: Config, telemetry: Telemetry, database: Database): Promise<Core> {
  const { log } = telemetry;
  const { store } = database;
  const clock = await databaseClock(
    () => store.now(),
    (error) => log.warn({ err: error }, 'the database did not tell its time'),
  );
  const files = new SettingsFiles(config, store, log);
  let settings = await files.read();
  const premises = await openPremises({ config, database, log, now: clock.now }, settings);
  let estate = await premises.estate(settings, []);
  const replica = await openReplica(store, inventorySettings(settings, estate));
  const confirmations = openConfirmations(store, declaredSourceName);
  const collectors = new Collectors({ now: clock.now, binding: () => replica.binding(), ...confirmations });

  const outcomes = new Map<string, string>();
  /** A source that stays out of reach is told once, and once when it is back. */
  function tellOutcome(run: {
    readonly source: string;
    readonly outcome: string;
    readonly reason: string | null;
  }): void {
    const before = outcomes.get(run.source) ?? 'OBSERVED';
    outcomes.set(run.source, run.outcome);
    if (run.outcome === before || run.outcome === 'DISABLED') return;
    if (run.outcome === 'OBSERVED') log.info({ source: run.source }, 'the source answers again');
    else
      log.warn(
        { source: run.source, reason: run.reason },
        'the source is out of reach; what was last known of it stays',
      );
  }

  const lookedAt = new Set<string>();
  /** A file may have been edited while nobody watched it: nothing is compared before each was looked at. */
  function sawDeclared(source: string): void {
    if (!source.startsWith('declared:') || lookedAt.has(source)) return;
    lookedAt.add(source);
    drift.request();
  }

  const collection = openCollection({
    store,
    view: replica.view.bind(replica),
    catchUp: replica.catchUp.bind(replica),
    learnOwn: replica.learnOwn.bind(replica),
    now: clock.now,
    measured: (run) => {
      telemetry.runFinished(run);
      tellOutcome(run);
      sawDeclared(run.source);
    },
    heldElsewhere: (source) => sawDeclared(source),
    failed: (source, error) => log.error({ source, err: error }, 'a run failed'),
  });
  let compared: { readonly view: InventoryView; readonly so: readonly Difference[] } | undefined;
  /** A replica that does not compare works the raw facts out when somebody asks, once a view. */
  function differences(): readonly Difference[] {
    const view = replica.view();
    if (compared?.view.guests !== view.guests || compared.view.declarations !== view.declarations) {
      compared = { view, so: [...compare(view, settings.policy, clock.now()).so.values()] };
    }
    return [...compared.so, ...keptOpen(view, compared.so)];
  }
  const drift = driftKeeper({
    store,
    view: replica.view.bind(replica),
    policy: () => settings.policy,
    now: clock.now,
    mayCompare: () =>
      DECLARED_FILES.map(declaredSourceName).every(
        (name) => lookedAt.has(name) || estate.declaredOff.map(declaredSourceName).includes(name),
      ),
    learned: (changed, comparison, at) => {
      replica.learnFindings(changed, at);
      replica.compared(at);
      compared = { view: comparison.world.view, so: [...comparison.so.values()] };
    },
    catchUp: async () => {
      await replica.catchUp();
      await replica.reloadFindings();
    },
    asked: (asks) => void collection.ask(asks).catch((error) => log.error({ err: error }, 'asking for reads failed')),
    measured: telemetry.compared,
    failed: (error) => log.error({ err: error }, 'comparing failed; it is tried again'),
  });
  const unlisten = await store.listen(
    (channel, payload) => {
      if (channel === 'inventory')
        void replica.catchUp().catch((error) => log.warn({ err: error }, 'catching up failed'));
      if (channel === 'asks') collection.wake(payload);
      // Whoever compares knows what it wrote; reading it back could bring an older word after a newer one.
      if (channel === 'events' && !drift.compares())
        void replica.catchUpFindings().catch((error) => log.warn({ err: error }, 'catching up failed'));
    },
    () =>
      void replica
        .catchUp()
        .then(() => (drift.compares() ? undefined : replica.catchUpFindings()))
        .catch((error) => log.warn({ err: error }, 'catching up failed')),
  );
  replica.onChange(() => drift.request());

  /** Makes the present settings hold: what they name is collected, what they no longer name retires. */
  async function settle(): Promise<void> {
    const known = [...replica.view().clusters.keys()];
    const { unnamed, retired } = premises.unnamed(settings, known);
    estate = await premises.estate(settings, unnamed);
    replica.apply(inventorySettings(settings, estate));
    const off = estate.declaredOff.map(declaredSourceName);
    await collection.retire([...retired, ...off]);
    await collection.configure(collectors.of(estate));
    await premises.remember(settings);
    await noteContract(store, settings.contract);
    drift.request();
  }

  let reloading: Promise<void> = Promise.resolve();
  let unwatch = () => {};
  function watch(): void {
    const stopSettings = files.watch(
      () => void reload().catch((error) => log.error({ err: error }, 'the settings could not be applied')),
    );
    const declared = DECLARED_FILES.map((name) => ({ name, path: join(estate.declaredDir, name) }));
    const stopDeclared = watchPaths(
      declared.map(({ path }) => path),
      (path) => {
        const file = declared.find((one) => one.path === path);
        if (file !== undefined) collection.wake(declaredSourceName(file.name));
      },
    );
    unwatch();
    unwatch = () => {
      stopSettings();
      stopDeclared();
    };
  }

  function reload(): Promise<void> {
    reloading = reloading
      .catch(() => undefined)
      .then(async () => {
        settings = await files.read();
        if (premises.demoEnds(settings)) {
          // Everything the demo said is forgotten before the first real word is written.
          await collection.configure([]);
          await premises.endDemo();
          await replica.reload();
        }
        await settle();
        if (started) watch();
        log.info({ clusters: estate.clusters.map((cluster) => cluster.name) }, 'settings applied');
      });
    return reloading;
  }

  let started = false;
  let stopCollection = async () => {};
  await settle();
  return {
    database,
    clock,
    replica,
    collection,
    drift,
    confirmations,
    differences,
    settings: () => settings,
    sourceNames: () => collectors.of(estate),
    collectOnce: (names, signal) => collectOnce({ store, collection, replica }, names, signal),
    simulated: () => premises.simulated(),
    reload,
    start() {
      started = true;
      stopCollection = collection.start();
      watch();
    },
    async stop() {
      unwatch();
      await reloading.catch(() => undefined);
      await stopCollection();
      await drift.stop();
      await unlisten();
      await premises.stop();
      clock.stop();
      await database.stop();
    },
  };
}

/** What was so when it could last be looked at stays so in the raw facts too, as its finding stays open. */
function keptOpen(view: InventoryView, so: readonly Difference[]): readonly Difference[] {
  const told = new Set(so.map((difference) => difference.id));
  return [...view.findings.byId.values()]
    .filter((finding) => !told.has(finding.id))
    .map((finding) => ({ ...finding, swallowers: [], swallowedBy: undefined }));
}
