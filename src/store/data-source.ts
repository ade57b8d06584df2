import 'reflect-metadata';
import pg from 'pg';
import { DataSource, DefaultNamingStrategy } from 'typeorm';
import { migrations } from '../../migrations/all.js';
import { ApiKeyEntity } from './entities/api-key.js';
import { AskEntity } from './entities/ask.js';
import { ComparisonEntity } from './entities/comparison.js';
import { FindingEntity } from './entities/finding.js';
import { FindingHistoryEntity } from './entities/finding-history.js';
import { MarkEntity } from './entities/mark.js';
import { RunEntity } from './entities/run.js';
import { TYPES } from './sql-values.js';

const ENTITIES = [
  ApiKeyEntity,
  AskEntity,
  ComparisonEntity,
  FindingEntity,
  FindingHistoryEntity,
  MarkEntity,
  RunEntity,
];

/** How every connection of ours is made: dates in UTC, and nothing that waits for ever. */
export function connectionSettings(url: string, applicationName: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: applicationName,
    types: TYPES,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    options: '-c TimeZone=UTC -c DateStyle=ISO',
  };
}

/** The longest that a statement may take, that a writer waits for its turn, and that one may hold it doing nothing. */
const POOL_LIMITS = {
  statement_timeout: 60_000,
  lock_timeout: 30_000,
  idle_in_transaction_session_timeout: 30_000,
};

class SnakeCase extends DefaultNamingStrategy {
  override columnName(propertyName: string, customName: string): string {
    return customName || propertyName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  }
}

export interface Database {
  readonly orm: DataSource;
  readonly pool: pg.Pool;
}

/** Connects TypeORM and takes its pool: entities for the small tables and statements by hand share the connections. */
export async function connect(url: string, applicationName: string, maxConnections: number): Promise<Database> {
  const orm = new DataSource({
    type: 'postgres',
    url,
    poolSize: maxConnections,
    extra: { ...connectionSettings(url, applicationName), ...POOL_LIMITS },
    entities: ENTITIES,
    migrations,
    migrationsTableName: 'migrations',
    namingStrategy: new SnakeCase(),
    synchronize: false,
    logging: false,
    installExtensions: false,
    // An idle connection that breaks is dropped by the pool; the next question gets a new one, or says what is wrong.
    poolErrorHandler: () => undefined,
  });
  await orm.initialize();
  return { orm, pool: poolOf(orm) };
}

function poolOf(orm: DataSource): pg.Pool {
  if ('master' in orm.driver && orm.driver.master instanceof pg.Pool) return orm.driver.master;
  throw new Error('TypeORM no longer keeps its pg pool in `driver.master`: adapt src/store/data-source.ts');
}
