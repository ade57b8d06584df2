import { demand, type Principal, seesTenant } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import type { Severity } from '../domain/finding.js';
import { type NotifyTarget, REDIS_TARGET, TOPICS, type Topic } from '../domain/notify.js';
import type { Page, PageRequest } from '../domain/page.js';
import type { Instant } from '../domain/time.js';
import type { TargetState } from '../store/delivery-words.js';
import type { Store } from '../store/store.js';
import { type DeadLetterRecord, letterPage, letterRecord } from './letters.js';
import { testMessage } from './message.js';
import { STREAM } from './redis-stream.js';
import type { Attempt } from './webhook.js';

export interface NotificationTargetRecord {
  readonly name: string;
  readonly kind: 'WEBHOOK' | 'SLACK' | 'EMAIL' | 'REDIS';
  /** Where it leads, without what may be a secret in it. */
  readonly address: string;
  readonly topics: readonly Topic[];
  readonly minSeverity: Severity | null;
  readonly tenant: string | null;
  readonly state: 'HEALTHY' | 'FAILING' | 'SPENT' | 'MISCONFIGURED';
  /** Cursor of the event log: everything up to there is settled. null: it has not begun. */
  readonly cursor: string | null;
  readonly failures: number;
  readonly nextAttemptAt: Instant | null;
  readonly lastSuccessAt: Instant | null;
  readonly lastFailureAt: Instant | null;
  readonly reason: string | null;
  readonly deadLetters: number;
}

export interface LettersQuery extends PageRequest {
  readonly target?: string | undefined;
  /** Also those that were replayed. */
  readonly replayed?: boolean | undefined;
}

/** TELL, as an admin sees it. Every verb needs `notification:manage`. */
export interface NotificationVerbs {
  targets(principal: Principal): Promise<readonly NotificationTargetRecord[]>;
  /** Oldest first: the order in which they would be sent again. */
  deadLetters(principal: Principal, query: LettersQuery): Promise<Page<DeadLetterRecord>>;
  /**
   * Sends dead letters of a target again, in their order, before what is new; no further than the first that fails (of mail: for each recipient).
   * Waits some seconds for what comes of it: a letter that is still queued by then goes on without anybody waiting.
   */
  replay(
    principal: Principal,
    wish: { readonly target: string; readonly ids?: readonly string[] | undefined },
    signal: AbortSignal,
  ): Promise<readonly DeadLetterRecord[]>;
  /** Sends a message that says it is a test, once, now, whatever waits. */
  test(principal: Principal, target: string, signal: AbortSignal): Promise<Attempt>;
}

export interface VerbNeeds {
  readonly store: Pick<Store, 'deliveries'>;
  now(): Instant;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  targets(): readonly NotifyTarget[];
  /** Why nothing can be sent to it as things are set; null: it may be tried. */
  lack(target: NotifyTarget): string | null;
  hasRedis(): boolean;
  cursorText(cursor: bigint): string;
  deliver(target: NotifyTarget, message: ReturnType<typeof testMessage>, signal: AbortSignal): Promise<Attempt>;
  /** Asks the Redis server for something, to see whether it answers. */
  tryRedis(): Promise<Attempt>;
}

const REPLAY_WAITS = 10_000;
const LOOK_EVERY = 100;

