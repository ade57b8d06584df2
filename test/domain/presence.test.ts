import { describe, expect, it } from 'vitest';
import { HOUR, MINUTE, SECOND } from '../../src/domain/time.js';
import { CONF, garbled, line, row, TABLE } from '../testkit/domain-declared.js';
import { Run } from '../testkit/domain-run.js';
import { Estate } from '../testkit/estate-model.js';

function declared(): Run {
  const run = new Run();
  run.estate.guest({ vmid: 100, name: 'web', address: '10.0.0.5/24' });
  run.write(TABLE, [row({ vmid: 100, name: 'web', addresses: ['10.0.0.5'] })]).full();
  expect(run.open()).toEqual([]);
  return run;
}

describe('a guest that nobody declared', () => {
  it('is found at the poll that shows it', () => {
    const run = declared();
    run.estate.guest({ vmid: 101, name: 'stray' });
    run.tick();
    expect(run.finding('GUEST_NOT_DECLARED:main/101@1:')).toMatchObject({ observed: 'main/101', severity: 'WARNING' });
  });

  it('is no finding where no source declares guests', () => {
    const run = new Run();
    run.estate.guest({ vmid: 100 });
    run.write(CONF, [line('GW', '10.0.0.1')]).full();
    expect(run.open().filter((id) => id.startsWith('GUEST'))).toEqual([]);
  });

  it('waits while it is being created or cloned, and nothing of its address is told meanwhile', () => {
    for (const lock of ['create', 'clone']) {
      const run = declared();
      run.estate.guest({ vmid: 101, lock, power: 'STOPPED', address: '10.0.0.9/24' });
      run.tick().wait(HOUR).tick();
      expect(run.open()).toEqual([]);
      run.estate.guest({ vmid: 101, lock: null });
      run.tick();
      expect(run.open()).toEqual(['GUEST_NOT_DECLARED:main/101@1:']);
    }
  });

  it('is not told while a row that cannot be read carries its name or one of its addresses', () => {
    const run = declared();
    run.write(TABLE, [row({ vmid: 100, name: 'web', addresses: ['10.0.0.5'] }), garbled('STRAY', '10.0.0.9')]);
    run.estate.guest({ vmid: 101, name: 'stray' });
    run.estate.guest({ vmid: 102, name: 'other', address: '10.0.0.9/24' });
    run.estate.pass(10 * SECOND);
    // The list comes first: whether the address is one of 102’s is not known yet.
    run.poll('list');
    expect(run.open()).toEqual([]);
    run.tick([
      { part: 'config', key: '102' },
      { part: 'addresses', key: '102' },
    ]);
    expect(run.open()).toEqual([]);
  });

  it('is not told before its address is read, where a row that says no place could bind by it', () => {
    const run = new Run({ estate: new Estate({ main: ['pve1'], edge: ['edge1'] }) });
    run.estate.guest({ vmid: 100, name: 'web' });
    run.estate.guest({ vmid: 101, name: 'renamed', address: '10.0.0.6/24' });
    run.write(TABLE, [
      row({ vmid: 100, name: 'web' }),
      row({ vmid: 101, name: 'db', cluster: null, addresses: ['10.0.0.6'] }),
    ]);
    run.poll('list').poll('list', 'edge');
    expect(run.open()).toEqual([]);
    run.settle();
    expect(run.open()).toEqual(['NAME_DIFFERS:main/101@1:name']);
  });

  it('waits, like an undeclared address, while a declaring source is unreachable', () => {
    for (const lost of [TABLE, CONF]) {
      const run = declared();
      run.write(CONF, [line('GW', '10.0.0.1')]).lose(lost);
      run.estate.guest({ vmid: 101, address: '10.0.0.9/24' });
      run.tick();
      run.settle();
      expect(run.open().filter((id) => id.includes('NOT_DECLARED'))).toEqual([]);
    }
  });

  it('is held against a row that was removed only once the list was read after that', () => {
    const run = declared();
    run.estate.pass(SECOND);
    run.write(TABLE, [row({ vmid: 200, ordinal: 1, status: 'planned' })]);
    expect(run.open()).toEqual([]);
    run.tick();
    expect(run.open()).toEqual(['GUEST_NOT_DECLARED:main/100@1:']);
  });

  it('is not told of a guest whose node was not online at the last poll', () => {
    const run = declared();
    run.estate.node('pve2', { online: false });
    run.estate.guest({ vmid: 101, node: 'pve2' });
    run.tick().settle();
    expect(run.open()).toEqual([]);
    run.estate.node('pve2', { online: true });
    run.tick();
    expect(run.open()).toEqual(['GUEST_NOT_DECLARED:main/101@1:']);
  });

  it('keeps its finding while it is hidden, on an offline node, or its cluster is out of reach', () => {
    const run = declared();
    run.estate.guest({ vmid: 101 });
    run.tick();
    const open = run.open();
    run.estate.guest({ vmid: 101, listed: false });
    run.tick();
    expect(run.open()).toEqual(open);
    run.estate.guest({ vmid: 101, listed: true });
    run.estate.node('pve1', { online: false });
    run.tick();
    run.unreachable();
    expect(run.open()).toEqual(open);
    expect(run.events.map(({ type }) => type)).toEqual(['OPENED']);
  });
});

