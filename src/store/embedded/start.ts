import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Account, accountFor } from './account.js';
import { alone, attend } from './attendance.js';
import { type Binaries, findBinaries } from './binaries.js';
import { initialise, isInitialised, majorOf, passwordIn, ROLE, writeSettings } from './cluster.js';
import { knownPlace, makePlace } from './place.js';
import { awaitReady, findPostmaster, type Postmaster, startPostmaster, stopPostmaster } from './postmaster.js';
import { watchOver } from './watch.js';

const DATABASE = 'sankofa';
const SYSTEM_DIR = '/var/lib/sankofa-it';

export interface EmbeddedOptions {
  readonly dataDir: string;
  readonly log?: (line: string) => void;
  /** Where `postgres` and `initdb` lie; by default they are looked for. */
  readonly binDir?: string;
  /** Where the database goes when PostgreSQL's user cannot reach `dataDir`. */
  readonly systemDir?: string;
  /** Server settings over our own. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface Embedded {
  /** With the password: not for a log. */
  readonly url: string;
  /** Whether it was running already. */
  readonly attached: boolean;
  /** Where data, log and, if need be, the binaries lie. */
  readonly stateDir: string;
  /** Signs out; the last gateway of a DATA_DIR stops the server. */
  stop(): Promise<void>;
}

/**
 * Runs a real PostgreSQL for this DATA_DIR, or attaches to the one that runs: another gateway's, or one that outlived
 * a gateway that was killed. While we run, it is started again if it dies.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  await mkdir(options.dataDir, { recursive: true });
  const dataDir = await realpath(options.dataDir);
  const log = options.log ?? (() => undefined);
  return alone(dataDir, async () => {
    const home = await prepare(dataDir, options, log);
    const { running, server } = await reach(home);
    log(`PostgreSQL ${running === undefined ? 'started' : 'was running'} in ${home.stateDir}, port ${server.port}`);
    const signOut = await attend(dataDir);
    const unwatch = watchOver({
      isAlive: async () => (await findPostmaster(home.data)) !== undefined,
      restart: () =>
        alone(dataDir, async () => {
          if ((await awaitReady(home.data)) === undefined) await home.start(server.port);
        }),
      log,
    });
    return {
      url: home.url(server, DATABASE),
      attached: running !== undefined,
      stateDir: home.stateDir,
      stop: once(async () => {
        await unwatch();
        await alone(dataDir, async () => {
          if (await signOut()) await stopPostmaster(home.data);
        });
      }),
    };
  });
}

/** The server that runs already, or one started now, with our database in it. One that dies just then is started anew. */
async function reach(home: Home): Promise<{ running: Postmaster | undefined; server: Postmaster }> {
  for (let attempt = 1; ; attempt++) {
    const running = await awaitReady(home.data);
    const server = running ?? (await home.start(undefined));
    try {
      await ensureDatabase(home.url(server, 'postgres'));
      return { running, server };
    } catch (error) {
      // Its process was still to be seen and its connections were cut: it is gone a moment later.
      if (running === undefined || attempt === ATTEMPTS) throw error;
      await sleep(LOOK_AGAIN);
    }
  }
}

const ATTEMPTS = 5;
const LOOK_AGAIN = 500;

interface Home {
  readonly stateDir: string;
  readonly data: string;
  url(server: Postmaster, database: string): string;
  start(port: number | undefined): Promise<Postmaster>;
}

async function prepare(dataDir: string, options: EmbeddedOptions, log: (line: string) => void): Promise<Home> {
  const account = await accountFor(join(await knownPlace(dataDir), 'data'));
  const stateDir = await makePlace(dataDir, account, options.systemDir ?? SYSTEM_DIR, log);
  const data = join(stateDir, 'data');
  const isNew = !(await isInitialised(stateDir));
  const password = await passwordIn(dataDir, isNew);
  const url = ({ port }: Postmaster, database: string): string =>
    `postgres://${ROLE}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
  const binaries = async (): Promise<Binaries> =>
    findBinaries({ binDir: options.binDir, stateDir, account }, await majorOf(data));
  if (isNew) {
    const found = await binaries();
    log(`making a database with PostgreSQL ${found.version} in ${stateDir}`);
    await initialise(found, stateDir, account, password, options.settings ?? {});
  }
  return { stateDir, data, url, start: async (port) => startIn(stateDir, await binaries(), account, port, options) };
}

function startIn(
  stateDir: string,
  binaries: Binaries,
  account: Account | undefined,
  port: number | undefined,
  options: EmbeddedOptions,
): Promise<Postmaster> {
  const data = join(stateDir, 'data');
  return startPostmaster({
    binaries,
    data,
    logFile: join(stateDir, 'postgres.log'),
    account,
    port,
    configure: (chosen) => writeSettings(data, account, chosen, options.settings ?? {}),
  });
}

async function ensureDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}
