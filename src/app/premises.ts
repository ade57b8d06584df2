import type { Config } from '../config.js';
import { proxmoxSourceName } from '../domain/absorbing.js';
import type { ClusterSettings } from '../domain/settings.js';
import { Secret } from '../domain/settings.js';
import { type Simulator, startSimulator } from '../simulator/simulator.js';
import type { Logger } from '../telemetry.js';
import { outOfReach, rememberClusters, rememberedClusters } from './cluster-memory.js';
import { type Database, simulatedFiles } from './database.js';
import { type Estate, realEstate } from './estate.js';
import { type Settings, SettingsError } from './settings-files.js';

/** Which estate is collected: the one that sources.yaml names, or the simulated one of a first start. */
export interface Premises {
  estate(settings: Settings, unnamed: readonly string[]): Promise<Estate>;
  /** Of the clusters that are known: those that retire because the settings no longer name them, and those that are out of reach. */
  unnamed(
    settings: Settings,
    known: readonly string[],
  ): { readonly unnamed: readonly string[]; readonly retired: readonly string[] };
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
    async estate(current, unnamed) {
      if (simulator !== undefined) return demoEstate(config, simulator);
      const why =
        current.sources === undefined ? 'sources.yaml is gone' : 'sources.yaml has an entry that cannot be read';
      const away = unnamed.map((name) => outOfReach(name, remembered, `${why}: what was last known of ${name} stays`));
      return realEstate(config, current, away);
    },
    unnamed(current, known) {
      if (simulator !== undefined) return { unnamed: [], retired: [] };
      const named = new Set(current.sources?.settings.clusters.map((cluster) => cluster.name));
      const gone = known.filter((name) => !named.has(name));
      // Only a file that reads whole retires what it does not name.
      return current.sources?.whole === true
        ? { unnamed: [], retired: gone.map(proxmoxSourceName) }
        : { unnamed: gone, retired: [] };
    },
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
  return startSimulator({ nodes, guests, declaredDir: simulatedFiles(config), live: true, now });
}

function demoEstate(config: Config, simulator: Simulator): Estate {
  const clusters = simulator.clusters.map(({ name, url, fingerprint, tokenId, tokenSecret }): ClusterSettings => {
    const sha256 = [fingerprint.replaceAll(':', '').toLowerCase()];
    const api = {
      urls: [url],
      tokenId,
      tokenSecret: new Secret(tokenSecret),
      tls: { kind: 'fingerprint' as const, sha256 },
    };
    return {
      ...{ name, broken: null, api, ssh: null, pollSeconds: 10, readsPerPoll: 50 },
      ...{ addressScope: 'default', addressScopes: [] },
    };
  });
  return { clusters, declaredDir: simulatedFiles(config), declaredOff: [] };
}