describe('a guest that is missing', () => {
  const gone = () => {
    const run = declared();
    run.estate.remove(100);
    return run;
  };

  it('is proven absent: the list alone says nothing', () => {
    const run = gone();
    run.estate.pass(10 * SECOND);
    run.poll('list');
    expect(run.open()).toEqual([]);
    expect(run.view.guestsByKey.get('main/100')?.row.hidden).toBe(true);
    run.tick();
    expect(run.view.guestsByKey.has('main/100')).toBe(false);
    run.tick();
    expect(run.open()).toEqual(['GUEST_MISSING:main/100:']);
    expect(run.finding('GUEST_MISSING:main/100:')).toMatchObject({ declared: 'web', category: 'STATE' });
  });

  it('is only hidden where the VMID is taken: the last known stays, nothing opens or resolves', () => {
    const run = declared();
    run.estate.guest({ vmid: 100, name: 'www' });
    run.tick();
    const open = run.open();
    expect(open).toEqual(['NAME_DIFFERS:main/100@1:name']);
    run.estate.guest({ vmid: 100, listed: false });
    run.tick().tick().settle();
    expect(run.open()).toEqual(open);
    expect(run.view.guestsByKey.get('main/100')?.carried.map((c) => c.address)).toEqual(['10.0.0.5']);
  });

  it('is not proven by a cluster without quorum', () => {
    const run = gone();
    run.estate.cluster('main').quorate = false;
    run.tick().tick();
    expect(run.open()).toEqual([]);
    expect(run.view.guestsByKey.has('main/100')).toBe(true);
    // An answer without quorum is no failed attempt that would put the next one off.
    expect(run.view.absenceReads.has('main/100')).toBe(false);
    run.estate.cluster('main').quorate = true;
    run.tick().tick();
    expect(run.open()).toEqual(['GUEST_MISSING:main/100:']);
  });

  it('must be absent from every cluster that it could be in', () => {
    const run = new Run({ estate: new Estate({ main: ['pve1'], edge: ['edge1'] }) });
    run.estate.guest({ cluster: 'edge', vmid: 100, name: 'other', node: 'edge1' });
    run.write(TABLE, [row({ vmid: 100, name: 'web', cluster: null }), row({ vmid: 101, cluster: null, name: 'x' })]);
    run.full('main').full('main');
    run.unreachable('edge');
    expect(run.open().filter((id) => id.startsWith('GUEST_MISSING'))).toEqual([]);
    run.settle();
    expect(run.open().filter((id) => id.startsWith('GUEST_MISSING'))).toEqual(['GUEST_MISSING:*/101:']);
  });

  it('is not missed by rows that are planned, reserved or retired', () => {
    const run = new Run();
    run
      .write(TABLE, [
        row({ vmid: 200, status: 'planned', addresses: ['10.0.0.20'] }),
        row({ vmid: 201, status: 'retired', addresses: ['10.0.0.21'] }),
      ])
      .settle();
    expect(run.open()).toEqual([]);
  });

  it('is missed for each VMID of a range', () => {
    const run = new Run();
    run.write(TABLE, [row({ vmid: 200, to: 201 })]).settle();
    expect(run.open()).toEqual(['GUEST_MISSING:main/200:', 'GUEST_MISSING:main/201:']);
  });

  it('is proven anew for a row that was written after the last proof, and its address waits with it', () => {
    const run = new Run();
    const planned = row({ vmid: 200, name: 'new', status: 'planned', addresses: ['10.0.0.20'] });
    run.write(TABLE, [row({ vmid: 200, name: 'new', addresses: ['10.0.0.20'] })]).settle();
    expect(run.open()).toEqual(['GUEST_MISSING:main/200:']);
    run.write(TABLE, [planned]).tick();
    expect(run.open()).toEqual([]);
    run.estate.pass(MINUTE);
    run.estate.guest({ vmid: 200, name: 'new', address: '10.0.0.20/24' });
    run.write(TABLE, [row({ vmid: 200, name: 'new', addresses: ['10.0.0.20'] })]);
    expect(run.open()).toEqual([]);
    run
      .tick()
      .wait(2 * MINUTE)
      .settle();
    expect(run.open()).toEqual([]);
  });

  it('that comes back resolves it, and its history stays', () => {
    const run = gone();
    run.tick().tick();
    run.estate.guest({ vmid: 100, name: 'web', address: '10.0.0.5/24' });
    run.tick();
    expect(run.open()).toEqual([]);
    expect(run.open('RESOLVED')).toContain('GUEST_MISSING:main/100:');
    run.estate.remove(100);
    run.tick().tick();
    expect(run.finding('GUEST_MISSING:main/100:')).toMatchObject({ state: 'OPEN', occurrences: 2 });
    expect(run.events.at(-1)).toMatchObject({ type: 'REOPENED' });
  });
});

describe('a cluster that is retired', () => {
  it('takes its guests out of the view, and its findings end with that reason', () => {
    const run = new Run({ estate: new Estate({ main: ['pve1'], edge: ['edge1'] }) });
    run.estate.guest({ cluster: 'edge', vmid: 100, node: 'edge1', address: '10.0.0.5/24' });
    run.write(TABLE, [row({ vmid: 200, status: 'planned' })]).settle();
    expect(run.open()).toEqual(['GUEST_NOT_DECLARED:edge/100@1:']);
    run.retire('edge');
    expect(run.open()).toEqual([]);
    expect(run.events.at(-1)).toMatchObject({ type: 'RESOLVED', reason: 'the cluster was retired' });
    expect(run.view.guests.size).toBe(0);
  });

  it('is not what an unreachable one is', () => {
    const run = declared();
    run.estate.guest({ vmid: 101 });
    run.tick().unreachable();
    expect(run.open()).toEqual(['GUEST_NOT_DECLARED:main/101@1:']);
    expect(run.view.guests.size).toBe(2);
  });
});
