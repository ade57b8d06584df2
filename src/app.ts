import { setTimeout as sleep } from 'node:timers/promises';
import { accountVerbs } from './accounts/keys.js';
import { openCore } from './app/core.js';
import { openDatabase } from './app/database.js';
import { startGateway } from './app/gateway.js';
import { keepHeapSmall } from './app/heap-pace.js';
import { checkSettings } from './app/settings-check.js';
import { SettingsError } from './app/settings-files.js';
import { keyScheme } from './auth/api-key.js';
import type { RunView } from './collection/live-events.js';
import type { Config } from './config.js';
import { type Principal, permissionsOf } from './domain/access.js';
import { COLLECTOR_NAMES, isOmitted, switchedOffWords } from './domain/contract.js';
import { isoTime, MINUTE, withIsoTimes } from './domain/time.js';
import { runSimulator } from './simulator/simulator.js';
import { type Telemetry, telemetry } from './telemetry.js';

type Print = (text: string) => void;
type Reading = { readonly json?: boolean };

const DONE = 0;
const FAILED = 1;
/** Answers and sockets get this long to end; the database and the rest have what is left of ten seconds. */
const STOP_WITHIN = 9_500;

/** Starts the gateway and keeps it until `told`; then stops it in order. */
export async function serve(config: Config, told: AbortSignal, print: Print): Promise<number> {
  keepHeapSmall();
  const tools = telemetry({ level: config.logLevel });
  const gateway = await startGateway(config, tools);
  const { url, firstKey, core } = gateway;
  if (firstKey.kind === 'written') tools.log.info({ path: firstKey.path }, 'the first admin key was made');
  tools.log.info({ url, simulated: core.simulated() }, 'listening');
  const demo = core.simulated().length > 0 ? ' (a simulated estate: no sources.yaml is there)' : '';
  const key = firstKey.kind === 'written' ? `; the first admin key is in ${firstKey.path}` : '';
  tools.log.info(`GraphQL at ${url}/graphql, REST at ${url}/v1/summary${demo}${key}`);
  void print;
  await new Promise<void>((resolve) => {
    if (told.aborted) resolve();
    told.addEventListener('abort', () => resolve(), { once: true });
  });
  tools.log.info('stopping');
  const inTime = await Promise.race([gateway.stop().then(() => true), sleep(STOP_WITHIN, false)]);
  tools.log.info(inTime ? 'stopped' : 'stopped, though something did not end in time');
  return DONE;
}

/** One full pass now: by this process, or by the gateway that already collects the source. */
export async function collect(
  config: Config,
  collectors: readonly string[],
  { json = false }: Reading,
  told: AbortSignal,
  print: Print,
): Promise<number> {
  const unknown = collectors.filter((name) => !COLLECTOR_NAMES.some((known) => known === name));
  if (unknown.length > 0)
    throw new SettingsError([`unknown collector ${unknown.join(', ')}: give ${COLLECTOR_NAMES.join(', ')}`]);
  return withQuietCore(config, async (core) => {
    const { contract } = core.settings();
    const wanted = core
      .sourceNames()
      .filter(({ collector }) => collectors.length === 0 || (collector !== null && collectors.includes(collector)));
    const runs = await core.collectOnce(
      wanted.map(({ source }) => source),
      AbortSignal.any([told, AbortSignal.timeout(10 * MINUTE)]),
    );
    const off = core.replica
      .view()
      .collectorsOff.filter((name) => collectors.length === 0 || collectors.includes(name));
    if (json) print(asJson(runs));
    else {
      for (const run of runs) print(runLine(run));
      for (const name of off) print(`${name}  ${switchedOffWords(contract.collectors[name])}`);
      if (runs.length + off.length === 0) print('nothing is configured to collect from');
    }
    // What the contract leaves out while it fails is never a failure: its reason is printed all the same.
    const isGood = ({ outcome, collector }: RunView) => outcome === 'OBSERVED' || isOmitted(contract, collector);
    return runs.every(isGood) ? DONE : FAILED;
  });
}

function runLine({ source, outcome, state, requests, reason }: RunView): string {
  return `${source}  ${outcome ?? state}  ${requests} requests${reason === null ? '' : `  ${reason}`}`;
}

export async function drift(config: Config, { json = false }: Reading, print: Print): Promise<number> {
  return withQuietCore(config, async (core) => {
    // The declared files may have been edited since anybody looked.
    const declared = core.sourceNames().filter(({ collector }) => collector === null);
    await core.collectOnce(
      declared.map(({ source }) => source),
      AbortSignal.timeout(MINUTE),
    );
    await core.drift.compareNow();
    const open = [...core.replica.view().findings.byId.values()].filter(
      ({ state }) => state === 'OPEN' || state === 'ACKNOWLEDGED',
    );
    if (json) print(asJson(open));
    else
      for (const { severity, identity, message, onsetBefore } of open)
        print(`${severity.padEnd(8)} ${identity.kind.padEnd(24)} ${message}  (since ${isoTime(onsetBefore)})`);
    if (!json) print(open.length === 1 ? '1 finding' : `${open.length} findings`);
    return DONE;
  });
}

