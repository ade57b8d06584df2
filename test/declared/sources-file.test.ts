import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { utils } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSources, readSources } from '../../src/declared/sources-file.js';
import { Secret } from '../../src/domain/settings.js';

const PIN = '5E:1C:'.repeat(16).slice(0, -1);
const secret = (name: string) => (name === 'PVE_MAIN_TOKEN' ? new Secret('top-secret') : undefined);
const NEEDS = {
  secret,
  file: (path: string): string => {
    if (path === 'token') return 'from-file\n';
    if (path === 'not-a-ca.pem') return 'hello';
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  },
};
const api = (changed: Record<string, string | undefined> = {}): string =>
  Object.entries({
    urls: '[https://192.168.11.10:8006]',
    tokenId: 'it-read@pve!sankofa',
    tokenSecretEnv: 'PVE_MAIN_TOKEN',
    tlsFingerprint: `"${PIN}"`,
    ...changed,
  })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `      ${key}: ${value}\n`)
    .join('');
const cluster = (more = '', changed: Record<string, string | undefined> = {}) =>
  `clusters:\n  - name: main\n    api:\n${api(changed)}${more}`;
function read(text: string) {
  const sources = parseSources(text, NEEDS);
  if (sources.kind !== 'read') throw new Error(JSON.stringify(sources));
  return sources;
}
const problems = (text: string) => read(text).problems.map(({ location, message }) => `${location}: ${message}`);

describe('sources.yaml', () => {
  it('names clusters with everything that has a default', () => {
    expect(read(cluster())).toEqual({
      kind: 'read',
      whole: true,
      problems: [],
      files: [],
      settings: {
        declaredOff: [],
        warnings: [],
        hosts: [],
        npm: [],
        unifi: [],
        netbox: [],
        clusters: [
          {
            name: 'main',
            broken: null,
            api: {
              urls: ['https://192.168.11.10:8006'],
              tokenId: 'it-read@pve!sankofa',
              tokenSecret: new Secret('top-secret'),
              tls: { kind: 'fingerprint', sha256: ['5e1c'.repeat(16)] },
            },
            ssh: null,
            pollSeconds: 10,
            readsPerPoll: 50,
            addressScope: 'default',
            addressScopes: [],
          },
        ],
      },
    });
  });

  it('takes settings, scopes, several fingerprints and a secret in a file', () => {
    const more = `    pollSeconds: 5\n    readsPerPoll: 7\n    addressScope: edge\n    addressScopes: [{ bridge: vmbr1, perNode: true, scope: nat }, { node: a, tag: 12, scope: b }]\n`;
    const pins = `["sha256:${PIN.toLowerCase()}", "SHA256 Fingerprint=${PIN}", ${'ab'.repeat(32)}]`;
    const sources = read(cluster(more, { tlsFingerprint: pins, tokenSecretEnv: undefined, tokenSecretFile: 'token' }));
    expect(sources.problems).toEqual([]);
    expect(sources.files).toEqual(['token']);
    expect(sources.settings.clusters[0]).toMatchObject({
      pollSeconds: 5,
      readsPerPoll: 7,
      addressScope: 'edge',
      addressScopes: [
        { node: null, bridge: 'vmbr1', tag: null, perNode: true, scope: 'nat' },
        { node: 'a', bridge: null, tag: '12', perNode: false, scope: 'b' },
      ],
      api: { tls: { kind: 'fingerprint', sha256: ['5e1c'.repeat(16), '5e1c'.repeat(16), 'ab'.repeat(32)] } },
    });
    expect(sources.settings.clusters[0]?.api?.tokenSecret.reveal()).toBe('from-file');
  });

  it('trusts the system where nothing is pinned', () => {
    expect(read(cluster('', { tlsFingerprint: undefined })).settings.clusters[0]?.api?.tls).toEqual({ kind: 'system' });
  });

  it.each([
    'http://127.0.0.1:8006',
    'http://[::1]:8006',
    'http://localhost:8006',
    'http://192.168.1.1',
    'http://[fd00::1]:1',
  ])('accepts %s with a loud line', (url) => {
    const { settings, problems } = read(cluster('', { urls: `["${url}"]` }));
    expect(settings.clusters[0]).toMatchObject({ broken: null, api: { urls: [url] } });
    expect(settings.warnings).toEqual([
      `sources.yaml:4: clusters[0].api.urls[0] ${url} is plain http: whoever is on the way reads the secret`,
    ]);
    expect(problems).toEqual([]);
  });

  it('retires a declared source that is off, and no other', () => {
    expect(
      read('clusters: []\ndeclared: { ip-addresses.conf: off, ALL_VMIDS_ENDPOINTS.md: on }').settings.declaredOff,
    ).toEqual(['ip-addresses.conf']);
    expect(read('clusters: []\ndeclared: { ip-addresses.conf: false }').settings.declaredOff).toEqual([
      'ip-addresses.conf',
    ]);
    expect(read('clusters: []\ndeclared: { ip-addresses.conf: maybe }').settings.declaredOff).toEqual([]);
  });

  it('says of each service that this version does not collect, where it is written', () => {
    const { settings, problems } = read('clusters: []\nskuCatalogue: { url: "https://x" }\ncatalog: { git: x }');
    expect(problems).toEqual([]);
    expect(settings.warnings).toEqual([
      'sources.yaml:2: skuCatalogue is set but this version does not collect from it yet',
      'sources.yaml:3: catalog is set but this version does not collect from it yet',
    ]);
  });
});

