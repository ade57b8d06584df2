import { describe, expect, it } from 'vitest';
import { partsToAccept } from '../../src/domain/compare/hardware.js';
import { partChanges } from '../../src/domain/hardware-parts.js';
import type { HardwarePart, HardwareReport } from '../../src/domain/record.js';
import { DAY, HOUR } from '../../src/domain/time.js';
import { Run } from '../testkit/domain-run.js';
import { aPart, hardware } from '../testkit/domain-services.js';

const SOURCE = 'hardware:main/pve1';
const CHANGED = 'HARDWARE_CHANGED:main/pve1:';
const FAILING = 'DISK_FAILING:main/pve1:S1';

const disk = (place: string, serial: string | null, more: Partial<HardwarePart> = {}) =>
  aPart('disks', place, { vendor: 'Samsung', model: 'PM883', serial, sizeBytes: 960e9, ...more });
const dimm = (place: string, more: Partial<HardwarePart> = {}) =>
  aPart('memory', place, { model: 'DDR4', sizeBytes: 16 * 2 ** 30, ...more });

const FIRST = [disk('sda', 'S1'), disk('sdb', 'S2'), dimm('A1'), dimm('A2')];

const looked = (run: Run, ...parts: readonly HardwarePart[]) => run.serve(SOURCE, hardware({ pve1: { parts } }));

function accepted(): Run {
  const run = looked(new Run().full(), ...FIRST);
  expect(run.open()).toEqual([]);
  run.estate.pass(DAY);
  run.full();
  return run;
}

describe('a parts list that differs from the accepted one', () => {
  it('names the disk that was swapped and the memory that was taken out', () => {
    const run = looked(accepted(), disk('sda', 'S1'), disk('sdb', 'S3', { model: 'PM893' }), dimm('A1'));
    expect(run.open()).toEqual([CHANGED]);
    expect(run.finding(CHANGED)).toMatchObject({
      severity: 'INFO',
      category: 'CONFIGURATION',
      declared: 'memory A2 (DDR4, 16 GiB); disk sdb (Samsung PM883, 960 GB, serial S2)',
      observed: 'disk sdb (Samsung PM893, 960 GB, serial S3)',
      guests: [],
      clusters: ['main'],
      message:
        'main/pve1: memory A2 (DDR4, 16 GiB) was removed; disk sdb (Samsung PM883, 960 GB, serial S2) was replaced by disk sdb (Samsung PM893, 960 GB, serial S3)',
    });
  });

  it('stays until the parts are as accepted, whatever else happens; a further change is news of it', () => {
    const run = looked(accepted(), ...FIRST.slice(1));
    run.silence(SOURCE).wait(HOUR).full();
    expect(run.open()).toEqual([CHANGED]);
    looked(run, ...FIRST.slice(1, 3));
    looked(run, ...FIRST.slice(1, 3));
    expect(run.events.map(({ type }) => type)).toEqual(['OPENED', 'UPDATED']);
    looked(run, ...FIRST);
    expect(run.finding(CHANGED).state).toBe('RESOLVED');
  });

  it('tells nothing of a node that could not be read, or of what was never read of it', () => {
    const run = accepted();
    run
      .serve(SOURCE, hardware({}))
      .serve(SOURCE, hardware({ pve1: { parts: [disk('sda', 'S1'), disk('sdb', 'S2')] } }));
    expect(run.open()).toEqual([]);
    looked(run, ...FIRST, aPart('cpus', 'CPU0', { model: 'Xeon' }));
    expect(run.open()).toEqual([]);
  });

  it('ends with its source or its cluster', () => {
    const open = () => looked(accepted(), ...FIRST.slice(1));
    const source = open().retireService(SOURCE);
    expect(source.events.at(-1)).toMatchObject({ type: 'RESOLVED', reason: 'its hardware is no longer collected' });
    const cluster = open().retire('main');
    expect(cluster.events.at(-1)).toMatchObject({ type: 'RESOLVED', reason: 'the cluster was retired' });
  });
});

describe('parts', () => {
  const report = (...parts: readonly HardwarePart[]): HardwareReport => ({
    by: 'SSH',
    sections: ['memory', 'disks'],
    parts,
  });

  it('with serials may change places; without, a place tells', () => {
    const places = report(disk('sda', 'S2'), disk('sdb', 'S1'));
    expect(partChanges(report(disk('sda', 'S1'), disk('sdb', 'S2')), places)).toEqual([]);
    expect(partChanges(report(dimm('A1')), report(dimm('B1')))).toEqual([
      { kind: 'removed', was: dimm('A1') },
      { kind: 'added', is: dimm('B1') },
    ]);
  });

  it('are the same where one side leaves a word out', () => {
    expect(partChanges(report(disk('sda', 'S1')), report(disk('sda', null, { vendor: null })))).toEqual([]);
    expect(partChanges(report(dimm('A1')), report(dimm('A1', { serial: 'M1', detail: 'ECC' })))).toEqual([]);
    expect(partChanges(report(dimm('A1')), report(dimm('A1', { sizeBytes: 8 * 2 ** 30 })))).toHaveLength(1);
  });

  it('of one serial twice are two', () => {
    expect(partChanges(report(disk('sda', 'S1'), disk('sdb', 'S1')), report(disk('sda', 'S1')))).toEqual([
      { kind: 'removed', was: disk('sdb', 'S1') },
    ]);
  });
});