export async function migrate(config: Config, { json = false }: Reading, print: Print): Promise<number> {
  const database = await openDatabase(config, quiet(config).log, { migrate: false });
  try {
    const applied = await database.store.migrate();
    if (json) print(JSON.stringify(applied));
    else
      print(applied.length === 0 ? 'nothing to do: the database is of this version' : `applied ${applied.join(', ')}`);
    return DONE;
  } finally {
    await database.stop();
  }
}

export function simulate(config: Config, told: AbortSignal, print: Print): Promise<number> {
  return runSimulator(
    { nodes: config.simulatedNodes, guests: config.simulatedGuests, dataDir: config.dataDir, now: Date.now },
    told,
    print,
  ).then(() => DONE);
}

export interface KeyOptions {
  readonly name: string;
  readonly roles: readonly string[];
  readonly person?: string;
  readonly expires?: number;
  readonly json?: boolean;
}

/** Whoever may start the program on this machine may do everything: the database's password is theirs already. */
const CONSOLE: Principal = {
  id: 'console',
  name: 'the command line',
  person: 'console',
  roles: ['sankofa-it-admin'],
  permissions: permissionsOf(['sankofa-it-admin']),
  tenants: 'all',
  expiresAt: null,
};

async function withAccounts<T>(
  config: Config,
  work: (verbs: ReturnType<typeof accountVerbs>) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(config, quiet(config).log);
  try {
    return await work(accountVerbs({ store: database.store, scheme: keyScheme }));
  } finally {
    await database.stop();
  }
}

export function apiKeyCreate(config: Config, options: KeyOptions, print: Print): Promise<number> {
  const { name, roles, person = name, expires, json = false } = options;
  return withAccounts(config, async (verbs) => {
    const { apiKey, secret } = await verbs.apiKeyCreate(CONSOLE, { name, roles, person, expiresAt: expires ?? null });
    print(json ? asJson({ apiKey, secret }) : `${secret}\n(key ${apiKey.id}; it is shown this once)`);
    return DONE;
  });
}

export function apiKeyList(config: Config, { json = false }: Reading, print: Print): Promise<number> {
  return withAccounts(config, async (verbs) => {
    const keys = await verbs.apiKeys(CONSOLE);
    if (json) print(asJson(keys));
    else
      for (const key of keys)
        print(
          `${key.id}  ${key.prefix}…  ${key.roles.join(',')}  ${key.name}  ${stateOf(key.revokedAt, key.expiresAt)}`,
        );
    return DONE;
  });
}

function stateOf(revokedAt: number | null, expiresAt: number | null): string {
  if (revokedAt !== null) return `revoked ${isoTime(revokedAt)}`;
  return expiresAt === null ? 'no end' : `until ${isoTime(expiresAt)}`;
}

export function apiKeyRevoke(config: Config, id: string, { json = false }: Reading, print: Print): Promise<number> {
  return withAccounts(config, async (verbs) => {
    const key = await verbs.apiKeyRevoke(CONSOLE, id);
    print(json ? asJson(key) : `revoked ${key.name} (${key.prefix}…)`);
    return DONE;
  });
}

export async function configCheck(config: Config, { json = false }: Reading, print: Print): Promise<number> {
  const checked = await checkSettings(config, Date.now());
  if (json) print(JSON.stringify(checked, null, 2));
  else {
    for (const { level, location, message } of checked) print(`${level.padEnd(7)} ${location}  ${message}`);
    if (checked.length === 0) print('all settings can be used');
  }
  return checked.some(({ level }) => level === 'error') ? FAILED : DONE;
}

/** JSON for people and scripts. */
function asJson(value: unknown): string {
  return JSON.stringify(withIsoTimes(value), null, 2);
}

/** A verb's own output is what it prints; the log keeps to what must not be missed, on standard error. */
function quiet(config: Config): Telemetry {
  const level = ['silent', 'fatal', 'error'].includes(config.logLevel) ? config.logLevel : 'error';
  return telemetry({ level, destination: process.stderr });
}

async function withQuietCore(
  config: Config,
  work: (core: Awaited<ReturnType<typeof openCore>>) => Promise<number>,
): Promise<number> {
  const core = await openCore(config, quiet(config));
  try {
    return await work(core);
  } finally {
    await core.stop();
  }
}
