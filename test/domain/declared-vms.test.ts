import { describe, expect, it } from 'vitest';
import { tiesOf } from '../../src/domain/compare/ties.js';
import { HOUR, MINUTE } from '../../src/domain/time.js';
import { row, TABLE } from '../testkit/domain-declared.js';
import { DCIM, type VmWish, vm } from '../testkit/domain-netbox.js';
import { Run } from '../testkit/domain-run.js';
import { Estate } from '../testkit/estate-model.js';

const MAC = 'bc:24:11:aa:00:01';

/** Two guests of `main`, `web` with a MAC that people may write down and `db`, and these VMs in the inventory. */
function inventory(...vms: readonly VmWish[]): Run {
  const run = new Run();
  run.estate.guest({ vmid: 100, name: 'web', devices: [{ mac: MAC, ip4: '10.0.0.5/24', shows: ['10.0.0.5'] }] });
  run.estate.guest({ vmid: 101, name: 'db', address: '10.0.0.6/24' });
  run.full();
  return says(run, ...vms);
}

function says(run: Run, ...vms: readonly VmWish[]): Run {
  run.estate.pass(MINUTE);
  run.services.set(DCIM, vms.map(vm));
  run.read(DCIM);
  return run.settle();
}

/** Guests by the VM that means them. */
function tied(run: Run): Readonly<Record<string, string>> {
  const pairs = [...run.comparison.world.binding.byGuest].flatMap(([id, rows]) =>
    rows.filter(({ vm: one }) => one !== undefined).map(({ row: one }) => [one.key, id] as const),
  );
  return Object.fromEntries(pairs);
}

const BOTH: readonly VmWish[] = [
  { id: 1, vmid: 100, name: 'web' },
  { id: 2, vmid: 101, name: 'db' },
];
const QUIET = ['ADDRESS_NOT_DECLARED:10.0.0.5:', 'ADDRESS_NOT_DECLARED:10.0.0.6:'];

describe('a declared VM means the guest', () => {
  it('of its VMID, whatever it is called', () => {
    const run = inventory({ id: 1, vmid: 101, name: 'web' });
    expect(tied(run)).toEqual({ 'vm/1': 'main/101@1' });
    expect(run.finding('NAME_DIFFERS:main/101@1:name')).toMatchObject({ declared: 'web', observed: 'db' });
  });

  it('that bears the MAC of one of its interfaces, where it has no VMID', () => {
    const run = inventory({ id: 1, name: 'db', interfaces: [{ mac: MAC }] });
    expect(tied(run)).toEqual({ 'vm/1': 'main/100@1' });
  });

  it('of its name, where exactly one guest of its cluster is called so', () => {
    expect(tied(inventory({ id: 1, name: 'WEB.example.org' }))).toEqual({ 'vm/1': 'main/100@1' });
    const run = inventory({ id: 1, name: 'web' });
    run.estate.guest({ vmid: 102, name: 'web' });
    run.tick();
    expect(tied(says(run, { id: 2, name: 'db' }, { id: 3, name: 'web' }))).toEqual({ 'vm/2': 'main/101@1' });
  });

  it('that it meant before, also where either of them was renamed', () => {
    const run = inventory({ id: 1, name: 'web' });
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    expect(tied(says(run, { id: 1, name: 'web' }))).toEqual({ 'vm/1': 'main/100@1' });
    expect(run.finding('NAME_DIFFERS:main/100@1:name')).toMatchObject({ declared: 'web', observed: 'www' });
    expect(tied(says(run, { id: 1, name: 'db' }))).toEqual({ 'vm/1': 'main/100@1' });
  });

  it('that is told by something stronger than memory', () => {
    const run = inventory({ id: 1, name: 'db' });
    expect(tied(run)).toEqual({ 'vm/1': 'main/101@1' });
    expect(tied(says(run, { id: 1, name: 'db', interfaces: [{ mac: MAC }] }))).toEqual({ 'vm/1': 'main/100@1' });
    expect(tied(says(run, { id: 1, name: 'db', vmid: 101, interfaces: [{ mac: MAC }] }))).toEqual({
      'vm/1': 'main/101@1',
    });
  });

  it('and waits with its name alone while a config is unread that may bear its MAC', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, name: 'web', devices: [{ mac: MAC }] });
    run.estate.guest({ vmid: 101, name: 'db' });
    run.services.set(DCIM, [vm({ id: 1, name: 'db', node: 'pve2', interfaces: [{ mac: MAC }] })]);
    run.poll().read(DCIM);
    expect([tied(run), run.open()]).toEqual([{}, []]);
    run.settle();
    expect(tied(run)).toEqual({ 'vm/1': 'main/100@1' });
  });
});

