import { describe, expect, it } from 'vitest';
import { cidr } from '../../src/domain/address.js';
import type { IgnoreRule } from '../../src/domain/ignore.js';
import { live } from '../../src/domain/lifecycle.js';
import { DAY, HOUR, MINUTE } from '../../src/domain/time.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';

const id = 'NAME_DIFFERS:main/100@1:name';

/** Guest 100 is called `www`, and declared as `web`. */
function differing(): Run {
  const run = new Run();
  run.estate.guest({ vmid: 100, name: 'www' });
  run.write(TABLE, [row({ vmid: 100, name: 'web' })]).full();
  expect(run.open()).toEqual([id]);
  return run;
}

function called(run: Run, name: string): Run {
  run.estate.guest({ vmid: 100, name });
  return run.tick();
}

/** What everybody was told, and in brackets what stands in the history alone. */
const told = (run: Run) => run.steps.map(({ type, silent }) => (silent ? `(${type})` : type));
const state = (run: Run) => run.finding(id).state;
const acknowledge = { kind: 'acknowledge', reason: 'known' } as const;
const suppress = (until: number) => ({ kind: 'suppress', until, reason: 'a rebuild' }) as const;

function rule(more: Partial<IgnoreRule>): IgnoreRule {
  const nothing = { kinds: null, address: null, vmids: null, name: null, tag: null, pool: null, cluster: null };
  return { ...nothing, until: null, reason: 'a lab', ...more };
}

describe('a finding that is seen again', () => {
  it('tells the line where its row stands now, in whatever state it is, and makes no step of that', () => {
    const run = differing().decide(id, acknowledge);
    const moved = { ...row({ vmid: 100, name: 'web' }), location: `${TABLE}:1230` };
    run.wait(MINUTE).write(TABLE, [moved]).full();
    expect(run.finding(id).declaredBy.map(({ location }) => location)).toEqual([`${TABLE}:1230`]);
    expect(state(run)).toBe('ACKNOWLEDGED');
    expect(told(run)).toEqual(['OPENED', 'ACKNOWLEDGED']);
  });
});

describe('an acknowledged finding', () => {
  it('stays so while its values stay', () => {
    const run = differing().decide(id, acknowledge);
    run
      .full()
      .wait(3 * DAY)
      .full();
    expect(run.finding(id)).toMatchObject({ state: 'ACKNOWLEDGED', reason: 'known', decided: { by: 'ann' } });
    expect(told(run)).toEqual(['OPENED', 'ACKNOWLEDGED']);
  });

  it('opens again with other values: the word was about another difference', () => {
    const run = called(differing().decide(id, acknowledge), 'mail');
    expect(run.finding(id)).toMatchObject({ state: 'OPEN', observed: 'mail', reason: null, decided: null });
    called(run, 'www');
    expect(told(run)).toEqual(['OPENED', 'ACKNOWLEDGED', 'REOPENED', 'UPDATED']);
  });

  it('opens again when it grows graver, and not when it grows lighter and back', () => {
    const run = differing().decide(id, acknowledge);
    const severities = run.policy.severities;
    run.rule({ severities: { NAME_DIFFERS: 'WARNING' } });
    expect(state(run)).toBe('OPEN');
    run
      .decide(id, acknowledge)
      .rule({ severities })
      .rule({ severities: { NAME_DIFFERS: 'WARNING' } });
    expect(run.finding(id)).toMatchObject({ state: 'ACKNOWLEDGED', severity: 'WARNING' });
    expect(told(run)).toEqual(['OPENED', 'ACKNOWLEDGED', 'REOPENED', 'ACKNOWLEDGED']);
  });

  it('is acknowledged without a word when its values come back within a day', () => {
    const run = called(differing().decide(id, acknowledge), 'web');
    expect(state(run)).toBe('RESOLVED');
    called(run.wait(DAY - MINUTE), 'www');
    expect(run.finding(id)).toMatchObject({ state: 'ACKNOWLEDGED', reason: 'known', occurrences: 2, resolvedAt: null });
    expect(told(run)).toEqual(['OPENED', 'ACKNOWLEDGED', 'RESOLVED', '(ACKNOWLEDGED)']);
  });

  it.each([
    ['later than that', DAY, 'www'],
    ['with other values', HOUR, 'mail'],
  ])('is reopened when it comes back %s', (_, after, name) => {
    const run = called(differing().decide(id, acknowledge), 'web');
    called(run.wait(after), name);
    expect(run.finding(id)).toMatchObject({ state: 'OPEN', decided: null });
    expect(told(run)).toEqual(['OPENED', 'ACKNOWLEDGED', 'RESOLVED', 'REOPENED']);
  });

  it('comes back as long as the policy says', () => {
    const run = called(differing().rule({ acknowledgedAgainWithin: HOUR }).decide(id, acknowledge), 'web');
    called(run.wait(2 * HOUR), 'www');
    expect(state(run)).toBe('OPEN');
  });

  it('that a person opened again is not acknowledged by what she said before', () => {
    const run = differing().decide(id, acknowledge).decide(id, { kind: 'reopen', reason: null });
    expect(state(run)).toBe('OPEN');
    called(called(run, 'web'), 'www');
    expect(told(run)).toEqual(['OPENED', 'ACKNOWLEDGED', 'REOPENED', 'RESOLVED', 'REOPENED']);
  });

  it('stays so while nobody can look', () => {
    const run = differing().decide(id, acknowledge).unreachable();
    called(run.wait(3 * DAY).lose(TABLE), 'mail').lose(TABLE);
    expect(run.finding(id)).toMatchObject({ state: 'ACKNOWLEDGED', observed: 'www' });
  });
});

