import type pg from 'pg';
import type { Instant } from '../domain/time.js';
import { apiKeysOf } from './api-keys.js';
import { asksOf } from './asks.js';
import { comparisonsOf } from './comparisons.js';
import { explained, onConnection } from './connection.js';
import { connect } from './data-source.js';
import { deliveriesOf } from './deliveries.js';
import { eventsOf } from './events.js';
import { findingsOfThen } from './finding-versions.js';
import { findingsOf } from './findings.js';
import { forgetCollected } from './forget.js';
import { listener } from './listen.js';
import { locksOn } from './locks.js';
import { migrate } from './migrate.js';
import { retentionOf } from './retention.js';
import { runsOf } from './runs.js';
import type { Store } from './store.js';
import { writerOn } from './transaction.js';
import { changesOf } from './version-changes.js';
import { versionsOf } from './versions.js';

export interface StoreOptions {
  readonly url: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName?: string;
  readonly maxConnections?: number;
  /** Apply missing migrations before answering. */
  readonly migrate?: boolean;
}

export interface OpenedStore extends Store {
  /** Applies missing migrations and gives their names, oldest first. Safe from several processes at once. */
  migrate(): Promise<readonly string[]>;
}

/** Connects to Postgres; throws UNAVAILABLE where nobody answers. */
export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { url, applicationName = 'sankofa-it', maxConnections = 10 } = options;
  const { orm, pool } = await connect(url, applicationName, maxConnections).catch((error) => {
    throw explained(error);
  });
  const writer = writerOn(pool);
  const listen = listener(url, applicationName);
  const locks = locksOn(url, applicationName);
  const stops = new Set<() => Promise<void>>();
  const store: OpenedStore = {
    migrate: () => migrate(orm, url, applicationName),
    now: () => now(pool),
    transaction: writer.transaction,
    versions: { ...versionsOf(pool), ...changesOf(pool) },
    runs: runsOf(orm),
    findings: { ...findingsOf(orm), ...findingsOfThen(pool) },
    events: eventsOf(pool, writer.inTurn),
    retention: retentionOf(pool),
    apiKeys: apiKeysOf(orm),
    comparisons: comparisonsOf(orm),
    asks: asksOf(orm),
    deliveries: deliveriesOf(pool),
    async listen(onNotify, onReconnect) {
      const stop = await listen(onNotify, onReconnect).catch((error) => {
        throw explained(error);
      });
      stops.add(stop);
      return () => {
        stops.delete(stop);
        return stop();
      };
    },
    forgetCollected: () => forgetCollected(writer),
    lock: locks.lock,
    ping: (signal) => ping(pool, signal),
    async close() {
      await Promise.all([...stops].map((stop) => stop()));
      await locks.close();
      if (orm.isInitialized) await orm.destroy();
    },
  };
  if (options.migrate === true) await migrateOrClose(store);
  return store;
}

async function migrateOrClose(store: OpenedStore): Promise<void> {
  try {
    await store.migrate();
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Never behind a time that a transaction was given, though the server's clock may have been set back. */
function now(pool: pg.Pool): Promise<Instant> {
  return onConnection(pool, async (sql) => {
    const [row] = await sql.query<{ now: Instant }>(
      `SELECT greatest(date_trunc('milliseconds', clock_timestamp()), (SELECT write_head.at FROM write_head)) AS now`,
    );
    if (row === undefined) throw new Error('the database does not tell its time');
    return row.now;
  });
}

function ping(pool: pg.Pool, signal?: AbortSignal): Promise<void> {
  const answered = onConnection(pool, async (sql) => {
    await sql.run('SELECT 1');
  });
  if (signal === undefined) return answered;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    answered.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
