import { type NotifyTarget, REDIS_TARGET } from '../domain/notify.js';
import type { Secret } from '../domain/settings.js';
import { lacksOf } from '../domain/target-lack.js';
import type { Message } from '../store/delivery-words.js';
import { Holder } from './holder.js';
import { mailer } from './mail.js';
import { redisStream } from './redis-stream.js';
import { RedisTenure } from './redis-tenure.js';
import { TargetTenure, type TenureNeeds } from './target-tenure.js';
import { type NotificationVerbs, notificationVerbs } from './verbs.js';
import { type Attempt, postWebhook, type WebhookNeeds } from './webhook.js';

export interface NotificationNeeds extends Omit<TenureNeeds, 'deliver' | 'lack'>, WebhookNeeds {
  readonly smtpUrl: Secret | null;
  readonly redisUrl: Secret | null;
  /** How many entries the Redis stream keeps, about. */
  maxLength(): number;
  parseCursor(text: string): bigint;
}

export interface Notifications {
  readonly verbs: NotificationVerbs;
  /** Tells these from now on. What a target that stays was told, and what waits for it, does not change. */
  configure(targets: readonly NotifyTarget[]): Promise<void>;
  /** Events were committed. */
  wake(): void;
  /** Somebody asked to send dead letters of this target again. */
  wakeReplay(target: string): void;
  stop(): Promise<void>;
}

interface Running {
  readonly target: NotifyTarget;
  readonly holder: Holder;
  wantReplay(): void;
}

/** TELL: readers of the event log that pass it on, each target with its own place, so that none waits for another. */
export function notifications(needs: NotificationNeeds): Notifications {
  const sendMail = mailer(needs.smtpUrl);
  const deliver = (target: NotifyTarget, message: Message, signal: AbortSignal): Promise<Attempt> =>
    target.kind === 'mail' ? sendMail(target, message, signal) : postWebhook(target, message, needs, signal);
  const lack = (target: NotifyTarget) =>
    lacksOf(target, needs)
      .map(({ message }) => message)
      .join('; ') || null;
  const tenureNeeds: TenureNeeds = { ...needs, deliver, lack };
  const running = new Map<string, Running>();
  const redis = needs.redisUrl === null ? undefined : startRedis(needs, needs.redisUrl);

  function start(target: NotifyTarget, isChanged: boolean): Running {
    let tenure: TargetTenure | undefined;
    let isEager = isChanged;
    const holder = new Holder(target.id, needs, async () => {
      tenure = await TargetTenure.begin(target, tenureNeeds, isEager);
      isEager = false;
      return tenure;
    });
    holder.start();
    const wantReplay = () => {
      tenure?.wantReplay();
      holder.wake();
    };
    return { target, holder, wantReplay };
  }

  return {
    verbs: notificationVerbs({
      ...needs,
      deliver,
      targets: () => [...running.values()].map(({ target }) => target),
      lack,
      hasRedis: () => redis !== undefined,
      tryRedis: async () => (redis === undefined ? { kind: 'failed', reason: 'REDIS_URL is not set' } : redis.test()),
    }),
    async configure(targets) {
      // Their places first: what happens once a target is known is told to it, whoever is to tell it.
      const places = [...targets.map(({ id }) => id), ...(redis === undefined ? [] : [REDIS_TARGET])];
      for (const place of places) await needs.store.deliveries.open(place);
      const wanted = new Map(targets.map((target) => [target.id, target]));
      const gone = [...running.values()].filter(({ target }) => !isSame(target, wanted.get(target.id)));
      for (const { target } of gone) running.delete(target.id);
      await Promise.all(gone.map(({ holder }) => holder.stop()));
      const changed = new Set(gone.map(({ target }) => target.id));
      for (const target of targets)
        if (!running.has(target.id)) running.set(target.id, start(target, changed.has(target.id)));
    },
    wake() {
      for (const { holder } of running.values()) holder.wake();
      redis?.holder.wake();
    },
    wakeReplay: (target) => running.get(target)?.wantReplay(),
    async stop() {
      const holders = [...running.values()].map(({ holder }) => holder);
      running.clear();
      await Promise.all([...holders.map((holder) => holder.stop()), redis?.stop()]);
    },
  };
}

function startRedis(needs: NotificationNeeds, url: Secret) {
  const stream = redisStream(url, needs.cursorText);
  const holder = new Holder('redis', needs, () => RedisTenure.begin({ ...needs, stream }));
  holder.start();
  return {
    holder,
    /** On a connection of its own: what the stream is being told is not disturbed. */
    async test(): Promise<Attempt> {
      const probe = redisStream(url, needs.cursorText);
      try {
        await probe.newest();
        return { kind: 'delivered', status: 'Redis answered' };
      } catch (cause) {
        return { kind: 'failed', reason: cause instanceof Error ? cause.message : String(cause) };
      } finally {
        probe.close();
      }
    },
    async stop(): Promise<void> {
      stream.close();
      await holder.stop();
      stream.close();
    },
  };
}

/** The settings as text: they are plain values, networks included. */
function isSame(one: NotifyTarget, other: NotifyTarget | undefined): boolean {
  return other !== undefined && JSON.stringify(one) === JSON.stringify(other);
}