describe('a declared VM without a cluster', () => {
  it('means the one living guest of its VMID that agrees with it', () => {
    const run = inventory({ id: 1, vmid: 100, clusterName: null, name: 'web' });
    expect(tied(run)).toEqual({ 'vm/1': 'main/100@1' });
    expect(tied(says(run, { id: 1, vmid: 100, clusterName: null, name: 'mail' }))).toEqual({});
  });

  it('that fits guests of several clusters is a conflict, and compared with none', () => {
    const run = new Run({ estate: new Estate({ main: ['pve1'], edge: ['pve9'] }) });
    for (const cluster of ['main', 'edge']) run.estate.guest({ vmid: 100, cluster, name: 'web', node: 'pve1' });
    run.estate.guest({ vmid: 100, cluster: 'edge', node: 'pve9' });
    run.settle();
    says(run, { id: 1, vmid: 100, clusterName: null, name: 'web' });
    expect(run.open()).toEqual(['DECLARATIONS_CONFLICT:*/100:cluster']);
    expect(run.finding('DECLARATIONS_CONFLICT:*/100:cluster').observed).toBe('edge/100, main/100');
  });
});

describe('a declared VM that cannot be tied', () => {
  it('in a cluster of ours is not missed, and keeps whoever bears its name or address from being undeclared', () => {
    const run = inventory(...BOTH);
    run.estate.guest({ vmid: 102, name: 'mail', address: '10.0.0.7/24' });
    run.estate.guest({ vmid: 103, name: 'mail', address: '10.0.0.8/24' });
    says(run, ...BOTH, { id: 3, name: 'mail' }, { id: 4, name: 'nobody', addresses: ['10.0.0.9'] });
    expect(run.open().filter((id) => !id.startsWith('ADDRESS_NOT_DECLARED'))).toEqual([]);
  });

  it('and is in no cluster of ours is compared with nothing', () => {
    const run = inventory(
      ...BOTH,
      { id: 3, vmid: 900, clusterName: 'cloud', name: 'web', addresses: ['10.9.9.9'] },
      { id: 4, clusterName: 'cloud', name: 'db', status: 'stopped' },
      { id: 5, clusterName: null, name: 'db', status: 'stopped', addresses: ['10.9.9.8'] },
    );
    expect(run.open()).toEqual(QUIET);
    expect(tied(run)).toEqual({ 'vm/1': 'main/100@1', 'vm/2': 'main/101@1' });
  });

  it('stands for a cluster of another name where the settings say so', () => {
    const run = inventory({ id: 1, vmid: 100, clusterName: 'PVE Main', cluster: 'main' });
    expect(tied(run)).toEqual({ 'vm/1': 'main/100@1' });
  });
});

describe('a declared VM whose guest went', () => {
  it.each([
    ['by the VMID it names', { id: 1, vmid: 100, name: 'web' }],
    ['by the VMID of the guest that it was tied to', { id: 1, name: 'web', interfaces: [{ mac: MAC }] }],
  ])('is missed %s', (_, wish) => {
    const run = inventory(wish, { id: 2, vmid: 101 });
    run.read(DCIM);
    run.estate.remove(100);
    run.tick();
    run.settle();
    expect(run.open().filter((id) => id.startsWith('GUEST'))).toEqual(['GUEST_MISSING:main/100:']);
    expect(run.finding('GUEST_MISSING:main/100:').declaredBy[0]?.location).toContain('/virtual-machines/1/');
    says(run, wish, { id: 2, vmid: 101 });
    expect(run.open().filter((id) => id.startsWith('GUEST'))).toEqual(['GUEST_MISSING:main/100:']);
  });
});

describe('what is remembered with a VM', () => {
  it('is the guest it means, for every VM by its key, and a guest that went is not forgotten', () => {
    const run = inventory({ id: 1, name: 'web' }, { id: 2, name: 'nobody' });
    const remembered = (wish: VmWish, tiedTo: string | null) =>
      tiesOf(run.view, [{ ...vm(wish), tiedTo }, row({ vmid: 100 })]).get(`vm/${wish.id}`);
    expect(tiesOf(run.view, [vm({ id: 1, name: 'web' }), vm({ id: 2, name: 'nobody' })])).toEqual(
      new Map([
        ['vm/1', 'main/100@1'],
        ['vm/2', null],
      ]),
    );
    expect(remembered({ id: 3, name: 'x' }, 'main/101@1')).toBe('main/101@1');
    expect(remembered({ id: 3, name: 'x' }, 'main/400@2')).toBe('main/400@2');
    expect(remembered({ id: 3, name: 'web' }, 'main/400@2')).toBe('main/100@1');
    expect(remembered({ id: 3, name: 'x', clusterName: 'cloud' }, 'main/101@1')).toBe(null);
  });
});

