import { utils } from 'ssh2';
import { describe, expect, it } from 'vitest';
import { parseSources } from '../../src/declared/sources-file.js';

const plain = utils.generateKeyPairSync('ed25519');
const encrypted = utils.generateKeyPairSync('ed25519', { passphrase: 'open sesame', cipher: 'aes256-ctr', rounds: 16 });
const FILES: Readonly<Record<string, string>> = {
  ...{ id_ed25519: plain.private, 'id_ed25519.pub': plain.public, locked: encrypted.private },
  ...{ passphrase: 'open sesame\n', other: 'sesame', empty: ' \n', notes: 'no key at all' },
};
const PRINT = 'SHA256:hFhHgsDYXTbZGzQkyw8hOLVhYOGtCTBbnKoxmvSHeqI';
const GOOD = { host: '192.168.12.10', user: 'it-read', keyFile: 'id_ed25519', hostKeyFingerprint: PRINT };

function read(ssh: unknown) {
  const files: string[] = [];
  const file = (path: string): string => {
    files.push(path);
    const text = FILES[path];
    if (text === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return text;
  };
  const text = `clusters:\n  - name: edge\n    ssh: ${JSON.stringify(ssh)}\n`;
  const result = parseSources(text, { secret: () => undefined, file });
  if (result.kind !== 'read') throw new Error(JSON.stringify(result));
  return { ...result, cluster: result.settings.clusters[0] };
}

describe('a cluster that is reached over SSH', () => {
  it('names its host, its user, the key and the key of the host', () => {
    const { cluster, problems, whole, files } = read(GOOD);
    expect(problems).toEqual([]);
    expect(whole).toBe(true);
    expect(cluster).toMatchObject({ name: 'edge', broken: null, api: null });
    expect(cluster?.ssh).toMatchObject({ host: '192.168.12.10', port: 22, user: 'it-read', hostKeyFingerprint: PRINT });
    expect(cluster?.ssh?.key.reveal()).toBe(plain.private);
    expect(cluster?.ssh?.passphrase).toBeNull();
    expect(files).toEqual(['id_ed25519']);
  });

  it('may have a port of its own, an encrypted key, and a fingerprint with padding', () => {
    const more = { port: 2222, keyFile: 'locked', keyPassphraseFile: 'passphrase', hostKeyFingerprint: `${PRINT}=` };
    const { cluster, problems, files } = read({ ...GOOD, ...more });
    expect(problems).toEqual([]);
    expect(cluster?.ssh).toMatchObject({ port: 2222, hostKeyFingerprint: PRINT });
    expect(cluster?.ssh?.passphrase?.reveal()).toBe('open sesame');
    expect([...files].sort()).toEqual(['locked', 'passphrase']);
  });

  it('prints no secret', () => {
    expect(JSON.stringify(read(GOOD).cluster)).not.toContain('PRIVATE');
  });

  it.each([
    ['host', { host: undefined }, 'is missing'],
    ['host', { host: 'root@pve1' }, 'must be a host name or an address alone, here it is "root@pve1"'],
    ['host', { host: '-oProxyCommand=x' }, 'must be a host name or an address alone, here it is "-oProxyCommand=x"'],
    ['port', { port: 0 }, 'must be a whole number from 1 to 65535'],
    ['port', { port: '22' }, 'must be a whole number from 1 to 65535'],
    ['user', { user: undefined }, 'is missing'],
    ['user', { user: 'a b' }, 'must be the name of a user on the host, here it is "a b"'],
    ['keyFile', { keyFile: undefined }, 'is missing'],
    ['keyFile', { keyFile: 'nowhere' }, 'names nowhere, which cannot be read (ENOENT)'],
    ['keyFile', { keyFile: 'empty' }, 'names empty, which is empty'],
    ['keyFile', { keyFile: 'id_ed25519.pub' }, 'names id_ed25519.pub, which holds a public key: name the private one'],
    [
      'keyFile',
      { keyFile: 'notes' },
      'names notes, which holds no private key that SSH uses (ssh-keygen -t ed25519 makes one)',
    ],
    [
      'keyFile',
      { keyFile: 'locked' },
      'names locked, which is encrypted: name the file with its passphrase in keyPassphraseFile',
    ],
    [
      'keyFile',
      { keyFile: 'locked', keyPassphraseFile: 'other' },
      'names locked, which the passphrase of keyPassphraseFile does not open',
    ],
    ['keyPassphraseFile', { keyPassphraseFile: 'nowhere' }, 'names nowhere, which cannot be read (ENOENT)'],
    ['hostKeyFingerprint', { hostKeyFingerprint: undefined }, 'is missing'],
    [
      'hostKeyFingerprint',
      { hostKeyFingerprint: 'SHA256:short' },
      'must be "SHA256:" and 43 characters, as ssh-keygen -lf prints it on the host',
    ],
    [
      'hostKeyFingerprint',
      { hostKeyFingerprint: 'MD5:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff' },
      'must be "SHA256:" and 43 characters, as ssh-keygen -lf prints it on the host; this one is MD5',
    ],
    ['password', { password: 'x' }, 'is refused: sign in with a key (keyFile)'],
    ['key', { key: 'x' }, 'is refused: secrets are named here (keyFile), never written'],
    ['keyPassphrase', { keyPassphrase: 'x' }, 'is refused: secrets are named here (keyPassphraseFile), never written'],
    ['insecure', { insecure: true }, 'is refused: pin the host key with hostKeyFingerprint'],
  ])('with a wrong %s (%j) is unreachable, and says why', (field, wrong, why) => {
    const message = `sources.yaml:3: clusters[0].ssh.${field} ${why}`;
    const { cluster, problems, whole } = read({ ...GOOD, ...wrong });
    expect(problems.map((problem) => `${problem.location}: ${problem.message}`)).toEqual([message]);
    expect({ whole, broken: cluster?.broken }).toEqual({ whole: true, broken: message });
  });

  it('is told of its host key where insecure stands beside the entry', () => {
    const text = `clusters:\n  - name: edge\n    insecure: true\n    ssh: ${JSON.stringify(GOOD)}\n`;
    const result = parseSources(text, { secret: () => undefined, file: () => plain.private });
    expect(result).toMatchObject({
      problems: [
        {
          location: 'sources.yaml:3',
          message: 'clusters[0].insecure is refused: pin the host key with hostKeyFingerprint',
        },
      ],
    });
  });

  it('with a key that nobody knows stays in use, and says so', () => {
    const { cluster, problems } = read({ ...GOOD, keyfile: 'x' });
    expect(problems.map(({ message }) => message)).toEqual([
      'clusters[0].ssh.keyfile is not a setting that exists, did you mean "keyFile"?',
    ]);
    expect(cluster?.broken).toBeNull();
  });
});
