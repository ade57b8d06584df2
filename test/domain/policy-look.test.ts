import { describe, expect, it } from 'vitest';
import { absorbPolicy, POLICY_SOURCE, type PolicyLook } from '../../src/domain/absorb-policy.js';
import { learn } from '../../src/domain/learn/learn.js';
import { neverCollected } from '../../src/domain/version.js';
import type { InventoryView, KeptPolicy } from '../../src/domain/view.js';
import { aView, SETTINGS } from '../testkit/view.js';

const NAMED = { source: POLICY_SOURCE, kind: 'policy' as const, cluster: '' };
const NEVER: KeptPolicy = { state: neverCollected(NAMED), taken: null };
const read = (text: string): PolicyLook => ({ kind: 'read', text, contentHash: `hash of ${text}` });
const ABSENT: PolicyLook = { kind: 'absent' };
const BAD: PolicyLook = {
  kind: 'refused',
  problems: [
    { location: 'policy.yaml:1', message: 'settle must be a map' },
    { location: 'policy.yaml:4', message: 'notify must be a list' },
  ],
};

/** What a view keeps after these looks at the file, one a minute. */
function keptAfter(...looks: readonly PolicyLook[]) {
  let view: InventoryView = aView({});
  let versions = 0;
  for (const [minute, look] of looks.entries()) {
    const batch = absorbPolicy(view.policy ?? NEVER, look, minute * 60_000);
    const opened = batch.writes.flatMap((write) => (write.op === 'put' ? [write.version] : []));
    versions += opened.length;
    view = learn(view, { seq: BigInt(minute), opened, ended: [], reads: [], states: [batch.state] }, SETTINGS);
  }
  const { state, taken } = view.policy ?? NEVER;
  const { outcome, reason, unreachableSince } = state;
  return { outcome, reason, unreachableSince, text: taken?.text, since: taken?.since, versions };
}

describe('the policy that is kept', () => {
  it('is none where there never was a file, and that is no trouble', () => {
    expect(keptAfter(ABSENT, ABSENT)).toEqual({
      ...{ outcome: 'NEVER', reason: 'policy.yaml is not there', unreachableSince: null },
      ...{ text: undefined, since: undefined, versions: 0 },
    });
  });

  it('is a new version only where the content changed', () => {
    const seen = { outcome: 'OBSERVED', reason: null, unreachableSince: null };
    expect(keptAfter(ABSENT, read('a'), read('a'), read('a'))).toEqual({
      ...seen,
      text: 'a',
      since: 60_000,
      versions: 1,
    });
    expect(keptAfter(read('a'), read('b'), read('a'))).toEqual({ ...seen, text: 'a', since: 120_000, versions: 3 });
  });

  it('is the last good one while the file is bad or gone, since when it is', () => {
    const kept = { text: 'a', since: 0, versions: 1 };
    expect(keptAfter(read('a'), ABSENT, ABSENT)).toEqual({
      ...{ outcome: 'UNREACHABLE', reason: 'policy.yaml is gone', unreachableSince: 60_000 },
      ...kept,
    });
    expect(keptAfter(read('a'), ABSENT, BAD)).toEqual({
      outcome: 'UNREACHABLE',
      reason: 'policy.yaml:1: settle must be a map; policy.yaml:4: notify must be a list',
      unreachableSince: 60_000,
      ...kept,
    });
    expect(keptAfter(read('a'), BAD, read('a'))).toEqual({
      ...{ outcome: 'OBSERVED', reason: null, unreachableSince: null },
      ...kept,
    });
  });

  it('is none where the only file that ever was there is bad, until it is taken away', () => {
    expect(keptAfter(BAD)).toMatchObject({ outcome: 'UNREACHABLE', text: undefined, versions: 0 });
    expect(keptAfter(BAD, ABSENT)).toMatchObject({ outcome: 'NEVER', text: undefined });
  });
});
