import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { seedFirstKey } from '../../src/accounts/first-key.js';
import { keyScheme } from '../../src/auth/api-key.js';
import { authenticator } from '../../src/auth/authenticator.js';
import { Secret } from '../../src/domain/settings.js';
import { createTestStore } from '../testkit/postgres.js';

async function bareGateway() {
  const { store, close } = await createTestStore();
  onTestFinished(close);
  const root = await mkdtemp(join(tmpdir(), 'sankofa-first-key-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const dataDir = join(root, '.data');
  const seed = (initAdminApiKey?: string) =>
    seedFirstKey(
      { store, scheme: keyScheme },
      { dataDir, initAdminApiKey: initAdminApiKey === undefined ? undefined : new Secret(initAdminApiKey) },
    );
  const letIn = (key: string) =>
    authenticator({ keyByPrefix: (prefix) => store.apiKeys.byPrefix(prefix), now: () => 0 }).fromHeaders({
      'x-api-key': key,
    });
  return { store, dataDir, seed, letIn };
}

describe('the first key', () => {
  it('is written to a file that only its owner may read, and lets an admin in', async () => {
    const { dataDir, seed, letIn } = await bareGateway();
    const path = join(dataDir, 'admin-api-key');
    expect(await seed()).toEqual({ kind: 'written', path });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(dataDir)).toEqual(['admin-api-key']);
    const key = (await readFile(path, 'utf8')).trim();
    expect(await letIn(key)).toMatchObject({ roles: ['sankofa-it-admin'], tenants: 'all', expiresAt: null });
  });

  it('stays what it is at the next start', async () => {
    const { dataDir, seed } = await bareGateway();
    await seed();
    const before = await readFile(join(dataDir, 'admin-api-key'), 'utf8');
    expect(await seed()).toEqual({ kind: 'present' });
    expect(await seed('another-key-of-mine')).toEqual({ kind: 'present' });
    expect(await readFile(join(dataDir, 'admin-api-key'), 'utf8')).toBe(before);
  });

  it('is not made again once it was revoked', async () => {
    const { store, seed } = await bareGateway();
    await seed();
    const [first] = await store.apiKeys.all();
    await store.transaction((tx) => tx.apiKeys.revoke(first?.id ?? '', tx.now));
    expect(await seed()).toEqual({ kind: 'present' });
  });

  it.each(['my own admin key', keyScheme.create(), 'x'.repeat(16)])(
    'is INIT_ADMIN_API_KEY where that is set',
    async (key) => {
      const { store, dataDir, seed, letIn } = await bareGateway();
      expect(await seed(key)).toEqual({ kind: 'seeded' });
      expect(await letIn(key)).toMatchObject({ roles: ['sankofa-it-admin'] });
      expect(await letIn(`${key}!`)).toBeUndefined();
      await expect(stat(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(JSON.stringify(await store.apiKeys.all())).not.toContain(key);
    },
  );

  it.each(['fifteen-letters', 'ends in a space. ', 'not ascii: ääääääää', 'two\nlines of a key', 'x'.repeat(513)])(
    'is refused by the name of its variable where it cannot travel in a header (%#)',
    async (key) => {
      const { store, seed } = await bareGateway();
      const refused = await seed(key).catch((error: Error) => error.message);
      expect(refused).toMatch(/^INIT_ADMIN_API_KEY must be/);
      expect(refused).not.toContain(key);
      expect(await store.apiKeys.all()).toEqual([]);
    },
  );

  it('is made once though two replicas start together', async () => {
    const { store, seed } = await bareGateway();
    const kinds = (await Promise.all([seed(), seed()])).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(['present', 'written']);
    expect(await store.apiKeys.all()).toHaveLength(1);
  });

  it('leaves no key behind where its file cannot be written, and says which folder to change', async () => {
    const { store, dataDir, seed } = await bareGateway();
    await writeFile(dataDir, 'a file where the folder should be');
    await expect(seed()).rejects.toThrow(/cannot write the first key to .*DATA_DIR/);
    expect(await store.apiKeys.all()).toEqual([]);
  });

  it('replaces a file of a start that never finished, also one that others may read', async () => {
    const { dataDir, seed, letIn } = await bareGateway();
    const path = join(dataDir, 'admin-api-key');
    await mkdir(dataDir);
    await writeFile(path, 'half', { mode: 0o644 });
    await chmod(path, 0o644);
    await seed();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await letIn((await readFile(path, 'utf8')).trim())).toBeDefined();
  });
});
