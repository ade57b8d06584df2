import { type Comparison, swallowerOf } from './compare/compare.js';
import type { Difference, DriftEventType, Finding, FindingId, FindingStep } from './finding.js';
import { type IgnoreRule, ignoring } from './ignore.js';
import { acknowledgedOther, isMeant, sameFacts, sameValues, stillMeant, whatChanged, wordOn } from './meant.js';
import { isGraver } from './severity.js';
import type { Instant } from './time.js';

/** What one comparison does to the findings: those to be written, and each step with the state on both sides of it. */
export interface Lived {
  readonly changed: readonly Finding[];
  readonly events: readonly FindingStep[];
  /** When a suppression or a rule of the policy runs out next; null: none does. */
  readonly due: Instant | null;
}

/**
 * The life of findings under one comparison. `before` holds all that are not RESOLVED, and those RESOLVED ones whose
 * identity is so again. Seen again with the same values: nothing is written. What is not covered stays as it was.
 *
 *   so, and before   becomes       told      when
 *   nothing          OPEN          OPENED    unless another finding tells it
 *   nothing          IGNORED                 a rule of the policy names it
 *   OPEN             OPEN          UPDATED   its values changed, or it grew graver
 *   ACKNOWLEDGED     OPEN          REOPENED  the same: the word was about another difference
 *   SUPPRESSED       OPEN          REOPENED  its time is over
 *   any living       IGNORED                 a rule names it
 *   IGNORED          SUPPRESSED              no rule names it any more, and a person's word still holds,
 *                    ACKNOWLEDGED            given for these values
 *   IGNORED          OPEN          OPENED    no rule names it any more
 *   RESOLVED         IGNORED                 a rule names it
 *   RESOLVED         SUPPRESSED              its suppression still runs
 *   RESOLVED         ACKNOWLEDGED            the acknowledged values are back in time
 *   RESOLVED         OPEN          REOPENED  otherwise
 *   not so           RESOLVED      RESOLVED  silently where it was IGNORED
 *
 * What another finding tells already stays in the state it is in.
 */
