import { describe, expect, it } from 'vitest';
import type { ReadPlan } from '../../../src/domain/observation.js';
import { MINUTE } from '../../../src/domain/time.js';
import { backedOffUntil, chooseReads, type PlanInput, type Reads } from '../../../src/sources/proxmox/plan.js';
import { age, known, knownGuest, knownRow, node, row, T0 } from './known.js';

const at = T0 + 10_000;
const later = (of: ReturnType<typeof row>) => ({ ...of, uptimeSeconds: (of.uptimeSeconds ?? 0) + 10 });
const plan = (slice: number, more: Partial<ReadPlan> = {}): ReadPlan => ({ mode: 'slice', slice, asked: [], ...more });

function reads(input: Partial<PlanInput>): Reads {
  const nodes = [node('pve1'), node('pve2')];
  return chooseReads({
    ...{ at, quorate: true, underWay: new Set(), rows: [], nodes, touched: new Set(), known: known(), plan: plan(0) },
    ...input,
  });
}

/** `config 101`, `addresses 101`, `power pve1`, `vmid 300`, in the order of urgency within each kind. */
function words({ guests, power, vmids }: Reads): readonly string[] {
  const parts = guests.flatMap(({ row: { vmid }, config, addresses }) => [
    ...(config ? [`config ${vmid}`] : []),
    ...(addresses ? [`addresses ${vmid}`] : []),
  ]);
  return [...parts, ...power.map((name) => `power ${name}`), ...vmids.map((vmid) => `vmid ${vmid}`)];
}

describe('what changed is read at once', () => {
  const before = row(101);
  const one = known([knownGuest(before)]);
  const chosen = (now: Partial<typeof before>) => words(reads({ rows: [{ ...later(before), ...now }], known: one }));
  const all = ['config 101', 'addresses 101'];

  it('nothing changed, nothing is read', () => {
    expect(chosen({})).toEqual([]);
  });

  it.each([
    ['name', { name: 'other' }, all],
    ['tags', { tags: ['x'] }, all],
    ['template', { template: true }, all],
    ['lock', { lock: 'backup' }, [...all, 'power pve1']],
    ['cores', { cores: 4 }, all],
    ['memory', { memoryBytes: 1 }, all],
    ['kind', { kind: 'LXC' as const }, all],
    ['node', { node: 'pve2' }, [...all, 'power pve2']],
    ['status', { status: 'STOPPED' as const }, [...all, 'power pve1']],
    ['restart', { uptimeSeconds: 5 }, all],
  ])('%s', (_, now, expected) => {
    expect(chosen(now)).toEqual(expected);
  });

  it('statistics that are missing are no change', () => {
    const sparse = {
      status: 'UNKNOWN',
      name: undefined,
      template: undefined,
      cores: undefined,
      memoryBytes: undefined,
    };
    expect(chosen({ ...sparse, status: 'UNKNOWN', uptimeSeconds: undefined })).toEqual([]);
  });

  it('a paused guest that the list calls running is no change', () => {
    const paused = known([knownGuest(before, { row: knownRow(before, { status: 'PAUSED' }) })]);
    expect(words(reads({ rows: [later(before)], known: paused }))).toEqual([]);
  });

  it('a new guest, one that was hidden, one that a task names', () => {
    expect(words(reads({ rows: [before] }))).toEqual([...all, 'power pve1']);
    const hidden = known([knownGuest(before, { row: knownRow(before, { hidden: true }) })]);
    expect(words(reads({ rows: [later(before)], known: hidden }))).toEqual(all);
    expect(words(reads({ rows: [later(before)], known: one, touched: new Set([101, 999]) }))).toEqual([
      ...all,
      'power pve1',
    ]);
  });
});

