import { CHANGE_TOPIC_OF, type ChangeRequestStep } from '../../src/domain/change-request.js';
import type { DriftPayload } from '../../src/feed/events.js';
import type { LogEvent, NewLogEvent, Store } from '../../src/store/store.js';
import { THEN } from './view.js';

/** An event log in memory, with the store's words: cursors in the order of commits, and a beginning that can move. */
export class EventLog {
  readonly rows: LogEvent[] = [];
  readonly #wakes = new Set<() => void>();
  #pruned = 0n;
  #last = 100n;
  /** What each read waits for, so that a test can let things happen in between. */
  beforeRead: () => Promise<void> = async () => {};
  reads = 0;

  readonly events: Pick<Store['events'], 'after' | 'bounds'> = {
    after: async (cursor, topics, limit) => {
      this.reads++;
      await this.beforeRead();
      return this.rows.filter((row) => row.cursor > cursor && topics.includes(row.topic)).slice(0, limit);
    },
    bounds: async () => {
      await this.beforeRead();
      return { last: this.#last, resumableAfter: this.#pruned };
    },
  };

  append(event: NewLogEvent, announce = true): bigint {
    this.#last += 3n;
    this.rows.push({ ...event, cursor: this.#last });
    if (announce) for (const wake of this.#wakes) wake();
    return this.#last;
  }

  prune(before: bigint): void {
    while ((this.rows[0]?.cursor ?? before) < before) this.#pruned = this.rows.shift()?.cursor ?? this.#pruned;
  }

  onEvents = (wake: () => void): (() => void) => {
    this.#wakes.add(wake);
    return () => this.#wakes.delete(wake);
  };

  get listeners(): number {
    return this.#wakes.size;
  }
}

export function driftOpened(vmid: number, more: Partial<DriftPayload> = {}): NewLogEvent {
  const after = {
    state: 'OPEN',
    kind: 'NAME_DIFFERS',
    severity: 'WARNING',
    category: 'CONFIGURATION',
    clusters: ['main'],
    guests: [`main/${vmid}@1`],
  } as const;
  const payload: DriftPayload = {
    type: 'OPENED',
    findingId: `NAME_DIFFERS:main/${vmid}@1:name`,
    actor: null,
    reason: null,
    declared: 'a',
    observed: 'b',
    before: null,
    after,
    ...more,
  };
  return { topic: 'drift.detected', at: THEN, subject: { kind: 'GUEST', id: `main/${vmid}@1` }, payload };
}

/** A step of a change request, as governance writes it down. */
export function changeStep(type: ChangeRequestStep['type'], more: Partial<ChangeRequestStep> = {}): NewLogEvent {
  const payload: ChangeRequestStep = {
    type,
    changeRequestId: 'change-1',
    subject: { kind: 'API', id: 'payments' },
    tenants: ['default'],
    actor: 'ada',
    reason: 'it is ready',
    contentHash: 'ab12',
    decision: null,
    ...more,
  };
  return { topic: CHANGE_TOPIC_OF[type], at: THEN, subject: payload.subject, payload };
}
