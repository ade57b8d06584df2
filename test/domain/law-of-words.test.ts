import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../src/domain/decision.js';
import { isGraver } from '../../src/domain/severity.js';
import { DAY, HOUR } from '../../src/domain/time.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';

/** Runs of the property; a longer search is `PROPERTY_RUNS=5000 npx vitest run test/domain --testTimeout 600000`. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 400);

type Word = { readonly kind: Decision['kind']; readonly hours: number };
type Day =
  | { readonly of: 'name'; readonly name: string }
  | { readonly of: 'row'; readonly name: string }
  | { readonly of: 'severity'; readonly severity: 'INFO' | 'WARNING' }
  | { readonly of: 'word'; readonly word: Word }
  | { readonly of: 'outage' | 'restart' | 'gone' | 'ignored' | 'look' };

const NAMES = ['web', 'www', 'mail'];
const word: fc.Arbitrary<Word> = fc.record({
  kind: fc.constantFrom('acknowledge' as const, 'suppress' as const, 'reopen' as const),
  hours: fc.integer({ min: 1, max: 60 }),
});
const day: fc.Arbitrary<Day> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ of: fc.constant('name' as const), name: fc.constantFrom(...NAMES) }) },
  fc.record({ of: fc.constant('row' as const), name: fc.constantFrom(...NAMES) }),
  fc.record({ of: fc.constant('severity' as const), severity: fc.constantFrom('INFO' as const, 'WARNING' as const) }),
  { weight: 3, arbitrary: fc.record({ of: fc.constant('word' as const), word }) },
  fc.record({
    of: fc.constantFrom('outage' as const, 'restart' as const, 'gone' as const, 'ignored' as const, 'look' as const),
  }),
);
const lives = fc.array(fc.record({ day, hours: fc.integer({ min: 0, max: 30 }) }), { minLength: 2, maxLength: 12 });

const ID = 'NAME_DIFFERS:main/100@1:name';

/**
 * What a person's word on this finding allows, kept beside the product and written another way: by what was last said, of
 * which values, and how long they were away.
 */
class Witness {
  /** The values and the severity that were acknowledged, while that word may hold. */
  acknowledged: { readonly of: string; readonly severity: 'INFO' | 'WARNING' | 'CRITICAL' } | undefined;
  silentUntil = 0;
  goneAt: number | undefined;

  hear(decision: Decision, run: Run): void {
    const { declared, observed, severity } = run.finding(ID);
    this.acknowledged = decision.kind === 'acknowledge' ? { of: `${declared} | ${observed}`, severity } : undefined;
    this.silentUntil = decision.kind === 'suppress' ? decision.until : 0;
  }

  /** The state that the finding must have after a look, where somebody could look; undefined: there is none yet. */
  expects(run: Run, ignored: boolean): string | undefined {
    const now = run.estate.now;
    const is = run.comparison.so.get(ID);
    if (is === undefined) {
      if (!run.findings.has(ID)) return undefined;
      this.goneAt ??= now;
      return 'RESOLVED';
    }
    const away = this.goneAt === undefined ? 0 : now - this.goneAt;
    this.goneAt = undefined;
    const known = this.acknowledged;
    const meant = known !== undefined && known.of === `${is.declared} | ${is.observed}`;
    if (!meant || away > DAY || isGraver(is.severity, known.severity)) this.acknowledged = undefined;
    if (now >= this.silentUntil) this.silentUntil = 0;
    if (ignored) return 'IGNORED';
    if (this.silentUntil > 0) return 'SUPPRESSED';
    return this.acknowledged === undefined ? 'OPEN' : 'ACKNOWLEDGED';
  }
}

function live(run: Run, { of, ...what }: Day, names: { row: string }, ignored: boolean): boolean {
  switch (of) {
    case 'name':
      run.estate.guest({ vmid: 100, name: (what as { name: string }).name });
      return ignored;
    case 'row':
      names.row = (what as { name: string }).name;
      return ignored;
    case 'severity':
      run.rule({ severities: { NAME_DIFFERS: (what as { severity: 'INFO' | 'WARNING' }).severity } });
      return ignored;
    case 'gone':
      run.estate.guest({ vmid: 100, name: names.row });
      return ignored;
    case 'restart':
      run.view = run.rebuilt();
      return ignored;
    case 'ignored': {
      const nothing = { kinds: null, address: null, vmids: null, name: null, tag: null, pool: null, until: null };
      run.rule({ ignore: ignored ? [] : [{ ...nothing, cluster: 'main', reason: null }] });
      return !ignored;
    }
    case 'outage':
    case 'look':
    case 'word':
      return ignored;
  }
}

describe('law 4: a person’s word holds', () => {
  it('for what it was said about, across runs, outages, restarts and rules, until its end', () => {
    fc.assert(
      fc.property(lives, (days) => {
        const run = new Run();
        run.estate.guest({ vmid: 100, name: 'www' });
        run.write(TABLE, [row({ vmid: 100, name: 'web' })]).full();
        const witness = new Witness();
        const names = { row: 'web' };
        let ignored = false;
        for (const { day: today, hours } of days) {
          run.wait(hours * HOUR);
          if (today.of === 'outage') {
            const before = run.finding(ID).state;
            run.unreachable().lose(TABLE).wait(DAY);
            expect(run.finding(ID).state, run.told()).toBe(before);
          }
          ignored = live(run, today, names, ignored);
          run.write(TABLE, [row({ vmid: 100, name: names.row })]).full();
          run.wait(1).full();
          expect(run.finding(ID).state, run.told()).toBe(witness.expects(run, ignored));
          if (today.of !== 'word' || !['OPEN', 'ACKNOWLEDGED', 'SUPPRESSED'].includes(run.finding(ID).state)) continue;
          const decision: Decision = {
            ...{ kind: today.word.kind, reason: 'so', until: run.estate.now + today.word.hours * HOUR },
          };
          witness.hear(decision, run);
          run.decide(ID, decision);
          expect(run.finding(ID).state, run.told()).toBe(witness.expects(run, ignored));
        }
      }),
      { numRuns: RUNS },
    );
  });
});