describe('the slice', () => {
  const rows = [101, 102, 103].map((vmid) => later(row(vmid)));
  const aged = (vmid: number, config: ReturnType<typeof age>, addresses: ReturnType<typeof age>) =>
    knownGuest(row(vmid), { parts: { config, addresses } });

  it('takes what was never attempted first, then the longest ago', () => {
    const guests = [
      aged(101, age(T0 - 3), age(T0 - 6)),
      aged(102, age(T0 - 5), age(null)),
      aged(103, age(T0 - 4), age(T0)),
    ];
    const all = known(guests, { power: new Map([['pve1', age(T0 - 10)]]) });
    const four = ['addresses 101', 'addresses 102', 'config 102', 'power pve1'];
    expect([...words(reads({ rows, known: all, plan: plan(4) }))].sort()).toEqual(four);
    expect(words(reads({ rows, known: all, plan: plan(1) }))).toEqual(['addresses 102']);
  });

  it('leaves alone what failed a moment ago, longer each time, also where it is asked for', () => {
    const guests = [aged(101, age(T0), age(T0, 1)), aged(102, age(T0), age(T0 - 3 * MINUTE, 1))];
    const input = { rows: rows.slice(0, 2), known: known(guests, { power: new Map([['pve1', age(at)]]) }) };
    expect(words(reads({ ...input, plan: plan(1) }))).toEqual(['addresses 102']);
    expect(words(reads({ ...input, plan: plan(9) }))).not.toContain('addresses 101');
    const asked = [{ part: 'addresses', key: '101' }] as const;
    expect(words(reads({ ...input, plan: plan(0, { asked }) }))).toEqual([]);
    const over = known([aged(101, age(T0), age(T0 - 2 * MINUTE, 1)), ...guests.slice(1)]);
    expect(words(reads({ ...input, known: over, plan: plan(0, { asked }) }))).toEqual(['addresses 101']);
    expect([0, 1, 2, 3, 9].map((failures) => (backedOffUntil(age(T0, failures), 'addresses') - T0) / MINUTE)).toEqual([
      -T0 / MINUTE,
      2,
      4,
      8,
      30,
    ]);
  });

  it('counts only what costs a request', () => {
    const stopped = row(101, { status: 'STOPPED', uptimeSeconds: 0 });
    const noAgent = later(row(102));
    const guests = [
      knownGuest(stopped, { parts: { config: age(T0 - 1), addresses: age(T0 - 9) } }),
      knownGuest(row(102), { agent: false, parts: { config: age(T0 - 2), addresses: age(T0 - 8) } }),
    ];
    const all = known(guests, { power: new Map([['pve1', age(T0)]]) });
    expect([...words(reads({ rows: [stopped, noAgent], known: all, plan: plan(1) }))].sort()).toEqual([
      'addresses 101',
      'addresses 102',
      'config 102',
    ]);
  });

  it('leaves addresses alone where nobody knows whether the guest runs', () => {
    const dark = row(101, { status: 'UNKNOWN' });
    expect(words(reads({ rows: [dark], plan: plan(50) }))).toEqual(['config 101', 'power pve1']);
  });
});

describe('an offline node', () => {
  const rows = [row(101), row(102, { node: 'pve2', status: 'UNKNOWN' })];
  const nodes = [node('pve1'), node('pve2', 'OFFLINE')];

  it('is asked for nothing: no changed part, none of the slice, none of a full pass, none that is asked for', () => {
    const asked = [
      { part: 'config', key: '102' },
      { part: 'power', key: 'pve2' },
    ] as const;
    for (const mode of ['slice', 'all'] as const) {
      expect(words(reads({ rows, nodes, touched: new Set([102]), plan: { mode, slice: 50, asked } }))).toEqual([
        'config 101',
        'addresses 101',
        'power pve1',
      ]);
    }
  });
});

