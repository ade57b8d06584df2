import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/declared/policy-file.js';
import { cidr } from '../../src/domain/address.js';

const NOTHING = {
  ...{ kinds: null, address: null, vmids: null, name: null, tag: null, pool: null, cluster: null },
  ...{ until: null, reason: null },
};

function rules(text: string): unknown {
  const read = parsePolicy(text);
  return read.kind === 'read' ? read.policy.ignore : read;
}

describe('ignore rules of policy.yaml', () => {
  it('say what they ignore, until when and why', () => {
    const text = `ignore:
  - { kinds: [DECLARED_ADDRESS_UNUSED], address: 10.77.200.0/24, reason: "reserved pool", until: 2027-06-30 }
  - { vmids: [100, "5000-5099"], name: "lab-*", tag: lab, pool: labs, cluster: main, until: "2027-06-30T18:00:00+02:00" }`;
    expect(rules(text)).toEqual([
      {
        ...NOTHING,
        ...{ kinds: ['DECLARED_ADDRESS_UNUSED'], address: cidr('10.77.200.0/24') },
        ...{ until: Date.parse('2027-07-01T00:00:00Z'), reason: 'reserved pool' },
      },
      {
        ...NOTHING,
        vmids: [
          { from: 100, to: 100 },
          { from: 5000, to: 5099 },
        ],
        ...{ name: 'lab-*', tag: 'lab', pool: 'labs', cluster: 'main', until: Date.parse('2027-06-30T16:00:00Z') },
      },
    ]);
  });

  it('may name kinds that nothing tells yet, and ends that are over', () => {
    expect(rules('ignore: [{ kinds: [PORT_DIFFERS], until: 2020-01-01 }]')).toEqual([
      { ...NOTHING, kinds: [], until: Date.parse('2020-01-02T00:00:00Z') },
    ]);
  });

  it.each([
    ['ignore: {}', 'ignore must be a list'],
    ['ignore: [a]', 'ignore[0] must be a map of keys and values'],
    [
      'ignore: [{ reason: x }]',
      'ignore[0].kinds is missing: name what to ignore, by kinds, address, vmids, name, tag, pool, cluster',
    ],
    [
      'ignore: [{ kind: [NAME_DIFFERS], tag: a }]',
      'ignore[0].kind is not a setting that exists, did you mean "kinds"?',
    ],
    ['ignore: [{ kinds: [] }]', 'ignore[0].kinds is empty: name the kinds, or leave it out for all'],
    [
      'ignore: [{ kinds: [NAME_DIFFER] }]',
      'ignore[0].kinds[0] "NAME_DIFFER" is no kind of finding, did you mean "NAME_DIFFERS"?',
    ],
    ['ignore: [{ address: 10.0.0 }]', 'ignore[0].address "10.0.0" is no address or prefix such as 10.0.0.0/24'],
    ['ignore: [{ vmids: [] }]', 'ignore[0].vmids is empty: name the VMIDs, or leave it out for all'],
    ['ignore: [{ vmids: ["9-5"] }]', 'ignore[0].vmids[0] "9-5" is no VMID and no range such as "5000-5099"'],
    ['ignore: [{ vmids: [0] }]', 'ignore[0].vmids[0] "0" is no VMID and no range such as "5000-5099"'],
    ['ignore: [{ tag: 5 }]', 'ignore[0].tag must be text (quote it)'],
    [
      'ignore: [{ tag: a, until: 2027-02-30 }]',
      'ignore[0].until "2027-02-30" is no day such as 2027-06-30 and no moment such as 2027-06-30T18:00:00Z',
    ],
    [
      'ignore: [{ tag: a, until: next week }]',
      'ignore[0].until "next week" is no day such as 2027-06-30 and no moment such as 2027-06-30T18:00:00Z',
    ],
  ])('%s is refused', (text, message) => {
    expect(rules(text)).toEqual({ kind: 'refused', problems: [{ location: 'policy.yaml:1', message }] });
  });
});
