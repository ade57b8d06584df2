import type { Subject } from './finding.js';
import type { Topic } from './notify.js';

/** What happens to a change that needs another person's word. */
export type ChangeRequestEventType = 'REQUESTED' | 'DECIDED' | 'APPLIED' | 'EXPIRED';
export type ChangeDecision = 'APPROVED' | 'REJECTED' | 'CANCELLED';

/** The topic under which the event log keeps each. */
export const CHANGE_TOPIC_OF = {
  REQUESTED: 'change.requested',
  DECIDED: 'change.decided',
  APPLIED: 'change.applied',
  EXPIRED: 'change.expired',
} as const satisfies Record<ChangeRequestEventType, Topic>;

/** Payload of a `change.*` event: one step of a change request. The values of the change are no part of it: an audit matter. */
export interface ChangeRequestStep {
  readonly type: ChangeRequestEventType;
  readonly changeRequestId: string;
  readonly subject: Subject;
  /** Whose the subject is, and after the change will be; empty: nobody's, so that only all-tenant callers see it. */
  readonly tenants: readonly string[];
  /** Who did it; null: the gateway by itself. */
  readonly actor: string | null;
  /** Why, in the words of who did it. */
  readonly reason: string | null;
  /** What exactly is asked for: an approval counts for this content and no other. */
  readonly contentHash: string;
  /** What was decided; null for every other type. */
  readonly decision: ChangeDecision | null;
}