describe('absence', () => {
  const gone = (count: number, hidden = false) =>
    Array.from({ length: count }, (_, i) => {
      const of = row(1000 + i);
      return knownGuest(of, { row: knownRow(of, { hidden }) });
    });

  it('is asked about for each guest that left the list, so many a poll, all of them in a full pass', () => {
    expect(reads({ known: known(gone(3)) }).vmids).toEqual([1000, 1001, 1002]);
    expect(reads({ known: known(gone(150)) }).vmids).toHaveLength(100);
    expect(reads({ known: known(gone(150)), plan: plan(0, { mode: 'all' }) }).vmids).toHaveLength(150);
  });

  it('is asked about again for hidden guests, not at every poll, and after those that just left', () => {
    const vmids = new Map([[1000, age(at - 20_000)]]);
    expect(reads({ known: known(gone(2, true), { vmids }) }).vmids).toEqual([1001]);
    const both = known([...gone(2, true), knownGuest(row(2000))]);
    expect(reads({ known: both }).vmids).toEqual([2000, 1000, 1001]);
  });

  it('is asked about again at the next poll where the last proof failed, or is older than the absence', () => {
    const vmids = (vmid: number, of: ReturnType<typeof age>) => new Map([[vmid, of]]);
    expect(reads({ known: known(gone(1, true), { vmids: vmids(1000, age(at - 9_900, 1)) }) }).vmids).toEqual([1000]);
    expect(reads({ known: known(gone(1, true), { vmids: vmids(1000, age(at - 4_900, 1)) }) }).vmids).toEqual([]);
    const of = row(1000);
    const since = { ...knownRow(of).since, presence: { after: at - 20_000, before: at - 10_000 } };
    const left = [knownGuest(of, { row: knownRow(of, { hidden: true, since }) })];
    expect(reads({ known: known(left, { vmids: vmids(1000, age(at - 15_000)) }) }).vmids).toEqual([1000]);
    expect(reads({ known: known(left, { vmids: vmids(1000, age(at - 9_900)) }) }).vmids).toEqual([]);
    const waits = [1, 2, 3, 4, 5, 9].map((failures) => backedOffUntil(age(T0, failures), 'vmid') - T0);
    expect(waits).toEqual([5_000, 10_000, 20_000, 40_000, MINUTE, MINUTE]);
  });

  it('is not asked about without quorum, when no answer proves anything', () => {
    const asked = [{ part: 'vmid', key: '300' }] as const;
    const input = { known: known(gone(3)), plan: plan(9, { asked }) };
    expect(reads(input).vmids).toEqual([1000, 1001, 1002, 300]);
    expect(reads({ ...input, quorate: false }).vmids).toEqual([]);
  });

  it('is kept fresh for the VMIDs in question, which are no guests here', () => {
    const vmids = new Map([
      [300, age(null)],
      [101, age(null)],
    ]);
    const input = { rows: [later(row(101))], known: known([knownGuest(row(101))], { vmids }) };
    expect(reads({ ...input, plan: plan(9) }).vmids).toEqual([300]);
  });

  it('is asked about where somebody asks, but not for a guest that the list shows', () => {
    const asked = [
      { part: 'vmid', key: '300' },
      { part: 'vmid', key: '101' },
      { part: 'vmid', key: 'x' },
    ] as const;
    const input = { rows: [later(row(101))], known: known([knownGuest(row(101))]) };
    expect(reads({ ...input, plan: plan(0, { asked }) }).vmids).toEqual([300]);
  });
});

describe('what an earlier pass still reads', () => {
  it('is not asked for again and takes no place in the slice, unless its guest changed', () => {
    const underWay = new Set(['config 101', 'addresses 101']);
    const guest = knownGuest(row(101), { parts: { config: age(T0 - 2), addresses: age(T0 - 1) } });
    const input = { rows: [later(row(101))], known: known([guest], { power: new Map([['pve1', age(T0)]]) }), underWay };
    const asked = [{ part: 'addresses', key: '101' }] as const;
    expect(words(reads({ ...input, plan: plan(1, { asked }) }))).toEqual(['power pve1']);
    const renamed = reads({ ...input, rows: [{ ...later(row(101)), name: 'other' }] });
    expect(words(renamed)).toEqual(['config 101', 'addresses 101']);
    expect([...renamed.outdated]).toEqual(['config 101', 'addresses 101']);
    expect(renamed.guests.map(({ decides }) => decides)).toEqual([true]);
  });
});

describe('a full pass', () => {
  it('reads every part of everything, also what failed a moment ago', () => {
    const guest = knownGuest(row(101), { parts: { config: age(T0, 3), addresses: age(T0, 3) } });
    const rows = [later(row(101)), row(102, { kind: 'LXC', node: 'pve2' })];
    expect(words(reads({ rows, known: known([guest, knownGuest(row(103))]), plan: plan(0, { mode: 'all' }) }))).toEqual(
      ['config 101', 'addresses 101', 'config 102', 'addresses 102', 'power pve1', 'vmid 103'],
    );
  });

  it('leaves nothing for later', () => {
    expect(reads({ rows: [row(101)] }).guests.map(({ mayWait }) => mayWait)).toEqual([true]);
    expect(reads({ rows: [row(101)], plan: plan(0, { mode: 'all' }) }).guests.map(({ mayWait }) => mayWait)).toEqual([
      false,
    ]);
  });
});
