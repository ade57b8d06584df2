import { describe, expect, it } from 'vitest';
import { keyHash, keyPrefix, newApiKey } from '../../src/auth/api-key.js';
import { authenticator } from '../../src/auth/authenticator.js';
import type { KeyRecord } from '../../src/auth/key-cache.js';

const NOON = Date.UTC(2026, 10, 21, 12);

/** A door with a table of keys behind it, whose clock and database are in the test's hands. */
function door() {
  const table = new Map<string, KeyRecord>();
  const state = { now: NOON, asked: [] as string[], down: false };
  const auth = authenticator({
    now: () => state.now,
    keyByPrefix: async (prefix) => {
      state.asked.push(prefix);
      if (state.down) throw new Error('connection refused');
      return table.get(prefix);
    },
  });
  const give = (more: Partial<KeyRecord> = {}, text = newApiKey()) => {
    const prefix = keyPrefix(text);
    const record = {
      prefix,
      hash: keyHash(text),
      name: 'laptop',
      person: 'amina',
      roles: ['operator'],
      tenants: null,
      expiresAt: null,
      revokedAt: null,
    };
    table.set(prefix, { ...record, ...more });
    return text;
  };
  const change = (text: string, more: Partial<KeyRecord>) => {
    const before = table.get(keyPrefix(text));
    if (before !== undefined) table.set(before.prefix, { ...before, ...more });
  };
  return { auth, state, give, change };
}

describe('a key', () => {
  it('has a prefix that lists may show and 256 bits that they may not', () => {
    const key = newApiKey();
    expect(key).toMatch(/^skit_[a-z0-9]{8}_[A-Za-z0-9_-]{43}$/);
    expect(key.startsWith(`${keyPrefix(key)}_`)).toBe(true);
    expect(newApiKey()).not.toBe(key);
  });

  it('that an admin chose herself shows nothing of its text in its prefix', () => {
    expect(keyPrefix('correct horse battery staple')).toMatch(/^h_[0-9a-f]{8}$/);
    expect(keyPrefix('skit_abcdefgh_too-short')).toMatch(/^h_/);
  });
});

describe('who is calling', () => {
  it('is known by X-API-Key and by Authorization: Bearer alike', async () => {
    const { auth, give } = door();
    const key = give({ tenants: ['default'] });
    const byHeader = await auth.fromHeaders({ 'x-api-key': key });
    expect(byHeader).toMatchObject({
      id: `key:${keyPrefix(key)}`,
      name: 'laptop',
      person: 'amina',
      tenants: ['default'],
      expiresAt: null,
    });
    expect(byHeader?.permissions.has('drift:decide')).toBe(true);
    expect(byHeader?.permissions.has('account:manage')).toBe(false);
    expect(await auth.fromHeaders({ authorization: `bearer ${key}` })).toEqual(byHeader);
    expect(await auth.fromHeaders({ authorization: `Bearer ${key}`, 'x-api-key': key })).toEqual(byHeader);
  });

  it('is known by a self-chosen key too', async () => {
    const { auth, give } = door();
    const key = give({}, 'a long pass phrase of my own');
    expect(await auth.fromHeaders({ authorization: `Bearer ${key}` })).toMatchObject({ person: 'amina' });
  });

  const refused: [string, (mine: string, other: string) => Record<string, string | string[]>][] = [
    ['nothing at all', () => ({})],
    ['an empty key', () => ({ 'x-api-key': '' })],
    ['a key that nobody has', () => ({ 'x-api-key': newApiKey() })],
    ['the right prefix with another secret', (mine) => ({ 'x-api-key': `${mine.slice(0, -4)}AAAA` })],
    ['two different keys', (mine, other) => ({ 'x-api-key': mine, authorization: `Bearer ${other}` })],
    ['a key and basic authorization', (mine) => ({ 'x-api-key': mine, authorization: 'Basic YTpi' })],
    ['the key without its scheme', (mine) => ({ authorization: mine })],
    ['a header given twice', (mine) => ({ 'x-api-key': [mine, mine] })],
    ['only the prefix', (mine) => ({ 'x-api-key': keyPrefix(mine) })],
    ['a megabyte', () => ({ 'x-api-key': 'x'.repeat(1_000_000) })],
  ];
  it.each(refused)('is nobody with %s', async (_, headers) => {
    const { auth, give } = door();
    expect(await auth.fromHeaders(headers(give(), give()))).toBeUndefined();
  });

  it('is known on a socket by what connection_init carries', async () => {
    const { auth, give } = door();
    const key = give();
    for (const params of [{ authorization: `Bearer ${key}` }, { 'x-api-key': key }, { 'X-API-Key': key }]) {
      expect(await auth.fromConnectionParams(params)).toMatchObject({ name: 'laptop' });
    }
    for (const params of [undefined, null, 'x', [], {}, { 'x-api-key': 7 }, { 'x-api-key': key, 'X-Api-Key': 'y' }]) {
      expect(await auth.fromConnectionParams(params)).toBeUndefined();
    }
  });
});