export function live(before: ReadonlyMap<FindingId, Finding>, comparison: Comparison, now: Instant): Lived {
  const { view, policy } = comparison.world;
  const ruleFor = ignoring(policy.ignore, view, now);
  const tells = teller(before, comparison);
  const life = new Life(now, policy.acknowledgedAgainWithin);
  for (const difference of comparison.so.values()) {
    const known = before.get(difference.id);
    const isSwallowed = () => swallowerOf(difference, tells) !== undefined;
    const rule = ruleFor(difference);
    if (known !== undefined) life.seenAgain(known, difference, rule, isSwallowed);
    else if (!isSwallowed()) life.seenFirst(difference, rule);
  }
  for (const known of before.values()) {
    if (known.state === 'RESOLVED' || comparison.so.has(known.id)) continue;
    const { judgement, reason } = comparison.judged(known.identity);
    const rule = known.state === 'IGNORED' || judgement === 'not so' ? undefined : ruleFor(known);
    if (judgement === 'not so') life.resolve(known, reason);
    else if (rule !== undefined) life.ignore(known, known, rule);
  }
  return { changed: life.changed, events: life.steps, due: dueOf(before, life.changed, policy.ignore, now) };
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

/** Time alone ends suppressions and rules, so it has to be looked again then though nothing changed. */
function dueOf(
  before: ReadonlyMap<FindingId, Finding>,
  changed: readonly Finding[],
  rules: readonly IgnoreRule[],
  now: Instant,
): Instant | null {
  const after = new Map(changed.map((finding) => [finding.id, finding]));
  let due: Instant | null = null;
  const note = (until: Instant | null) => {
    if (until !== null && until > now && (due === null || until < due)) due = until;
  };
  for (const { until } of rules) note(until);
  for (const finding of after.values()) if (finding.state === 'SUPPRESSED') note(finding.suppressedUntil);
  for (const finding of before.values())
    if (finding.state === 'SUPPRESSED' && !after.has(finding.id)) note(finding.suppressedUntil);
  return due;
}

const OPEN_AGAIN = { state: 'OPEN', decided: null, suppressedUntil: null, reason: null } as const;

/** One step after another, each with what is written of it. */
class Life {
  readonly changed: Finding[] = [];
  readonly steps: FindingStep[] = [];
  readonly #now: Instant;
  readonly #memory: number;

  constructor(now: Instant, memory: number) {
    this.#now = now;
    this.#memory = memory;
  }

  seenFirst(difference: Difference, rule: IgnoreRule | undefined): void {
    const finding = opened(difference, this.#now);
    if (rule === undefined) this.#tell(finding, 'OPENED', null);
    else this.ignore(null, finding, rule);
  }

  seenAgain(known: Finding, difference: Difference, rule: IgnoreRule | undefined, isSwallowed: () => boolean): void {
    const next: Finding = { ...known, ...toldBy(difference), lastSeenAt: this.#now };
    switch (known.state) {
      case 'RESOLVED':
        // Swallowed is not resolved and not open either: it stays what it was.
        if (!isSwallowed()) this.#comeBack(known, next, difference, rule);
        return;
      case 'OPEN':
        if (rule !== undefined) this.ignore(known, next, rule);
        else if (!sameValues(known, next) || isGraver(next.severity, known.severity))
          this.#tell(next, 'UPDATED', known, whatChanged(known, next));
        else this.#keep(known, next);
        return;
      case 'ACKNOWLEDGED':
        if (rule !== undefined) this.ignore(known, next, rule);
        else if (isMeant(wordOn(known), next)) this.#keep(known, next);
        else if (!isSwallowed())
          this.#tell({ ...next, ...OPEN_AGAIN }, 'REOPENED', known, acknowledgedOther(wordOn(known), next));
        return;
      case 'SUPPRESSED':
        if (rule !== undefined) this.ignore(known, next, rule);
        else if (this.#isSilenced(known) || isSwallowed()) this.#keep(known, next);
        else this.#tell({ ...next, ...OPEN_AGAIN }, 'REOPENED', known, 'the suppression ran out');
        return;
      case 'IGNORED':
        if (rule !== undefined) this.#keep(known, { ...next, reason: rule.reason, decided: stillMeant(known, next) });
        else if (!isSwallowed()) this.#endIgnoring(known, next);
        return;
    }
  }

  /** Told to nobody. What a person said before comes to hold again when the rule ends. */
  ignore(known: Finding | null, next: Finding, { reason }: IgnoreRule): void {
    this.#hush({ ...next, state: 'IGNORED', reason, decided: stillMeant(next, next) }, 'IGNORED', known, reason);
  }

  resolve(known: Finding, reason: string | null): void {
    const next: Finding = { ...known, state: 'RESOLVED', resolvedAt: this.#now };
    if (known.state === 'IGNORED') this.#hush(next, 'RESOLVED', known, reason);
    else this.#tell(next, 'RESOLVED', known, reason);
  }

  /** So again after it was resolved: as itself, and silently where a person's word on it still holds. */
  #comeBack(known: Finding, seen: Finding, difference: Difference, rule: IgnoreRule | undefined): void {
    const inTime = known.resolvedAt !== null && this.#now - known.resolvedAt <= this.#memory;
    const decided = known.decided?.state === 'ACKNOWLEDGED' && !inTime ? null : known.decided;
    const next: Finding = {
      ...seen,
      ...{ onsetAfter: difference.onsetAfter, onsetBefore: difference.onsetBefore ?? this.#now },
      ...{ decided, resolvedAt: null, occurrences: known.occurrences + 1 },
    };
    if (rule !== undefined) this.ignore(known, next, rule);
    else if (!this.#holdAgain(known, next, 'the acknowledged values are back'))
      this.#tell({ ...next, ...OPEN_AGAIN }, 'REOPENED', known, 'it is so again');
  }

  #endIgnoring(known: Finding, next: Finding): void {
    const noRule = 'no rule of the policy ignores it any more';
    if (!this.#holdAgain(known, next, noRule)) this.#tell({ ...next, ...OPEN_AGAIN }, 'OPENED', known, noRule);
  }

  /** Whether a person's word on it holds again, silently; `why` an acknowledgement does. */
  #holdAgain(known: Finding, next: Finding, why: string): boolean {
    const { decided } = next;
    if (this.#isSilenced(next)) {
      const reason = decided?.reason ?? next.reason;
      this.#hush(
        { ...next, state: 'SUPPRESSED', reason },
        'SUPPRESSED',
        known,
        'so again before the suppression ran out',
      );
      return true;
    }
    if (decided?.state !== 'ACKNOWLEDGED' || !isMeant(decided, next)) return false;
    const held: Finding = { ...next, state: 'ACKNOWLEDGED', suppressedUntil: null, reason: decided.reason };
    this.#hush(held, 'ACKNOWLEDGED', known, why);
    return true;
  }

  #isSilenced({ suppressedUntil }: Finding): boolean {
    return suppressedUntil !== null && suppressedUntil > this.#now;
  }

  #tell(after: Finding, type: DriftEventType, before: Finding | null, reason: string | null = null): void {
    this.#step(after, type, before, reason, false);
  }

  #hush(after: Finding, type: DriftEventType, before: Finding | null, reason: string | null): void {
    this.#step(after, type, before, reason, true);
  }

  #step(after: Finding, type: DriftEventType, before: Finding | null, reason: string | null, silent: boolean): void {
    const { id: findingId, declared, observed } = after;
    this.changed.push(after);
    this.steps.push({ findingId, at: this.#now, type, actor: null, reason, declared, observed, before, after, silent });
  }

  /** The same state: written only where there is something new to write. Lines that moved are told where they stand now. */
  #keep(known: Finding, next: Finding): void {
    const { severity, category, reason, decided } = next;
    if (
      !sameValues(known, next) ||
      severity !== known.severity ||
      category !== known.category ||
      reason !== known.reason ||
      decided !== known.decided ||
      !sameFacts(next.declaredBy, known.declaredBy)
    )
      this.changed.push(next);
  }
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
    decided: null,
  };
}

function toldBy(difference: Difference) {
  const { severity, category, declared, observed, declaredBy, evidence, message, guests, clusters } = difference;
  return { severity, category, declared, observed, declaredBy, evidence, message, guests, clusters };
}
