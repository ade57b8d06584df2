import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, type Environment, readConfig } from '../src/config.js';

const present = spawnSync('openssl', ['version']).status === 0;
const openssl = present || process.env.REQUIRE_ALL_PARTS === '1' ? 'present' : 'absent';
let dir = '';
const at = (name: string) => join(dir, name);
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'config-'));
  writeFileSync(at('secret'), 'hunter2-hunter2-hunter2\n');
  writeFileSync(at('empty'), '\n');
  mkdirSync(at('conf'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function problems(env: Environment): readonly string[] {
  try {
    readConfig(env);
    return [];
  } catch (cause) {
    if (cause instanceof ConfigError) return cause.problems;
    throw cause;
  }
}

describe('the environment', () => {
  it('has a default for everything', () => {
    expect(readConfig({})).toMatchObject({
      host: '127.0.0.1',
      port: 4000,
      databaseUrl: null,
      dataDir: resolve('.data'),
      configDir: resolve('config'),
      initAdminApiKey: null,
      tls: null,
      trustedProxies: [],
      metricsToken: null,
      logLevel: 'info',
      simulate: 'auto',
      simulatedNodes: 5,
      simulatedGuests: 60,
      warnings: [],
    });
  });

  it('is read as written; an empty variable is an unset one', () => {
    const config = readConfig({
      HOST: '::',
      PORT: '0',
      DATABASE_URL: 'postgresql://it:p%40ss@db:5432/it',
      DATA_DIR: at('data'),
      CONFIG_DIR: at('conf'),
      INIT_ADMIN_API_KEY: '',
      METRICS_TOKEN: 'a-token-of-some-length',
      TRUSTED_PROXIES: '10.0.0.0/8, fd00::1',
      LOG_LEVEL: 'silent',
      SIMULATE: '1',
      SIMULATE_NODES: '500',
      SIMULATE_GUESTS: '50000',
    });
    expect(config).toMatchObject({
      host: '::',
      port: 0,
      dataDir: at('data'),
      configDir: at('conf'),
      initAdminApiKey: null,
      trustedProxies: ['10.0.0.0/8', 'fd00::1'],
      logLevel: 'silent',
      simulate: 'on',
      simulatedNodes: 500,
      simulatedGuests: 50000,
      warnings: [],
    });
    expect(config.databaseUrl?.reveal()).toBe('postgresql://it:p%40ss@db:5432/it');
    expect(readConfig({ SIMULATE: '0' }).simulate).toBe('off');
  });

  it('takes any secret from a file, also those that settings files name', () => {
    const config = readConfig({
      METRICS_TOKEN_FILE: at('secret'),
      PVE_FILE: at('secret'),
      EDGE: ' abc ',
      GONE_FILE: at('gone'),
      SWITCH: '1',
    });
    expect(config.metricsToken?.reveal()).toBe('hunter2-hunter2-hunter2');
    expect(config.secret('PVE')?.reveal()).toBe('hunter2-hunter2-hunter2');
    expect(config.secret('EDGE')?.reveal()).toBe('abc');
    expect(config.secret('GONE')).toBe(undefined);
    expect(config.secret('NOT_SET')).toBe(undefined);
    expect([config.enabled('SWITCH'), config.enabled('OTHER')]).toEqual([true, false]);
    expect(inspect(config, { depth: 9 })).not.toContain('hunter2');
    expect(JSON.stringify(config)).not.toContain('hunter2');
  });

  it.skipIf(openssl === 'absent')(`takes a certificate with its own key (openssl: ${openssl})`, () => {
    const request = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=it',
    ];
    for (const name of ['a', 'b'])
      execFileSync('openssl', [...request, '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)], {
        stdio: 'ignore',
      });
    expect(readConfig({ TLS_CERT: at('a.pem'), TLS_KEY: at('a.key') }).tls?.cert).toContain('BEGIN CERTIFICATE');
    expect(problems({ TLS_CERT: at('a.pem'), TLS_KEY: at('b.key') })).toEqual([
      expect.stringMatching(/^TLS_CERT and TLS_KEY are no PEM certificate with its own, unencrypted key \(/),
    ]);
  });
});

describe('each wrong value has its one message', () => {
  it.each<[Environment, string]>([
    [
      { HOST: 'http://x' },
      'HOST must be an address or a host name to listen on, without port or scheme, not "http://x"',
    ],
    [{ PORT: '65536' }, 'PORT must be a whole number from 0 to 65535, not "65536"'],
    [{ PORT: '4e3' }, 'PORT must be a whole number from 0 to 65535, not "4e3"'],
    [
      { DATABASE_URL: 'mysql://it:hunter2@db' },
      'DATABASE_URL must be a URL that begins with postgres:// or postgresql://',
    ],
    [
      { DATABASE_URL: 'postgres://it:hunter2@db:port' },
      'DATABASE_URL must be a URL that begins with postgres:// or postgresql://',
    ],
    [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL must be fatal, error, warn, info, debug, trace, silent (or unset), not "loud"'],
    [{ SIMULATE: 'true' }, 'SIMULATE must be 1, 0 (or unset), not "true"'],
    [{ SIMULATE_NODES: '0' }, 'SIMULATE_NODES must be a whole number from 1 to 500, not "0"'],
    [{ SIMULATE_GUESTS: '50001' }, 'SIMULATE_GUESTS must be a whole number from 0 to 50000, not "50001"'],
    [{ IT_COLLECT_IP_NEIGH: 'yes' }, 'IT_COLLECT_IP_NEIGH must be 1, 0 (or unset), not "yes"'],
    [
      { TRUSTED_PROXIES: '10.0.0.0/8,proxy' },
      'TRUSTED_PROXIES must list addresses or prefixes such as 10.0.0.0/8, separated by commas, not "proxy"',
    ],
    [
      { INIT_ADMIN_API_KEY: 'hunter2 hunter2 hunter2' },
      'INIT_ADMIN_API_KEY must be printable ASCII without blanks, as it travels in a header',
    ],
    [
      { METRICS_TOKEN: 'hunter2-hünter2-hunter2' },
      'METRICS_TOKEN must be printable ASCII without blanks, as it travels in a header',
    ],
    [{ TLS_CERT: '/x' }, 'TLS_CERT is set without TLS_KEY: set both, or neither'],
    [{ TLS_KEY: '/x' }, 'TLS_KEY is set without TLS_CERT: set both, or neither'],
  ])('%j', (env, message) => {
    expect(problems(env)).toEqual([message]);
  });

  it('also where it is about files', () => {
    const both = { METRICS_TOKEN: 'hunter2-hunter2-hunter2', METRICS_TOKEN_FILE: at('secret') };
    expect(problems(both)).toEqual(['METRICS_TOKEN and METRICS_TOKEN_FILE are both set: keep one of them']);
    expect(problems({ DATABASE_URL_FILE: at('gone') })).toEqual([
      `DATABASE_URL_FILE names ${at('gone')}, which cannot be read (ENOENT)`,
    ]);
    expect(problems({ METRICS_TOKEN_FILE: at('empty') })).toEqual([
      `METRICS_TOKEN_FILE names ${at('empty')}, which is empty`,
    ]);
    expect(problems({ CONFIG_DIR: at('secret') })).toEqual([
      `CONFIG_DIR must be a directory, but ${at('secret')} is something else`,
    ]);
    expect(problems({ DATA_DIR: at('secret') })).toEqual([
      `DATA_DIR must be a directory, but ${at('secret')} is something else`,
    ]);
    expect(problems({ TLS_CERT: at('gone'), TLS_KEY: at('secret') })).toEqual([
      `TLS_CERT names ${at('gone')}, which cannot be read (ENOENT)`,
    ]);
  });

  it('and all are told at once', () => {
    expect(problems({ PORT: 'x', LOG_LEVEL: 'x', TLS_CERT: 'x' })).toHaveLength(3);
    expect(() => readConfig({ PORT: 'x', LOG_LEVEL: 'y' })).toThrow(/PORT[\s\S]*LOG_LEVEL/);
  });
});

describe('where mail and events go', () => {
  it('is taken as a URL, from a file as well, and never shown', () => {
    writeFileSync(at('redis'), 'rediss://it:hunter2@cache:6380/1\n');
    const config = readConfig({ SMTP_URL: 'smtps://it%40example.org:hunter2@mail:465', REDIS_URL_FILE: at('redis') });
    expect(config.smtpUrl?.reveal()).toBe('smtps://it%40example.org:hunter2@mail:465');
    expect(config.redisUrl?.reveal()).toBe('rediss://it:hunter2@cache:6380/1');
    expect(inspect(config)).not.toContain('hunter2');
  });

  it('is refused where it is of another kind, without being repeated', () => {
    expect(problems({ SMTP_URL: 'https://it:hunter2@mail', REDIS_URL: 'hunter2' })).toEqual([
      'SMTP_URL must be a URL that begins with smtp:// or smtps://',
      'REDIS_URL must be a URL that begins with redis:// or rediss://',
    ]);
  });
});

describe('what is set in vain is said aloud', () => {
  it.each([
    'OIDC_ISSUER',
    'OIDC_AUDIENCE',
    'OIDC_CLIENT_ID',
    'OIDC_CLIENT_SECRET',
    'OIDC_CLIENT_SECRET_FILE',
    'OIDC_ROLES_CLAIM',
    'OIDC_TENANTS_CLAIM',
    'OIDC_TEAMS_CLAIM',
    'PUBLIC_URL',
    'SESSION_SECRET',
    'AUDIT_SIGNING_KEY',
    'AUDIT_SIGNING_KEY_FILE',
    'AUDIT_HEADS_DIR',
    'STRIPE_WEBHOOK_SECRET',
  ])('%s', (name) => {
    expect(readConfig({ [name]: 'hunter2' }).warnings).toEqual([`${name} is set but this version does not use it`]);
  });

  it('as is a switch, a directory and a short secret', () => {
    expect(readConfig({ IT_COLLECT_IP_NEIGH: '1', CONFIG_DIR: at('gone'), METRICS_TOKEN: 'short' }).warnings).toEqual([
      `CONFIG_DIR is set to ${at('gone')}, which does not exist: every file in it counts as absent`,
      'METRICS_TOKEN is shorter than 16 characters and can be guessed',
    ]);
  });
});

describe('the first admin key', () => {
  it.each([
    ['guessable', 'INIT_ADMIN_API_KEY has 9 characters; give 16 to 512'],
    [
      'with a blank in the middle of it',
      'INIT_ADMIN_API_KEY must be printable ASCII without blanks, as it travels in a header',
    ],
  ])('is refused where it cannot be a key: %s', (key, problem) => {
    const read = () => readConfig({ INIT_ADMIN_API_KEY: key });
    expect(read).toThrow(problem);
    expect(read).not.toThrow(key);
  });
});
