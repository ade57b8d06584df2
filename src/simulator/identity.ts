import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Certificate, selfSigned } from './certificate.js';

/** What others know a simulator by. */
export interface Identity {
  readonly certificate: Certificate;
  readonly tokenSecret: string;
  /** Of the clusters, in order; a missing one is any free port. */
  readonly ports: readonly number[];
}

export interface IdentityFiles {
  readonly tokenSecret: string;
  readonly adminToken: string;
}

export function newIdentity(): Identity {
  return { certificate: selfSigned(), tokenSecret: randomUUID(), ports: [] };
}

/** The identity of the last start in this folder; a new one where there was none, or where it cannot be read. */
export async function keptIdentity(folder: string): Promise<Identity> {
  const text = await readFile(fileIn(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  return (text === undefined ? undefined : read(text)) ?? newIdentity();
}

function read(text: string): Identity | undefined {
  try {
    const identity = JSON.parse(text) as Identity;
    const { fingerprint256 } = new X509Certificate(identity.certificate.cert);
    const isWhole = fingerprint256 === identity.certificate.fingerprint && Array.isArray(identity.ports);
    return isWhole && typeof identity.tokenSecret === 'string' ? identity : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the identity, and each secret into a file that only its owner reads. */
export async function keepIdentity(folder: string, identity: Identity, adminToken: string): Promise<IdentityFiles> {
  await mkdir(folder, { recursive: true });
  const files = { tokenSecret: join(folder, 'token-secret'), adminToken: join(folder, 'admin-token') };
  const mode = 0o600;
  await writeFile(fileIn(folder), JSON.stringify(identity), { mode });
  await writeFile(files.tokenSecret, identity.tokenSecret, { mode });
  await writeFile(files.adminToken, adminToken, { mode });
  return files;
}

function fileIn(folder: string): string {
  return join(folder, 'identity.json');
}
