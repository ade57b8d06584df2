import { describe, expect, it } from 'vitest';
import type { DiskFact } from '../../../src/sources/hardware/disks.js';
import { part } from '../../../src/sources/hardware/part-list.js';
import { type AskedDisk, joinHardware, type Told, type ToldByTools } from '../../../src/sources/hosts/join.js';
import type { HardwareTree } from '../../../src/sources/hosts/parse/lshw.js';
import type { SmartReport } from '../../../src/sources/hosts/parse/smartctl.js';
import { partLines } from '../hardware/part-lines.js';

const told = <T>(value: T): Told<T> => ({ kind: 'told', value });
const absent = { kind: 'absent' } as const;
const failed = { kind: 'failed' } as const;
const disk = (device: string, serial: string | null, more: Partial<DiskFact> = {}): DiskFact => ({
  ...{ device, serial, vendor: null, model: 'M', wwn: null, sizeBytes: 100, detail: 'ssd' },
  ...more,
});
const asked = (fact: DiskFact, more: Partial<SmartReport> = {}): AskedDisk => ({
  device: fact.device.split(' ')[0] ?? '',
  report: {
    opened: true,
    fact,
    health: { verdict: 'PASSED', lifeLeftPercent: null, counters: [] },
    words: null,
    ...more,
  },
});
const silent = (device: string): AskedDisk => ({ device, report: undefined });
const tree: HardwareTree = {
  devices: { sections: ['network', 'pci'], parts: [part('network', '0000:01:00.0')] },
  machine: { sections: ['cpus'], parts: [part('cpus', 'cpu@0', { model: 'by lshw' })] },
  disks: [disk('/dev/sda', 'A', { model: 'by lshw' })],
};
const tables = { sections: ['cpus' as const], parts: [part('cpus', 'CPU1', { model: 'by dmidecode' })] };
const block = (...disks: DiskFact[]) => told({ disks, foreign: new Set<string>() });
const join = (more: Partial<ToldByTools>) => {
  const { report, health } = joinHardware({
    tables: told(tables),
    tree: told(tree),
    disks: block(),
    smart: told([]),
    ...more,
  });
  const verdicts = health?.disks.map((each) => `${each.disk} ${each.device} ${each.verdict}`);
  return { sections: report.sections, parts: partLines(report), verdicts };
};
const disksOf = (more: Partial<ToldByTools>) => {
  const { sections, parts, verdicts } = join(more);
  return { isRead: sections.includes('disks'), parts: parts.filter((line) => line.startsWith('disks')), verdicts };
};

describe('the parts list of a host', () => {
  it('takes the machine from its firmware, and from lshw only where dmidecode never is to be had', () => {
    const cpus = (more: Partial<ToldByTools>) => join(more).parts.filter((line) => line.startsWith('cpus'));
    expect(cpus({})).toEqual(['cpus CPU1 | - | by dmidecode | - | - | -']);
    expect(cpus({ tables: absent })).toEqual(['cpus cpu@0 | - | by lshw | - | - | -']);
    expect(cpus({ tables: told({ sections: [], parts: [] }) })).toEqual(['cpus cpu@0 | - | by lshw | - | - | -']);
  });

  it("leaves out what failed this time: another's words for the same would look like new parts", () => {
    expect(join({ tables: failed }).sections).toEqual(['disks', 'network', 'pci']);
    expect(join({ tree: failed }).sections).toEqual(['cpus', 'disks']);
    expect(join({ disks: failed }).sections).toEqual(['cpus', 'network', 'pci']);
    expect(join({ smart: failed }).sections).toEqual(['cpus', 'network', 'pci']);
  });

  it('has disks without smartctl, and from lshw where there is no lsblk', () => {
    expect(disksOf({ disks: block(disk('/dev/sda', 'A')), smart: absent })).toEqual({
      ...{ isRead: true, parts: ['disks A | - | M | A | 100 | ssd'], verdicts: undefined },
    });
    expect(disksOf({ disks: absent, smart: absent }).parts).toEqual(['disks A | - | by lshw | A | 100 | ssd']);
  });
});