describe('a wrong field has one message, with its line', () => {
  /** Wrong, and the cluster is not asked; it stays named, so it is unreachable rather than retired. */
  it.each([
    ['', { urls: undefined }, 'sources.yaml:3: clusters[0].api.urls is missing'],
    ['', { urls: 'https://a' }, 'sources.yaml:4: clusters[0].api.urls must be a list'],
    ['', { urls: '[]' }, 'sources.yaml:4: clusters[0].api.urls is empty: name at least one URL'],
    [
      '',
      { urls: '[192.168.11.10]' },
      'sources.yaml:4: clusters[0].api.urls[0] is not a URL such as https://192.168.11.10:8006',
    ],
    ['', { urls: '[5]' }, 'sources.yaml:4: clusters[0].api.urls[0] must be a URL such as https://192.168.11.10:8006'],
    ['', { urls: '[ftp://a]' }, 'sources.yaml:4: clusters[0].api.urls[0] must begin with https://, not with ftp://'],
    [
      '',
      { urls: '["https://a:hunter2@b"]' },
      'sources.yaml:4: clusters[0].api.urls[0] must not hold a user or a password',
    ],
    [
      '',
      { urls: '[https://a/api2/json]' },
      'sources.yaml:4: clusters[0].api.urls[0] must end after host and port: the path is ours to choose',
    ],
    [
      '',
      { urls: '[http://8.8.8.8]' },
      'sources.yaml:4: clusters[0].api.urls[0] is plain http to 8.8.8.8, which is on no loopback or private address: use https',
    ],
    [
      '',
      { urls: '[http://pve.example.org]' },
      'sources.yaml:4: clusters[0].api.urls[0] is plain http to pve.example.org, which is on no loopback or private address: use https',
    ],
    ['', { tokenId: undefined }, 'sources.yaml:3: clusters[0].api.tokenId is missing'],
    [
      '',
      { tokenId: 'root@pam' },
      'sources.yaml:5: clusters[0].api.tokenId must look like user@realm!token, without the secret',
    ],
    [
      '',
      { tokenId: 'a@pve!b=hunter2' },
      'sources.yaml:5: clusters[0].api.tokenId must look like user@realm!token, without the secret',
    ],
    ['', { tokenSecretEnv: undefined }, 'sources.yaml:3: clusters[0].api.tokenSecretEnv or tokenSecretFile is missing'],
    [
      '',
      { tokenSecretEnv: 'NOT_SET' },
      'sources.yaml:6: clusters[0].api.tokenSecretEnv names NOT_SET, which is not set (nor does NOT_SET_FILE name a readable file)',
    ],
    [
      '',
      { tokenSecretEnv: 'hunter2-hunter2' },
      'sources.yaml:6: clusters[0].api.tokenSecretEnv must be the name of an environment variable, not the secret itself',
    ],
    [
      '',
      { tokenSecret: 'hunter2' },
      'sources.yaml:8: clusters[0].api.tokenSecret is refused: secrets are named here (tokenSecretEnv, tokenSecretFile), never written',
    ],
    [
      '',
      { tokenSecretFile: 'token' },
      'sources.yaml:8: clusters[0].api.tokenSecretFile and tokenSecretEnv are both written: keep one of them',
    ],
    [
      '',
      { tokenSecretEnv: undefined, tokenSecretFile: 'gone' },
      'sources.yaml:7: clusters[0].api.tokenSecretFile names gone, which cannot be read (ENOENT)',
    ],
    [
      '',
      { tlsFingerprint: '"5E:1C"' },
      'sources.yaml:7: clusters[0].api.tlsFingerprint must be a SHA-256 fingerprint, 64 hexadecimal digits with or without colons, or a list of them',
    ],
    [
      '',
      { tlsFingerprint: `"${'AB:'.repeat(19)}AB"` },
      'sources.yaml:7: clusters[0].api.tlsFingerprint must be a SHA-256 fingerprint, 64 hexadecimal digits with or without colons, or a list of them, this one is SHA-1',
    ],
    [
      '',
      { tlsFingerprint: '[]' },
      'sources.yaml:7: clusters[0].api.tlsFingerprint must be a SHA-256 fingerprint, 64 hexadecimal digits with or without colons, or a list of them',
    ],
    [
      '',
      { caFile: 'ca.pem' },
      'sources.yaml:8: clusters[0].api.caFile and tlsFingerprint are both written: keep one of them',
    ],
    [
      '',
      { tlsFingerprint: undefined, caFile: 'gone.pem' },
      'sources.yaml:7: clusters[0].api.caFile names gone.pem, which cannot be read (ENOENT)',
    ],
    [
      '',
      { tlsFingerprint: undefined, caFile: 'not-a-ca.pem' },
      'sources.yaml:7: clusters[0].api.caFile names not-a-ca.pem, which holds no certificate in PEM',
    ],
    [
      '',
      { insecure: 'true' },
      'sources.yaml:8: clusters[0].api.insecure is refused: pin the certificate with tlsFingerprint, or name its authority with caFile',
    ],
    [
      '    insecure: true\n',
      {},
      'sources.yaml:8: clusters[0].insecure is refused: pin the certificate with tlsFingerprint, or name its authority with caFile',
    ],
    ['    addressScope: [a]\n', {}, 'sources.yaml:8: clusters[0].addressScope must be text (quote it)'],
    ["    addressScope: ' '\n", {}, 'sources.yaml:8: clusters[0].addressScope must not be empty'],
    ['    addressScope:\n', {}, 'sources.yaml:8: clusters[0].addressScope must not be empty'],
    [
      '    addressScope: "a/b"\n',
      {},
      'sources.yaml:8: clusters[0].addressScope must be a name of letters, digits, dots, dashes and underscores',
    ],
    ['    addressScopes: [{ bridge: vmbr1 }]\n', {}, 'sources.yaml:8: clusters[0].addressScopes[0].scope is missing'],
    [
      '    addressScopes: [{ scope: nat }]\n',
      {},
      'sources.yaml:8: clusters[0].addressScopes[0].scope names no node, bridge or tag that it is for, nor perNode',
    ],
    [
      '    addressScopes: [{ bridg: vmbr1, perNode: true, scope: nat }]\n',
      {},
      'sources.yaml:8: clusters[0].addressScopes[0].bridg is not a setting that exists, did you mean "bridge"?',
    ],
    ['    addressScopes: [nat]\n', {}, 'sources.yaml:8: clusters[0].addressScopes[0] must be a map of keys and values'],
  ] as const)('%s%j: the cluster is not asked', (more, changed, message) => {
    const sources = read(cluster(more, changed));
    expect(problems(cluster(more, changed))).toEqual([message]);
    expect(sources.whole).toBe(true);
    expect(sources.settings.clusters).toEqual([expect.objectContaining({ name: 'main', broken: message })]);
    expect(inspect(sources, { depth: 9 })).not.toContain('hunter2');
  });

  /** Wrong, but the rest can be used. */
  it.each([
    ['    pollSeconds: 0\n', {}, 'sources.yaml:8: clusters[0].pollSeconds must be a whole number from 1 to 3600'],
    ['    pollSeconds: 5s\n', {}, 'sources.yaml:8: clusters[0].pollSeconds must be a whole number from 1 to 3600'],
    ['    readsPerPoll: 1.5\n', {}, 'sources.yaml:8: clusters[0].readsPerPoll must be a whole number from 1 to 10000'],
    [
      '    pollSecond: 5\n',
      {},
      'sources.yaml:8: clusters[0].pollSecond is not a setting that exists, did you mean "pollSeconds"?',
    ],
    ['    colour: red\n', {}, 'sources.yaml:8: clusters[0].colour is not a setting that exists'],
    ['    tokenId: a@pve!b\n', {}, 'sources.yaml:8: clusters[0].tokenId belongs below api'],
    ['    keyFile: id\n', {}, 'sources.yaml:8: clusters[0].keyFile belongs below ssh'],
    [
      '    password: hunter2\n',
      {},
      'sources.yaml:8: clusters[0].password is refused: give api a token, or ssh a key (keyFile); secrets are never written here',
    ],
    [
      '',
      { token: 'hunter2' },
      'sources.yaml:8: clusters[0].api.token is refused: secrets are named here (tokenSecretEnv, tokenSecretFile), never written',
    ],
    [
      '',
      { password: 'hunter2' },
      'sources.yaml:8: clusters[0].api.password is refused: sign in with an API token (tokenId, and tokenSecretEnv or tokenSecretFile)',
    ],
    [
      '',
      { user: 'root@pam' },
      'sources.yaml:8: clusters[0].api.user is not a setting that exists: tokenId names the user too (user@realm!token)',
    ],
    [
      '',
      { tokenSecretENV: 'X' },
      'sources.yaml:8: clusters[0].api.tokenSecretENV is not a setting that exists, did you mean "tokenSecretEnv"?',
    ],
    [
      '',
      { urls: '[https://192.168.11.10:8006, http://8.8.8.8]' },
      'sources.yaml:4: clusters[0].api.urls[1] is plain http to 8.8.8.8, which is on no loopback or private address: use https',
    ],
    [
      '',
      { urls: '[https://192.168.11.10:8006, "https://192.168.11.10:8006/"]' },
      'sources.yaml:4: clusters[0].api.urls[1] https://192.168.11.10:8006 is written twice',
    ],
    [
      '    insecure: false\n',
      {},
      'sources.yaml:8: clusters[0].insecure is not a setting that exists: a peer is always verified',
    ],
    ['npmm: []\n', {}, 'sources.yaml:8: npmm is not a setting that exists, did you mean "npm"?'],
    [
      'declared: { ip-adresses.conf: off }\n',
      {},
      'sources.yaml:8: declared.ip-adresses.conf is not a setting that exists, did you mean "ip-addresses.conf"?',
    ],
    [
      'declared: { ip-addresses.conf: no }\n',
      {},
      'sources.yaml:8: declared.ip-addresses.conf must be on or off: it stays on',
    ],
    ['declared: off\n', {}, 'sources.yaml:8: declared must be a map of keys and values'],
  ] as const)('%s%j: the rest is used', (more, changed, message) => {
    expect(problems(cluster(more, changed))).toEqual([message]);
    expect(read(cluster(more, changed)).settings).toMatchObject({
      declaredOff: [],
      clusters: [{ broken: null, pollSeconds: 10, readsPerPoll: 50, api: { urls: ['https://192.168.11.10:8006'] } }],
    });
  });

  /** Whoever was meant is unknown: nothing may be retired on its account. */
  it.each([
    ['  - api: {}\n', 'sources.yaml:8: clusters[1].name is missing: this cluster was left out'],
    ['  - name: 12\n', 'sources.yaml:8: clusters[1].name must be text (quote it): this cluster was left out'],
    [
      '  - name: my cluster\n',
      'sources.yaml:8: clusters[1].name must be at most 64 letters, digits, dots, dashes and underscores: this cluster was left out',
    ],
    [
      '  - name: sim-1\n',
      'sources.yaml:8: clusters[1].name "sim-1" begins with sim-, which only the simulated estate does: this cluster was left out',
    ],
    [
      '  - name: main\n',
      'sources.yaml:8: clusters[1].name "main" is the name of an earlier cluster: this cluster was left out',
    ],
    ['  - edge\n', 'sources.yaml:8: clusters[1] must be a map of keys and values'],
  ])('%s: left out, and nothing is retired', (more, message) => {
    expect(problems(cluster(more))).toEqual([message]);
    expect(read(cluster(more))).toMatchObject({
      whole: false,
      settings: { clusters: [{ name: 'main', broken: null }] },
    });
  });

  it('uses the api alone where both are written, and says so', () => {
    expect(read(cluster('    ssh: { host: x }\n')).settings).toMatchObject({
      warnings: ['sources.yaml:8: clusters[0].ssh stands beside an api, so it is not used: only the api is asked'],
      clusters: [{ broken: null, ssh: null }],
    });
  });

  it('keeps a cluster that has neither api nor ssh, as unreachable', () => {
    const message = 'sources.yaml:2: clusters[0] has neither api nor ssh: there is nothing to ask';
    expect(read('clusters:\n  - name: edge\n')).toMatchObject({
      whole: true,
      settings: { clusters: [{ name: 'edge', broken: message, api: null, ssh: null }] },
    });
  });
});

