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

export function newSshKey(): SshKey {
  const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519', {
    comment: 'simulated',
  });
  return { privateKey, publicKey };
}

export function newSshIdentity(): SshIdentity {
  return { host: newSshKey(), client: newSshKey() };
}

/** As `ssh-keygen -lf` prints it. */
export function fingerprintOf({ publicKey }: SshKey): string {
  const blob = Buffer.from(publicKey.split(' ')[1] ?? '', 'base64');
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