export function notificationVerbs(needs: VerbNeeds): NotificationVerbs {
  const { deliveries } = needs.store;
  /** The targets that the caller may manage: one without a tenant tells everything, and is for those who see everything. */
  const visible = (principal: Principal): readonly Shown[] => {
    demand(principal, 'notification:manage');
    const redis = needs.hasRedis() ? [REDIS] : [];
    return [...needs.targets().map(shown), ...redis].filter(({ tenant }) => seesTenant(principal, tenant));
  };
  const named = (principal: Principal, name: string): Shown => {
    const found = visible(principal).find((target) => target.name === name);
    if (found === undefined)
      throw new DomainError('NOT_FOUND', `policy.yaml has no target "${name}"`, { field: ['target'] });
    return found;
  };
  return {
    async targets(principal) {
      const all = visible(principal);
      const names = all.map(({ name }) => name);
      const lacks = new Map(needs.targets().map((target) => [target.id, needs.lack(target)]));
      const [states, letters] = await Promise.all([deliveries.states(names), deliveries.countLetters(names, false)]);
      return all.map((target) => {
        const state = states.find(({ id }) => id === target.name);
        const lack = lacks.get(target.name) ?? null;
        const muted = lack === null ? {} : ({ state: 'MISCONFIGURED', reason: lack } as const);
        return { ...target, ...standing(state, needs), ...muted, deadLetters: letters.get(target.name) ?? 0 };
      });
    },

    async deadLetters(principal, { target, replayed = false, ...page }) {
      const targets =
        target === undefined ? visible(principal).map(({ name }) => name) : [named(principal, target).name];
      return letterPage(deliveries, { targets, replayed }, page);
    },

    async replay(principal, { target, ids }, signal) {
      const { name } = named(principal, target);
      const queued = await deliveries.queue(name, ids, needs.now());
      const missing = ids?.filter((id) => !queued.includes(id)) ?? [];
      if (queued.length === 0 && missing.length > 0)
        throw new DomainError('NOT_FOUND', `none of these is a dead letter of "${name}" that waits`, {
          field: ['ids'],
        });
      return settled(needs, { targets: [name], ids: queued }, signal);
    },

    async test(principal, target, signal) {
      const { name } = named(principal, target);
      const found = needs.targets().find(({ id }) => id === name);
      if (found === undefined) return needs.tryRedis();
      return needs.deliver(found, testMessage(found, needs.now(), principal.name), signal);
    },
  };
}

/** The letters once none of them is queued any more, or as they are when the waiting is over. */
async function settled(
  { store, now, sleep }: VerbNeeds,
  { targets, ids }: { readonly targets: readonly string[]; readonly ids: readonly string[] },
  signal: AbortSignal,
): Promise<readonly DeadLetterRecord[]> {
  const until = now() + REPLAY_WAITS;
  for (;;) {
    const letters = await store.deliveries.letters({ targets, ids, replayed: true, limit: ids.length });
    const isOpen = letters.some(({ queuedAt }) => queuedAt !== null);
    if (!isOpen || now() >= until || signal.aborted) return letters.map(letterRecord);
    await sleep(LOOK_EVERY, signal);
  }
}

type Shown = Pick<NotificationTargetRecord, 'name' | 'kind' | 'address' | 'topics' | 'minSeverity' | 'tenant'>;

const REDIS: Shown = {
  name: REDIS_TARGET,
  kind: 'REDIS',
  address: STREAM,
  topics: TOPICS,
  minSeverity: null,
  tenant: null,
};

function shown(target: NotifyTarget): Shown {
  const { id, topics, minSeverity, tenant } = target;
  const common = { name: id, topics, minSeverity, tenant };
  if (target.kind === 'mail') return { ...common, kind: 'EMAIL', address: target.to.join(', ') };
  // The path of a chat's hook is as good as a password.
  const address = 'env' in target.url ? `$${target.url.env}` : `${new URL(target.url.written).origin}/…`;
  return { ...common, kind: target.format === 'slack' ? 'SLACK' : 'WEBHOOK', address };
}

function standing(
  state: TargetState | undefined,
  { cursorText }: Pick<VerbNeeds, 'cursorText'>,
): Omit<NotificationTargetRecord, keyof Shown | 'deadLetters'> {
  if (state === undefined) {
    const never = { nextAttemptAt: null, lastSuccessAt: null, lastFailureAt: null, reason: null };
    return { state: 'HEALTHY', cursor: null, failures: 0, ...never };
  }
  const { cursor, failures, spent, nextAttemptAt, lastSuccessAt, lastFailureAt, reason } = state;
  const how = spent ? 'SPENT' : failures > 0 ? 'FAILING' : 'HEALTHY';
  return { state: how, cursor: cursorText(cursor), failures, nextAttemptAt, lastSuccessAt, lastFailureAt, reason };
}