describe('a file that is no settings file at all retires nothing', () => {
  const FIXTURES = join(import.meta.dirname, '../fixtures/declared');
  const EXPECTED: Record<string, string> = {
    'sources-alias-bomb.bad.yaml': 'sources.yaml:1: Excessive alias count indicates a resource exhaustion attack',
    'sources-clusters-commented-out.bad.yaml':
      'sources.yaml:1: clusters must be a list, here it is empty: write "clusters: []" to collect from none',
    'sources-clusters-mistyped.bad.yaml':
      'sources.yaml:1: clusters is missing (is "cluster" meant to be it?): write "clusters: []" to collect from none',
    'sources-empty.bad.yaml': 'sources.yaml:1: is empty: write "clusters: []" to collect from nothing',
    'sources-half-saved.bad.yaml':
      'sources.yaml:4: column 19: Flow sequence in block collection must be sufficiently indented and end with a ]',
    'sources-key-twice.bad.yaml': 'sources.yaml:5: column 1: Map keys must be unique',
    'sources-list.bad.yaml': 'sources.yaml:1: must be a map of keys and values',
  };
  it('has its one message', async () => {
    const names = (await readdir(FIXTURES)).filter((name) => name.startsWith('sources-')).sort();
    const told: Record<string, string> = {};
    for (const name of names) {
      const sources = parseSources(await readFile(join(FIXTURES, name), 'utf8'), NEEDS);
      told[name] = sources.kind === 'unreadable' ? sources.message : sources.kind;
    }
    expect(told).toEqual(EXPECTED);
  });

  it('reads any text without failing', () => {
    const piece = fc.constantFrom(
      'clusters:',
      '\n',
      '  ',
      '- ',
      'name: main',
      'api:',
      '{',
      '}',
      '[',
      ']',
      '&a',
      '*a',
      '<<: ',
      '!!binary ',
      '"',
      ': ',
      'urls',
      '\0',
      '\t',
      '|',
      '__proto__: ',
    );
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(piece, { maxLength: 50 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (any) => {
        const sources = parseSources(any, NEEDS);
        if (sources.kind !== 'read') return;
        for (const { location } of sources.problems) expect(location).toMatch(/^sources\.yaml:[1-9]\d*$/);
      }),
    );
  });
});

describe('on disk', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'sources-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it('is absent, or read with the files beside it', async () => {
    expect(await readSources(dir, { secret })).toEqual({ kind: 'absent' });
    await writeFile(join(dir, 'sources.yaml'), cluster('', { tokenSecretEnv: undefined, tokenSecretFile: 'token' }));
    await writeFile(join(dir, 'token'), 'abc\n');
    expect(await readSources(dir, { secret })).toMatchObject({
      kind: 'read',
      problems: [],
      files: [join(dir, 'token')],
    });
  });

  it('is shipped as an example that reads without a problem', async () => {
    const text = await readFile(join(import.meta.dirname, '../../config/sources.example.yaml'), 'utf8');
    const key = utils.generateKeyPairSync('ed25519').private;
    const sound = [{ broken: null }];
    expect(parseSources(text, { secret: () => new Secret('top-secret'), file: () => key })).toMatchObject({
      problems: [],
      whole: true,
      settings: { warnings: [], clusters: sound, hosts: sound, npm: sound, unifi: sound, netbox: sound },
    });
  });
});
