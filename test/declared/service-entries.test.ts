import { utils } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { parseSources } from '../../src/declared/sources-file.js';
import { Secret } from '../../src/domain/settings.js';

const KEY = utils.generateKeyPairSync('ed25519').private;

const PIN = 'ab'.repeat(32);
const HOST_KEY = `SHA256:${'A'.repeat(43)}`;
const SECRETS: Readonly<Record<string, string>> = { NPM_SECRET: 's3cret', UNIFI_KEY: 'k3y', NETBOX_TOKEN: 't0ken' };

function read(text: string) {
  const sources = parseSources(`clusters:\n  - { name: main }\n  - { name: edge }\n${text}`, {
    secret: (name) => (SECRETS[name] === undefined ? undefined : new Secret(SECRETS[name])),
    file: () => KEY,
  });
  if (sources.kind !== 'read') throw new Error(sources.kind);
  // The two clusters have nothing to be asked by; that is theirs.
  const problems = sources.problems.filter(({ message }) => !message.startsWith('clusters['));
  return { ...sources, problems: problems.map(({ location, message }) => `${location}: ${message}`) };
}

const HOST = `host: 10.0.0.11, user: it-read, keyFile: id, hostKeyFingerprint: "${HOST_KEY}"`;

describe('hosts', () => {
  it('are asked for neighbours and hardware over SSH, as nodes of a cluster', () => {
    const { settings, problems, whole } = read(
      `hosts:\n  - { name: r630-01, cluster: main, ${HOST}, collect: [hardware] }\n  - { name: r630-01, cluster: edge, ${HOST} }`,
    );
    expect(problems).toEqual([]);
    expect(whole).toBe(true);
    const ssh = { host: '10.0.0.11', port: 22, user: 'it-read', passphrase: null, hostKeyFingerprint: HOST_KEY };
    expect(settings.hosts).toMatchObject([
      { name: 'r630-01', cluster: 'main', broken: null, collect: ['hardware'], ssh },
      { name: 'r630-01', cluster: 'edge', broken: null, collect: ['neighbours', 'hardware'], ssh },
    ]);
  });

  it.each([
    [`{ name: a, ${HOST} }`, 'hosts[0].cluster is missing: name the cluster that the host is a node of'],
    [`{ name: a, cluster: mian, ${HOST} }`, 'hosts[0].cluster "mian" is none of the clusters above (main, edge)'],
    [`{ name: a, cluster: main, user: x, keyFile: id, hostKeyFingerprint: "${HOST_KEY}" }`, 'hosts[0].host is missing'],
    [
      `{ name: a, cluster: main, ${HOST}, collect: [disks] }`,
      'hosts[0].collect[0] must be one of neighbours, hardware',
    ],
    [
      `{ name: a, cluster: main, ${HOST}, insecure: true }`,
      'hosts[0].insecure is refused: pin the host key with hostKeyFingerprint',
    ],
    [
      `{ name: a, cluster: main, ${HOST}, password: hunter2 }`,
      'hosts[0].password is refused: sign in with a key (keyFile)',
    ],
    [
      `{ name: a, cluster: main, ${HOST}, key: hunter2 }`,
      'hosts[0].key is refused: secrets are named here (keyFile), never written',
    ],
    [
      `{ name: a, cluster: main, ${HOST}, keyPassphrase: hunter2 }`,
      'hosts[0].keyPassphrase is refused: secrets are named here (keyPassphraseFile), never written',
    ],
    [`{ name: a, cluster: main, ${HOST}, port: }`, 'hosts[0].port must be a whole number from 1 to 65535'],
    [
      `{ name: a, cluster: main, ${HOST}, collect: [] }`,
      'hosts[0].collect collects nothing: name neighbours or hardware, or leave it out',
    ],
    [`{ name: a, cluster: main, ${HOST}, collect: hardware }`, 'hosts[0].collect must be a list'],
  ])('that are wrong stay named and are not asked: %s', (entry, message) => {
    const { settings, problems } = read(`hosts:\n  - ${entry}`);
    expect(problems).toEqual([`sources.yaml:5: ${message}`]);
    expect(settings.hosts).toMatchObject([{ name: 'a', broken: `sources.yaml:5: ${message}` }]);
  });
});

