import { describe, expect, it } from 'vitest';
import { MINUTE, SECOND } from '../../src/domain/time.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { DCIM, type VmWish, vm } from '../testkit/domain-netbox.js';
import { Run } from '../testkit/domain-run.js';

const WEB: VmWish = { id: 1, vmid: 100, name: 'web', node: 'pve1', status: 'running', addresses: ['10.0.0.5'] };
const DB: VmWish = { id: 2, vmid: 101, name: 'db', addresses: ['10.0.0.6'] };

/** `web` and `db`, which the inventory declares as they are. */
function agreed(...vms: readonly VmWish[]): Run {
  const run = new Run();
  run.estate.guest({ vmid: 100, name: 'web', devices: [{ vlan: 20, ip4: '10.0.0.5/24', shows: ['10.0.0.5'] }] });
  run.estate.guest({ vmid: 101, name: 'db', address: '10.0.0.6/24' });
  run.services.set(DCIM, (vms.length > 0 ? vms : [WEB, DB]).map(vm));
  run.full().read(DCIM).settle();
  expect(run.open()).toEqual([]);
  run.estate.pass(MINUTE);
  return run;
}

const ASKED = (key: string) => ({ source: `declared:${DCIM}`, part: 'vm', key });

/** What people change at the source, and the same in the inventory; and what is told where only the estate changed. */
const CHANGES: readonly (readonly [string, (run: Run) => void, readonly VmWish[], readonly string[]])[] = [
  [
    'a guest was made',
    (run) => run.estate.guest({ vmid: 102, name: 'new', address: '10.0.0.7/24' }),
    [WEB, DB, { id: 3, vmid: 102, name: 'new', addresses: ['10.0.0.7'] }],
    ['GUEST_NOT_DECLARED:main/102@1:'],
  ],
  ['a guest was removed', (run) => run.estate.remove(101), [WEB], ['GUEST_MISSING:main/101:']],
  [
    'a guest was renamed',
    (run) => run.estate.guest({ vmid: 100, name: 'www' }),
    [{ ...WEB, name: 'www' }, DB],
    ['NAME_DIFFERS:main/100@1:name'],
  ],
  [
    'a guest was moved',
    (run) => run.estate.guest({ vmid: 100, node: 'pve2' }),
    [{ ...WEB, node: 'pve2' }, DB],
    ['NODE_DIFFERS:main/100@1:node'],
  ],
  [
    'a guest was stopped',
    (run) => run.estate.stop(100),
    [{ ...WEB, status: 'stopped' }, DB],
    ['STATUS_DIFFERS:main/100@1:status'],
  ],
  [
    'a guest was renumbered',
    (run) => run.estate.guest({ vmid: 101, address: '10.0.0.8/24' }),
    [WEB, { ...DB, addresses: ['10.0.0.8'] }],
    ['ADDRESS_DIFFERS:main/101@1:address4'],
  ],
  [
    'a guest was given another address',
    (run) => run.estate.guest({ vmid: 101, devices: [{}, { ip4: '10.0.0.9/24', shows: ['10.0.0.9'] }] }),
    [WEB, { ...DB, addresses: ['10.0.0.6', '10.0.0.9'] }],
    ['ADDRESS_NOT_DECLARED:10.0.0.9:'],
  ],
];

const told = (run: Run) =>
  [...run.comparison.so.values()].filter((one) => one.swallowedBy === undefined).map(({ id }) => id);

describe.each(CHANGES)('where %s', (_, change, vms, expected) => {
  const all = [{ part: 'config', key: '101' } as const, { part: 'addresses', key: '101' } as const];

  /** The estate's side is seen, and had time to settle; the inventory is not asked. */
  function seen(): Run {
    const run = agreed();
    const truth = run.services.get(DCIM) ?? [];
    run.services.clear();
    change(run);
    run.tick(all).tick(all).tick(all);
    run.wait(61 * MINUTE).full();
    run.services.set(DCIM, truth);
    return run;
  }

  it('nothing is said before the inventory was asked of that guest, and it is asked', () => {
    const run = seen();
    expect(run.events).toEqual([]);
    const [key] = expected.map((id) => (id.includes('10.0.0') ? 'main/101' : /main\/\d+/.exec(id)?.[0]));
    expect(run.comparison.asks).toContainEqual(ASKED(key ?? ''));
  });

  it('no finding is made where the inventory was changed as well, however late it is asked', () => {
    const run = seen();
    run.services.set(DCIM, vms.map(vm));
    run.tick().settle();
    expect(run.events).toEqual([]);
    expect(run.comparison.asks).toEqual([]);
  });

  it('it is told once the inventory says what it said, of that guest alone or as a whole', () => {
    const alone = seen().tick().settle();
    expect(told(alone)).toEqual(expected);
    const whole = seen();
    whole.estate.pass(SECOND);
    expect(told(whole.read(DCIM).settle())).toEqual(expected);
  });
});

