import { randomUUID } from 'node:crypto';
import { chmod, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DomainError } from '../domain/errors.js';
import type { Secret } from '../domain/settings.js';
import type { ApiKeyRow } from '../store/store.js';
import { announce, type Needs } from './keys.js';

export interface FirstKeySettings {
  /** INIT_ADMIN_API_KEY; undefined: make a random one. */
  readonly initAdminApiKey: Secret | undefined;
  readonly dataDir: string;
}

/** `present`: there were keys already. `seeded`: from the environment. `written`: made, and its file is at `path`. */
export type FirstKey =
  | { readonly kind: 'present' }
  | { readonly kind: 'seeded' }
  | { readonly kind: 'written'; readonly path: string };

const FILE = 'admin-api-key';
const MAKER = 'sankofa-it';

/**
 * Makes the one key with which all others are made, if the table is empty: also of revoked ones, so that a revoked
 * first key does not come back with the next start. The file is complete before the row commits: whoever loses power
 * in between finds a file without a row, and the next start writes both anew.
 */
export async function seedFirstKey({ store, scheme }: Needs, settings: FirstKeySettings): Promise<FirstKey> {
  return store.transaction(async (tx) => {
    if (await tx.apiKeys.any()) return { kind: 'present' };
    const given = settings.initAdminApiKey?.reveal();
    if (given !== undefined && !scheme.isUsable(given)) {
      throw new DomainError(
        'VALIDATION_ERROR',
        'INIT_ADMIN_API_KEY must be 16 to 512 printable ASCII characters, without a space at its ends',
      );
    }
    const text = given ?? scheme.create();
    const path = join(settings.dataDir, FILE);
    if (given === undefined) await writePrivately(path, `${text}\n`);
    const row = firstRow(scheme.prefixOf(text), scheme.hashOf(text), tx.now);
    await tx.apiKeys.add(row);
    await announce(tx, row, 'created', MAKER);
    return given === undefined ? { kind: 'written', path } : { kind: 'seeded' };
  });
}

function firstRow(prefix: string, hash: string, now: number): ApiKeyRow {
  return {
    id: randomUUID(),
    prefix,
    hash,
    name: 'first admin key',
    person: 'admin',
    roles: ['sankofa-it-admin'],
    tenants: null,
    createdAt: now,
    createdBy: MAKER,
    expiresAt: null,
    revokedAt: null,
  };
}

/** Whole or not at all, and never readable by others, not even for the moment between creating and writing. */
async function writePrivately(path: string, text: string): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await rm(draft, { force: true });
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await chmod(draft, 0o600);
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new DomainError(
      'INTERNAL',
      `cannot write the first key to ${path}: set DATA_DIR to a folder that can be written`,
      {
        cause,
      },
    );
  }
}
