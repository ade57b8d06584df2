import { type Principal, permissionsOf } from '../domain/access.js';
import { couldBeKey, isKeyOf, keyPrefix } from './api-key.js';
import { type Credentials, credentialsOf, credentialsOfParams, type Headers } from './credentials.js';
import { type KeyRecord, keyCache, type Needs } from './key-cache.js';

/** Says who is calling. `undefined` is one answer for every reason why not: a door does not explain itself. */
export interface Authenticator {
  fromHeaders(headers: Headers): Promise<Principal | undefined>;
  fromConnectionParams(params: unknown): Promise<Principal | undefined>;
  /** Whether what a caller came in with still holds: for sockets that live longer than a look at the door. */
  stillHolds(principal: Principal): Promise<boolean>;
  /** A key changed (its prefix), or any may have (nothing): look it up again at the next call. */
  forget(prefix?: string): void;
}

const KEY_ID = 'key:';

/** Throws only DomainError UNAVAILABLE (keys cannot be looked up) and RATE_LIMITED (too many unknown ones). */
export function authenticator(needs: Needs): Authenticator {
  const cache = keyCache(needs);

  async function admit(credentials: Credentials): Promise<Principal | undefined> {
    if (credentials.kind !== 'key' || !couldBeKey(credentials.text)) return undefined;
    const record = await cache.find(keyPrefix(credentials.text));
    if (record === undefined || !isKeyOf(credentials.text, record.hash) || !isAlive(record, needs.now())) {
      return undefined;
    }
    return principalOf(record);
  }

  return {
    fromHeaders: (headers) => admit(credentialsOf(headers)),
    fromConnectionParams: (params) => admit(credentialsOfParams(params)),
    async stillHolds(principal) {
      if (!principal.id.startsWith(KEY_ID)) return false;
      const record = await cache.find(principal.id.slice(KEY_ID.length));
      return record !== undefined && isAlive(record, needs.now());
    },
    forget: (prefix) => cache.forget(prefix),
  };
}

function isAlive(record: KeyRecord, at: number): boolean {
  return record.revokedAt === null && (record.expiresAt === null || record.expiresAt > at);
}

function principalOf(record: KeyRecord): Principal {
  return {
    id: `${KEY_ID}${record.prefix}`,
    name: record.name,
    person: record.person,
    roles: record.roles,
    permissions: permissionsOf(record.roles),
    tenants: record.tenants ?? 'all',
    expiresAt: record.expiresAt,
  };
}