describe('a suppressed finding', () => {
  it('is silent until its time, whatever its values become, and opens then by itself', () => {
    const run = differing();
    const until = run.estate.now + DAY;
    called(run.decide(id, suppress(until)), 'mail');
    expect(run.finding(id)).toMatchObject({ state: 'SUPPRESSED', observed: 'mail', reason: 'a rebuild' });
    run.wait(DAY - HOUR);
    expect(state(run)).toBe('SUPPRESSED');
    run.wait(HOUR).full();
    expect(run.finding(id)).toMatchObject({ state: 'OPEN', suppressedUntil: null, reason: null });
    expect(told(run)).toEqual(['OPENED', 'SUPPRESSED', 'REOPENED']);
  });

  it('says when it is due', () => {
    const run = differing();
    const until = run.estate.now + DAY;
    const due = () => live(run.findings, run.comparison, run.estate.now).due;
    expect(due()).toBeNull();
    run.decide(id, suppress(until));
    expect(due()).toBe(until);
    run.wait(DAY);
    expect(due()).toBeNull();
  });

  it('opens when it can be looked at again, if nobody could when its time was over', () => {
    const run = differing();
    run
      .decide(id, suppress(run.estate.now + HOUR))
      .unreachable()
      .wait(DAY);
    expect(state(run)).toBe('SUPPRESSED');
    run.full();
    expect(told(run)).toEqual(['OPENED', 'SUPPRESSED', 'REOPENED']);
  });

  it('that was resolved meanwhile does not wake', () => {
    const run = differing();
    called(run.decide(id, suppress(run.estate.now + DAY)), 'web').wait(2 * DAY);
    expect(told(run)).toEqual(['OPENED', 'SUPPRESSED', 'RESOLVED']);
    called(run, 'www');
    expect(run.finding(id)).toMatchObject({ state: 'OPEN', suppressedUntil: null, decided: null });
  });

  it('comes back silently before its time is over', () => {
    const run = differing();
    called(called(run.decide(id, suppress(run.estate.now + DAY)), 'web'), 'mail');
    expect(run.finding(id)).toMatchObject({ state: 'SUPPRESSED', occurrences: 2, reason: 'a rebuild' });
    expect(told(run)).toEqual(['OPENED', 'SUPPRESSED', 'RESOLVED', '(SUPPRESSED)']);
  });
});

