import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.js';
import { NETBOX, row, TABLE } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';
import { Estate } from '../testkit/estate-model.js';

/** One guest, 100 on pve1, running as `web`, and a row that says the same. */
function agreed(): Run {
  const run = new Run();
  run.estate.guest({ vmid: 100, name: 'web', node: 'pve1' });
  run.write(TABLE, [row({ vmid: 100, name: 'web', node: 'pve1', status: 'running' })]).full();
  expect(run.open()).toEqual([]);
  return run;
}

describe('a name', () => {
  it('differs where both sides say one, without regard to case and domain', () => {
    const run = agreed();
    run.write(TABLE, [row({ vmid: 100, name: 'WEB.example.org' })]).poll();
    expect(run.open()).toEqual([]);
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    expect(run.finding('NAME_DIFFERS:main/100@1:name')).toMatchObject({
      declared: 'WEB.example.org',
      observed: 'www',
      severity: 'INFO',
    });
  });

  it('that Proxmox invented for a guest without one is none', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, name: null });
    run.write(TABLE, [row({ vmid: 100, name: 'web' })]).full();
    expect(run.open()).toEqual([]);
  });

  it('keeps its last value while the row comes without rrd data', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    run.estate.guest({ vmid: 100, tracked: false });
    run.tick();
    expect(run.open()).toEqual(['NAME_DIFFERS:main/100@1:name']);
    expect(run.view.guestsByKey.get('main/100')?.row.name).toBe('www');
  });

  it('is not covered while the cluster has no quorum', () => {
    const run = agreed();
    run.estate.cluster('main').quorate = false;
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    expect(run.open()).toEqual([]);
    run.estate.cluster('main').quorate = true;
    run.tick();
    expect(run.open()).toEqual(['NAME_DIFFERS:main/100@1:name']);
  });

  it('is held against the row only once the list was read after the row was written', () => {
    const run = agreed();
    run.estate.pass(SECOND);
    run.write(TABLE, [row({ vmid: 100, name: 'mail', node: 'pve1', status: 'running' })]);
    expect(run.open()).toEqual([]);
    expect(run.comparison.asks).toEqual([{ source: 'proxmox:main', part: 'row', key: '' }]);
    run.tick();
    expect(run.open()).toEqual(['NAME_DIFFERS:main/100@1:name']);
  });

  it('of a range is listed, and not compared', () => {
    const run = agreed();
    run.write(TABLE, [row({ vmid: 100, to: 104, name: 'pool' })]).settle();
    expect(run.open().filter((id) => id.startsWith('NAME'))).toEqual([]);
  });

  it('in a cell that cannot be read covers nothing: what was found stays, and a lesser source has no word', () => {
    const run = agreed();
    run.write(TABLE, [row({ vmid: 100, name: 'mail' })]).tick();
    const before = run.open();
    run.write(TABLE, [row({ vmid: 100, unreadable: ['name'] })]).tick();
    expect(run.open()).toEqual(before);

    const other = agreed();
    other.write(NETBOX, [row({ vmid: 100, unreadable: ['name'] })]);
    other.write(TABLE, [row({ vmid: 100, name: 'mail', node: 'pve1', status: 'running' })]).tick();
    expect(other.open()).toEqual([]);
  });

  it('that differs is told by the conflict of the declarations, where the observed value is one of them', () => {
    const run = agreed();
    run.write(NETBOX, [row({ vmid: 100, name: 'mail' })]).tick();
    expect(run.open()).toEqual(['DECLARATIONS_CONFLICT:main/100:name']);
    run.estate.guest({ vmid: 100, name: 'ftp' });
    run.tick();
    expect(run.open()).toEqual(['DECLARATIONS_CONFLICT:main/100:name', 'NAME_DIFFERS:main/100@1:name']);
  });

  it('is the one of the winning source', () => {
    const run = agreed();
    run.write(NETBOX, [row({ vmid: 100, name: 'mail' })]).tick();
    run.write(TABLE, [row({ vmid: 100 })]).tick();
    expect(run.finding('NAME_DIFFERS:main/100@1:name')).toMatchObject({ declared: 'mail', observed: 'web' });
  });
});

