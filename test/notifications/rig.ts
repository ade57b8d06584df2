import type { NotifyTarget, WebhookTarget } from '../../src/domain/notify.js';
import { DIGEST, topicsLike } from '../../src/domain/notify.js';
import { Secret } from '../../src/domain/settings.js';
import { cursorText, parseCursor } from '../../src/feed/cursor.js';
import { type NotificationNeeds, type Notifications, notifications } from '../../src/notifications/notifications.js';
import type { OpenedStore } from '../../src/store/open.js';
import type { NewLogEvent } from '../../src/store/store.js';
import { THEN } from '../testkit/view.js';
import { OwnClock } from './clock.js';

export const KEY = 'the key of the hook';

/** A JSON webhook for everything of drift. */
export function hook(url: string, more: Partial<WebhookTarget> = {}): WebhookTarget {
  return {
    kind: 'webhook',
    id: 'hook',
    topics: topicsLike('drift.*'),
    minSeverity: null,
    tenant: null,
    digest: DIGEST,
    quiet: null,
    url: { written: url },
    secretEnv: 'HOOK_SECRET',
    format: 'json',
    allow: [],
    ...more,
  };
}

export interface Rig {
  readonly told: Notifications;
  readonly clock: OwnClock;
  readonly measured: Record<string, number>;
  readonly troubles: unknown[];
  readonly lost: string[];
  readonly turns: Readonly<Record<string, unknown>>[];
  commit(...events: readonly NewLogEvent[]): Promise<readonly bigint[]>;
  stop(): Promise<void>;
}

/** TELL over a real store, by a clock that the test owns. */
export async function rig(
  store: OpenedStore,
  targets: readonly NotifyTarget[],
  more: Partial<NotificationNeeds> & { readonly clock?: OwnClock } = {},
): Promise<Rig> {
  const clock = more.clock ?? new OwnClock(THEN);
  const measured: Record<string, number> = {};
  const troubles: unknown[] = [];
  const lost: string[] = [];
  const turns: Readonly<Record<string, unknown>>[] = [];
  const told = notifications({
    store,
    now: clock.now,
    sleep: clock.sleep,
    secret: (name) => (name === 'HOOK_SECRET' ? new Secret(KEY) : undefined),
    smtpUrl: null,
    redisUrl: null,
    maxLength: () => 1_000,
    cursorText,
    parseCursor,
    findingMessages: async (ids) => new Map(ids.map((id) => [id, `words of ${id}`])),
    measured: (target, outcome, count) => {
      measured[`${target} ${outcome}`] = (measured[`${target} ${outcome}`] ?? 0) + count;
    },
    failing: () => {},
    turned: (target, turn) => turns.push({ target, ...turn }),
    deadLetters: () => {},
    onTrouble: (_, cause) => troubles.push(cause),
    onLost: (target) => lost.push(target),
    ...more,
  });
  const unlisten = await store.listen(
    (channel, payload) => {
      if (channel === 'events') told.wake();
      if (channel === 'deliveries') told.wakeReplay(payload);
    },
    () => told.wake(),
  );
  await told.configure(targets);
  return {
    told,
    clock,
    measured,
    troubles,
    lost,
    turns,
    commit: (...events) => store.transaction((tx) => tx.events.append(events)),
    async stop() {
      await told.stop();
      await unlisten();
    },
  };
}
