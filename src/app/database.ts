import { join } from 'node:path';
import type { Config } from '../config.js';
import { DomainError } from '../domain/errors.js';
import { startEmbedded } from '../store/embedded/start.js';
import { type OpenedStore, openStore } from '../store/open.js';
import type { Logger } from '../telemetry.js';

export interface Database {
  readonly store: OpenedStore;
  readonly isEmbedded: boolean;
  stop(): Promise<void>;
}

/** The embedded PostgreSQL, or the one that DATABASE_URL names; migrated either way. */
export async function openDatabase(config: Config, log: Logger, { migrate = true } = {}): Promise<Database> {
  if (config.databaseUrl !== null) {
    const store = await openStore({ url: config.databaseUrl.reveal(), migrate }).catch((error) => {
      throw atPeer(config.databaseUrl, error);
    });
    return { store, isEmbedded: false, stop: () => store.close() };
  }
  const embedded = await startEmbedded({ dataDir: config.dataDir, log: (line) => log.info(line) });
  try {
    const store = await openStore({ url: embedded.url, migrate });
    const stop = async () => {
      await store.close();
      await embedded.stop();
    };
    return { store, isEmbedded: true, stop };
  } catch (error) {
    await embedded.stop();
    throw error;
  }
}

/** Says which server did not answer, and never with what password it was asked. */
function atPeer(url: Config['databaseUrl'], error: unknown): unknown {
  if (!(error instanceof DomainError) || error.code !== 'UNAVAILABLE' || url === null) return error;
  const { host, pathname } = new URL(url.reveal());
  return new DomainError('UNAVAILABLE', `DATABASE_URL (${host}${pathname}): ${error.message}`, { cause: error });
}

export function simulatedFiles(config: Config): string {
  return join(config.dataDir, 'simulated');
}
