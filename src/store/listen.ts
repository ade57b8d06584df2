import pg from 'pg';
import { connectionSettings } from './data-source.js';
import type { Channel, Store } from './store.js';

const CHANNELS: readonly Channel[] = ['inventory', 'findings', 'decisions', 'events', 'api_keys', 'asks', 'deliveries'];

const FIRST_RETRY = 100;
const LONGEST_RETRY = 5_000;
/** A connection that is silently gone (a firewall, a moved address) is found out by asking. */
const HEARTBEAT = 10_000;
const HEARTBEAT_TIMEOUT = 5_000;

/**
 * Hears every announcement on a connection of its own, and makes a new one when that is lost.
 * The first connection must succeed; after that it never gives up until stopped.
 */
export function listener(url: string, applicationName: string): Store['listen'] {
  return async (onNotify, onReconnect) => {
    const ears = new Ears(() => new pg.Client(listenSettings(url, applicationName)), onNotify, onReconnect);
    await ears.open();
    return () => ears.stop();
  };
}

function listenSettings(url: string, applicationName: string): pg.ClientConfig {
  return { ...connectionSettings(url, `${applicationName} listen`), query_timeout: HEARTBEAT_TIMEOUT };
}

class Ears {
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #retry = FIRST_RETRY;
  #stopped = false;

  constructor(
    private readonly create: () => pg.Client,
    private readonly onNotify: (channel: Channel, payload: string) => void,
    private readonly onReconnect: () => void,
  ) {}

  async open(): Promise<void> {
    const client = this.create();
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    client.on('notification', ({ channel, payload }) => {
      const known = CHANNELS.find((name) => name === channel);
      if (known !== undefined && !this.#stopped) this.onNotify(known, payload ?? '');
    });
    try {
      await client.connect();
      await client.query(CHANNELS.map((channel) => `LISTEN ${channel}`).join('; '));
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    if (this.#stopped) return client.end();
    this.#client = client;
    this.#retry = FIRST_RETRY;
    this.#timer = setTimeout(() => void this.#beat(client), HEARTBEAT);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #beat(client: pg.Client): Promise<void> {
    try {
      await client.query('SELECT 1');
      if (this.#client === client) this.#timer = setTimeout(() => void this.#beat(client), HEARTBEAT);
    } catch {
      this.#lost(client);
    }
  }

  /** Only the connection in use can be lost: one that failed to open is its opener's matter. */
  #lost(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    clearTimeout(this.#timer);
    client.end().catch(() => undefined);
    this.#reopenLater();
  }

  #reopenLater(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#reopen(), this.#retry * (0.5 + Math.random() / 2));
    this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY);
  }

  async #reopen(): Promise<void> {
    try {
      await this.open();
    } catch {
      this.#reopenLater();
      return;
    }
    if (!this.#stopped) this.onReconnect();
  }
}