describe('a node', () => {
  it('differs once it has been so for an hour', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, node: 'pve2' });
    run.tick();
    expect(run.open()).toEqual([]);
    expect(run.comparison.due).toBe((run.view.guestsByKey.get('main/100')?.row.since.node.before ?? 0) + HOUR);
    run.wait(HOUR);
    expect(run.open()).toEqual(['NODE_DIFFERS:main/100@1:node']);
  });

  it('that differs at the very first look is settled', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, name: 'web', node: 'pve2' });
    run.write(TABLE, [row({ vmid: 100, node: 'pve1' })]).full();
    expect(run.open()).toEqual(['NODE_DIFFERS:main/100@1:node']);
  });

  it('is not compared under HA, unless HA ignores the guest', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, node: 'pve2', ha: 'started' });
    run
      .tick()
      .wait(2 * HOUR)
      .tick();
    expect(run.open()).toEqual([]);
    run.estate.guest({ vmid: 100, ha: 'ignored' });
    run.tick();
    expect(run.open()).toEqual(['NODE_DIFFERS:main/100@1:node']);
  });

  it('is not asked of a declared node that is down or in maintenance, nor right after it came back', () => {
    for (const away of [{ online: false }, { maintenance: true }]) {
      const run = agreed();
      run.estate.node('pve1', away);
      run.estate.guest({ vmid: 100, node: 'pve2' });
      run
        .tick()
        .wait(3 * HOUR - 10 * SECOND)
        .tick();
      expect(run.open()).toEqual([]);
      run.estate.node('pve1', { online: true, maintenance: false });
      run.tick();
      expect(run.open()).toEqual([]);
      run.wait(HOUR).tick();
      expect(run.open()).toEqual(['NODE_DIFFERS:main/100@1:node']);
    }
  });

  it('is known by its own IP as by its name', () => {
    const run = agreed();
    run.estate.node('pve1', { ip: '192.168.11.11' });
    run.write(TABLE, [row({ vmid: 100, name: 'web', node: '192.168.11.11' })]);
    run
      .tick()
      .wait(2 * HOUR)
      .tick();
    expect(run.open()).toEqual([]);
  });

  it('that the cluster does not have covers nothing', () => {
    const run = agreed();
    run
      .write(TABLE, [row({ vmid: 100, name: 'web', node: 'pve9' })])
      .tick()
      .wait(2 * HOUR)
      .tick();
    expect(run.open()).toEqual([]);
  });
});

