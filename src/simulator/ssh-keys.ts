import { createHash } from 'node:crypto';
import ssh2 from 'ssh2';

/** A key pair as OpenSSH keeps it in files. */
export interface SshKey {
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

/** What SSH hosts are known by, and the one key that opens them. */
export interface SshIdentity {
  readonly host: SshKey;
  readonly client: SshKey;
}

/** One in 256 of those that ssh2 1.17 makes begins with a zero byte, which it loses: such a one is no key, and another is made. */
export function newSshKey(): SshKey {
  for (;;) {
    const made = ssh2.utils.generateKeyPairSync('ed25519', { comment: 'simulated' });
    const key = { privateKey: made.private, publicKey: made.public };
    const parsed = [ssh2.utils.parseKey(key.privateKey), ssh2.utils.parseKey(key.publicKey)];
    if (!parsed.some((one) => one instanceof Error)) return key;
  }
}

export function newSshIdentity(): SshIdentity {
  return { host: newSshKey(), client: newSshKey() };
}

/** As `ssh-keygen -lf` prints it. */
export function fingerprintOf({ publicKey }: SshKey): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
