import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type Gateway, startGateway } from '../../src/app/gateway.js';
import { readConfig } from '../../src/config.js';
import { directions } from '../../src/simulator/directions.js';
import { keepIdentity, newIdentity } from '../../src/simulator/identity.js';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.js';
import { telemetry } from '../../src/telemetry.js';

const KEY = 'a-key-for-this-walk-alone';
export const TABLE = 'ALL_VMIDS_ENDPOINTS.md';

/** Times short enough to walk through; what is held against them is the same as with the hours of a real estate. */
const CONTRACT = JSON.stringify({
  version: 1,
  collectors: Object.fromEntries(
    ['proxmox_guest_ipam', 'ip_neigh', 'hardware', 'npm', 'unifi', 'netbox'].map((name) => [
      name,
      { refresh_seconds: name === 'proxmox_guest_ipam' ? 3600 : 3, stale_after_seconds: 7200 },
    ]),
  ),
});
const POLICY = 'settle: { STATUS_DIFFERS: 1s, NODE_DIFFERS: 1s, PROXY_TARGET_STOPPED: 1s }\n';

export interface Step {
  readonly type: string;
  readonly cursor: string;
  readonly finding: { readonly id: string; readonly state: string; readonly observed: string | null };
}

const EVENTS = `subscription ($after: String) {
  driftEvents(after: $after) { type cursor finding { id state observed } }
}`;

/** A simulated estate with everything around it, a whole gateway that collects it, and a subscriber that writes down every event. */
export class Stage {
  readonly simulator: Simulator;
  readonly configDir: string;
  readonly #env: Readonly<Record<string, string>>;
  #gateway: Gateway;
  #client: Client | undefined;
  #unsubscribe = () => {};
  readonly events: Step[] = [];

  private constructor(
    simulator: Simulator,
    configDir: string,
    env: Readonly<Record<string, string>>,
    gateway: Gateway,
  ) {
    this.simulator = simulator;
    this.configDir = configDir;
    this.#env = env;
    this.#gateway = gateway;
    this.#subscribe();
  }

  static async open(folder: string, databaseUrl: string): Promise<Stage> {
    const configDir = join(folder, 'config');
    await mkdir(join(configDir, 'it-operations'), { recursive: true });
    const identity = newIdentity();
    const size = { nodes: 3, guests: 40, clusterName: 'main' };
    const options = { identity, services: true, live: false, now: Date.now };
    const simulator = await startSimulator({ ...size, ...options, declaredDir: configDir });
    const files = await keepIdentity(join(folder, 'identity'), identity, simulator.adminToken);
    const yaml = directions(simulator, files).replaceAll(/^( {4})api:$/gm, '$1pollSeconds: 1\n$1api:');
    await writeFile(join(configDir, 'sources.yaml'), yaml);
    await writeFile(join(configDir, 'policy.yaml'), POLICY);
    await writeFile(join(configDir, 'it-operations', 'live-collectors-contract.json'), CONTRACT);
    const env = {
      ...{ PORT: '0', DATABASE_URL: databaseUrl, DATA_DIR: join(folder, 'data'), CONFIG_DIR: configDir },
      ...{ INIT_ADMIN_API_KEY: KEY, LOG_LEVEL: 'fatal', IT_COLLECT_IP_NEIGH: '1' },
    };
    return new Stage(simulator, configDir, env, await begin(env));
  }

  async close(): Promise<void> {
    await this.#client?.dispose();
    await this.#gateway.stop();
    await this.simulator.stop();
  }

  async stopGateway(): Promise<void> {
    this.#unsubscribe();
    await this.#client?.dispose();
    await this.#gateway.stop();
  }

  /** Starts the gateway again; the subscriber goes on where it was. */
  async startGateway(): Promise<void> {
    this.#gateway = await begin(this.#env);
    this.#subscribe();
  }

  #subscribe(): void {
    const client = createClient({
      url: `${this.#gateway.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { 'x-api-key': KEY },
      retryAttempts: 0,
    });
    this.#client = client;
    const after = this.events.at(-1)?.cursor ?? null;
    this.#unsubscribe = client.subscribe<{ driftEvents: Step }>(
      { query: EVENTS, variables: { after } },
      {
        next: ({ data }) => {
          if (data != null) this.events.push(data.driftEvents);
        },
        error: () => {},
        complete: () => {},
      },
    );
  }

  async graphql<T>(query: string, variables: object = {}): Promise<T> {
    const response = await fetch(`${this.#gateway.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': KEY },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data?: T; errors?: unknown };
    if (data === undefined || errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  /** Ids of all that is open or acknowledged, sorted. */
  async findings(): Promise<readonly string[]> {
    const { driftFindings } = await this.graphql<{ driftFindings: { nodes: { id: string }[] } }>(
      '{ driftFindings(first: 500) { nodes { id } } }',
    );
    return driftFindings.nodes.map(({ id }) => id).sort();
  }

  async finding(id: string) {
    const query = 'query ($id: ID!) { driftFinding(id: $id) { state observed occurrences } }';
    const { driftFinding } = await this.graphql<{ driftFinding: { state: string; observed: string | null } | null }>(
      query,
      { id },
    );
    return driftFinding;
  }

  async decide(mutation: string, input: object): Promise<void> {
    const type = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1)}Input!`;
    const query = `mutation ($input: ${type}) { ${mutation}(input: $input) { userErrors { code message } } }`;
    const answer = await this.graphql<Record<string, { userErrors: readonly { message: string }[] }>>(query, { input });
    const [wrong] = answer[mutation]?.userErrors ?? [];
    if (wrong !== undefined) throw new Error(`${mutation}: ${wrong.message}`);
  }

  /** What a person would have written down, of each planted drift; names of services lose their `sim-` here. */
  planted(): readonly string[] {
    return this.simulator.plantedDrift
      .map(({ kind, subject, field }) => `${kind}:${subject.replace(/^sim-/, 'lab-')}:${field}`)
      .sort();
  }

  /** A guest that no planted drift is about, that runs, and that answers for itself. */
  quietGuest() {
    const touched = new Set(this.simulator.plantedDrift.map(({ subject }) => subject.replace(/@\d+$/, '')));
    const guest = this.simulator
      .estate('main')
      .guests()
      .find(
        ({ vmid, kind, power, template, lock, ha, agent }) =>
          !touched.has(`main/${vmid}`) &&
          [kind === 'qemu', power === 'running', !template, lock === null, ha === null, agent === 'alive'].every(
            Boolean,
          ),
      );
    if (guest === undefined) throw new Error('the simulated estate has no guest to play with');
    return guest;
  }

  async text(name: string): Promise<string> {
    return readFile(join(this.configDir, name), 'utf8');
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.configDir, name), text);
  }
}

async function begin(env: Readonly<Record<string, string>>): Promise<Gateway> {
  return startGateway(readConfig(env), telemetry({ level: 'fatal' }));
}

/** Looks until it is so, or the time is over. */
export async function until(isSo: () => Promise<boolean> | boolean, within = 20_000): Promise<boolean> {
  const end = performance.now() + within;
  for (;;) {
    if (await isSo()) return true;
    if (performance.now() > end) return false;
    await sleep(100);
  }
}