describe('a finding about a polled declaration', () => {
  it('ends by agreement only once both were read since, and is not reopened where both changed', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    run.tick();
    expect(run.open()).toEqual(['NAME_DIFFERS:main/100@1:name']);
    // Both change at once: the guest back to what was declared, the inventory to what it had been.
    run.estate.pass(MINUTE);
    run.services.set(DCIM, [vm({ ...WEB, name: 'www' }), vm(DB)]);
    run.estate.guest({ vmid: 100, name: 'web' });
    run.tick();
    run.settle();
    expect(run.events.map(({ type }) => type)).toEqual(['OPENED', 'UPDATED']);
    expect(run.finding('NAME_DIFFERS:main/100@1:name')).toMatchObject({ declared: 'www', observed: 'web' });
  });

  it('asks nobody about guests that agree', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, node: 'pve2' });
    run.poll();
    run.estate.guest({ vmid: 100, node: 'pve1' });
    run.estate.pass(MINUTE);
    run.poll().full();
    expect(run.comparison.asks).toEqual([]);
  });

  it('waits where the declarations contradict after one of them changed', () => {
    const run = agreed();
    run.write(TABLE, [row({ vmid: 100, name: 'web' })]);
    run.estate.pass(MINUTE);
    run.write(TABLE, [row({ vmid: 100, name: 'www' })]);
    expect(run.open()).toEqual([]);
    expect(run.comparison.asks).toContainEqual(ASKED('main/100'));
    run.services.set(DCIM, [vm({ ...WEB, name: 'www' }), vm(DB)]);
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    run.settle();
    expect(run.events).toEqual([]);
  });
});

describe('what an inventory says of VLANs and sizes', () => {
  const MAC = 'bc:24:11:00:00:64';
  const GIB = 1_024 ** 3;

  function open(wish: Partial<VmWish>): readonly string[] {
    const run = new Run();
    run.estate.guest({
      vmid: 100,
      name: 'web',
      cpus: 4,
      memoryBytes: 2 * GIB,
      diskBytes: 32 * GIB,
      devices: [{ mac: MAC, vlan: 20 }, { vlan: 30 }],
    });
    run.services.set(DCIM, [vm({ id: 1, vmid: 100, name: 'web', ...wish })]);
    run.full().read(DCIM).settle();
    return run.open();
  }

  it('is held against netN by MAC, else by name', () => {
    expect(open({ interfaces: [{ name: 'net1', mac: MAC, vlan: 20 }] })).toEqual([]);
    expect(open({ interfaces: [{ name: 'net1', mac: MAC, vlan: 30 }] })).toEqual(['VLAN_DIFFERS:main/100@1:net0']);
    expect(
      open({
        interfaces: [
          { name: 'net1', vlan: 30 },
          { name: 'net0', vlan: 21 },
        ],
      }),
    ).toEqual(['VLAN_DIFFERS:main/100@1:net0']);
    expect(open({ interfaces: [{ name: 'eth0', vlan: 21 }] })).toEqual([]);
  });

  it('is held against the only device, where there is one on both sides', () => {
    const run = agreed({ ...WEB, interfaces: [{ name: 'eth0', vlan: 20 }] }, DB);
    run.services.set(DCIM, [vm({ ...WEB, interfaces: [{ name: 'eth0', vlan: 21 }] }), vm(DB)]);
    run.read(DCIM).settle();
    expect(run.finding('VLAN_DIFFERS:main/100@1:net0')).toMatchObject({
      declared: '21',
      observed: '20',
      severity: 'WARNING',
      category: 'NETWORK',
    });
    run.estate.guest({ vmid: 100, devices: [{ vlan: 21 }] });
    run.full().settle();
    expect(run.open()).toEqual([]);
  });

  it('counts sizes in 1000 or in 1024, to the unit that it counts in', () => {
    for (const [memory, disk] of [
      [2_048, 32_768],
      [2_147, 34_359],
      [2_148, 34_360],
    ] as const)
      expect(open({ memory: { amount: memory, unit: 'MB' }, disk: { amount: disk, unit: 'MB' }, cpus: 4 })).toEqual([]);
    expect(open({ memory: { amount: 1_500, unit: 'MB' }, disk: { amount: 40, unit: 'GB' }, cpus: 2 })).toEqual([
      'RESOURCES_DIFFER:main/100@1:cpus',
      'RESOURCES_DIFFER:main/100@1:disk',
      'RESOURCES_DIFFER:main/100@1:memory',
    ]);
    expect(open({ disk: { amount: 32, unit: 'GB' } })).toEqual([]);
  });

  it('says sizes so that a person can compare both sides', () => {
    const run = agreed(WEB, DB);
    run.estate.guest({ vmid: 100, memoryBytes: 2 * GIB, diskBytes: 32 * GIB });
    run.services.set(DCIM, [
      vm({ ...WEB, memory: { amount: 16_384, unit: 'MB' }, disk: { amount: 40, unit: 'GB' } }),
      vm(DB),
    ]);
    run.full().read(DCIM).settle();
    const told = ['memory', 'disk'].map((field) => run.finding(`RESOURCES_DIFFER:main/100@1:${field}`)?.message);
    const at = 'https://dcim.example.org/virtualization/virtual-machines/1/';
    expect(told).toEqual([
      `main/100 (web): memory is 2 GiB (2048 MiB), declared 16384 MB at ${at}`,
      `main/100 (web): the size of its disks is 32 GiB (32768 MiB), declared 40 GB at ${at}`,
    ]);
  });

  it('waits for the inventory where the config has changed', () => {
    const run = agreed({ ...WEB, cpus: 2 }, DB);
    const truth = run.services.get(DCIM) ?? [];
    run.services.clear();
    run.estate.guest({ vmid: 100, cpus: 8 });
    run.estate.pass(MINUTE);
    run.full();
    expect([run.open(), run.comparison.asks]).toEqual([[], [ASKED('main/100')]]);
    run.services.set(DCIM, truth);
    run.settle();
    expect(run.finding('RESOURCES_DIFFER:main/100@1:cpus')).toMatchObject({
      declared: '2',
      observed: '8',
      severity: 'INFO',
      category: 'CONFIGURATION',
      message:
        'main/100 (web): the number of CPUs is 8, declared 2 at https://dcim.example.org/virtualization/virtual-machines/1/',
    });
  });
});
