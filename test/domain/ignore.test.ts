import { describe, expect, it } from 'vitest';
import { cidr } from '../../src/domain/address.js';
import type { Finding, FindingIdentity } from '../../src/domain/finding.js';
import { type IgnoreRule, ignoring } from '../../src/domain/ignore.js';
import { aFinding, aView, THEN } from '../testkit/view.js';

const view = aView({
  guests: [
    { vmid: 100, name: 'lab-1', tags: ['lab', 'old'] },
    { vmid: 101, name: 'lab-2', tags: ['lab'] },
    { vmid: 200, name: 'Shop.example', cluster: 'edge', node: 'e1' },
  ],
});

const NOTHING: IgnoreRule = {
  ...{ kinds: null, address: null, vmids: null, name: null, tag: null, pool: null, cluster: null },
  ...{ until: null, reason: null },
};

function finding(
  kind: FindingIdentity['kind'],
  subject: FindingIdentity['subject'],
  more: Partial<Finding> = {},
): Finding {
  return aFinding({ identity: { kind, subject, field: '' }, ...more });
}

const name = finding('NAME_DIFFERS', { kind: 'GUEST', id: 'main/100@1' });
const shop = finding('NAME_DIFFERS', { kind: 'GUEST', id: 'edge/200@1' });
const missing = finding(
  'GUEST_MISSING',
  { kind: 'GUEST', id: '*/5001' },
  { declaredBy: [{ field: 'name', value: 'lab-9', source: 'table', location: 'table:1', wins: true }] },
);
const unused = finding('DECLARED_ADDRESS_UNUSED', { kind: 'ADDRESS', id: 'dmz/10.77.200.5' });
const unused6 = finding('DECLARED_ADDRESS_UNUSED', { kind: 'ADDRESS', id: 'fd00::5' });
const differs = finding(
  'ADDRESS_DIFFERS',
  { kind: 'GUEST', id: 'main/101@1' },
  { declared: '10.77.200.7', observed: '10.77.200.8, 192.0.2.1' },
);
const target = finding(
  'PROXY_TARGET_UNKNOWN',
  { kind: 'PROXY_HOST', id: 'edge/3' },
  { declared: '10.77.200.9:8080', observed: null },
);
const duplicate = finding(
  'DUPLICATE_ADDRESS',
  { kind: 'ADDRESS', id: '10.0.0.1' },
  { guests: ['main/100@1', 'main/101@1'], clusters: ['main'] },
);
const disk = finding('DISK_FAILING', { kind: 'PROXMOX_NODE', id: 'main/pve1' }, { clusters: ['main'] });
const ALL = { name, shop, missing, unused, unused6, differs, target, duplicate, disk };

function ignoredBy(rule: Partial<IgnoreRule>, now = THEN): readonly string[] {
  const ruleFor = ignoring([{ ...NOTHING, ...rule }], view, now);
  return Object.entries(ALL).flatMap(([called, what]) => (ruleFor(what) === undefined ? [] : [called]));
}

describe('a rule of the policy ignores', () => {
  it.each<[string, Partial<IgnoreRule>, readonly string[]]>([
    ['a kind', { kinds: ['NAME_DIFFERS', 'DISK_FAILING'] }, ['name', 'shop', 'disk']],
    [
      'VMIDs, declared ones too',
      {
        vmids: [
          { from: 5000, to: 5099 },
          { from: 200, to: 200 },
        ],
      },
      ['shop', 'missing'],
    ],
    ['a name by its pattern, without regard to case', { name: 'shop.EXAMPLE' }, ['shop']],
    [
      'names by their pattern, declared ones where there is no guest',
      { name: 'lab-?' },
      ['name', 'missing', 'differs', 'duplicate'],
    ],
    ['a node by its name', { name: 'pve*' }, ['disk']],
    ['a tag that all guests in it bear', { tag: 'lab' }, ['name', 'differs', 'duplicate']],
    ['nothing of two guests of which one bears the tag', { tag: 'old' }, ['name']],
    ['a cluster', { cluster: 'main' }, ['name', 'differs', 'duplicate', 'disk']],
    ['a prefix, where every address in it is of it', { address: cidr('10.77.200.0/24') ?? null }, ['unused', 'target']],
    ['a prefix of IPv6', { address: cidr('fd00::/64') ?? null }, ['unused6']],
    ['nothing of a pool that nobody is in', { pool: 'lab' }, []],
    ['what matches all that it names', { tag: 'lab', kinds: ['NAME_DIFFERS'] }, ['name']],
  ])('%s', (_, rule, expected) => {
    expect(ignoredBy(rule)).toEqual(expected);
  });

  it('only before its end', () => {
    const rule = { kinds: ['DISK_FAILING'], until: THEN } as const;
    expect(ignoredBy(rule, THEN - 1)).toEqual(['disk']);
    expect(ignoredBy(rule, THEN)).toEqual([]);
  });

  it('takes every character of a pattern but * and ? for itself', () => {
    expect(ignoredBy({ name: 'lab.1' })).toEqual([]);
    expect(ignoredBy({ name: '(lab' })).toEqual([]);
  });
});