describe('addresses of declared VMs', () => {
  const at = (...addresses: VmWish['addresses'] & object) =>
    inventory({ id: 1, vmid: 100, addresses }, { id: 2, vmid: 101, addresses: ['10.0.0.6'] });

  it('are held against what the guest carries', () => {
    expect(at('10.0.0.5').open()).toEqual([]);
    expect(at('10.0.0.9').open()).toEqual(['ADDRESS_DIFFERS:main/100@1:address4']);
  });

  it('in another scope are other addresses', () => {
    const run = at({ text: '10.0.0.5', scope: 'blue' });
    expect(run.finding('ADDRESS_DIFFERS:main/100@1:address4')).toMatchObject({
      declared: 'blue/10.0.0.5',
      observed: '10.0.0.5',
    });
    expect(at({ text: '10.0.0.5', scope: 'default' }).open()).toEqual([]);
  });

  it('that are set aside, leased or shared in turn are no expectation', () => {
    for (const kind of ['reserved', 'dynamic', 'virtual'] as const)
      expect(at('10.0.0.5', { text: '10.0.0.9', [kind]: true }).open()).toEqual([]);
    expect(at({ text: '10.0.0.5', reserved: true }).open()).toEqual([]);
    expect(at({ text: '10.0.0.9', reserved: true }).open()).toEqual(['ADDRESS_NOT_DECLARED:10.0.0.5:']);
  });

  it('that two VMs declare are a conflict, but for those that are set aside', () => {
    const both = (reserved: boolean) =>
      inventory(
        { id: 1, vmid: 100, addresses: ['10.0.0.5'] },
        { id: 2, vmid: 101, addresses: ['10.0.0.6', { text: '10.0.0.5', reserved }] },
      ).open();
    expect(both(false)).toEqual(['DECLARATIONS_CONFLICT:10.0.0.5:guest']);
    expect(both(true)).toEqual([]);
  });
});

describe('three sources', () => {
  it('conflict where they contradict, but for what is planned or set aside', () => {
    const run = inventory({ id: 1, vmid: 100, name: 'web', addresses: ['10.0.0.5'] }, { id: 2, vmid: 101 });
    run.write(TABLE, [row({ vmid: 100, name: 'mail', addresses: ['10.0.0.9'] })]).settle();
    expect(run.open().filter((id) => id.startsWith('DECLARATIONS'))).toEqual([
      'DECLARATIONS_CONFLICT:main/100:address4',
      'DECLARATIONS_CONFLICT:main/100:name',
    ]);
    says(run, { id: 1, vmid: 100, name: 'web', addresses: ['10.0.0.5'], status: 'planned' }, { id: 2, vmid: 101 });
    expect(run.open().filter((id) => id.startsWith('DECLARATIONS'))).toEqual([]);
  });
});

describe('what is declared of a guest', () => {
  it('is shown with its page, sizes and VLANs too', () => {
    const run = inventory({
      id: 1,
      vmid: 100,
      name: 'web',
      addresses: ['10.0.0.5'],
      interfaces: [{ mac: MAC, vlan: 20 }],
      cpus: 2,
      memory: { amount: 2048, unit: 'MB' },
      disk: { amount: 32, unit: 'GB' },
    });
    const facts = run.comparison.world.binding.factsOf('main/100@1');
    expect(facts.map(({ field, value }) => `${field} ${value}`)).toEqual([
      'name web',
      'address4 10.0.0.5',
      'net0 20',
      'cpus 2',
      'memory 2048 MB',
      'disk 32 GB',
    ]);
    expect(new Set(facts.map(({ source, location }) => `${source} ${location}`))).toEqual(
      new Set(['netbox:dcim https://dcim.example.org/virtualization/virtual-machines/1/']),
    );
  });
});

describe('a service', () => {
  it('that was not read for longer than its contract allows covers nothing', () => {
    const run = inventory(...BOTH);
    run.wait(3 * HOUR).full();
    run.estate.guest({ vmid: 102, name: 'new' });
    run.tick();
    expect(run.open()).toEqual(QUIET);
    expect(run.comparison.asks).toEqual([]);
    run.read(DCIM).settle();
    expect(run.open()).toEqual([...QUIET, 'GUEST_NOT_DECLARED:main/102@1:']);
  });
});