describe('services', () => {
  it('are named with their peer, their pin and where their secret lies', () => {
    const { settings, problems } = read(`npm:
  - { name: edge-proxy, url: "https://10.0.0.5:81/", identity: it@example.org, secretEnv: NPM_SECRET, tlsFingerprint: "${PIN}" }
unifi:
  - { name: campus, url: "https://10.0.0.6", apiKeyEnv: UNIFI_KEY, tlsFingerprint: "${PIN}" }
  - { name: branch, url: "https://10.0.0.7:8443", site: x7f, username: reader, passwordEnv: UNIFI_KEY, tlsFingerprint: "${PIN}" }
netbox:
  - { name: dcim, url: "https://tools.example.org/netbox/", tokenEnv: NETBOX_TOKEN, vmidField: pve_id, clusters: { "PVE Main": main }, vrfScopes: { global: default } }
`);
    expect(problems).toEqual([]);
    const tls = { kind: 'fingerprint', sha256: [PIN] };
    expect(settings).toMatchObject({
      npm: [
        {
          ...{ name: 'edge-proxy', broken: null, url: 'https://10.0.0.5:81', tls },
          ...{ identity: 'it@example.org', secret: new Secret('s3cret') },
        },
      ],
      unifi: [
        {
          ...{ name: 'campus', broken: null, url: 'https://10.0.0.6', tls, site: 'default' },
          login: { kind: 'apiKey', key: new Secret('k3y') },
        },
        { name: 'branch', site: 'x7f', login: { kind: 'password', username: 'reader', password: new Secret('k3y') } },
      ],
      netbox: [
        {
          ...{ name: 'dcim', broken: null, url: 'https://tools.example.org/netbox', tls: { kind: 'system' } },
          ...{ vmidField: 'pve_id', clusters: { 'PVE Main': 'main' }, vrfScopes: { global: 'default' } },
        },
      ],
    });
    expect(JSON.stringify(settings)).not.toMatch(/s3cret|k3y|t0ken/);
    expect(settings.netbox[0]?.token.reveal()).toBe('t0ken');
  });

  it.each([
    ['npm', '{ name: a, url: "https://x", secretEnv: NPM_SECRET }', 'npm[0].identity is missing'],
    ['npm', '{ name: a, url: "https://x", identity: a@b.c }', 'npm[0].secretEnv or secretFile is missing'],
    [
      'npm',
      '{ name: a, url: "https://x", identity: a@b.c, secret: hunter2 }',
      'npm[0].secret is refused: secrets are named here (secretEnv, secretFile), never written',
    ],
    [
      'npm',
      '{ name: a, url: "http://8.8.8.8", identity: a@b.c, secretEnv: NPM_SECRET }',
      'npm[0].url is plain http to 8.8.8.8, which is on no loopback or private address: use https',
    ],
    [
      'npm',
      '{ name: a, url: 10.0.0.5, identity: a@b.c, secretEnv: NPM_SECRET }',
      'npm[0].url is not a URL such as https://192.168.11.20:81',
    ],
    [
      'npm',
      '{ name: a, url: "https://x", identity: a@b.c, secretEnv: NPM_SECRET, insecure: true }',
      'npm[0].insecure is refused: pin the certificate with tlsFingerprint, or name its authority with caFile',
    ],
    [
      'unifi',
      '{ name: a, url: 10, apiKeyEnv: UNIFI_KEY }',
      'unifi[0].url must be a URL such as https://192.168.11.1, or https://192.168.11.1:8443 without UniFi OS',
    ],
    [
      'unifi',
      '{ name: a, url: "https://x" }',
      'unifi[0].apiKeyEnv or apiKeyFile is missing (or username with passwordEnv or passwordFile)',
    ],
    ['unifi', '{ name: a, url: "https://x", username: u }', 'unifi[0].passwordEnv or passwordFile is missing'],
    [
      'unifi',
      '{ name: a, url: "https://x", apiKeyEnv: UNIFI_KEY, password: hunter2 }',
      'unifi[0].password is refused: secrets are named here (passwordEnv, passwordFile), never written',
    ],
    [
      'unifi',
      '{ name: a, url: "https://x", apiKeyEnv: UNIFI_KEY, passwordEnv: UNIFI_KEY }',
      'unifi[0].passwordEnv stands without a username: write both, or an apiKey alone',
    ],
    [
      'npm',
      '{ name: a, url: "https://x/api/", identity: a@b.c, secretEnv: NPM_SECRET }',
      'npm[0].url must be written without /api: that is added to it',
    ],
    [
      'unifi',
      '{ name: a, url: "https://x", apiKeyEnv: UNIFI_KEY, username: u, passwordEnv: UNIFI_KEY }',
      'unifi[0].username and an apiKey are both written: keep one of them',
    ],
    [
      'netbox',
      '{ name: a, url: "https://x", tokenEnv: NOPE }',
      'netbox[0].tokenEnv names NOPE, which is not set (nor does NOPE_FILE name a readable file)',
    ],
    [
      'netbox',
      '{ name: a, url: "https://x/?q=1", tokenEnv: NETBOX_TOKEN }',
      'netbox[0].url must have nothing behind its path: no question mark and no #',
    ],
    ['netbox', '{ name: a, url: "https://x" }', 'netbox[0].tokenEnv or tokenFile is missing'],
    [
      'netbox',
      '{ name: a, url: x, tokenEnv: NETBOX_TOKEN }',
      'netbox[0].url is not a URL such as https://netbox.example.org',
    ],
    ...['https://x/api', 'https://x/api/', 'https://x/netbox/api//'].map((url): [string, string, string] => [
      'netbox',
      `{ name: a, url: "${url}", tokenEnv: NETBOX_TOKEN }`,
      'netbox[0].url must be written without /api: that is added to it',
    ]),
    [
      'netbox',
      "{ name: a, url: 'https://x', tokenEnv: NETBOX_TOKEN, vmidField: '' }",
      'netbox[0].vmidField must not be empty',
    ],
    [
      'netbox',
      '{ name: a, url: "https://x", tokenEnv: NETBOX_TOKEN, vmidField: "cf vmid" }',
      'netbox[0].vmidField must be the name of a custom field: small letters, digits and underscores',
    ],
  ])('of %s that are wrong stay named and are not asked: %s', (key, entry, message) => {
    const { settings, problems, whole } = read(`${key}:\n  - ${entry}`);
    expect(problems).toEqual([`sources.yaml:5: ${message}`]);
    expect(settings[key as 'npm']).toMatchObject([{ name: 'a', broken: `sources.yaml:5: ${message}` }]);
    expect(whole).toBe(true);
  });

  it.each(['https://x/myapi', 'https://api', 'https://x/api/netbox'])(
    'keep a URL that only looks like the API: %s',
    (url) => {
      const { settings, problems } = read(`netbox:\n  - { name: a, url: "${url}/", tokenEnv: NETBOX_TOKEN }`);
      expect([problems, settings.netbox[0]?.url]).toEqual([[], url]);
    },
  );

  it('that map a cluster to none of ours are not asked: its VMs would go out of sight, and findings with them', () => {
    const { settings, problems, whole } = read(
      'netbox:\n  - { name: a, url: "https://x", tokenEnv: NETBOX_TOKEN, clusters: { X: mian, Y: edge } }',
    );
    const broken = 'sources.yaml:5: netbox[0].clusters.X "mian" is none of the clusters above (main, edge)';
    expect(problems).toEqual([broken]);
    expect(settings.netbox).toMatchObject([{ name: 'a', broken }]);
    expect(whole).toBe(true);
  });

  it('keep what is wrong in them and breaks nothing, each entry its own', () => {
    const { settings } = read(
      'npm:\n  - { name: a, url: "https://x", identity: a@b.c, secretEnv: NPM_SECRET, nonsense: 1 }\n' +
        '  - { name: b, url: "https://y", identity: a@b.c, secretEnv: NOPE, nonsense: 1 }\n' +
        '  - { name: c, url: "https://z", identity: a@b.c, secretEnv: NPM_SECRET }\n',
    );
    const nonsense = (index: number) =>
      `sources.yaml:${5 + index}: npm[${index}].nonsense is not a setting that exists`;
    expect(settings.npm.map(({ name, broken, doubts }) => ({ name, broken, doubts }))).toEqual([
      { name: 'a', broken: null, doubts: [nonsense(0)] },
      {
        name: 'b',
        broken:
          'sources.yaml:6: npm[1].secretEnv names NOPE, which is not set (nor does NOPE_FILE name a readable file)',
        doubts: [nonsense(1)],
      },
      { name: 'c', broken: null, doubts: undefined },
    ]);
  });

  it('without a name are left out, and then nothing retires', () => {
    const { settings, problems, whole } = read(
      'npm:\n  - { url: "https://x" }\n  - { name: 5, url: "https://x" }\nunifi: {}\nnetbox:',
    );
    expect(problems).toEqual([
      'sources.yaml:5: npm[0].name is missing: this entry was left out',
      'sources.yaml:6: npm[1].name must be text (quote it): this entry was left out',
      'sources.yaml:7: unifi must be a list',
      'sources.yaml:8: netbox is empty: leave it out, or write a list',
    ]);
    expect(settings.npm).toEqual([]);
    expect(whole).toBe(false);
  });

  it.each([
    [
      'npm',
      'identity: a@b.c, secretEnv: NPM_SECRET, password: hunter2',
      'password is refused: secrets are named here (secretEnv, secretFile), never written',
    ],
    [
      'npm',
      'identity: a@b.c, secretEnv: NPM_SECRET, email: a@b.c',
      'email is not a setting that exists: write identity, the address that the user signs in with',
    ],
    [
      'unifi',
      'apiKeyEnv: UNIFI_KEY, token: hunter2',
      'token is refused: secrets are named here (apiKeyEnv, apiKeyFile, passwordEnv, passwordFile), never written',
    ],
    ['unifi', 'username: u, passwordEnv: UNIFI_KEY, user: u', 'user is not a setting that exists: write username'],
    [
      'netbox',
      'tokenEnv: NETBOX_TOKEN, apiKey: hunter2',
      'apiKey is refused: secrets are named here (tokenEnv, tokenFile), never written',
    ],
    [
      'netbox',
      'tokenEnv: NETBOX_TOKEN, username: u',
      'username is not a setting that exists: NetBox is asked with a token (tokenEnv or tokenFile)',
    ],
  ])('of %s say what to write instead of another product’s word, and stay in use: %s', (key, more, message) => {
    const { settings, problems } = read(`${key}:\n  - { name: a, url: "https://x", ${more} }`);
    expect(problems).toEqual([`sources.yaml:5: ${key}[0].${message}`]);
    expect(settings[key as 'npm']).toMatchObject([{ name: 'a', broken: null }]);
  });

  it('are told apart by name, and misspelt keys are named', () => {
    const one = '{ name: a, url: "https://x", identity: a@b.c, secretEnv: NPM_SECRET, identiy: z }';
    expect(read(`npm:\n  - ${one}\n  - ${one}`).problems).toEqual([
      'sources.yaml:5: npm[0].identiy is not a setting that exists, did you mean "identity"?',
      'sources.yaml:6: npm[1].name "a" is the name of an earlier entry: this entry was left out',
    ]);
  });
});