describe('a status', () => {
  it('differs once it has been so for five minutes', () => {
    const run = agreed();
    run.estate.stop(100);
    run.tick().wait(4 * MINUTE);
    expect(run.open()).toEqual([]);
    run.wait(MINUTE);
    expect(run.finding('STATUS_DIFFERS:main/100@1:status')).toMatchObject({ declared: 'running', observed: 'stopped' });
  });

  it('is not compared for words that do not clearly mean running or stopped', () => {
    const run = agreed();
    for (const word of ['planned', 'unclear'] as const) {
      run.write(TABLE, [row({ vmid: 100, name: 'web', status: word })]);
      run.estate.stop(100);
      run.tick().wait(HOUR).tick();
      expect(run.open()).toEqual([]);
    }
  });

  it('of a template is nobody’s business', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, template: true, power: 'STOPPED' });
    run.tick().wait(HOUR).tick();
    expect(run.open()).toEqual([]);
  });

  it('is excused by a lock for a day, counts again from its release, and is not excused by hibernation', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, power: 'STOPPED', lock: 'backup' });
    run.tick().wait(HOUR);
    expect(run.open()).toEqual([]);
    run.estate.guest({ vmid: 100, lock: null });
    run.tick();
    expect(run.open()).toEqual([]);
    run.wait(5 * MINUTE);
    expect(run.open()).toEqual(['STATUS_DIFFERS:main/100@1:status']);

    const stuck = agreed();
    stuck.estate.guest({ vmid: 100, power: 'STOPPED', lock: 'backup' });
    stuck.tick();
    for (let hour = 0; hour < 24; hour++) stuck.wait(HOUR).full();
    expect(stuck.open()).toEqual(['STATUS_DIFFERS:main/100@1:status']);

    const asleep = agreed();
    asleep.estate.guest({ vmid: 100, power: 'STOPPED', lock: 'suspended' });
    asleep.tick().wait(5 * MINUTE);
    expect(asleep.open()).toEqual(['STATUS_DIFFERS:main/100@1:status']);
  });

  it('of a paused guest is told by the power detail alone, and settles from when that was seen', () => {
    const run = agreed();
    run.estate.guest({ vmid: 100, power: 'PAUSED' });
    run.tick();
    expect(run.view.guestsByKey.get('main/100')?.status).toBe('RUNNING');
    run.tick([{ part: 'power', key: 'pve1' }]);
    expect(run.view.guestsByKey.get('main/100')?.status).toBe('PAUSED');
    expect(run.open()).toEqual([]);
    run.wait(5 * MINUTE);
    expect(run.finding('STATUS_DIFFERS:main/100@1:status')).toMatchObject({ observed: 'paused' });
  });

  it('of a guest that runs while only retired rows name it is retired / running', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100, name: 'web' });
    run.write(TABLE, [row({ vmid: 100, name: 'old', node: 'pve2', status: ['decommissioned', 'retired'] })]).full();
    expect(run.open()).toEqual(['STATUS_DIFFERS:main/100@1:status']);
    expect(run.finding('STATUS_DIFFERS:main/100@1:status')).toMatchObject({ declared: 'retired', observed: 'running' });
    run.write(NETBOX, [row({ vmid: 100 })]).tick();
    expect(run.open()).toEqual([]);
  });

  it('of a guest on an offline node is unknown, also while the list still tells its last word', () => {
    for (const lingers of [false, true]) {
      const run = agreed();
      run.estate.node('pve1', { online: false, lingers });
      run.estate.stop(100);
      run.tick().wait(HOUR).tick();
      expect(run.view.guestsByKey.get('main/100')?.status).toBe('UNKNOWN');
      expect(run.open()).toEqual([]);
    }
  });
});

describe('the place of a row', () => {
  const two = () => new Run({ estate: new Estate({ main: ['pve1'], edge: ['edge1'] }) });

  it('is its cluster column, else the nearest heading that names a cluster or node of ours, else its node', () => {
    const run = two();
    run.estate.guest({ vmid: 100, name: 'a' });
    run.estate.guest({ cluster: 'edge', vmid: 100, name: 'b', node: 'edge1' });
    const named = (what: object) => row({ vmid: 100, name: 'b', cluster: null, ...what });
    const places = [
      named({ cluster: 'edge' }),
      named({ headings: ['Guests of edge', 'The main site'] }),
      named({ headings: ['On edge1'] }),
      named({ node: 'edge1' }),
      named({ name: 'B.example.org' }),
    ];
    for (const place of places) {
      run.write(TABLE, [row({ vmid: 100, name: 'a', cluster: 'main', ordinal: 2 }), place]).settle();
      expect(run.open(), JSON.stringify(place)).toEqual([]);
    }
    run.write(TABLE, [row({ vmid: 100, name: 'a', cluster: 'main', ordinal: 2 }), named({ name: 'zzz' })]).settle();
    expect(run.open()).toEqual(['GUEST_NOT_DECLARED:edge/100@1:']);
  });

  it('that fits several guests is a conflict that names them, and is compared with none', () => {
    const run = two();
    run.estate.guest({ vmid: 100, name: 'web' });
    run.estate.guest({ cluster: 'edge', vmid: 100, name: 'web', node: 'edge1' });
    run.write(TABLE, [row({ vmid: 100, name: 'web', cluster: null, status: 'stopped' })]).settle();
    expect(run.open()).toEqual(['DECLARATIONS_CONFLICT:*/100:cluster']);
    expect(run.finding('DECLARATIONS_CONFLICT:*/100:cluster').observed).toBe('edge/100, main/100');
  });

  it('in a cluster that is none of ours is out of sight', () => {
    const run = two();
    run
      .write(TABLE, [
        row({ vmid: 300, cluster: 'elsewhere' }),
        row({ vmid: 301, cluster: null, node: 'pve9', addresses: ['10.0.0.7'] }),
      ])
      .settle();
    expect(run.open()).toEqual([]);
  });
});