describe('an ignored finding', () => {
  it('is told to nobody from the first, and opens when the rule is taken away', () => {
    const run = new Run({ policy: { ignore: [rule({ kinds: ['NAME_DIFFERS'] })] } });
    run.estate.guest({ vmid: 100, name: 'www' });
    run.write(TABLE, [row({ vmid: 100, name: 'web' })]).full();
    expect(run.finding(id)).toMatchObject({ state: 'IGNORED', reason: 'a lab' });
    expect(told(run)).toEqual(['(IGNORED)']);
    called(run, 'mail');
    expect(run.finding(id).observed).toBe('mail');
    run.rule({ ignore: [] });
    expect(run.finding(id)).toMatchObject({ state: 'OPEN', reason: null, occurrences: 1 });
    expect(told(run)).toEqual(['(IGNORED)', 'OPENED']);
  });

  it('was an open one before, and opens when the rule ends', () => {
    const run = differing();
    const until = run.estate.now + DAY;
    run.rule({ ignore: [rule({ vmids: [{ from: 100, to: 199 }], until })] });
    expect(state(run)).toBe('IGNORED');
    expect(live(run.findings, run.comparison, run.estate.now).due).toBe(until);
    run.wait(DAY).full();
    expect(told(run)).toEqual(['OPENED', '(IGNORED)', 'OPENED']);
  });

  it('is resolved silently, and comes back silently', () => {
    const run = called(called(differing().rule({ ignore: [rule({ cluster: 'main' })] }), 'web'), 'www');
    expect(run.finding(id)).toMatchObject({ state: 'IGNORED', occurrences: 2 });
    expect(told(run)).toEqual(['OPENED', '(IGNORED)', '(RESOLVED)', '(IGNORED)']);
  });

  it('returns to what a person said of it', () => {
    const run = differing().decide(id, acknowledge);
    run.rule({ ignore: [rule({ cluster: 'main' })] }).rule({ ignore: [] });
    expect(run.finding(id)).toMatchObject({ state: 'ACKNOWLEDGED', reason: 'known' });
    run
      .decide(id, suppress(run.estate.now + DAY))
      .rule({ ignore: [rule({ cluster: 'main' })] })
      .rule({ ignore: [] });
    expect(run.finding(id)).toMatchObject({ state: 'SUPPRESSED', reason: 'a rebuild' });
    expect(told(run).slice(1)).toEqual([
      ...['ACKNOWLEDGED', '(IGNORED)', '(ACKNOWLEDGED)'],
      ...['SUPPRESSED', '(IGNORED)', '(SUPPRESSED)'],
    ]);
  });

  it('forgets an acknowledgement of values that it no longer has', () => {
    const run = differing()
      .decide(id, acknowledge)
      .rule({ ignore: [rule({ cluster: 'main' })] });
    called(called(run, 'mail'), 'www').rule({ ignore: [] });
    expect(state(run)).toBe('OPEN');
  });

  it('is so too while nobody can look, and opens only when somebody can', () => {
    const run = differing()
      .unreachable()
      .wait(DAY)
      .rule({ ignore: [rule({ cluster: 'main' })] });
    expect(state(run)).toBe('IGNORED');
    run.rule({ ignore: [] });
    expect(state(run)).toBe('IGNORED');
    run.full();
    expect(state(run)).toBe('OPEN');
  });
});

describe('what another finding tells', () => {
  const stray = 'ADDRESS_NOT_DECLARED:10.0.0.9:';
  const differs = 'ADDRESS_DIFFERS:main/100@1:address4';

  /** The stray address of guest 100 was told by itself, and is told by the guest's own finding since its row names another. */
  function swallowed(decide: (run: Run) => unknown): Run {
    const run = new Run();
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.9'] }] });
    run.write(TABLE, [row({ vmid: 100 })]).full();
    expect(run.open()).toEqual([stray]);
    decide(run);
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] })]).settle();
    expect(run.open()).toEqual([differs]);
    return run;
  }

  it('does not wake while it is, and does when it is not', () => {
    const run = swallowed((before) => before.decide(stray, suppress(before.estate.now + HOUR)))
      .wait(DAY)
      .settle();
    expect(run.open()).toEqual([differs]);
    run.write(TABLE, [row({ vmid: 100 })]).settle();
    expect(run.open()).toEqual([stray]);
  });

  it('is not opened by the end of a rule while it is', () => {
    const lab = rule({ address: cidr('10.0.0.9') ?? null, kinds: ['ADDRESS_NOT_DECLARED'] });
    const run = swallowed((before) => before.rule({ ignore: [lab] })).rule({ ignore: [] });
    expect(run.open()).toEqual([differs]);
  });
});

describe('severities and categories', () => {
  it('are the policy’s, of known findings too, and no news where they are no graver', () => {
    const run = differing().rule({
      severities: { NAME_DIFFERS: 'CRITICAL' },
      categories: { NAME_DIFFERS: 'SECURITY' },
    });
    expect(run.finding(id)).toMatchObject({ severity: 'CRITICAL', category: 'SECURITY' });
    run.rule({ severities: {}, categories: {} });
    expect(run.finding(id)).toMatchObject({ severity: 'INFO', category: 'CONFIGURATION' });
    expect(told(run)).toEqual(['OPENED', 'UPDATED']);
  });
});

describe('the onset', () => {
  it('is taken from the side that changed, when it was read before and after, and not from when it was noticed', () => {
    const run = called(differing(), 'web');
    const readBefore = run.estate.now;
    run.estate.pass(MINUTE);
    // The row is edited while the cluster is out of reach: the guest is held against it only when it was read again.
    run.unreachable().write(TABLE, [row({ vmid: 100, name: 'ftp' })]);
    const editedAt = run.estate.now;
    expect(run.open()).toEqual([]);
    run.wait(10 * MINUTE).full();
    const { state: now, onsetAfter, onsetBefore } = run.finding(id);
    expect([now, onsetBefore]).toEqual(['OPEN', editedAt]);
    expect(onsetAfter).toBeLessThanOrEqual(readBefore);
  });
});
