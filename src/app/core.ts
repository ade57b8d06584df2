import { type Collection, collection as openCollection } from '../collection/collection.js';
import { type Confirmations, confirmations as openConfirmations } from '../collection/confirmations.js';
import type { RunView } from '../collection/live-events.js';
import type { Config } from '../config.js';
import { policyWarnings } from '../declared/policy-warnings.js';
import { declaredSourceName } from '../domain/absorb-declared.js';
import { POLICY_SOURCE } from '../domain/absorb-policy.js';
import type { CollectorName } from '../domain/contract.js';
import type { Difference } from '../domain/finding.js';
import { partTroubles } from '../domain/part-troubles.js';
import type { Policy } from '../domain/policy.js';
import type { InventorySettings } from '../domain/settings.js';
import { SECOND } from '../domain/time.js';
import { type Decisions, driftDecisions } from '../drift/decisions.js';
import { type DriftKeeper, driftKeeper } from '../drift/keeper.js';
import { openReplica, type Replica } from '../inventory/replica.js';
import type { Telemetry } from '../telemetry.js';
import { type Clock, databaseClock } from './clock.js';
import { CollectedPolicy } from './collected-policy.js';
import { collectorsOff } from './collectors-off.js';
import { noteContract } from './contract-change.js';
import { type Database, openDatabase } from './database.js';
import { DeclaredLooks } from './declared-looks.js';
import { DeclaredWatch } from './declared-watch.js';
import { Collectors, DECLARED_FILES, inventorySettings, knownSources, switchedOff } from './estate.js';
import { startHousekeeping, targetNames } from './housekeeping.js';
import { outcomeLog, troubleLog } from './outcome-log.js';
import { openPremises } from './premises.js';
import { RawFacts } from './raw-facts.js';
import { type Settings, SettingsFiles } from './settings-files.js';
import { Turns } from './turns.js';

/** Settings that could not be applied (the database was away, another replica still collects what retires) are tried again. */
const TRY_AGAIN = 5 * SECOND;

/** The parts of the house below the faces, tied together: what `serve`, `collect` and `drift` all need. */
export interface Core {
  readonly database: Database;
  readonly clock: Clock;
  readonly replica: Replica;
  readonly collection: Collection;
  readonly drift: DriftKeeper;
  readonly decisions: Decisions;
  readonly confirmations: Confirmations;
  settings(): Settings;
  /** The policy that all replicas go by. */
  policy(): Policy;
  /** What is so by the view as it is, swallowed or not. */
  differences(): readonly Difference[];
  sourceNames(): readonly { readonly source: string; readonly collector: CollectorName | null }[];
  /** One full pass of each, by this process or by the gateway that holds the source. */
  collectOnce(names: readonly string[], signal: AbortSignal): Promise<readonly RunView[]>;
  /** Names of the simulated clusters; empty where the estate is real. */
  simulated(): readonly string[];
  /** Resolves once the view has the findings of everything committed so far: what is told of them then is what they are. */
  findingsLearned(): Promise<void>;
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
  const files = new SettingsFiles(config, log);
  let settings = await files.read();
  const premises = await openPremises({ config, database, log, now: clock.now }, settings);
  let estate = premises.estate(settings, []);
  /** The demo is being left: nothing of it may be compared any more. */
  let movingIn = false;
  const policy = new CollectedPolicy({
    ...{ configDir: config.configDir, log, differs: telemetry.policyDiffers, now: clock.now },
    ...{ replica: () => replica, collection: () => collection },
    warnings: (read) => policyWarnings(read, config, clock.now()),
  });
  const present = (): InventorySettings => ({
    ...inventorySettings(settings, policy.policy(), estate),
    collectorsOff: collectorsOff(estate, settings.contract, config.enabled),
  });
  const replica = await openReplica(store, present());
  policy.follow();
  const confirmations = openConfirmations(store, declaredSourceName, () =>
    replica.view().declarations.map(({ name }) => name),
  );
  const collectors = new Collectors({
    ...{ now: clock.now, binding: () => replica.binding(), enabled: config.enabled, ...confirmations },
    contract: () => settings.contract,
  });

  const tellOutcome = outcomeLog(log);
  const tellTroubles = troubleLog(log);
  const looks = new DeclaredLooks(DECLARED_FILES);
  const declaredWatch = new DeclaredWatch(DECLARED_FILES, (name) => collection.wake(declaredSourceName(name)));
  /** A file may have been edited while nobody watched it: nothing is compared before each was looked at. */
  function sawDeclared(source: string): void {
    if (looks.saw(source)) drift.request();
  }

