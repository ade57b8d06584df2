import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { cidr } from './domain/address.js';
import { Secret } from './domain/settings.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The environment, read once: whoever needs something of it gets it from here. */
export interface Config {
  readonly host: string;
  /** 0 lets the system choose a free one. */
  readonly port: number;
  /** null: the embedded PostgreSQL. */
  readonly databaseUrl: Secret | null;
  readonly dataDir: string;
  readonly configDir: string;
  readonly initAdminApiKey: Secret | null;
  readonly tls: { readonly cert: string; readonly key: Secret } | null;
  /** Addresses and prefixes of proxies whose `X-Forwarded-*` headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly metricsToken: Secret | null;
  /** Where mail is handed over; null: none is sent. */
  readonly smtpUrl: Secret | null;
  /** Where the event stream is written to; null: to nowhere. */
  readonly redisUrl: Secret | null;
  readonly logLevel: LogLevel;
  /** `auto`: where no source is configured and the embedded database never held a real run. */
  readonly simulate: 'on' | 'off' | 'auto';
  readonly simulatedNodes: number;
  readonly simulatedGuests: number;
  /** Lines to log loudly at the start. */
  readonly warnings: readonly string[];
  /** The secret that a settings file names (`…Env`): the variable, or the file that `<name>_FILE` names, read anew each time. */
  secret(name: string): Secret | undefined;
  /** Whether the switch that the collectors' contract names (`enabled_by`) is on. */
  enabled(name: string): boolean;
}

/** Everything that is wrong with the environment, at once, by name. The values of secrets are not in it. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`the environment is not usable:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Promised names whose features are not built yet. Set ones are named in a warning, never silently dropped. */
const NOT_USED_YET = [
  'OIDC_ISSUER',
  'OIDC_AUDIENCE',
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET',
  'OIDC_ROLES_CLAIM',
  'OIDC_TENANTS_CLAIM',
  'OIDC_TEAMS_CLAIM',
  'PUBLIC_URL',
  'SESSION_SECRET',
  'AUDIT_SIGNING_KEY',
  'AUDIT_HEADS_DIR',
  'STRIPE_WEBHOOK_SECRET',
];
const SECRETS_NOT_USED_YET = ['OIDC_CLIENT_SECRET', 'SESSION_SECRET', 'AUDIT_SIGNING_KEY', 'STRIPE_WEBHOOK_SECRET'];

/** Reads the whole environment, or throws one ConfigError that names every problem. */
export function readConfig(env: Environment = process.env): Config {
  const read = new EnvironmentReader(env);
  const config: Config = {
    host: read.host(),
    port: read.wholeNumber('PORT', 4000, 0, 65_535),
    databaseUrl: read.databaseUrl(),
    dataDir: read.directory('DATA_DIR', '.data'),
    configDir: read.directory('CONFIG_DIR', 'config'),
    initAdminApiKey: read.adminKey('INIT_ADMIN_API_KEY'),
    tls: read.tls(),
    trustedProxies: read.trustedProxies(),
    metricsToken: read.headerSecret('METRICS_TOKEN'),
    smtpUrl: read.serviceUrl('SMTP_URL', ['smtp:', 'smtps:']),
    redisUrl: read.serviceUrl('REDIS_URL', ['redis:', 'rediss:']),
    logLevel: read.oneOf('LOG_LEVEL', LOG_LEVELS, 'info'),
    simulate: ({ '1': 'on', '0': 'off', '': 'auto' } as const)[read.oneOf('SIMULATE', ['1', '0', ''] as const, '')],
    simulatedNodes: read.wholeNumber('SIMULATE_NODES', 5, 1, 500),
    simulatedGuests: read.wholeNumber('SIMULATE_GUESTS', 60, 0, 50_000),
    warnings: read.warnings,
    secret: (name) => secretNamed(env, name),
    enabled: (name) => env[name] === '1',
  };
  read.notUsedYet();
  if (read.problems.length > 0) throw new ConfigError(read.problems);
  return config;
}

