import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { accountVerbs } from '../../src/accounts/keys.js';
import { keyHash, keyPrefix, keyScheme } from '../../src/auth/api-key.js';
import { authenticator } from '../../src/auth/authenticator.js';
import type { OpenedStore } from '../../src/store/open.js';
import { createTestStore } from '../testkit/postgres.js';
import { caller } from '../testkit/principal.js';

const admin = caller(['sankofa-it-admin'], { id: 'key:skit_admin000', person: 'amina' });
let store: OpenedStore;
beforeAll(async () => {
  const test = await createTestStore();
  store = test.store;
  return () => test.close();
});

const verbs = () => accountVerbs({ store, scheme: keyScheme });
const lastEvents = async (after: bigint) => store.events.after(after, ['account.changed'], 10);

describe('a key’s life', () => {
  it('is made, shown once, lets its holder in, is listed without its secret, is revoked and lets nobody in', async () => {
    const { last } = await store.events.bounds();
    const { apiKey, secret } = await verbs().apiKeyCreate(admin, { name: ' laptop ', roles: ['operator', 'operator'] });
    expect(apiKey).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      prefix: keyPrefix(secret),
      name: 'laptop',
      person: 'amina',
      roles: ['operator'],
      tenants: null,
      createdAt: expect.any(Number),
      createdBy: 'key:skit_admin000',
      expiresAt: null,
      revokedAt: null,
    });
    const listed = await verbs().apiKeys(admin);
    expect(listed).toEqual([apiKey]);
    expect(JSON.stringify(listed)).not.toContain(keyHash(secret));

    const auth = authenticator({ keyByPrefix: (prefix) => store.apiKeys.byPrefix(prefix), now: () => 0 });
    const holder = await auth.fromHeaders({ 'x-api-key': secret });
    expect(holder).toMatchObject({ id: `key:${apiKey.prefix}`, person: 'amina', tenants: 'all' });

    const revoked = await verbs().apiKeyRevoke(admin, apiKey.id);
    expect(revoked).toEqual({ ...apiKey, revokedAt: expect.any(Number) });
    expect(await verbs().apiKeyRevoke(admin, apiKey.id)).toEqual(revoked);
    auth.forget(apiKey.prefix);
    expect(await auth.fromHeaders({ 'x-api-key': secret })).toBeUndefined();

    const events = await lastEvents(last);
    expect(events.map(({ subject, payload }) => [subject, payload])).toEqual([
      [{ kind: 'API_KEY', id: apiKey.id }, expect.objectContaining({ change: 'created', by: 'amina' })],
      [
        { kind: 'API_KEY', id: apiKey.id },
        expect.objectContaining({ change: 'revoked', prefix: apiKey.prefix, by: 'amina' }),
      ],
    ]);
    expect(JSON.stringify(events, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      keyHash(secret),
    );
  });

  it('wakes every replica when it changes', async () => {
    let wake: () => void = () => undefined;
    const woken = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const stop = await store.listen(
      (channel) => channel === 'api_keys' && wake(),
      () => undefined,
    );
    onTestFinished(stop);
    await verbs().apiKeyCreate(admin, { name: 'a', roles: ['viewer'] });
    await woken;
  });
});

describe('what a caller may give away', () => {
  const good = { name: 'n', roles: ['viewer'] };
  const wrong: [string, object, string][] = [
    ['a name of spaces', { name: '  ' }, 'name'],
    ['a name of two lines', { name: 'a\nb' }, 'name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['no role', { roles: [] }, 'roles'],
    ['a role that nobody defined', { roles: ['viewer', 'root'] }, 'roles'],
    ['a role from the prototype', { roles: ['constructor'] }, 'roles'],
    ['an empty person', { person: '' }, 'person'],
    ['a tenant that does not exist', { tenants: ['acme'] }, 'tenants'],
    ['no tenant at all', { tenants: [] }, 'tenants'],
    ['an expiry that has passed', { expiresAt: Date.UTC(2020, 0) }, 'expiresAt'],
    ['an expiry that is no time', { expiresAt: Number.NaN }, 'expiresAt'],
  ];
  it.each(wrong)('%s is refused by its field, and nothing is kept', async (_, more, field) => {
    const before = await verbs().apiKeys(admin);
    const created = verbs().apiKeyCreate(admin, { ...good, ...more });
    await expect(created).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: [field] });
    expect(await verbs().apiKeys(admin)).toEqual(before);
  });

  it('null is the default; a person, a tenant and an expiry are kept', async () => {
    const nothing = { person: null, tenants: null, expiresAt: null };
    expect((await verbs().apiKeyCreate(admin, { ...good, ...nothing })).apiKey).toMatchObject({
      person: 'amina',
      tenants: null,
      expiresAt: null,
    });
    const said = { person: 'kofi', tenants: ['default'], expiresAt: Date.UTC(2100, 0) };
    expect((await verbs().apiKeyCreate(admin, { ...good, ...said })).apiKey).toMatchObject(said);
  });

  it('nobody without account:manage makes, revokes or lists keys', async () => {
    const operator = caller(['operator', 'tenant-admin']);
    const denied = { code: 'FORBIDDEN', message: expect.stringContaining('account:manage') };
    await expect(verbs().apiKeyCreate(operator, good)).rejects.toMatchObject(denied);
    await expect(verbs().apiKeyRevoke(operator, 'x')).rejects.toMatchObject(denied);
    await expect(verbs().apiKeys(operator)).rejects.toMatchObject(denied);
  });

  it('nobody gives a permission that she lacks, nor a tenant that she may not see', async () => {
    const clerk = caller(['viewer'], { permissions: new Set([...caller(['viewer']).permissions, 'account:manage']) });
    await expect(verbs().apiKeyCreate(clerk, { name: 'n', roles: ['operator'] })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('drift:decide'),
    });
    expect((await verbs().apiKeyCreate(clerk, good)).apiKey.roles).toEqual(['viewer']);

    const elsewhere = { ...admin, tenants: ['elsewhere'] };
    await expect(verbs().apiKeyCreate(elsewhere, { ...good, tenants: ['default'] })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      field: ['tenants'],
    });
    const { apiKey } = await verbs().apiKeyCreate(elsewhere, good);
    expect(apiKey.tenants).toEqual(['elsewhere']);
    expect(await verbs().apiKeys(elsewhere)).toEqual([apiKey]);
  });

  it('a key that is not there, or opens what the caller may not see, cannot be revoked', async () => {
    const { apiKey } = await verbs().apiKeyCreate(admin, good);
    for (const [who, id] of [
      [admin, 'no-such-key'],
      [admin, '00000000-0000-4000-8000-000000000000'],
      [{ ...admin, tenants: ['default'] }, apiKey.id],
    ] as const) {
      await expect(verbs().apiKeyRevoke(who, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});
