import { describe, expect, it } from 'vitest';
import { cidr } from '../../src/domain/address.js';
import type { AddressClass } from '../../src/domain/policy.js';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.js';
import { CONF, line, NETBOX, row, TABLE } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';
import { Estate } from '../testkit/estate-model.js';

const parts = (vmid: number) => [
  { part: 'config' as const, key: String(vmid) },
  { part: 'addresses' as const, key: String(vmid) },
];

/** Guest 100 with an agent that shows 10.0.0.5, declared so. */
function agreed(device: object = {}): Run {
  const run = new Run();
  run.estate.guest({ vmid: 100, name: 'web', devices: [{ shows: ['10.0.0.5'], ...device }] });
  run.write(TABLE, [row({ vmid: 100, name: 'web', addresses: ['10.0.0.5'] })]).full();
  expect(run.open()).toEqual([]);
  return run;
}

const shows = (run: Run, ...addresses: string[]) => run.estate.guest({ vmid: 100, devices: [{ shows: addresses }] });

function classified(text: string, klass: AddressClass) {
  const network = cidr(text);
  return network === undefined ? {} : { addressClasses: [{ cidr: network, class: klass }] };
}

describe('an address that differs', () => {
  it('is one finding: what is carried and what is declared in vain are told by it', () => {
    const run = agreed();
    shows(run, '10.0.0.10', '10.0.0.9');
    run.tick(parts(100));
    expect(run.open()).toEqual(['ADDRESS_DIFFERS:main/100@1:address4']);
    expect(run.finding('ADDRESS_DIFFERS:main/100@1:address4')).toMatchObject({
      declared: '10.0.0.5',
      observed: '10.0.0.9, 10.0.0.10',
    });
  });

  it('is none where one of the set is carried, and families are judged apart', () => {
    const run = agreed();
    shows(run, '10.0.0.5', '10.0.0.9', 'fd00::9');
    run.write(TABLE, [row({ vmid: 100, name: 'web', addresses: ['10.0.0.5', '10.0.0.6', 'fd00::5'] })]);
    run.tick(parts(100)).settle();
    expect(run.open().filter((id) => id.startsWith('ADDRESS_DIFFERS'))).toEqual([]);
    run.estate.guest({ vmid: 100, devices: [{ ip6: 'fd00::9/64' }] });
    run.settle();
    expect(run.open()).toContain('ADDRESS_DIFFERS:main/100@1:address6');
    expect(run.open()).not.toContain('ADDRESS_DIFFERS:main/100@1:address4');
  });

  it('is read at least two minutes after the start', () => {
    const run = agreed();
    run.estate.start(100);
    shows(run, '10.0.0.9');
    run.tick(parts(100));
    expect(run.open()).toEqual([]);
    run.wait(2 * MINUTE);
    expect(run.comparison.asks.map((ask) => ask.part)).toEqual(['config', 'addresses']);
    run.tick();
    expect(run.open()).toEqual(['ADDRESS_DIFFERS:main/100@1:address4']);
  });

  it('of a guest whose lease says so is none of anybody’s business', () => {
    for (const [ip4, address] of [['dhcp', '10.0.0.9']] as const) {
      const run = agreed({ ip4 });
      shows(run, address);
      run.tick(parts(100)).settle();
      expect(run.open().filter((id) => !id.startsWith('DECLARED'))).toEqual([]);
    }
  });

  it('takes its config as evidence only, where the agent shows another', () => {
    const run = agreed({ ip4: '10.0.0.5/24' });
    shows(run, '10.0.0.9');
    run.tick(parts(100));
    expect(run.open()).toEqual(['ADDRESS_DIFFERS:main/100@1:address4']);
  });

  it('does not count docker0, link-local, loopback or another MAC; a bond or VLAN over the device counts', () => {
    const run = agreed();
    shows(run, '169.254.1.1', 'fe80::1', '127.0.0.1');
    run.tick(parts(100));
    expect(run.view.guestsByKey.get('main/100')?.carried).toEqual([]);
  });

  it('is held against a row only once the guest was read after the row was written', () => {
    const run = agreed();
    run.estate.pass(MINUTE);
    run.write(TABLE, [row({ vmid: 100, name: 'web', addresses: ['10.0.0.9'] })]);
    expect(run.open()).toEqual([]);
    expect(run.comparison.asks.map((ask) => ask.part).sort()).toEqual(['addresses', 'config', 'row']);
    run.tick();
    expect(run.open()).toEqual(['ADDRESS_DIFFERS:main/100@1:address4']);
  });

  it('makes no noise while guest and row are renumbered together, whoever is read first', () => {
    const run = agreed();
    run.estate.pass(MINUTE);
    shows(run, '10.0.0.9');
    run.write(TABLE, [row({ vmid: 100, name: 'web', addresses: ['10.0.0.9'] })]).settle();
    expect(run.events).toEqual([]);
  });

  it('is not told by what a stopped guest was seen with before its row was edited, if it still ran then', () => {
    const run = agreed();
    run.estate.pass(3 * HOUR);
    shows(run, '10.0.0.9');
    run.poll('list').write(TABLE, [row({ vmid: 100, name: 'web', addresses: ['10.0.0.9'] })]);
    run.estate.pass(MINUTE);
    run.estate.stop(100);
    run.tick().settle();
    expect(run.open()).toEqual([]);
    run.estate.start(100);
    run
      .tick()
      .wait(2 * MINUTE)
      .settle();
    expect(run.events).toEqual([]);
  });

  it('waits while the winning cell cannot be read or its source is unreachable', () => {
    const run = agreed();
    shows(run, '10.0.0.9');
    run.lose(TABLE).tick(parts(100));
    expect(run.open()).toEqual([]);
    const other = agreed();
    other.write(NETBOX, [row({ vmid: 100, unreadable: ['addresses'] })]);
    shows(other, '10.0.0.9');
    other.tick(parts(100));
    expect(other.open().filter((id) => id.startsWith('ADDRESS_DIFFERS'))).toEqual([]);
  });

  it('is told by the conflict where the other source names what is carried', () => {
    const run = agreed();
    run.write(NETBOX, [row({ vmid: 100, addresses: ['10.0.0.6'] })]).settle();
    expect(run.open()).toEqual(['DECLARATIONS_CONFLICT:main/100:address4']);
  });
});

