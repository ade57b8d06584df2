import { type Comparison, swallowerOf } from './compare/compare.js';
import type { Difference, DriftEventType, Finding, FindingEvent, FindingId } from './finding.js';
import { isGraver } from './severity.js';
import type { Instant } from './time.js';

/** What one comparison does to the findings: those to be written, and each step with the state before it. */
export interface Lived {
  readonly changed: readonly Finding[];
  readonly events: readonly (FindingEvent & { readonly before: Finding | null })[];
}

/**
 * The life of findings under one comparison. `before` holds all that are not RESOLVED, and those RESOLVED ones whose
 * identity is so again. Seen again with the same values: nothing is written. What is not covered stays as it was.
 */
export function live(before: ReadonlyMap<FindingId, Finding>, comparison: Comparison, now: Instant): Lived {
  const changed: Finding[] = [];
  const events: (FindingEvent & { before: Finding | null })[] = [];
  const step = (next: Finding, type: DriftEventType | null, was: Finding | null, reason: string | null = null) => {
    changed.push(next);
    if (type === null) return;
    const { id: findingId, declared, observed } = next;
    events.push({ findingId, at: now, type, actor: null, reason, declared, observed, before: was });
  };

  const tells = teller(before, comparison);
  for (const difference of comparison.so.values()) {
    const known = before.get(difference.id);
    if (known === undefined) {
      if (swallowerOf(difference, tells) === undefined) step(opened(difference, now), 'OPENED', null);
    } else seenAgain(known, difference, now, () => swallowerOf(difference, tells) !== undefined, step);
  }
  for (const known of before.values()) {
    if (known.state === 'RESOLVED' || comparison.so.has(known.id)) continue;
    const { judgement, reason } = comparison.judged(known.identity);
    if (judgement === 'not so')
      step({ ...known, state: 'RESOLVED', resolvedAt: now, lastSeenAt: known.lastSeenAt }, 'RESOLVED', known, reason);
  }
  return { changed, events };
}

/** A finding that tells another one already: it is so, or it is kept open while nobody can look. */
function teller(before: ReadonlyMap<FindingId, Finding>, comparison: Comparison): (id: FindingId) => boolean {
  return (id) => {
    if (comparison.so.has(id)) return true;
    const known = before.get(id);
    return (
      known !== undefined && known.state !== 'RESOLVED' && comparison.judged(known.identity).judgement === 'not covered'
    );
  };
}

type Step = (next: Finding, type: DriftEventType | null, was: Finding | null, reason?: string | null) => void;

function seenAgain(known: Finding, difference: Difference, now: Instant, isSwallowed: () => boolean, step: Step): void {
  const same = known.declared === difference.declared && known.observed === difference.observed;
  const graver = isGraver(difference.severity, known.severity);
  const next: Finding = { ...known, ...toldBy(difference), lastSeenAt: now };
  switch (known.state) {
    case 'RESOLVED':
      // Swallowed is not resolved and not open either: it stays what it was.
      if (isSwallowed()) return;
      reopened(known, difference, now, step);
      return;
    case 'OPEN':
      if (!same || graver) step(next, 'UPDATED', known);
      else if (difference.severity !== known.severity) step(next, null, known);
      return;
    case 'ACKNOWLEDGED':
      // The person's word was about another difference.
      if (!same || graver) step({ ...next, state: 'OPEN', reason: null }, 'REOPENED', known);
      return;
    case 'SUPPRESSED':
      if (known.suppressedUntil !== null && known.suppressedUntil <= now) {
        step(
          { ...next, state: 'OPEN', suppressedUntil: null, reason: null },
          'REOPENED',
          known,
          'the suppression ran out',
        );
      } else if (!same) step(next, null, known);
      return;
    case 'IGNORED':
      if (!same) step(next, null, known);
      return;
  }
}

function reopened(known: Finding, difference: Difference, now: Instant, step: Step): void {
  const onset = { onsetAfter: difference.onsetAfter, onsetBefore: difference.onsetBefore ?? now };
  const next: Finding = {
    ...known,
    ...toldBy(difference),
    ...onset,
    resolvedAt: null,
    lastSeenAt: now,
    occurrences: known.occurrences + 1,
  };
  const silent = known.suppressedUntil !== null && known.suppressedUntil > now;
  if (silent) step({ ...next, state: 'SUPPRESSED' }, null, known);
  else step({ ...next, state: 'OPEN', suppressedUntil: null, reason: null }, 'REOPENED', known);
}

function opened(difference: Difference, now: Instant): Finding {
  return {
    id: difference.id,
    identity: difference.identity,
    state: 'OPEN',
    ...toldBy(difference),
    firstSeenAt: now,
    lastSeenAt: now,
    onsetAfter: difference.onsetAfter,
    onsetBefore: difference.onsetBefore ?? now,
    resolvedAt: null,
    occurrences: 1,
    suppressedUntil: null,
    reason: null,
  };
}

function toldBy(difference: Difference) {
  const { severity, category, declared, observed, declaredBy, evidence, message, guests, clusters } = difference;
  return { severity, category, declared, observed, declaredBy, evidence, message, guests, clusters };
}
