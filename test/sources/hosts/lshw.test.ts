import { describe, expect, it } from 'vitest';
import { partList } from '../../../src/sources/hardware/part-list.js';
import type { ReadSections } from '../../../src/sources/hosts/parse/dmidecode.js';
import { hardwareTree } from '../../../src/sources/hosts/parse/lshw.js';
import { partLines } from '../hardware/part-lines.js';
import { describeRecordings, recordedText } from '../recordings.js';

const tree = (text: string) => {
  const parsed = hardwareTree(text);
  if (parsed.kind === 'unreadable') throw new Error(parsed.words);
  return parsed.value;
};
const lines = ({ sections, parts }: ReadSections) => partLines(partList('SSH', sections, parts));
const lab = (...children: object[]) =>
  tree(JSON.stringify([{ id: 'lab', class: 'system', children: [{ id: 'core', class: 'bus', children }] }]));
const devices = (...children: object[]) => lines(lab(...children).devices);

const MODULES = [
  ['A0', '101B6543'],
  ['A2', '101B654E'],
  ['A4', '101B6545'],
  ['A6', '101B6540'],
];
const BOARD = ['system board | ABCD | ABCD | 1234 | - | -', 'system system | ABCD | ABCD | 1234 | - | -'];

describeRecordings('lshw of real machines', () => {
  const of = (file: string) => tree(recordedText(`ironic-lshw/lshw_json_output_${file}.json`));

  it('tells of the machine and its memory; empty slots are no parts', () => {
    const modules = MODULES.map(
      ([slot, serial]) => `memory DIMM_${slot} | Micron | 36ASF2G72PZ-2G1A2 | ${serial} | 16 GiB | 2133 MT/s`,
    );
    const { machine, devices: cards } = of('v2');
    expect(lines(machine)).toEqual(['system bios | BIOSVNDR | 1.2.3 | - | - | 03/30/2023', ...BOARD, ...modules]);
    expect(lines(cards)).toEqual([
      'network 0000:00:14.3 | ABCD | ABCD | - | - | -',
      'network 0000:00:1f.6 | DCBA | DCBA | - | - | -',
    ]);
  });

  it('keeps modules that do not say their size', () => {
    const modules = MODULES.map(
      ([slot, serial]) => `memory DIMM_${slot} | Micron | 36ASF2G72PZ-2G1A2 | ${serial} | - | 2133 MT/s`,
    );
    expect(lines(of('no_memory_bank_size').machine)).toEqual([...BOARD, ...modules]);
  });

  it('tells of a virtual machine; the end of a cable made by software is no card', () => {
    const { machine, devices: cards } = of('v1');
    expect(lines(machine)).toEqual([
      'system board | GENERIC | ABC123 | ABCDEFGHIJK | - | -',
      'system system | GENERIC | ABC123 (GENERIC_SERVER) | 1234567 | - | -',
      'cpus cpu@0 | Intel Corp. | Intel Xeon E312xx (Sandy Bridge) | - | - | -',
      'memory memory bank:0 | - | - | - | 2 GiB | -',
      'memory memory bank:2 | - | - | - | 1 GiB | -',
      'memory memory bank:3 | - | - | - | 1 GiB | -',
    ]);
    expect(lines(cards)).toEqual([]);
  });

  it('tells of a board without slots or tables: a card that sits on no bus, and no modules at all', () => {
    const { machine, devices: cards } = of('arm64');
    expect([machine.sections, lines(machine)]).toEqual([['cpus'], ['cpus cpu@0 | - | - | - | - | -']]);
    expect(lines(cards)).toEqual(['network enahisic2i2 | - | - | - | - | d0:ef:c1:e9:bf:33']);
  });
});