describe('an address that nobody declared', () => {
  it('is found where a guest carries it that is declared, and is no finding beside what already tells it', () => {
    const run = agreed();
    shows(run, '10.0.0.5', '10.0.0.77');
    run.tick(parts(100));
    expect(run.open()).toEqual(['ADDRESS_NOT_DECLARED:10.0.0.77:']);
    run.estate.guest({ vmid: 101, devices: [{ shows: ['10.0.0.78'] }] });
    run.tick(parts(101)).settle();
    expect(run.open()).toEqual(['ADDRESS_NOT_DECLARED:10.0.0.77:', 'GUEST_NOT_DECLARED:main/101@1:']);
  });

  it('is none if it is dynamic, classified, or an IPv6 that only the agent reports', () => {
    for (const klass of ['node', 'gateway', 'virtual', 'dynamic', 'external'] as const) {
      const run = new Run({ policy: classified('10.0.9.0/24', klass) });
      run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5', '10.0.9.1', 'fd00::1'] }] });
      run.estate.guest({ vmid: 101, devices: [{ ip4: 'dhcp', shows: ['10.0.0.50'] }] });
      run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] }), row({ vmid: 101 })]).full();
      expect(run.open(), klass).toEqual([]);
    }
  });

  it('resolves once it is declared and its carrier was read after that, and the read is asked for', () => {
    const run = agreed();
    shows(run, '10.0.0.5', '10.0.0.77');
    run.tick(parts(100));
    run.estate.pass(SECOND);
    run.write(CONF, [line('EXTRA', '10.0.0.77')]);
    // The first look at a file is no change.
    expect(run.open()).toEqual([]);
    run
      .write(CONF, [line('OTHER', '10.0.0.78'), line('GW', '10.0.0.1')])
      .tick()
      .settle();
    expect(run.open()).toContain('ADDRESS_NOT_DECLARED:10.0.0.77:');
    run.estate.pass(SECOND);
    run.write(CONF, [line('OTHER', '10.0.0.78'), line('EXTRA', '10.0.0.77')]);
    expect(run.open()).toContain('ADDRESS_NOT_DECLARED:10.0.0.77:');
    expect(run.comparison.asks).toContainEqual({ source: 'proxmox:main', part: 'addresses', key: '100' });
    run.tick();
    expect(run.open()).not.toContain('ADDRESS_NOT_DECLARED:10.0.0.77:');
  });

  it('is not told because the row of its guest says no address any more, until the guest was read after that', () => {
    const run = agreed();
    shows(run, '10.0.0.77');
    run.tick(parts(100));
    expect(run.open()).toEqual(['ADDRESS_DIFFERS:main/100@1:address4']);
    run.estate.pass(SECOND);
    shows(run);
    run.write(TABLE, [row({ vmid: 100 })]);
    expect(run.open()).toEqual([]);
    expect(run.comparison.asks).toContainEqual({ source: 'proxmox:main', part: 'addresses', key: '100' });
    run.tick();
    expect(run.events.map(({ type, id }) => `${type} ${id}`)).toEqual([
      'OPENED ADDRESS_DIFFERS:main/100@1:address4',
      'RESOLVED ADDRESS_DIFFERS:main/100@1:address4',
    ]);
  });

  it('stays found over a reboot whose agent answers with nothing at first, and over a stop and a start', () => {
    const run = agreed();
    shows(run, '10.0.0.5', '10.0.0.77');
    run.tick(parts(100));
    const open = run.open();
    run.estate.stop(100);
    run.tick(parts(100)).tick();
    run.estate.pass(HOUR);
    run.estate.start(100, 'main', MINUTE);
    run.poll('list').tick(parts(100)).tick(parts(100));
    run
      .wait(2 * MINUTE)
      .tick()
      .tick();
    expect(run.open()).toEqual(open);
    expect(run.events.map(({ type }) => type)).toEqual(['OPENED']);
  });

  it('stays found while the device’s MAC was edited and the agent was not asked again', () => {
    const run = agreed();
    shows(run, '10.0.0.5', '10.0.0.77');
    run.tick(parts(100));
    const open = run.open();
    run.estate.guest({ vmid: 100, devices: [{ mac: 'bc:24:11:99:00:01' }] });
    run.tick([{ part: 'config', key: '100' }]);
    expect(run.open()).toEqual(open);
    run.tick();
    expect(run.open()).toEqual(open);
    expect(run.events.map(({ type }) => type)).toEqual(['OPENED']);
  });
});

