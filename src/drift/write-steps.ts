import type { DriftEventType, Finding, FindingStep } from '../domain/finding.js';
import type { NewLogEvent, Transaction } from '../store/store.js';

const TOPICS: Readonly<Record<Exclude<DriftEventType, 'IGNORED'>, string>> = {
  OPENED: 'drift.detected',
  UPDATED: 'drift.updated',
  ACKNOWLEDGED: 'drift.acknowledged',
  SUPPRESSED: 'drift.suppressed',
  RESOLVED: 'drift.resolved',
  REOPENED: 'drift.reopened',
};

/** Findings, their history, and the event rows of what is told: part of whatever made them true. */
export async function writeSteps(
  tx: Pick<Transaction, 'events' | 'findings'>,
  changed: readonly Finding[],
  steps: readonly FindingStep[],
): Promise<void> {
  const told = steps.flatMap((step) => {
    const event = logEvent(step);
    return event === undefined ? [] : [{ step, event }];
  });
  const cursors = await tx.events.append(told.map(({ event }) => event));
  const cursorOf = new Map(told.map(({ step }, i) => [step, cursors[i] ?? null]));
  const history = steps.map((step) => {
    const { findingId, at, type, actor, reason, declared, observed } = step;
    return { findingId, at, type, actor, reason, declared, observed, cursor: cursorOf.get(step) ?? null };
  });
  await tx.findings.save(changed, history);
}

function logEvent(step: FindingStep): NewLogEvent | undefined {
  const { type, findingId, at, actor, reason, declared, observed, before, after, silent } = step;
  if (silent || type === 'IGNORED') return undefined;
  const payload = {
    type,
    findingId,
    actor,
    reason,
    declared,
    observed,
    before: before === null ? null : matched(before),
    after: matched(after),
  };
  return { topic: TOPICS[type], at, subject: after.identity.subject, payload };
}

/** What a subscriber's filter is matched against: the finding before and after the step. */
function matched({ state, severity, category, clusters, guests, identity }: Finding) {
  return { state, kind: identity.kind, severity, category, clusters, guests };
}