describe('a key’s life', () => {
  it('ends at its expiry to the millisecond, without asking the store again', async () => {
    const { auth, give, state } = door();
    const key = give({ expiresAt: NOON + 1_000 });
    state.now = NOON + 999;
    const caller = await auth.fromHeaders({ 'x-api-key': key });
    expect(caller?.expiresAt).toBe(NOON + 1_000);
    state.now = NOON + 1_000;
    expect(await auth.fromHeaders({ 'x-api-key': key })).toBeUndefined();
    expect(state.asked).toHaveLength(1);
  });

  it('ends at once where the revocation is announced, and after 5 seconds where no announcement came', async () => {
    const { auth, give, change, state } = door();
    const [announced, unheard] = [give(), give()];
    const holder = await auth.fromHeaders({ 'x-api-key': announced });
    await auth.fromHeaders({ 'x-api-key': unheard });
    change(announced, { revokedAt: NOON });
    change(unheard, { revokedAt: NOON });
    auth.forget(keyPrefix(announced));
    expect(await auth.fromHeaders({ 'x-api-key': announced })).toBeUndefined();
    expect(holder && (await auth.stillHolds(holder))).toBe(false);
    expect(await auth.fromHeaders({ 'x-api-key': unheard })).toBeDefined();
    state.now += 5_000;
    expect(await auth.fromHeaders({ 'x-api-key': unheard })).toBeUndefined();
  });

  it('an answer that was under way when the key was forgotten is not kept', async () => {
    const { give } = door();
    const key = give();
    const rows: ((row: KeyRecord | undefined) => void)[] = [];
    const auth = authenticator({ now: () => NOON, keyByPrefix: () => new Promise((resolve) => rows.push(resolve)) });
    const early = auth.fromHeaders({ 'x-api-key': key });
    auth.forget(keyPrefix(key));
    const record = { prefix: keyPrefix(key), hash: keyHash(key), name: 'n', person: 'p', roles: [], tenants: null };
    rows[0]?.({ ...record, expiresAt: null, revokedAt: null });
    await early;
    const late = auth.fromHeaders({ 'x-api-key': key });
    rows[1]?.({ ...record, expiresAt: null, revokedAt: NOON });
    expect(await late).toBeUndefined();
  });
});

describe('the store behind the door', () => {
  it('is asked once for many calls with one key', async () => {
    const { auth, give, state } = door();
    const key = give();
    await Promise.all(Array.from({ length: 50 }, () => auth.fromHeaders({ 'x-api-key': key })));
    await auth.fromHeaders({ 'x-api-key': key });
    expect(state.asked).toHaveLength(1);
  });

  it('is not asked for more than 100 unknown keys a second, and known ones pass meanwhile', async () => {
    const { auth, give, state } = door();
    const key = give();
    await auth.fromHeaders({ 'x-api-key': key });
    const guesses = await Promise.allSettled(
      Array.from({ length: 500 }, () => auth.fromHeaders({ 'x-api-key': newApiKey() })),
    );
    expect(state.asked.length).toBeLessThanOrEqual(101);
    const limited = guesses.filter((guess) => guess.status === 'rejected');
    expect(limited).toHaveLength(400);
    expect(limited[0]).toMatchObject({ reason: { code: 'RATE_LIMITED' } });
    expect(await auth.fromHeaders({ 'x-api-key': key })).toBeDefined();
    state.now += 1_000;
    expect(await auth.fromHeaders({ 'x-api-key': newApiKey() })).toBeUndefined();
  });

  it('may be down for five minutes before known keys stop; unknown ones are told to come back', async () => {
    const { auth, give, state } = door();
    const [known, unknown] = [give(), give()];
    await auth.fromHeaders({ 'x-api-key': known });
    state.down = true;
    state.now += 4 * 60_000;
    expect(await auth.fromHeaders({ 'x-api-key': known })).toBeDefined();
    await expect(auth.fromHeaders({ 'x-api-key': unknown })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    state.now += 61_000;
    await expect(auth.fromHeaders({ 'x-api-key': known })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });
});