describe('a declared address that nobody carries', () => {
  it('is so once its guest was read, and not while that cannot be', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5'] }], agentDead: true });
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5', '10.0.0.6'] })]).settle();
    expect(run.open()).toEqual([]);
    run.estate.guest({ vmid: 100, agentDead: false });
    run.settle();
    expect(run.open()).toEqual(['DECLARED_ADDRESS_UNUSED:10.0.0.6:']);
  });

  it('that names no guest asks every running guest of its scope', () => {
    const run = agreed();
    run.write(CONF, [line('SPARE', '10.0.0.9')]).settle();
    expect(run.open()).toEqual(['DECLARED_ADDRESS_UNUSED:10.0.0.9:']);
    expect(run.finding('DECLARED_ADDRESS_UNUSED:10.0.0.9:')).toMatchObject({ declared: 'SPARE', severity: 'INFO' });
  });

  it('opens nothing while one that could hold it cannot be asked, unless policy says so', () => {
    for (const unusedDespiteUnread of [false, true]) {
      const run = new Run({ policy: { unusedDespiteUnread } });
      run.estate.guest({ vmid: 100, name: 'mute', agent: false, devices: [{}] });
      run.write(TABLE, [row({ vmid: 100 })]);
      run.write(CONF, [line('SPARE', '10.0.0.9')]).settle();
      expect(run.open().length).toBe(unusedDespiteUnread ? 1 : 0);
    }
  });

  it('is not told while the last attempt to ask one that could hold it failed, or is too long ago', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, agentDead: true });
    run.tick(parts(100)).write(CONF, [line('SPARE', '10.0.0.9')]);
    expect(run.open()).toEqual([]);

    const denied = new Run();
    denied.estate.guest({ vmid: 100, agent: false, address: '10.0.0.5/24' });
    denied.full().estate.guest({ vmid: 100, denied: true });
    denied.tick(parts(100)).write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5', '10.0.0.6'] })]);
    expect(denied.open()).toEqual([]);

    const old = agreed();
    old.estate.pass(3 * HOUR);
    old.poll('list').write(CONF, [line('SPARE', '10.0.0.9')]);
    expect(old.open()).toEqual([]);
    old.settle();
    expect(old.open()).toEqual(['DECLARED_ADDRESS_UNUSED:10.0.0.9:']);
  });

  it('is not told while a guest is hidden, its node offline, or its cluster out of reach', () => {
    const cases: ((run: Run) => void)[] = [
      (run) => run.estate.guest({ vmid: 101, listed: false }),
      (run) => run.estate.node('pve2', { online: false }),
    ];
    for (const blind of cases) {
      const run = agreed();
      run.write(TABLE, [row({ vmid: 100, name: 'web', addresses: ['10.0.0.5'] }), row({ vmid: 101 })]);
      run.estate.guest({ vmid: 101, node: 'pve2', power: 'STOPPED', devices: [{}] });
      run.settle();
      blind(run);
      run
        .tick()
        .write(CONF, [line('SPARE', '10.0.0.9')])
        .settle();
      expect(run.open()).toEqual([]);
    }
  });

  it('is kept by a stopped guest: what it was declared with, and what it was last seen with', () => {
    const run = agreed();
    shows(run, '10.0.0.5', '10.0.0.44');
    run
      .poll(parts(100))
      .write(CONF, [line('LEASED', '10.0.0.44')])
      .tick();
    const { length } = run.events;
    run.estate.stop(100);
    run.tick();
    for (let hour = 0; hour < 5; hour++) {
      run.estate.pass(HOUR);
      run.settle();
    }
    expect(run.open()).toEqual([]);
    expect(run.events.length).toBe(length);
  });

  it('is not kept by what a stopped guest was seen with before its devices were edited', () => {
    const run = agreed({ ip4: '10.0.0.5/24' });
    run.estate.stop(100);
    run.tick(parts(100)).tick(parts(100));
    expect(run.view.guestsByKey.get('main/100')?.carried.map((c) => c.address)).toEqual(['10.0.0.5']);
    run.estate.guest({ vmid: 100, devices: [{ ip4: '10.0.0.6/24' }] });
    run.tick(parts(100)).tick(parts(100)).tick(parts(100));
    expect(run.view.guestsByKey.get('main/100')?.carried.map((c) => c.address)).toEqual(['10.0.0.6']);
  });

  it('is no finding if it is reserved, classified, or a node’s own', () => {
    const run = new Run({ policy: classified('10.0.0.1/32', 'gateway') });
    run.estate.node('pve1', { ip: '10.0.0.2' });
    run.estate.guest({ vmid: 100, name: 'web' });
    run.write(TABLE, [row({ vmid: 100 }), row({ vmid: 201, status: 'planned', addresses: ['10.0.0.3'] })]);
    run.write(CONF, [line('GW', '10.0.0.1'), line('NODE', '10.0.0.2'), line('PLANNED', '10.0.0.3')]).settle();
    expect(run.open()).toEqual([]);
  });
});