/** Collects problems instead of throwing at the first, so that a person mends all of them in one go. */
class EnvironmentReader {
  readonly problems: string[] = [];
  readonly warnings: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** An empty variable is an unset one: compose files and unit files write them so. */
  #text(name: string): string | undefined {
    const value = this.#env[name]?.trim();
    return value === '' ? undefined : value;
  }

  host(): string {
    const host = this.#text('HOST') ?? '127.0.0.1';
    if (!/^[A-Za-z0-9_.:-]+$/.test(host))
      this.problems.push(`HOST must be an address or a host name to listen on, without port or scheme, not "${host}"`);
    return host;
  }

  wholeNumber(name: string, fallback: number, min: number, max: number): number {
    const text = this.#text(name);
    if (text === undefined) return fallback;
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.problems.push(`${name} must be a whole number from ${min} to ${max}, not "${text}"`);
    return fallback;
  }

  oneOf<const T extends string>(name: string, words: readonly T[], fallback: T): T {
    const text = this.#text(name);
    if (text === undefined) return fallback;
    const word = words.find((candidate) => candidate === text);
    if (word === undefined)
      this.problems.push(`${name} must be ${words.filter((w) => w !== '').join(', ')} (or unset), not "${text}"`);
    return word ?? fallback;
  }

  directory(name: string, fallback: string): string {
    const written = this.#text(name);
    const path = resolve(written ?? fallback);
    const there = statSync(path, { throwIfNoEntry: false });
    if (there !== undefined && !there.isDirectory())
      this.problems.push(`${name} must be a directory, but ${path} is something else`);
    if (there === undefined && written !== undefined && name === 'CONFIG_DIR')
      this.warnings.push(`CONFIG_DIR is set to ${path}, which does not exist: every file in it counts as absent`);
    return path;
  }

  /** The text of a secret that is given directly or as a file; problems name the variable, never its text. */
  #secret(name: string): Secret | null {
    const direct = this.#text(name);
    const file = this.#text(`${name}_FILE`);
    if (direct !== undefined && file !== undefined) {
      this.problems.push(`${name} and ${name}_FILE are both set: keep one of them`);
      return null;
    }
    if (file === undefined) return direct === undefined ? null : new Secret(direct);
    try {
      const text = readFileSync(file, 'utf8').trim();
      if (text !== '') return new Secret(text);
      this.problems.push(`${name}_FILE names ${file}, which is empty`);
    } catch (cause) {
      this.problems.push(`${name}_FILE names ${file}, which cannot be read (${errorCode(cause)})`);
    }
    return null;
  }

  /** A secret that callers send in a header: what a header cannot carry could never match. */
  /** The key that opens everything is not taken where it can be guessed. */
  adminKey(name: string): Secret | null {
    const secret = this.#secret(name);
    const length = secret?.reveal().length ?? 16;
    if (length < 16 || length > 512) this.problems.push(`${name} has ${length} characters; give 16 to 512`);
    if (secret !== null && !/^[\x21-\x7e]+$/.test(secret.reveal()))
      this.problems.push(`${name} must be printable ASCII without blanks, as it travels in a header`);
    return secret;
  }

  headerSecret(name: string): Secret | null {
    const secret = this.#secret(name);
    if (secret !== null && !/^[\x21-\x7e]+$/.test(secret.reveal()))
      this.problems.push(`${name} must be printable ASCII without blanks, as it travels in a header`);
    if (secret !== null && secret.reveal().length < 16)
      this.warnings.push(`${name} is shorter than 16 characters and can be guessed`);
    return secret;
  }

  databaseUrl(): Secret | null {
    const secret = this.#secret('DATABASE_URL');
    if (secret === null) return null;
    if (!/^postgres(ql)?:\/\//.test(secret.reveal()) || !URL.canParse(secret.reveal()))
      this.problems.push('DATABASE_URL must be a URL that begins with postgres:// or postgresql://');
    return secret;
  }

  /** A URL that may hold a password: what is wrong with it is said without showing it. */
  serviceUrl(name: string, protocols: readonly string[]): Secret | null {
    const secret = this.#secret(name);
    if (secret === null) return null;
    const url = URL.canParse(secret.reveal()) ? new URL(secret.reveal()) : undefined;
    if (url === undefined || !protocols.includes(url.protocol) || url.hostname === '')
      this.problems.push(`${name} must be a URL that begins with ${protocols.map((one) => `${one}//`).join(' or ')}`);
    return secret;
  }

  tls(): Config['tls'] {
    const [certFile, keyFile] = [this.#text('TLS_CERT'), this.#text('TLS_KEY')];
    if (certFile === undefined && keyFile === undefined) return null;
    if (certFile === undefined || keyFile === undefined) {
      const [set, missing] = certFile === undefined ? ['TLS_KEY', 'TLS_CERT'] : ['TLS_CERT', 'TLS_KEY'];
      this.problems.push(`${set} is set without ${missing}: set both, or neither`);
      return null;
    }
    const cert = this.#file('TLS_CERT', certFile);
    const key = this.#file('TLS_KEY', keyFile);
    if (cert === undefined || key === undefined) return null;
    try {
      createSecureContext({ cert, key });
    } catch (cause) {
      this.problems.push(
        `TLS_CERT and TLS_KEY are no PEM certificate with its own, unencrypted key (${reason(cause)})`,
      );
    }
    return { cert, key: new Secret(key) };
  }

  #file(name: string, path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8');
    } catch (cause) {
      this.problems.push(`${name} names ${path}, which cannot be read (${errorCode(cause)})`);
      return undefined;
    }
  }

  trustedProxies(): readonly string[] {
    const entries = (this.#text('TRUSTED_PROXIES') ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
    for (const entry of entries)
      if (cidr(entry) === undefined)
        this.problems.push(
          `TRUSTED_PROXIES must list addresses or prefixes such as 10.0.0.0/8, separated by commas, not "${entry}"`,
        );
    return entries;
  }

  notUsedYet(): void {
    const names = [...NOT_USED_YET, ...SECRETS_NOT_USED_YET.map((name) => `${name}_FILE`)];
    for (const name of names)
      if (this.#text(name) !== undefined) this.warnings.push(`${name} is set but this version does not use it`);
    this.oneOf('IT_COLLECT_IP_NEIGH', ['1', '0'] as const, '0');
  }
}

function secretNamed(env: Environment, name: string): Secret | undefined {
  const direct = env[name];
  if (direct !== undefined && direct.trim() !== '') return new Secret(direct.trim());
  const file = env[`${name}_FILE`];
  if (file === undefined || file.trim() === '') return undefined;
  try {
    const text = readFileSync(file.trim(), 'utf8').trim();
    return text === '' ? undefined : new Secret(text);
  } catch {
    // Whoever asked reports the secret as missing, and says that NAME_FILE must name a readable file.
    return undefined;
  }
}

function errorCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : reason(cause);
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
