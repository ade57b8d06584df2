import { randomUUID } from 'node:crypto';
import { demand, type Principal } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import type { Instant } from '../domain/time.js';
import type { ApiKeyRow, Store, Transaction } from '../store/store.js';
import { checkedKey, type NewKey } from './key-input.js';

/** How keys are made and recognised: `auth` knows, app.ts hands it in. */
export interface KeyScheme {
  create(): string;
  prefixOf(key: string): string;
  hashOf(key: string): string;
  /** Whether a key that somebody chose herself can be presented at all. */
  isUsable(key: string): boolean;
}

export interface Needs {
  readonly store: Store;
  readonly scheme: KeyScheme;
}

/** A key as people may see it: all but the hash. */
export type ApiKey = Omit<ApiKeyRow, 'hash'>;

export interface AccountVerbs {
  /** `secret` is the key itself. It is given once, here, and kept nowhere. */
  apiKeyCreate(principal: Principal, input: NewKey): Promise<{ readonly apiKey: ApiKey; readonly secret: string }>;
  /** Revoking what is revoked changes nothing and answers the key. */
  apiKeyRevoke(principal: Principal, id: string): Promise<ApiKey>;
  /** Newest first. */
  apiKeys(principal: Principal): Promise<readonly ApiKey[]>;
}

/** ADMIT: who may call, and with what. Every verb needs `account:manage`. */
export function accountVerbs({ store, scheme }: Needs): AccountVerbs {
  return {
    async apiKeyCreate(principal, input) {
      demand(principal, 'account:manage');
      const secret = scheme.create();
      const row = await store.transaction(async (tx) => {
        const wish = checkedKey(principal, input, tx.now);
        const made: ApiKeyRow = {
          ...wish,
          id: randomUUID(),
          prefix: scheme.prefixOf(secret),
          hash: scheme.hashOf(secret),
          createdAt: tx.now,
          createdBy: principal.id,
          revokedAt: null,
        };
        await tx.apiKeys.add(made);
        await announce(tx, made, 'created', principal.person);
        return made;
      });
      return { apiKey: shown(row), secret };
    },

    async apiKeyRevoke(principal, id) {
      demand(principal, 'account:manage');
      const found = (await store.apiKeys.all()).find((key) => key.id === id && mayManage(principal, key));
      if (found === undefined) throw new DomainError('NOT_FOUND', 'there is no such API key', { field: ['id'] });
      if (found.revokedAt !== null) return shown(found);
      const revoked = await store.transaction(async (tx) => {
        const row = await tx.apiKeys.revoke(id, tx.now);
        // Two may revoke at once: the first one's moment stands, and one event tells it.
        if (row?.revokedAt === tx.now) await announce(tx, row, 'revoked', principal.person);
        return row;
      });
      return shown(revoked ?? found);
    },

    async apiKeys(principal) {
      demand(principal, 'account:manage');
      const keys = (await store.apiKeys.all()).filter((key) => mayManage(principal, key));
      return keys.sort((a, b) => b.createdAt - a.createdAt || a.id.localeCompare(b.id)).map(shown);
    },
  };
}

/** Whoever is bound to some tenants has no say over a key that opens others. */
function mayManage(principal: Principal, key: ApiKeyRow): boolean {
  const own = principal.tenants;
  return own === 'all' || (key.tenants?.every((tenant) => own.includes(tenant)) ?? false);
}

function shown({ hash: _, ...apiKey }: ApiKeyRow): ApiKey {
  return apiKey;
}

/** The word of it commits with the change. The hash stays out: readers of the log need not be trusted with it. */
export async function announce(
  tx: Transaction,
  key: ApiKeyRow,
  change: 'created' | 'revoked',
  by: string,
): Promise<void> {
  const at: Instant = tx.now;
  const { id, prefix, name, person, roles, tenants, expiresAt } = key;
  const payload = { change, prefix, name, person, roles, tenants, expiresAt, by };
  await tx.events.append([{ topic: 'account.changed', at, subject: { kind: 'API_KEY', id }, payload }]);
}
