import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config.js';
import { DAY } from '../domain/time.js';
import { cursorText, parseCursor } from '../feed/cursor.js';
import { notifications } from '../notifications/notifications.js';
import type { Turn } from '../notifications/turn.js';
import type { NotificationVerbs } from '../notifications/verbs.js';
import type { Logger, Telemetry } from '../telemetry.js';
import type { Core } from './core.js';

/** A changed policy is noticed this often. */
const LOOK_EVERY = 500;

export interface Notifying {
  readonly verbs: NotificationVerbs;
  /** Events were committed. */
  wake(): void;
  /** Dead letters of this target are to be sent again. */
  wakeReplay(target: string): void;
  stop(): Promise<void>;
}

/** Ties TELL to the house: the targets of the policy in force, the log, and what the metrics say of it. */
export async function startNotifying(core: Core, config: Config, telemetry: Telemetry): Promise<Notifying> {
  const { log } = telemetry;
  const { store } = core.database;
  const told = notifications({
    store,
    now: core.clock.now,
    sleep,
    secret: config.secret,
    smtpUrl: config.smtpUrl,
    redisUrl: config.redisUrl,
    maxLength: () => core.policy().redis.maxLength,
    cursorText,
    parseCursor,
    findingMessages: async (ids) => {
      const found = await store.findings.byIds(ids);
      return new Map([...found].map(([id, { message }]) => [id, message]));
    },
    measured: telemetry.delivered,
    failing: telemetry.targetFailing,
    deadLetters: telemetry.deadLetters,
    turned: (target, turn) => tell(log, target, turn),
    onTrouble: (name, cause) => log.warn({ target: name, err: cause }, 'telling stopped; it goes on by itself'),
    onLost: (target) =>
      log.error(
        { target },
        'the event log no longer reaches back to where this target stood: what was pruned is not told',
      ),
  });
  let applied: unknown;
  let applying = Promise.resolve();
  const apply = (): Promise<void> => {
    applying = applying
      .catch(() => undefined)
      .then(async () => {
        const { notify } = core.policy();
        if (notify === applied) return;
        await told.configure(notify);
        applied = notify;
      });
    return applying;
  };
  await apply();
  const look = () =>
    void apply().catch((error) => log.error({ err: error }, 'the targets of notifications could not be applied'));
  // Dead letters that nobody wanted for as long as the event log is kept go with it.
  const prune = () =>
    void store.deliveries
      .prune(core.clock.now() - core.policy().retention.events)
      .catch((error) => log.warn({ err: error }, 'pruning dead letters failed'));
  prune();
  const timers = [setInterval(look, LOOK_EVERY), setInterval(prune, DAY)];
  for (const timer of timers) timer.unref();
  return {
    verbs: told.verbs,
    wake: told.wake,
    wakeReplay: told.wakeReplay,
    async stop() {
      for (const timer of timers) clearInterval(timer);
      await applying.catch(() => undefined);
      await told.stop();
    },
  };
}

async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** What mends itself is a warning; a dead letter waits for a person. */
function tell(log: Pick<Logger, 'info' | 'warn' | 'error'>, target: string, { kind, ...turn }: Turn): void {
  switch (kind) {
    case 'failing':
      log.warn({ target, ...turn }, 'this target cannot be told; it is tried again');
      break;
    case 'spent':
      log.error({ target, ...turn }, 'this target is given up: what waited for it is dead letters');
      break;
    case 'recovered':
      log.info({ target }, 'this target takes messages again');
      break;
    case 'recipient-refused':
      log.warn({ target, ...turn }, 'this recipient is refused; the others are told');
      break;
    case 'recipient-taken':
      log.info({ target, ...turn }, 'this recipient is told again');
  }
}
