import { describe, expect, it } from 'vitest';
import { cidr } from '../../src/domain/address.js';
import { HOUR } from '../../src/domain/time.js';
import { CONF, line, NETBOX, row, TABLE, twice } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';

const ID = 'DUPLICATE_ADDRESS:10.0.0.5:';
const parts = (...vmids: number[]) =>
  vmids.flatMap((vmid) => [
    { part: 'config' as const, key: String(vmid) },
    { part: 'addresses' as const, key: String(vmid) },
  ]);

function twoGuests(second: object = {}, policy = {}): Run {
  const run = new Run({ policy });
  run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.5'] }] });
  run.estate.guest({ vmid: 101, devices: [{ shows: ['10.0.0.5'] }], ...second });
  run.write(TABLE, [row({ vmid: 100, addresses: ['10.0.0.5'] }), row({ vmid: 101 })]);
  return run;
}

describe('one address on two running guests', () => {
  it('is a duplicate once both still have it when read again, and that read is asked for', () => {
    for (const second of [{}, { agent: false, devices: [{ ip4: '10.0.0.5/24' }] }, { kind: 'LXC' as const }]) {
      const run = twoGuests(second);
      run.full();
      expect(run.open()).toEqual([]);
      expect(run.comparison.asks.map((ask) => ask.key)).toContain('101');
      run.tick();
      expect(run.open()).toEqual([ID]);
      expect(run.finding(ID)).toMatchObject({ observed: 'main/100, main/101', severity: 'CRITICAL' });
    }
  });

  it('is none if it only moved from one to the other', () => {
    const run = twoGuests({ devices: [{ shows: [] }] });
    run.full();
    run.estate.guest({ vmid: 101, devices: [{ shows: ['10.0.0.5'] }] });
    run.tick(parts(101));
    run.estate.guest({ vmid: 100, devices: [{ shows: ['10.0.0.6'] }] });
    run.tick().settle();
    expect(run.open().filter((id) => id.startsWith('DUPLICATE'))).toEqual([]);
    expect(run.events.filter(({ id }) => id.startsWith('DUPLICATE'))).toEqual([]);
  });

  it('is a claim and no duplicate if one is stopped, a template, on an offline node, or its link is down', () => {
    const seconds = [
      { power: 'STOPPED' as const, devices: [{ ip4: '10.0.0.5/24' }] },
      { template: true, power: 'STOPPED' as const, devices: [{ ip4: '10.0.0.5/24' }] },
      { devices: [{ shows: ['10.0.0.5'], linkDown: true }] },
    ];
    for (const second of seconds)
      expect(
        twoGuests(second)
          .settle()
          .open()
          .filter((id) => id === ID),
      ).toEqual([]);
    const run = twoGuests({ node: 'pve2' });
    run.full();
    run.estate.node('pve2', { online: false });
    run.settle();
    expect(run.open()).toEqual([]);
  });

  it('stays while one of them cannot be asked, and ends when one stops or its link is cut', () => {
    const open = () => {
      const run = twoGuests({ node: 'pve2' }).settle();
      expect(run.open()).toEqual([ID]);
      return run;
    };
    const blind = open();
    blind.estate.node('pve2', { online: false });
    blind.tick().settle().unreachable();
    expect(blind.open()).toEqual([ID]);
    expect(blind.events.length).toBe(1);

    const stopped = open();
    stopped.estate.stop(101);
    stopped.tick();
    expect(stopped.open()).toEqual([]);

    const cut = open();
    cut.estate.guest({ vmid: 101, devices: [{ linkDown: true }] });
    cut.tick(parts(101));
    expect(cut.open()).toEqual([]);
  });

  it('is none where the address is virtual, by policy or by its MAC', () => {
    const network = cidr('10.0.0.5');
    const run = twoGuests({}, network === undefined ? {} : { addressClasses: [{ cidr: network, class: 'virtual' }] });
    expect(run.settle().open()).toEqual([]);
    const vrrp = new Run();
    for (const vmid of [100, 101])
      vrrp.estate.guest({ vmid, devices: [{ mac: '00:00:5e:00:01:0a', shows: ['10.0.0.5'] }] });
    vrrp.write(TABLE, [row({ vmid: 100 }), row({ vmid: 101 })]).settle();
    expect(vrrp.open().filter((id) => id.includes('ADDRESS'))).toEqual([]);
  });

  it('is told by the MAC that they share, with the graver severity', () => {
    const run = twoGuests({ devices: [{ mac: 'bc:24:11:00:00:64', shows: ['10.0.0.5'] }] }).settle();
    expect(run.open()).toEqual(['DUPLICATE_MAC:main/bc:24:11:00:00:64:']);
    expect(run.finding('DUPLICATE_MAC:main/bc:24:11:00:00:64:').severity).toBe('CRITICAL');
  });

  it('keeps that severity while one of them cannot be asked, and loses it once they share no address any more', () => {
    const run = twoGuests({ devices: [{ mac: 'bc:24:11:00:00:64', shows: ['10.0.0.5'] }] }).settle();
    const severity = () => run.finding('DUPLICATE_MAC:main/bc:24:11:00:00:64:').severity;
    const happened = run.events.length;
    run.estate.guest({ vmid: 101, agentDead: true });
    run.full();
    run.wait(3 * HOUR).full();
    expect([severity(), run.events.length]).toEqual(['CRITICAL', happened]);
    run.estate.guest({ vmid: 101, agentDead: false, devices: [{ shows: ['10.0.0.9'] }] });
    run.full().settle();
    expect([severity(), run.open().filter((id) => id.startsWith('DUPLICATE'))]).toEqual([
      'WARNING',
      ['DUPLICATE_MAC:main/bc:24:11:00:00:64:'],
    ]);
  });
});

