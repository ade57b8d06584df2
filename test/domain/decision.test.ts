import { describe, expect, it } from 'vitest';
import { type Decision, decide } from '../../src/domain/decision.js';
import { DomainError } from '../../src/domain/errors.js';
import { type DriftFindingState, FINDING_STATES, type Finding } from '../../src/domain/finding.js';
import { DAY } from '../../src/domain/time.js';
import { aFinding, THEN } from '../testkit/view.js';

const UNTIL = THEN + DAY;
const WHO = { at: THEN, by: 'key:ann' };
const WORDS: readonly Decision[] = [
  { kind: 'acknowledge', reason: 'known' },
  { kind: 'suppress', reason: 'a rebuild', until: UNTIL },
  { kind: 'reopen', reason: null },
];
const identity = {
  kind: 'NAME_DIFFERS' as const,
  subject: { kind: 'GUEST' as const, id: 'main/7@1' },
  field: 'name',
};

function inState(state: DriftFindingState, more: Partial<Finding> = {}): Finding {
  return aFinding({ identity, state, ...more });
}

/** What a word makes of a finding: its next state and the events, or the code of the refusal. */
function outcome(finding: Finding, word: Decision): string {
  try {
    const steps = decide(finding, word, WHO);
    return steps.length === 0 ? 'nothing' : `${steps.map(({ type }) => type)} → ${steps.at(-1)?.after.state}`;
  } catch (error) {
    return error instanceof DomainError ? error.code : String(error);
  }
}

describe('what a person says of a finding', () => {
  it('does in each state what its table says', () => {
    const table = Object.fromEntries(
      FINDING_STATES.map((state) => [
        state,
        WORDS.map((word) => outcome(inState(state, { reason: 'other words' }), word)),
      ]),
    );
    expect(table).toEqual({
      OPEN: ['ACKNOWLEDGED → ACKNOWLEDGED', 'SUPPRESSED → SUPPRESSED', 'nothing'],
      ACKNOWLEDGED: ['ACKNOWLEDGED → ACKNOWLEDGED', 'SUPPRESSED → SUPPRESSED', 'REOPENED → OPEN'],
      SUPPRESSED: ['ACKNOWLEDGED → ACKNOWLEDGED', 'SUPPRESSED → SUPPRESSED', 'REOPENED → OPEN'],
      RESOLVED: ['CONFLICT', 'CONFLICT', 'CONFLICT'],
      IGNORED: ['CONFLICT', 'CONFLICT', 'CONFLICT'],
    });
  });

  it('changes nothing when she said it before', () => {
    const acknowledged = inState('ACKNOWLEDGED', { reason: 'known' });
    expect(outcome(acknowledged, { kind: 'acknowledge', reason: 'known' })).toBe('nothing');
    expect(outcome(acknowledged, { kind: 'acknowledge', reason: null })).toBe('nothing');
    const suppressed = inState('SUPPRESSED', { reason: 'a rebuild', suppressedUntil: UNTIL });
    expect(outcome(suppressed, { kind: 'suppress', reason: 'a rebuild', until: UNTIL })).toBe('nothing');
    const longer = { kind: 'suppress', reason: 'a rebuild', until: UNTIL + DAY } as const;
    expect(outcome(suppressed, longer)).toBe('SUPPRESSED → SUPPRESSED');
  });

  it('is kept with the values it was given for, and in its history with who said it and why', () => {
    const [step] = decide(inState('OPEN'), { kind: 'acknowledge', reason: 'known' }, WHO);
    expect(step).toMatchObject({
      ...{ type: 'ACKNOWLEDGED', at: THEN, actor: 'key:ann', reason: 'known', declared: 'a', observed: 'b' },
      ...{ silent: false, before: { state: 'OPEN' } },
    });
    expect(step?.after.decided).toEqual({
      ...{ state: 'ACKNOWLEDGED', at: THEN, by: 'key:ann', reason: 'known' },
      ...{ declared: 'a', observed: 'b', severity: 'WARNING' },
    });
  });

  it('ends a suppression when she acknowledges or opens it', () => {
    const suppressed = inState('SUPPRESSED', { suppressedUntil: UNTIL });
    for (const word of WORDS.filter(({ kind }) => kind !== 'suppress'))
      expect(decide(suppressed, word, WHO)[0]?.after.suppressedUntil, word.kind).toBeNull();
  });

  it.each([
    ['now', THEN, 'until must be ahead: it is 2026-11-21T10:00:00.000Z already'],
    ['in the past', THEN - 1, 'until must be ahead: it is 2026-11-21T10:00:00.000Z already'],
    [
      'too far',
      THEN + 367 * DAY,
      'until must be at most 366 days ahead: for longer, write an ignore rule into policy.yaml',
    ],
  ])('is refused where a suppression ends %s', (_, until, message) => {
    const word: Decision = { kind: 'suppress', reason: 'a rebuild', until };
    expect(() => decide(inState('OPEN'), word, WHO)).toThrow(
      new DomainError('VALIDATION_ERROR', message, { field: ['until'] }),
    );
  });

  it('accepts changed hardware: it resolves, and the same change at another time is another one', () => {
    const hardware = {
      kind: 'HARDWARE_CHANGED' as const,
      subject: { kind: 'PROXMOX_NODE' as const, id: 'main/pve1' },
      field: '',
    };
    const steps = decide(aFinding({ identity: hardware }), { kind: 'acknowledge', reason: null }, WHO);
    expect(steps.map(({ type, actor, before, after }) => [type, actor, before?.state, after.state])).toEqual([
      ['ACKNOWLEDGED', 'key:ann', 'OPEN', 'ACKNOWLEDGED'],
      ['RESOLVED', 'key:ann', 'ACKNOWLEDGED', 'RESOLVED'],
    ]);
    expect(steps[1]?.after).toMatchObject({ resolvedAt: THEN, decided: null });
  });
});
