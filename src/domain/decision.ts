import { DomainError } from './errors.js';
import type { Decided, DriftEventType, DriftFindingState, Finding, FindingStep } from './finding.js';
import { DAY, type Instant, isoTime } from './time.js';

/** What a person may say of a finding. */
export type Decision =
  | { readonly kind: 'acknowledge'; readonly reason: string | null }
  | { readonly kind: 'suppress'; readonly until: Instant; readonly reason: string }
  | { readonly kind: 'reopen'; readonly reason: string | null };

export const LONGEST_REASON = 1_000;
/** Whoever wants a difference silenced for longer writes a rule into the policy, where others see it. */
export const LONGEST_SUPPRESSION = 366 * DAY;

type Answer = 'decided' | 'said already' | { readonly no: string };

const OVER: Answer = { no: 'it is resolved: nothing is left to decide until it is so again' };
const RULED: Answer = { no: 'a rule of policy.yaml ignores it: change the rule, and it opens' };

/**
 * What each word does to a finding in each state. `said already`: the same word again changes nothing; an acknowledgement
 * with another reason, and a suppression with another reason or end, are new words.
 */
const ANSWERS: Readonly<Record<Decision['kind'], Readonly<Record<DriftFindingState, Answer>>>> = {
  acknowledge: { OPEN: 'decided', ACKNOWLEDGED: 'said already', SUPPRESSED: 'decided', RESOLVED: OVER, IGNORED: RULED },
  suppress: { OPEN: 'decided', ACKNOWLEDGED: 'decided', SUPPRESSED: 'said already', RESOLVED: OVER, IGNORED: RULED },
  reopen: { OPEN: 'said already', ACKNOWLEDGED: 'decided', SUPPRESSED: 'decided', RESOLVED: OVER, IGNORED: RULED },
};

/**
 * The steps that a person's word makes, the last one to be written; none where it was said already. Acknowledging changed
 * hardware accepts the parts: nothing differs any more. CONFLICT where the state does not allow it, VALIDATION_ERROR where
 * an end is not ahead or too far.
 */
export function decide(
  finding: Finding,
  decision: Decision,
  { at, by }: { readonly at: Instant; readonly by: string },
): readonly FindingStep[] {
  if (decision.kind === 'suppress') checkUntil(decision.until, at);
  const answer = ANSWERS[decision.kind][finding.state];
  if (typeof answer === 'object') throw new DomainError('CONFLICT', answer.no, { field: ['id'] });
  if (answer === 'said already' && saysNothingNew(finding, decision)) return [];
  const first = stepOf(finding, decided(finding, decision, at, by), EVENTS[decision.kind], { at, by }, decision.reason);
  return acceptsParts(finding, decision) ? [first, accepted(first, { at, by })] : [first];
}

/** Whether a word accepts a machine's parts as they are. */
export function acceptsParts({ identity }: Finding, { kind }: Decision): boolean {
  return kind === 'acknowledge' && identity.kind === 'HARDWARE_CHANGED';
}

const EVENTS: Readonly<Record<Decision['kind'], DriftEventType>> = {
  acknowledge: 'ACKNOWLEDGED',
  suppress: 'SUPPRESSED',
  reopen: 'REOPENED',
};

function checkUntil(until: Instant, at: Instant): void {
  const field = { field: ['until'] };
  if (until <= at)
    throw new DomainError('VALIDATION_ERROR', `until must be ahead: it is ${isoTime(at)} already`, field);
  if (until > at + LONGEST_SUPPRESSION)
    throw new DomainError(
      'VALIDATION_ERROR',
      `until must be at most ${LONGEST_SUPPRESSION / DAY} days ahead: for longer, write an ignore rule into policy.yaml`,
      field,
    );
}

function saysNothingNew(finding: Finding, decision: Decision): boolean {
  switch (decision.kind) {
    case 'acknowledge':
      return decision.reason === null || decision.reason === finding.reason;
    case 'suppress':
      return decision.until === finding.suppressedUntil && decision.reason === finding.reason;
    case 'reopen':
      return true;
  }
}

function decided(finding: Finding, decision: Decision, at: Instant, by: string): Finding {
  const { reason } = decision;
  const { declared, observed, severity } = finding;
  const word = (state: Decided['state']): Decided => ({ state, at, by, reason, declared, observed, severity });
  switch (decision.kind) {
    case 'acknowledge':
      return { ...finding, state: 'ACKNOWLEDGED', suppressedUntil: null, reason, decided: word('ACKNOWLEDGED') };
    case 'suppress':
      return {
        ...finding,
        ...{ state: 'SUPPRESSED', suppressedUntil: decision.until, reason, decided: word('SUPPRESSED') },
      };
    case 'reopen':
      return { ...finding, state: 'OPEN', suppressedUntil: null, reason: null, decided: null };
  }
}

type Who = { readonly at: Instant; readonly by: string };

function accepted({ after }: FindingStep, who: Who): FindingStep {
  // Accepted is not acknowledged: the same change at another time is another one.
  const over: Finding = { ...after, state: 'RESOLVED', resolvedAt: who.at, decided: null };
  return stepOf(after, over, 'RESOLVED', who, 'the parts were accepted as they are');
}

function stepOf(
  before: Finding,
  after: Finding,
  type: DriftEventType,
  { at, by }: Who,
  reason: string | null,
): FindingStep {
  const { id: findingId, declared, observed } = after;
  return { findingId, at, type, actor: by, reason, declared, observed, before, after, silent: false };
}
