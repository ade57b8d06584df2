import type { Config } from '../config.js';
import { type Simulator, startSimulator } from '../simulator/simulator.js';
import type { Logger } from '../telemetry.js';
import { outOfReach, rememberClusters, rememberedClusters } from './cluster-memory.js';
import { type Database, simulatedFiles } from './database.js';
import { demoEstate } from './demo-estate.js';
import { type Estate, type KnownSource, realEstate } from './estate.js';
import { type Settings, SettingsError } from './settings-files.js';

/** Which estate is collected: the one that sources.yaml names, or the simulated one of a first start. */
export interface Premises {
  /** `gone`: sources that are known and that these settings do not name, though nobody said that they retire. */
  estate(settings: Settings, gone: readonly KnownSource[]): Estate;
  /** Whether what these settings do not name retires: only a file that reads whole says so. */
  retires(settings: Settings): boolean;
  remember(settings: Settings): Promise<void>;
  simulated(): readonly string[];
  /** Whether real sources have come while the demo runs. */
  demoEnds(settings: Settings): boolean;
  endDemo(): Promise<void>;
  stop(): Promise<void>;
}

interface Needs {
  readonly config: Config;
  readonly database: Database;
  readonly log: Logger;
  now(): number;
}

const SIMULATED = 'simulated';

export async function openPremises(needs: Needs, settings: Settings): Promise<Premises> {
  const { config, database, log } = needs;
  const { store } = database;
  let simulator = (await wantsDemo(needs, settings)) ? await startDemo(needs) : undefined;
  const wasDemo = (await store.transaction((tx) => tx.marks.get(SIMULATED))) === '1';
  if (simulator === undefined && wasDemo) await forget();
  if (simulator !== undefined) await store.transaction((tx) => tx.marks.put(SIMULATED, '1'));
  let remembered = await rememberedClusters(store);

  async function forget(): Promise<void> {
    log.info('the simulated estate gives way to the real one; all that was collected from it is forgotten');
    await store.forgetCollected();
    await store.transaction((tx) => tx.marks.put(SIMULATED, ''));
  }

  return {
    estate(current, gone) {
      if (simulator !== undefined) return demoEstate(simulator, simulatedFiles(config));
      const why =
        current.sources === undefined ? 'sources.yaml is gone' : 'sources.yaml has an entry that cannot be read';
      const clusters = gone.filter(({ kind }) => kind === 'proxmox').map(({ cluster }) => cluster);
      return realEstate(
        config,
        current,
        clusters.map((name) => outOfReach(name, remembered, `${why}: what was last known of ${name} stays`)),
        gone
          .filter(({ kind }) => kind !== 'proxmox')
          .map((known) => ({ ...known, why: `${why}: what was last known of ${known.source} stays` })),
      );
    },
    retires: (current) => simulator === undefined && current.sources?.whole === true,
    async remember(current) {
      if (simulator !== undefined || current.sources === undefined || !current.sources.whole) return;
      await rememberClusters(store, current.sources.settings.clusters);
      remembered = await rememberedClusters(store);
    },
    simulated: () => simulator?.clusters.map((cluster) => cluster.name) ?? [],
    demoEnds: (current) => simulator !== undefined && current.sources !== undefined && config.simulate !== 'on',
    async endDemo() {
      // Forgotten first: where that fails, the demo is still there to be ended by the next try.
      await forget();
      const ended = simulator;
      simulator = undefined;
      await ended?.stop();
    },
    stop: async () => simulator?.stop(),
  };
}

async function wantsDemo({ config, database }: Needs, settings: Settings): Promise<boolean> {
  if (config.simulate === 'off') return false;
  const everReal = await database.store.runs.everReal();
  if (config.simulate === 'on') {
    if (!everReal) return true;
    throw new SettingsError([
      'SIMULATE=1: this database has held a real run, and simulated guests must not mix with real ones; use another database or DATA_DIR',
    ]);
  }
  return settings.sources === undefined && database.isEmbedded && !everReal;
}

function startDemo({ config, now }: Needs): Promise<Simulator> {
  const { simulatedNodes: nodes, simulatedGuests: guests } = config;
  return startSimulator({ nodes, guests, declaredDir: simulatedFiles(config), services: true, live: true, now });
}