describe('the disks of a host', () => {
  const a = disk('/dev/sda', 'A');
  const b = disk('/dev/sdb', 'B');
  const nvme = disk('/dev/nvme0n1', 'N', { detail: 'nvme' });

  it('are the same after letters were dealt anew', () => {
    const before = disksOf({ disks: block(a, b), smart: told([asked(a), asked(b)]) });
    const swapped = [disk('/dev/sda', 'B'), disk('/dev/sdb', 'A')] as const;
    const after = disksOf({ disks: block(...swapped), smart: told(swapped.map((each) => asked(each))) });
    expect(after.parts).toEqual(before.parts);
    expect(after.verdicts).toEqual(['A /dev/sdb PASSED', 'B /dev/sda PASSED']);
  });

  it('without serials are the same too, as long as they are of another make or size', () => {
    const plain = (first: string, second: string) =>
      disksOf({ disks: block(disk(first, null, { model: 'X' }), disk(second, null, { model: 'Y' })) }).parts;
    expect(plain('/dev/sda', '/dev/sdb')).toEqual(plain('/dev/sdb', '/dev/sda'));
  });

  it('are each one, whatever lsblk and smartctl take for its serial', () => {
    const bySmart = [
      disk('/dev/sda', 'other words for A', { model: 'Family M' }),
      disk('/dev/nvme0', 'N', { detail: 'nvme' }),
    ];
    expect(disksOf({ disks: block(a, nvme), smart: told(bySmart.map((each) => asked(each))) })).toEqual({
      isRead: true,
      parts: ['disks A | - | M | A | 100 | ssd', 'disks N | - | M | N | 100 | nvme'],
      verdicts: ['A /dev/sda PASSED', 'N /dev/nvme0n1 PASSED'],
    });
  });

  it('behind a controller are added; one that the controller also passes through is one', () => {
    const behind = disk('/dev/bus/6 megaraid,8', 'C');
    const passed = disk('/dev/bus/6 megaraid,9', 'B');
    expect(disksOf({ disks: block(a, b), smart: told([asked(a), asked(b), asked(behind), asked(passed)]) })).toEqual({
      isRead: true,
      parts: ['disks A | - | M | A | 100 | ssd', 'disks B | - | M | B | 100 | ssd', 'disks C | - | M | C | 100 | ssd'],
      verdicts: ['A /dev/sda PASSED', 'B /dev/sdb PASSED', 'C /dev/bus/6 megaraid,8 PASSED'],
    });
  });

  it('on two paths are one disk, and the worse of two verdicts holds', () => {
    const path = (device: string) => disk(device, 'A', { wwn: '0x5000c500' });
    const bad = asked(path('/dev/sdb'), { health: { verdict: 'FAILED', lifeLeftPercent: null, counters: [] } });
    expect(
      disksOf({ disks: block(path('/dev/sda'), path('/dev/sdb')), smart: told([asked(path('/dev/sda')), bad]) }),
    ).toEqual({
      ...{ isRead: true, parts: ['disks A | - | M | A | 100 | ssd'], verdicts: ['A /dev/sda FAILED'] },
    });
  });

  it('that bear one serial though they are two stay two', () => {
    const twins = [disk('/dev/sda', 'DD'), disk('/dev/sdb', 'DD')];
    expect(disksOf({ disks: block(...twins), smart: told(twins.map((each) => asked(each))) })).toEqual({
      isRead: true,
      parts: ['disks DD | - | M | DD | 100 | ssd', 'disks DD (2) | - | M | DD | 100 | ssd'],
      verdicts: ['DD /dev/sda PASSED', 'DD (2) /dev/sdb PASSED'],
    });
  });

  it('are the same when one is silent this time, which says nothing of its health', () => {
    expect(disksOf({ disks: block(a, b), smart: told([asked(a), silent('/dev/sdb')]) })).toEqual({
      isRead: true,
      parts: ['disks A | - | M | A | 100 | ssd', 'disks B | - | M | B | 100 | ssd'],
      verdicts: ['A /dev/sda PASSED', 'B /dev/sdb UNKNOWN'],
    });
  });

  it('were not read where one is silent that nobody else tells of', () => {
    expect(disksOf({ disks: block(disk('/dev/sda', null)), smart: told([silent('/dev/sda')]) }).isRead).toBe(false);
    expect(disksOf({ disks: block(a), smart: told([asked(a), silent('/dev/bus/6')]) }).isRead).toBe(false);
  });
});
