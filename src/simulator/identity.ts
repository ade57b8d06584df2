import { randomBytes, randomUUID, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Certificate, selfSigned } from './certificate.js';
import { newSshIdentity, type SshIdentity } from './ssh-keys.js';

/** What opens the services around the clusters. */
export interface ServiceSecrets {
  readonly ssh: SshIdentity;
  readonly npm: string;
  readonly unifiPassword: string;
  readonly unifiApiKey: string;
  /** Forty digits, as NetBox makes them up to 4.4. */
  readonly netboxToken: string;
  readonly netboxTokenV2: string;
}

/** Ports of last time; a missing one is any free one. */
export interface ServicePorts {
  readonly npm?: number;
  readonly unifi?: readonly number[];
  readonly netbox?: number;
  readonly ssh?: readonly number[];
}

/** What others know a simulator by. */
export interface Identity {
  readonly certificate: Certificate;
  readonly tokenSecret: string;
  /** Of the clusters, in order; a missing one is any free port. */
  readonly ports: readonly number[];
  readonly secrets: ServiceSecrets;
  readonly servicePorts: ServicePorts;
}

/** Each secret in a file of its own. */
export interface IdentityFiles {
  readonly tokenSecret: string;
  readonly adminToken: string;
  readonly sshKey: string;
  readonly npm: string;
  readonly unifiPassword: string;
  readonly unifiApiKey: string;
  readonly netboxToken: string;
}

export function newIdentity(): Identity {
  return { certificate: selfSigned(), tokenSecret: randomUUID(), ports: [], ...newServices() };
}

function newServices(): Pick<Identity, 'secrets' | 'servicePorts'> {
  const hex = (bytes: number) => randomBytes(bytes).toString('hex');
  return {
    secrets: {
      ssh: newSshIdentity(),
      npm: randomBytes(12).toString('base64url'),
      unifiPassword: randomBytes(12).toString('base64url'),
      unifiApiKey: randomBytes(24).toString('base64url'),
      netboxToken: hex(20),
      netboxTokenV2: `nbt_${hex(6)}.${hex(20)}`,
    },
    servicePorts: {},
  };
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
    if (!isWhole || typeof identity.tokenSecret !== 'string') return undefined;
    // Written before there were services.
    return typeof identity.secrets?.ssh?.host.privateKey === 'string' ? identity : { ...identity, ...newServices() };
  } catch {
    return undefined;
  }
}

/** Writes the identity, and each secret into a file that only its owner reads. */
export async function keepIdentity(folder: string, identity: Identity, adminToken: string): Promise<IdentityFiles> {
  await mkdir(folder, { recursive: true });
  const mode = 0o600;
  const { tokenSecret, secrets } = identity;
  const keep = async (name: string, secret: string) => {
    const file = resolve(folder, name);
    await writeFile(file, secret, { mode });
    return file;
  };
  await keep(fileIn(''), JSON.stringify(identity));
  return {
    tokenSecret: await keep('token-secret', tokenSecret),
    adminToken: await keep('admin-token', adminToken),
    sshKey: await keep('id_ed25519', secrets.ssh.client.privateKey),
    npm: await keep('npm-secret', secrets.npm),
    unifiPassword: await keep('unifi-password', secrets.unifiPassword),
    unifiApiKey: await keep('unifi-api-key', secrets.unifiApiKey),
    netboxToken: await keep('netbox-token', secrets.netboxToken),
  };
}

function fileIn(folder: string): string {
  return join(folder, 'identity.json');
}