  const collection = openCollection({
    store,
    view: replica.view.bind(replica),
    catchUp: replica.catchUp.bind(replica),
    learnOwn: replica.learnOwn.bind(replica),
    now: clock.now,
    measured: (run) => {
      telemetry.runFinished(run);
      if (run.source === POLICY_SOURCE) return policy.readHere(run.outcome !== 'UNREACHABLE');
      tellOutcome(run);
      tellTroubles(partTroubles(replica.view()));
      sawDeclared(run.source);
    },
    heldElsewhere: (source) => {
      if (source === POLICY_SOURCE) policy.heldElsewhere();
      else sawDeclared(source);
    },
    failed: (source, error) => log.error({ source, err: error }, 'a run failed'),
  });
  const rawFacts = new RawFacts({ view: replica.view.bind(replica), policy: () => policy.policy(), now: clock.now });
  /** The view with everything that any replica has committed. */
  async function catchUp(): Promise<void> {
    await replica.catchUp();
    await replica.catchUpFindings();
  }
  const drift = driftKeeper({
    store,
    view: replica.view.bind(replica),
    policy: () => policy.policy(),
    now: clock.now,
    mayCompare: () => policy.isKnown() && !movingIn && looks.allSeen(estate.declaredOff),
    learned: (changed, comparison, at, seq) => {
      if (seq !== null) replica.learnFindings(changed, at, seq);
      replica.compared(at);
      rawFacts.compared(comparison);
    },
    catchUp,
    asked: (asks) => void collection.ask(asks).catch((error) => log.error({ err: error }, 'asking for reads failed')),
    measured: telemetry.compared,
    failed: (error) => log.error({ err: error }, 'comparing failed; it is tried again'),
  });
  const unlisten = await store.listen(
    (channel, payload) => {
      if (channel === 'inventory')
        void replica.catchUp().catch((error) => log.warn({ err: error }, 'catching up failed'));
      if (channel === 'asks') collection.wake(payload);
      if (channel === 'decisions') drift.outdated();
      // Whoever compares knows what it wrote.
      if (channel === 'findings' && !drift.compares())
        void replica.catchUpFindings().catch((error) => log.warn({ err: error }, 'catching up failed'));
    },
    () => {
      drift.outdated();
      void catchUp().catch((error) => log.warn({ err: error }, 'catching up failed'));
    },
  );
  // First what the view is made under: whoever hears of the view after it finds both of one policy.
  replica.onChange(() => {
    if (policy.follow()) replica.apply(present());
  });
  replica.onChange(() => drift.request());

  /** Makes the present settings hold: what they name is collected, what they no longer name retires. */
  async function settle(): Promise<boolean> {
    const named = new Set(collectors.of(premises.estate(settings, [])).map(({ source }) => source));
    const gone = knownSources(replica.view()).filter(({ source }) => !named.has(source));
    const retired = premises.retires(settings) ? gone.map(({ source }) => source) : [];
    estate = premises.estate(settings, retired.length > 0 ? [] : gone);
    const off = switchedOff(replica.view(), estate.declaredOff);
    // Before their settings go: without its scopes, the addresses of a cluster that leaves would be taken for its neighbours'.
    const kept = await collection.retire([...retired, ...off]);
    replica.apply(present());
    looks.forget(estate.declaredOff);
    await collection.configure([policy.source, ...collectors.of(estate)]);
    declaredWatch.follow(estate.declaredDir);
    await premises.remember(settings);
    await noteContract(store, settings.contract);
    drift.request();
    return kept.length === 0;
  }

  /** Everything the demo said is forgotten before the first real word is written. */
  async function moveIn(): Promise<void> {
    movingIn = true;
    await drift.idle();
    await collection.configure([policy.source]);
    await premises.endDemo();
    await replica.reload();
    looks.forget(DECLARED_FILES);
    movingIn = false;
  }

  /** The files changed and what they say does not hold yet. */
  let isUnread = false;
  const turns = new Turns(() => void (isUnread ? reload() : turns.take(settle)).catch(tellFailure), TRY_AGAIN);
  const tellFailure = (error: unknown) =>
    log.error({ err: error }, 'the settings could not be applied; it is tried again');
  function reload(): Promise<void> {
    return turns.take(async () => {
      isUnread = true;
      settings = await files.read();
      if (movingIn || premises.demoEnds(settings)) await moveIn();
      const isDone = await settle();
      isUnread = false;
      log.info({ clusters: estate.clusters.map((cluster) => cluster.name) }, 'settings applied');
      return isDone;
    });
  }

  let stopCollection = async () => {};
  let stopHousekeeping = async () => {};
  async function stop(): Promise<void> {
    files.stop();
    policy.stop();
    declaredWatch.stop();
    await turns.stop();
    await stopCollection();
    await stopHousekeeping();
    await drift.stop();
    await unlisten();
    await premises.stop();
    clock.stop();
  }
  try {
    await policy.learn();
    await turns.take(settle);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    database,
    clock,
    replica,
    collection,
    drift,
    decisions: driftDecisions({ store, view: replica.view.bind(replica), catchUp }),
    confirmations,
    differences: () => rawFacts.now(),
    settings: () => settings,
    policy: () => policy.policy(),
    sourceNames: () => collectors.of(estate),
    async collectOnce(names, signal) {
      const runs = await collection.collectNow(names, signal);
      await replica.catchUp();
      return runs;
    },
    simulated: () => premises.simulated(),
    findingsLearned: async () => {
      if (drift.compares()) await drift.idle();
      await replica.catchUpFindings();
    },
    reload,
    start() {
      stopCollection = collection.start();
      // What was saved since the first look was heard by nobody.
      policy.wake();
      stopHousekeeping = startHousekeeping({
        ...{ store, log, pruned: telemetry.pruned, retention: () => policy.policy().retention },
        readers: () => targetNames(policy.policy(), config),
      });
      files.watch(() => void reload().catch(tellFailure));
    },
    async stop() {
      await stop();
      await database.stop();
    },
  };
}
