import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { type Gateway, startGateway } from '../../src/app/gateway.js';
import { readConfig } from '../../src/config.js';
import { telemetry } from '../../src/telemetry.js';
import { createTestDatabase } from '../testkit/postgres.js';

const KEY = 'a-key-for-the-tests-only';

export interface TestGateway {
  readonly gateway: Gateway;
  readonly configDir: string;
  readonly dataDir: string;
  readonly log: readonly string[];
  graphql<T>(query: string, variables?: object): Promise<T>;
  rest(path: string): Promise<{ readonly status: number; readonly body: unknown }>;
  socket(): Client;
  /** Stops the gateway and starts it again on the same database and files. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

interface Opening {
  /** Files of CONFIG_DIR, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Uses this database instead of one of its own. */
  readonly databaseUrl?: string;
}

/** A whole gateway, with sockets, on a database of its own. */
export async function openGateway({ files = {}, env = {}, databaseUrl }: Opening = {}): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'sankofa-gateway-'));
  const configDir = folder;
  const dataDir = join(folder, 'data');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(configDir, name)), { recursive: true });
    await writeFile(join(configDir, name), text);
  }
  const database = databaseUrl === undefined ? await createTestDatabase() : undefined;
  const log: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const environment = {
    PORT: '0',
    DATABASE_URL: databaseUrl ?? database?.url ?? '',
    DATA_DIR: dataDir,
    CONFIG_DIR: configDir,
    INIT_ADMIN_API_KEY: KEY,
    LOG_LEVEL: 'warn',
    SIMULATED_TOKEN: 'unset',
    ...env,
  };
  const start = (more: Readonly<Record<string, string>> = {}) =>
    startGateway(readConfig({ ...environment, ...more }), telemetry({ level: 'warn', destination }));
  let gateway = await start();
  const clients: Client[] = [];
  return {
    get gateway() {
      return gateway;
    },
    configDir,
    dataDir,
    log,
    async graphql<T>(query: string, variables: object = {}): Promise<T> {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-api-key': KEY },
        body: JSON.stringify({ query, variables }),
      });
      const answer = (await response.json()) as { data?: T; errors?: unknown };
      if (answer.data === undefined || answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors));
      return answer.data;
    },
    async rest(path) {
      const response = await fetch(`${gateway.url}${path}`, { headers: { 'x-api-key': KEY } });
      return { status: response.status, body: await response.json() };
    },
    socket() {
      const client = createClient({
        url: `${gateway.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        connectionParams: { 'x-api-key': KEY },
        retryAttempts: 0,
      });
      clients.push(client);
      return client;
    },
    async restart(more) {
      await gateway.stop();
      gateway = await start(more);
    },
    async close() {
      for (const client of clients) await client.dispose();
      await gateway.stop();
      await database?.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Waits until `look` gives something; says what it last threw or saw when it gives up. */
export async function eventually<T>(look: () => Promise<T | undefined> | T | undefined, within = 20_000): Promise<T> {
  const deadline = performance.now() + within;
  let trouble: unknown;
  while (performance.now() < deadline) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      trouble = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it did not come about in time', { cause: trouble });
}
