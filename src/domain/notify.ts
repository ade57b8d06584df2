import type { Cidr } from './address.js';
import type { Severity } from './finding.js';
import { MINUTE, SECOND } from './time.js';

/** Every topic of the event log: what a target may ask for, and what the Redis stream carries. */
export const TOPICS = [
  'drift.detected',
  'drift.updated',
  'drift.acknowledged',
  'drift.suppressed',
  'drift.resolved',
  'drift.reopened',
  'guest.created',
  'guest.removed',
  'guest.moved',
  'guest.power_changed',
  'guest.config_changed',
  'node.added',
  'node.removed',
  'node.status_changed',
  'collection.finished',
  'collector.stale',
  'collector.recovered',
  'contract.changed',
  'change.requested',
  'change.decided',
  'change.applied',
  'change.expired',
  'metadata.changed',
  'portmap.changed',
  'entitlement.changed',
  'entitlement.exhausted',
  'usage.recorded',
  'account.changed',
] as const;
export type Topic = (typeof TOPICS)[number];

/** The topics that a pattern such as `drift.*` names; empty where it names none. */
export function topicsLike(pattern: string): readonly Topic[] {
  const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const like = new RegExp(`^${parts.join('.*')}$`);
  return TOPICS.filter((topic) => like.test(topic));
}

/** More than `after` events within `window` (milliseconds) are told in one message. */
export interface Digest {
  readonly after: number;
  readonly window: number;
}

/** Minutes after midnight, by the clock of `timezone`. Where `to` lies before `from`, the night is meant. */
export interface QuietHours {
  readonly from: number;
  readonly to: number;
  readonly timezone: string;
}

interface Target {
  /** The written name, else one made of where it leads: its place in the log is kept under it. */
  readonly id: string;
  readonly topics: readonly Topic[];
  readonly minSeverity: Severity | null;
  /** Only what this tenant may see; null: everything. */
  readonly tenant: string | null;
  /** null: every event is a message of its own. */
  readonly digest: Digest | null;
  readonly quiet: QuietHours | null;
}

export interface WebhookTarget extends Target {
  readonly kind: 'webhook';
  /** Written, or named by an environment variable where the address itself is a secret. */
  readonly url: { readonly written: string } | { readonly env: string };
  /** The environment variable with the key of the signature; null: not signed. */
  readonly secretEnv: string | null;
  readonly format: 'json' | 'slack';
  /** Addresses that may be reached though they are refused otherwise. */
  readonly allow: readonly Cidr[];
}

export interface MailTarget extends Target {
  readonly kind: 'mail';
  readonly to: readonly string[];
  /** null: what SMTP_URL suggests. */
  readonly from: string | null;
}

export type NotifyTarget = WebhookTarget | MailTarget;

/** The name under which the Redis stream keeps its place in the log. */
export const REDIS_TARGET = 'redis';

export const DIGEST: Digest = { after: 10, window: 30 * SECOND };
/** Nobody wants a mail for each event: all of a minute go together. */
export const MAIL_DIGEST: Digest = { after: 0, window: MINUTE };

/** How long to wait after each failed attempt. When it is spent, what waits becomes dead letters. */
export const RETRY_PLAN = [60 * SECOND, 300 * SECOND, 900 * SECOND, 3_600 * SECOND, 7_200 * SECOND] as const;

/** How long one mail recipient is waited for who is refused for now while the others were told: what follows waits as long. */
export const RECIPIENT_PLAN = RETRY_PLAN.slice(0, 2);
