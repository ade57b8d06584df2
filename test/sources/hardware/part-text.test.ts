import { expect, it } from 'vitest';
import { isVirtualDisk } from '../../../src/sources/hardware/disks.js';
import { part, partList } from '../../../src/sources/hardware/part-list.js';
import { diskVendor, partText } from '../../../src/sources/hardware/part-text.js';
import { partLines } from './part-lines.js';

it.each([
  ...[
    'To Be Filled By O.E.M.',
    'To be filled by O.E.M.',
    'Default string',
    'Not Specified',
    'NOT AVAILABLE       ',
    'N/A',
  ],
  ...[
    '0123456789',
    '123456789',
    'NO DIMM',
    'UNKNOWN',
    '<OUT OF SPEC>',
    '(^_^)',
    '00000000',
    'FFFFFFFF',
    'XXXXXXX',
    '   ',
  ],
  ...['0x0000000000000000', 'System Product Name', 'Chassis Serial Number', 'SerNum0', 'Array1_PartNumber0', ''],
])('%j says nothing', (text) => {
  expect(partText(text)).toBeNull();
});

it.each([
  ['  Intel(R)   Xeon(R) ', 'Intel(R) Xeon(R)'],
  ['S3EVNX0J', 'S3EVNX0J'],
  ['00001639', '00001639'],
  ['X', 'X'],
  ['OEM-board 2', 'OEM-board 2'],
])('%j says %j', (text, said) => {
  expect(partText(text)).toBe(said);
});

it('a disk is not made by its cable', () => {
  expect(['ATA     ', 'NVMe', '0x1af4', 'SEAGATE '].map(diskVendor)).toEqual([null, null, null, 'SEAGATE']);
});

it.each(['/dev/sda', '/dev/nvme0n1', '/dev/vda', '/dev/mmcblk0', '/dev/bus/6'])('%s may be hardware', (device) => {
  expect(isVirtualDisk(device)).toBe(false);
});

it('a parts list is the same in whatever order its parts were read', () => {
  const parts = [
    part('cpus', 'CPU 10'),
    part('cpus', 'CPU 2'),
    part('pci', '0000:1f.6'),
    part('pci', '0000:14.3'),
    part('cpus', 'CPU 2', { model: 'X' }),
  ];
  const lines = partLines(partList('SSH', ['pci', 'cpus'], parts));
  expect(lines.map((line) => line.split(' | ')[0])).toEqual([
    'cpus CPU 2',
    'cpus CPU 2 (2)',
    'cpus CPU 10',
    'pci 0000:14.3',
    'pci 0000:1f.6',
  ]);
  expect(partLines(partList('SSH', ['cpus', 'pci'], [...parts].reverse()))).toEqual(lines);
});
