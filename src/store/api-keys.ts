import type pg from 'pg';
import type { DataSource } from 'typeorm';
import type { Instant } from '../domain/time.js';
import { explaining, type Sql } from './connection.js';
import { ApiKeyEntity } from './entities/api-key.js';
import { json, text, timestamp } from './sql-values.js';
import type { ApiKeyRow, Store } from './store.js';

export function apiKeysOf(database: DataSource): Store['apiKeys'] {
  const keys = database.getRepository(ApiKeyEntity);
  return {
    byPrefix: (prefix) =>
      explaining(async () => {
        const row = await keys.findOneBy({ prefix });
        return row === null ? undefined : { ...row };
      }),
    all: () =>
      explaining(async () => (await keys.find({ order: { createdAt: 'ASC', id: 'ASC' } })).map((row) => ({ ...row }))),
  };
}

export async function addApiKey(sql: Sql, key: ApiKeyRow): Promise<void> {
  await sql.run(
    `INSERT INTO api_keys (id, prefix, hash, name, person, roles, tenants, created_at, created_by, expires_at, revoked_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      key.id,
      key.prefix,
      key.hash,
      text(key.name),
      text(key.person),
      json(key.roles),
      key.tenants === null ? null : json(key.tenants),
      timestamp(key.createdAt),
      text(key.createdBy),
      timestamp(key.expiresAt),
      timestamp(key.revokedAt),
    ],
  );
}

/** The key as it is now; the first revocation's time stays. undefined: there is no such key. */
export async function revokeApiKey(sql: Sql, id: string, at: Instant): Promise<ApiKeyRow | undefined> {
  const [key] = await sql.query<ApiKeyRow & pg.QueryResultRow>(
    `UPDATE api_keys SET revoked_at = coalesce(api_keys.revoked_at, $2) WHERE api_keys.id = $1
     RETURNING id, prefix, hash, name, person, roles, tenants, created_at AS "createdAt", created_by AS "createdBy",
               expires_at AS "expiresAt", revoked_at AS "revokedAt"`,
    [id, timestamp(at)],
  );
  return key;
}

export async function anyApiKey(sql: Sql): Promise<boolean> {
  return (await sql.query('SELECT 1 FROM api_keys LIMIT 1')).length > 0;
}
