import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';

export const CONF = 'ip-addresses.conf';
export const TABLE = 'ALL_VMIDS_ENDPOINTS.md';

type Texts = Readonly<Record<string, string>>;

/** A simulated cluster that a whole gateway reads as the real one `main`, and what people wrote down about it. */
export interface MainCluster {
  readonly simulator: Simulator;
  /** A sources.yaml that names it. */
  readonly sources: string;
  /** Both declared files, by name. */
  readonly declared: Texts;
  /** CONFIG_DIR: sources.yaml and the declared files. */
  readonly files: Texts;
  readonly tokenSecret: string;
  /** Where sources.yaml says that the token's secret is. */
  readonly env: Texts;
  /** How often it was polled so far. */
  polls(): number;
  stop(): Promise<void>;
}

export async function startMainCluster(size: {
  readonly nodes: number;
  readonly guests: number;
}): Promise<MainCluster> {
  const declaredDir = await mkdtemp(join(tmpdir(), 'sankofa-declared-'));
  const how = { ...size, declaredDir, live: false, clusterName: 'main' };
  const simulator = await startSimulator({ ...how, now: Date.now });
  const text = (name: string) => readFile(join(declaredDir, name), 'utf8');
  const declared = { [CONF]: await text(CONF), [TABLE]: await text(TABLE) };
  const sources = sourcesYaml(simulator);
  const tokenSecret = simulator.clusters[0]?.tokenSecret ?? '';
  return {
    ...{ simulator, sources, declared, tokenSecret },
    files: { 'sources.yaml': sources, ...declared },
    env: { SIMULATED_TOKEN: tokenSecret },
    polls: () => simulator.requests('main').get('/cluster/status') ?? 0,
    async stop() {
      await simulator.stop();
      await rm(declaredDir, { recursive: true, force: true });
    },
  };
}

/** Points at the simulated cluster as if it were a real one, and has it polled every second. */
function sourcesYaml({ clusters: [cluster] }: Simulator): string {
  return `clusters:
  - name: main
    api:
      urls: [${cluster?.url}]
      tokenId: ${cluster?.tokenId}
      tokenSecretEnv: SIMULATED_TOKEN
      tlsFingerprint: "${cluster?.fingerprint}"
    pollSeconds: 1
`;
}