describe('a network card', () => {
  const card = {
    ...{ id: 'network:0', class: 'network', vendor: 'Intel Corporation', product: 'I210', businfo: 'pci@0000:01:00.0' },
    ...{ logicalname: 'eno1', serial: 'bc:24:11:00:00:01', configuration: { driver: 'igb' } },
  };

  it('is told by its place and its MAC; its name and link may change', () => {
    const same = {
      ...card,
      logicalname: 'nic0',
      size: 1e9,
      configuration: { driver: 'igb', link: 'yes', ip: '10.0.0.1' },
    };
    expect(devices(card)).toEqual(['network 0000:01:00.0 | Intel Corporation | I210 | - | - | bc:24:11:00:00:01']);
    expect(devices(same)).toEqual(devices(card));
  });

  it("in a bond shows a MAC that may be another card's", () => {
    expect(devices({ ...card, configuration: { driver: 'igb', slave: 'yes' } })).toEqual([
      'network 0000:01:00.0 | Intel Corporation | I210 | - | - | -',
    ]);
  });

  it.each(['iavf', 'ixgbevf', 'igbvf'])('that another lends out (%s) is none', (driver) => {
    expect(devices({ ...card, configuration: { driver } })).toEqual([]);
  });

  it.each(['bridge', 'bonding', 'tun', 'veth', '802.1Q VLAN Support'])('made by software (%s) is none', (driver) => {
    const made = { id: 'network:1', class: 'network', logicalname: 'x0', serial: 'bc:24:11:00:00:09' };
    expect(devices({ ...made, capabilities: { physical: 'Physical interface' }, configuration: { driver } })).toEqual(
      [],
    );
  });

  it('of a virtual machine has its place from above and its MAC from below', () => {
    const below = {
      id: 'virtio0',
      class: 'network',
      businfo: 'virtio@0',
      logicalname: 'eth0',
      serial: 'bc:24:11:00:00:01',
    };
    const above = { id: 'network', class: 'network', businfo: 'pci@0000:00:03.0', product: 'Virtio network device' };
    expect(devices({ ...above, children: [below] })).toEqual([
      'network 0000:00:03.0 | - | Virtio network device | - | - | bc:24:11:00:00:01',
    ]);
  });
});

it('other PCI devices are listed by their address, without bridges, memory controllers and processors', () => {
  const at = (address: string, kind: string, product: string) => ({
    id: kind,
    class: kind,
    businfo: `pci@${address}`,
    vendor: 'Maker',
    product,
  });
  const root = { ...at('0000:00:01.0', 'bridge', 'Port'), children: [at('0000:01:00.0', 'display', 'GA102')] };
  expect(
    devices(
      root,
      at('0000:00:00.1', 'memory', 'RAM'),
      at('0000:00:1f.2', 'storage', 'SATA'),
      at('0000:00:14.0', 'bus', 'xHCI'),
    ),
  ).toEqual([
    'pci 0000:00:14.0 | Maker | xHCI | - | - | bus',
    'pci 0000:00:1f.2 | Maker | SATA | - | - | storage',
    'pci 0000:01:00.0 | Maker | GA102 | - | - | display',
  ]);
});

it('a disk is told by what it bears, one of NVMe by its controller; a drive without a medium is none', () => {
  const disk = {
    id: 'disk',
    class: 'disk',
    logicalname: ['/dev/sda', '/mnt'],
    product: 'ST4000',
    serial: 'Z1',
    size: 4e12,
  };
  const space = { id: 'namespace:1', class: 'disk', logicalname: '/dev/nvme0n1', size: 1e12, product: 'NVMe disk' };
  const nvme = { id: 'nvme', class: 'storage', product: 'PM9A3', serial: 'S6', children: [space] };
  const { disks } = lab(disk, nvme, { id: 'cdrom', class: 'disk', logicalname: '/dev/cdrom' });
  expect(disks.map(({ device, model, serial, sizeBytes }) => [device, model, serial, sizeBytes])).toEqual([
    ['/dev/sda', 'ST4000', 'Z1', 4e12],
    ['/dev/nvme0n1', 'PM9A3', 'S6', 1e12],
  ]);
});

it.each([
  ['{"id":"lab","chil', 'its answer breaks off after 17 characters: it is not whole JSON'],
  ['[]', 'its answer is JSON, but no tree of hardware'],
  ['WARNING: output may be incomplete', 'its answer is no JSON and begins with "WARNING: output may be incomplete"'],
])('%j is no tree', (text, words) => {
  expect(hardwareTree(text)).toEqual({ kind: 'unreadable', words });
});