describe('a disk that SMART calls failing', () => {
  const smart = (
    run: Run,
    disks: Parameters<typeof hardware>[0][string]['disks'],
    parts: readonly HardwarePart[] = [],
  ) => run.serve(SOURCE, hardware({ pve1: { disks, parts, sections: ['disks'] } }));

  function failing(): Run {
    const run = smart(new Run().full(), { S1: 'FAILED', S2: 'PASSED' }, [disk('sda', 'S1'), disk('sdb', 'S2')]);
    expect(run.open()).toEqual([FAILING]);
    return run;
  }

  it('is told by its serial, with what explains it', () => {
    const run = failing();
    expect(run.finding(FAILING)).toMatchObject({
      severity: 'CRITICAL',
      category: 'STATE',
      declared: null,
      observed: 'FAILED',
      clusters: ['main'],
      message: 'main/pve1: SMART says that disk /dev/sda (Model), S1 is failing',
    });
    expect(run.finding(FAILING).evidence.map(({ text }) => text)).toEqual([
      'SMART says FAILED',
      'reallocated sectors: 8',
      '12 % of its life left',
    ]);
  });

  it('ends when the verdict is good again, or the disk is gone', () => {
    const parts = [disk('sda', 'S1'), disk('sdb', 'S2')];
    expect(smart(failing(), { S1: 'PASSED' }, parts).finding(FAILING).state).toBe('RESOLVED');
    const pulled = smart(failing(), { S2: 'PASSED' }, [disk('sdb', 'S2')]);
    const end = pulled.events.find(({ type }) => type === 'RESOLVED');
    expect(end).toMatchObject({ id: FAILING, reason: 'the disk is no longer there' });
    expect(pulled.open()).toEqual([CHANGED]);
  });

  it('stays while SMART says nothing of a disk that is there, and while nobody can be asked', () => {
    const parts = [disk('sda', 'S1'), disk('sdb', 'S2')];
    expect(smart(failing(), { S1: 'UNKNOWN' }, parts).open()).toEqual([FAILING]);
    expect(smart(failing(), { S2: 'PASSED' }, parts).open()).toEqual([FAILING]);
    expect(failing().silence(SOURCE).open()).toEqual([FAILING]);
    expect(failing().wait(DAY).open()).toEqual([FAILING]);
  });
});

it('is the word of the node’s own host, where the API was asked before', () => {
  const run = new Run().full();
  run.serve('hardware:main', hardware({ pve1: { disks: { S1: 'FAILED' } }, pve2: { disks: { S9: 'FAILED' } } }));
  expect(run.open()).toEqual([FAILING, 'DISK_FAILING:main/pve2:S9']);
  run.serve(SOURCE, hardware({ pve1: { disks: { S1: 'PASSED' } } }));
  expect(run.open()).toEqual(['DISK_FAILING:main/pve2:S9']);
  const accepts = ['main/pve1', 'main/pve2', 'main/pve3'].map((node) => partsToAccept(run.view, node)?.source);
  expect(accepts).toEqual([SOURCE, 'hardware:main', undefined]);
});

describe('a host under a name that no node of its cluster has', () => {
  const failed = hardware({ pveo1: { disks: { S1: 'FAILED' } } });
  const ids = (run: Run) => run.events.map(({ type, id }) => `${type} ${id}`);

  it('has no findings: the disk is told of its node alone', () => {
    const run = new Run().full().serve('hardware:main/pveo1', failed);
    expect(ids(run)).toEqual([]);
    run.serve('hardware:main', hardware({ pve1: { disks: { S1: 'FAILED' } } }));
    expect(run.open()).toEqual([FAILING]);
    expect(partsToAccept(run.view, 'main/pveo1')).toBeUndefined();
  });

  it('is not known for one before its cluster was polled: nothing is told of any host until then', () => {
    const run = new Run().serve('hardware:main/pveo1', failed);
    run.serve(SOURCE, hardware({ pve1: { disks: { S1: 'FAILED' } } })).unreachable();
    expect(ids(run)).toEqual([]);
    expect(ids(run.full())).toEqual([`OPENED ${FAILING}`]);
  });

  it('ends what was told of a node that has left its cluster, though its host still answers', () => {
    const run = new Run().full().serve('hardware:main/pve2', hardware({ pve2: { disks: { S9: 'FAILED' } } }));
    expect(run.open()).toEqual(['DISK_FAILING:main/pve2:S9']);
    run.unreachable();
    expect(run.open()).toEqual(['DISK_FAILING:main/pve2:S9']);
    run.estate.cluster('main').nodes.delete('pve2');
    run.full();
    expect(run.events.at(-1)).toMatchObject({
      ...{ type: 'RESOLVED', id: 'DISK_FAILING:main/pve2:S9', reason: 'its cluster has no such node' },
    });
  });
});
