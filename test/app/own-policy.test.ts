import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OwnPolicy } from '../../src/app/own-policy.js';
import { PolicyInForce } from '../../src/app/policy-in-force.js';
import { POLICY_SOURCE } from '../../src/domain/absorb-policy.js';
import { neverCollected, type SourceState } from '../../src/domain/version.js';
import type { KeptPolicy } from '../../src/domain/view.js';

function logged() {
  const lines: string[] = [];
  const at = (level: string) => (first: unknown, text?: string) => void lines.push(`${level} ${text ?? String(first)}`);
  return { lines, log: { info: at('info'), warn: at('warn'), error: at('error') } };
}

function kept(text: string | null, more: Partial<SourceState> = {}): KeptPolicy {
  const state = neverCollected({ source: POLICY_SOURCE, kind: 'policy', cluster: '' });
  const taken = text === null ? null : { text, contentHash: `${text} `.repeat(8), since: 0 };
  return { state: { ...state, outcome: 'OBSERVED', ...more }, taken };
}

const GONE = { outcome: 'UNREACHABLE', reason: 'policy.yaml is gone' } as const;
const STARS = '# all defaults';

describe('a policy.yaml while another replica reads its own', () => {
  let configDir: string;
  beforeEach(async () => {
    configDir = await mkdtemp(join(tmpdir(), 'own-policy-'));
  });
  afterEach(() => rm(configDir, { recursive: true }));

  /** What is said and shown over these looks. */
  async function looks(inForce: readonly KeptPolicy[]) {
    const { lines, log } = logged();
    const differs: boolean[] = [];
    let now: KeptPolicy = kept(null);
    const own = new OwnPolicy({ configDir, log, kept: () => now, differs: (isSo) => void differs.push(isSo) });
    for (const each of inForce) {
      now = each;
      await own.readElsewhere();
    }
    return { lines, differs };
  }

  it('that differs for a moment only is no matter; for longer, it is said once, and once when it is over', async () => {
    await writeFile(join(configDir, 'policy.yaml'), STARS);
    const { lines } = await looks([kept('old')]);
    expect(lines).toEqual([]);
    const same = { ...kept(null), taken: { text: STARS, contentHash: hashOf(STARS), since: 0 } };
    const all = await looks([kept('old'), kept('old'), kept('old'), same, same, same]);
    expect(all.differs).toEqual([true, true, true, false, false, false]);
    expect(all.lines).toEqual([
      `warn policy.yaml of this replica (${hashOf(STARS).slice(0, 12)}) is not what is in force; in force is what another replica reads from its own (old old old )`,
      'info policy.yaml of this replica is what is in force',
    ]);
  });

  it('that is not there is said, unless there is none to go by or it is gone for all', async () => {
    expect((await looks([kept('old'), kept('old')])).lines).toEqual([
      'warn policy.yaml is not there for this replica; in force is what another replica reads from its own (old old old )',
    ]);
    expect(await looks([kept(null), kept(null)])).toEqual({ lines: [], differs: [false, false] });
    expect(await looks([kept('old', GONE), kept('old', GONE)])).toEqual({ lines: [], differs: [true, true] });
  });

  it('that is bad is an error here, unless the one that is read is bad in the same way', async () => {
    await writeFile(join(configDir, 'policy.yaml'), 'settle: 5\n');
    const { lines } = await looks([kept(null), kept(null)]);
    expect(lines).toEqual([
      expect.stringMatching(/^error policy.yaml of this replica: policy.yaml:1: settle .* \(every default\)$/),
    ]);
    const reason = /replica: (.*); in force/.exec(lines[0] ?? '')?.[1] ?? '';
    const shared = kept('old', { outcome: 'UNREACHABLE', reason });
    expect(await looks([shared, shared])).toEqual({ lines: [], differs: [true, true] });
  });
});

describe('the policy in force', () => {
  it('that a newer version wrote leaves the one before it, says so, and is over with one that can be read', () => {
    const { lines, log } = logged();
    const inForce = new PolicyInForce({ log, warnings: () => [] });
    const follow = (each: KeptPolicy) => {
      const isAnother = inForce.follow(each);
      inForce.tell();
      return isAnother;
    };
    expect(follow(kept('severities: { NAME_DIFFERS: CRITICAL }'))).toBe(true);
    const before = inForce.policy();
    expect(follow(kept('colours: { NAME_DIFFERS: red }'))).toBe(false);
    expect(inForce.policy()).toBe(before);
    expect(inForce.unusable()).toContain('colours is not a setting that exists');
    expect(follow(kept('severities: { NAME_DIFFERS: CRITICAL }'))).toBe(false);
    expect(inForce.unusable()).toBeNull();
    expect(lines).toEqual([
      'info this policy is in force',
      expect.stringMatching(/^error this version cannot use .*colours.*; the last good policy stays in force$/),
      'info policy.yaml can be used again',
    ]);
  });

  it('is the same object until another one is taken, whatever is learned of its file', () => {
    const inForce = new PolicyInForce({ log: logged().log, warnings: () => [] });
    inForce.follow(kept(STARS));
    const before = inForce.policy();
    expect(inForce.follow(kept(STARS, GONE))).toBe(false);
    expect(inForce.policy()).toBe(before);
  });
});

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