describe('a scope', () => {
  const settings = {
    main: { addressScopes: [{ node: null, bridge: 'vmbr1', tag: null, perNode: true, scope: 'nat' }] },
    edge: { addressScope: 'edge' },
  };
  const nat = (shown: string) => ({ bridge: 'vmbr1', shows: [shown] });

  it('makes two addresses of one text', () => {
    const run = new Run({ settings, estate: new Estate({ main: ['pve1', 'pve2'], edge: ['edge1'] }) });
    run.estate.guest({ vmid: 100, devices: [nat('10.9.0.2')] });
    run.estate.guest({ vmid: 101, node: 'pve2', devices: [nat('10.9.0.2')] });
    run.estate.guest({ vmid: 102, devices: [{ shows: ['10.9.0.2'] }] });
    run.estate.guest({ cluster: 'edge', vmid: 103, node: 'edge1', devices: [{ shows: ['10.9.0.2'] }] });
    const rows = [100, 101, 102].map((vmid) => row({ vmid, addresses: ['10.9.0.2'] }));
    run.write(TABLE, [...rows, row({ vmid: 103, cluster: 'edge', addresses: ['10.9.0.2'] })]).settle();
    expect(run.open()).toEqual([]);
    run.estate.guest({ vmid: 104, devices: [nat('10.9.0.2')] });
    run.tick(parts(104)).settle();
    expect(run.open()).toEqual(['DUPLICATE_ADDRESS:nat@pve1/10.9.0.2:', 'GUEST_NOT_DECLARED:main/104@1:']);
  });

  it('is not read while a second device in it was not', () => {
    const run = new Run({ settings, estate: new Estate({ main: ['pve1'] }) });
    run.estate.guest({ vmid: 100, agentDead: true, devices: [{ ip4: '10.0.0.5/24' }, { ...nat('10.9.0.3') }] });
    run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] })]);
    run.write(CONF, [line('SPARE', '10.0.0.99')]).settle();
    expect(run.open()).toEqual([]);
  });
});
