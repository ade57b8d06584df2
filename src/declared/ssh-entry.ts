import ssh2 from 'ssh2';
import { Secret, type SshSettings } from '../domain/settings.js';
import { Fields, type Report } from './fields.js';
import { neverWritten, SSH_KEYS } from './instead.js';
import type { SourcesNeeds } from './proxmox-api-entry.js';
import type { Path } from './yaml-file.js';

/** Keys that people expect and that must not be there: what they would do, and what to write instead. */
const REFUSED: Readonly<Record<string, string>> = {
  password: 'is refused: sign in with a key (keyFile)',
  key: neverWritten('keyFile'),
  privateKey: neverWritten('keyFile'),
  keyPassphrase: neverWritten('keyPassphraseFile'),
  passphrase: neverWritten('keyPassphraseFile'),
  insecure: 'is refused: pin the host key with hostKeyFingerprint',
};

export const REFUSED_KEYS = Object.keys(REFUSED);

/** Reads an `ssh` entry; null where it cannot be used, which `breaks` was told. */
export function sshEntry(
  value: unknown,
  path: Path,
  needs: SourcesNeeds,
  { report, breaks }: { readonly report: Report; readonly breaks: Report },
): SshSettings | null {
  const ssh = Fields.of(value, path, breaks);
  if (ssh === undefined) return null;
  Fields.of(value, path, report)?.allow([...SSH_KEYS, ...REFUSED_KEYS]);
  for (const [key, why] of Object.entries(REFUSED)) if (ssh.raw(key) !== undefined) ssh.report(key, why);
  ssh.require(['host', 'user', 'keyFile', 'hostKeyFingerprint']);
  const host = matching(
    ssh,
    'host',
    /^[A-Za-z0-9]([A-Za-z0-9._:-]*[A-Za-z0-9])?$|^::1$/,
    'must be a host name or an address alone',
  );
  const port = ssh.raw('port') === undefined ? 22 : ssh.wholeNumber('port', 1, 65_535);
  const user = matching(ssh, 'user', /^[a-z_][a-z0-9_.-]*\$?$/i, 'must be the name of a user on the host');
  const key = privateKey(ssh, needs);
  const hostKeyFingerprint = fingerprint(ssh);
  if (host === undefined || port === undefined || user === undefined) return null;
  if (key === undefined || hostKeyFingerprint === undefined) return null;
  return { host, port, user, ...key, hostKeyFingerprint };
}

function matching(ssh: Fields, key: string, form: RegExp, expected: string): string | undefined {
  const text = ssh.text(key);
  if (text === undefined || form.test(text)) return text;
  ssh.report(key, `${expected}, here it is "${text}"`);
  return undefined;
}

/** In the one form that is unambiguous: what OpenSSH prints, with SHA-256. */
function fingerprint(ssh: Fields): string | undefined {
  const text = ssh.text('hostKeyFingerprint');
  if (text === undefined) return undefined;
  const digest = /^SHA256:([A-Za-z0-9+/]{43})=?$/.exec(text)?.[1];
  if (digest !== undefined) return `SHA256:${digest}`;
  const md5 = /^(?:MD5:)?(?:[0-9a-f]{2}:){15}[0-9a-f]{2}$/i.test(text) ? '; this one is MD5' : '';
  const form = 'must be "SHA256:" and 43 characters, as ssh-keygen -lf prints it on the host';
  ssh.report('hostKeyFingerprint', `${form}${md5}`);
  return undefined;
}

function privateKey(ssh: Fields, needs: SourcesNeeds): { key: Secret; passphrase: Secret | null } | undefined {
  const phrased = ssh.raw('keyPassphraseFile') !== undefined;
  const phrase = phrased ? named(ssh, 'keyPassphraseFile', needs)?.replace(/\r?\n$/, '') : undefined;
  const text = named(ssh, 'keyFile', needs);
  if (text === undefined || (phrased && phrase === undefined)) return undefined;
  const wrong = wrongKey(text, phrase);
  if (wrong === undefined)
    return { key: new Secret(text), passphrase: phrase === undefined ? null : new Secret(phrase) };
  ssh.report('keyFile', `names ${ssh.text('keyFile')}, which ${wrong}`);
  return undefined;
}

function named(ssh: Fields, key: string, needs: SourcesNeeds): string | undefined {
  const path = ssh.text(key);
  if (path === undefined) return undefined;
  try {
    const text = needs.file(path);
    if (text.trim() !== '') return text;
    ssh.report(key, `names ${path}, which is empty`);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    ssh.report(key, `names ${path}, which cannot be read (${code})`);
  }
  return undefined;
}

function wrongKey(text: string, passphrase: string | undefined): string | undefined {
  const parsed = ssh2.utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined) return 'holds no key';
  if (!(key instanceof Error)) return key.isPrivateKey() ? undefined : 'holds a public key: name the private one';
  if (/no passphrase/i.test(key.message)) return 'is encrypted: name the file with its passphrase in keyPassphraseFile';
  if (/bad passphrase|integrity/i.test(key.message)) return 'the passphrase of keyPassphraseFile does not open';
  return 'holds no private key that SSH uses (ssh-keygen -t ed25519 makes one)';
}
