import { createClient } from '@redis/client';
import type { Secret } from '../domain/settings.js';
import { SECOND } from '../domain/time.js';
import type { LogEvent } from '../store/store.js';
import { eventJson } from './message.js';

/** The stream's name, as consumers know it. */
export const STREAM = 'sankofa.events';

const CONNECT_WITHIN = 5 * SECOND;
const ANSWER_WITHIN = 10 * SECOND;

/** The stream as the reader of the log writes it. Each call throws where Redis did not answer; the next one connects anew. */
export interface EventStream {
  /** Appends in this order. Where it throws, some of the first may have been appended. */
  append(events: readonly LogEvent[], maxLength: number): Promise<void>;
  /** Which event the newest entry is; undefined: there is none. */
  newest(): Promise<{ readonly id: string; readonly at: string } | undefined>;
  close(): void;
}

type Client = ReturnType<typeof clientFor>;

export function redisStream(url: Secret, cursorText: (cursor: bigint) => string): EventStream {
  let client: Client | undefined;
  const close = () => {
    if (client?.isOpen === true) client.destroy();
    client = undefined;
  };
  const connected = async (): Promise<Client> => {
    if (client?.isReady === true) return client;
    close();
    client = clientFor(url);
    // What it says is said again by whatever is asked of it.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  /** Whoever does not answer in time is hung up on: an answer that comes late could be taken for the next one's. */
  const asking = async <T>(ask: (redis: Client) => Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`Redis did not answer within ${ANSWER_WITHIN / SECOND} s`)),
        ANSWER_WITHIN,
      );
    });
    try {
      return await Promise.race([connected().then(ask), late]);
    } catch (cause) {
      close();
      throw cause;
    } finally {
      clearTimeout(timer);
    }
  };
  return {
    append: (events, maxLength) =>
      asking(async (redis) => {
        const TRIM = { strategy: 'MAXLEN', strategyModifier: '~', threshold: maxLength } as const;
        // One after the other into one connection: Redis takes them in this order.
        await Promise.all(events.map((event) => redis.xAdd(STREAM, '*', fieldsOf(event, cursorText), { TRIM })));
      }),
    newest: () =>
      asking(async (redis) => {
        const message = (await redis.xRevRange(STREAM, '+', '-', { COUNT: 1 }))?.[0]?.message;
        return message === undefined ? undefined : { id: String(message.id), at: String(message.at) };
      }),
    close,
  };
}

function clientFor(url: Secret) {
  return createClient({
    url: url.reveal(),
    name: 'sankofa-it',
    disableOfflineQueue: true,
    // Whoever writes decides when to try again: this one only says that it failed.
    socket: { connectTimeout: CONNECT_WITHIN, reconnectStrategy: false },
  });
}

/** Flat fields, as streams have them; subject and payload as JSON. `id` is the key: an entry may come twice. */
function fieldsOf(event: LogEvent, cursorText: (cursor: bigint) => string): Record<string, string> {
  const { id, topic, at, subject, payload } = eventJson(event, { cursorText });
  return { id, topic, at, subject: JSON.stringify(subject), payload: JSON.stringify(payload) };
}