describe('one MAC on two guests', () => {
  it('is a duplicate also where they are stopped, and not where one is a template', () => {
    const mac = 'bc:24:11:00:00:64';
    for (const [template, found] of [
      [false, 1],
      [true, 0],
    ] as const) {
      const run = new Run();
      run.estate.guest({ vmid: 100, devices: [{ mac }] });
      run.estate.guest({ vmid: 101, power: 'STOPPED', template, devices: [{ mac }] });
      run.full();
      expect(run.open().length).toBe(found);
    }
  });
});

describe('declarations in conflict', () => {
  const run = (...rows: Parameters<typeof row>[0][]) => {
    const world = new Run();
    world.estate.guest({ vmid: 100, name: 'web', devices: [{ shows: ['10.0.0.5'] }] });
    world.estate.guest({ vmid: 101, name: 'db', devices: [{ shows: ['10.0.0.6'] }] });
    return world.write(TABLE, rows.map(row));
  };
  const conflicts = (world: Run) => world.open().filter((id) => id.startsWith('DECLARATIONS'));

  it('are sets of one family that share nothing, and one address for two guests', () => {
    const sets = run({ vmid: 100, addresses: ['10.0.0.5'] }, { vmid: 101, addresses: ['10.0.0.6'] });
    sets.write(NETBOX, [row({ vmid: 100, addresses: ['10.0.0.7', '10.0.0.5'] })]).settle();
    expect(conflicts(sets)).toEqual([]);
    sets.write(NETBOX, [row({ vmid: 100, addresses: ['10.0.0.7'] })]).settle();
    expect(conflicts(sets)).toEqual(['DECLARATIONS_CONFLICT:main/100:address4']);

    const shared = run(
      { vmid: 100, addresses: ['10.0.0.5'] },
      { vmid: 101, addresses: ['10.0.0.5', '10.0.0.6'] },
    ).settle();
    expect(conflicts(shared)).toEqual(['DECLARATIONS_CONFLICT:10.0.0.5:guest']);
  });

  it('are one key twice with two values', () => {
    const world = run({ vmid: 100 }, { vmid: 101 });
    world.write(CONF, [line('WEB', '10.0.0.6')], [twice('WEB', '10.0.0.5', '10.0.0.6')]).settle();
    expect(conflicts(world)).toEqual(['DECLARATIONS_CONFLICT:10.0.0.5:WEB']);
    world.lose(CONF);
    expect(conflicts(world)).toEqual(['DECLARATIONS_CONFLICT:10.0.0.5:WEB']);
    world.write(CONF, [line('WEB', '10.0.0.6')]);
    expect(conflicts(world)).toEqual([]);
  });

  it('need two rows that bind to one guest, and no part in them have planned and retired ones', () => {
    const world = run({ vmid: 100, name: 'web' }, { vmid: 101, name: 'db' });
    world.write(NETBOX, [
      row({ vmid: 100, name: 'old', status: 'retired' }),
      row({ vmid: 101, name: 'new', status: 'planned' }),
      row({ vmid: 100, name: 'away', cluster: 'elsewhere', ordinal: 2 }),
    ]);
    world.settle().wait(HOUR).settle();
    expect(conflicts(world)).toEqual([]);
  });

  it('are found between any two of three', () => {
    const world = run({ vmid: 100, addresses: ['10.0.0.5'] }, { vmid: 101 });
    world.write(NETBOX, [row({ vmid: 100, addresses: ['10.0.0.5', '10.0.0.8'] })]);
    world.write('other', [row({ vmid: 100, addresses: ['10.0.0.8'] })]).settle();
    expect(conflicts(world)).toEqual(['DECLARATIONS_CONFLICT:main/100:address4']);
  });

  it('stay while a cell of theirs cannot be read', () => {
    const world = run({ vmid: 100, name: 'web' }, { vmid: 101 });
    world.write(NETBOX, [row({ vmid: 100, name: 'mail' })]).settle();
    expect(conflicts(world)).toEqual(['DECLARATIONS_CONFLICT:main/100:name']);
    world.write(NETBOX, [row({ vmid: 100, unreadable: ['name'] })]).settle();
    expect(conflicts(world)).toEqual(['DECLARATIONS_CONFLICT:main/100:name']);
  });
});
