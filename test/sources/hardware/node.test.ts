import { describe, expect, it } from 'vitest';
import { listedDisks, listedNodes, pciDevices, processors } from '../../../src/sources/hardware/parse/node.js';
import { packageUpdates } from '../../../src/sources/hardware/parse/updates.js';
import { bodyData, describeRecordings, exchanges, recording } from '../recordings.js';
import { partLine } from './part-lines.js';

const diskLines = (rows: unknown) =>
  listedDisks(rows)?.map(({ place, fact, health }) =>
    [place, fact.device, fact.vendor, fact.model, fact.detail, health?.verdict, health?.lifeLeftPercent]
      .map((word) => word ?? '-')
      .join(' | '),
  );

describeRecordings('the disks of Proxmox nodes', () => {
  const of = (file: string) =>
    diskLines(Object.values(recording(`pve-storage-disks/${file}__disklist_expected.json`) as object));

  it.each([
    ['cciss', ['SER111 | /dev/cciss/c0d0 | HP | LOGICAL_VOLUME | - | UNKNOWN | -']],
    [
      'hdd_smart',
      [
        'ST4000DM000-1F2168 | /dev/sda | - | ST4000DM000-1F2168 | hdd | PASSED | -',
        'ST4000NM0033-9ZM170 | /dev/sdb | - | ST4000NM0033-9ZM170 | hdd | PASSED | -',
      ],
    ],
    ['nvme_smart', ['NVME MODEL 1 | /dev/nvme0n1 | - | NVME MODEL 1 | nvme | PASSED | 69']],
    ['sas', ['SER2 | /dev/sda | VENDOR1 | MODEL1 | - | UNKNOWN | -']],
    ['sas_ssd', ['SER2 | /dev/sda | VENDOR1 | MODEL1 | ssd | PASSED | 100']],
  ])('%s', (file, lines) => {
    expect(of(file)).toEqual(lines);
  });

  it('ssd_smart: what is left of each, also where it is written as text', () => {
    expect(of('ssd_smart')?.map((line) => line.split(' | ').slice(1).join(' | '))).toEqual([
      '/dev/sda | - | Crucial_CT500MX200SSD1 | ssd | PASSED | 100',
      '/dev/sdb | - | INTEL_SSDSC2BB080G6 | ssd | PASSED | 97',
      '/dev/sde | - | KINGSTON SHFS37A120G | ssd | PASSED | 91',
      '/dev/sdc | - | Samsung SSD 850 PRO 512GB | ssd | PASSED | 99',
      '/dev/sdd | - | SanDisk SD8SB8U1T001122 | ssd | PASSED | 100',
    ]);
  });

  it('usages: fourteen that bear one serial are fourteen', () => {
    const places = of('usages')?.map((line) => line.split(' | ')[0]);
    expect(places).toEqual(['SERIAL1', ...Array.from({ length: 13 }, (_, index) => `SERIAL1 (${index + 2})`)]);
  });
});

describeRecordings('what other tools recorded of a node', () => {
  it('PCI devices, with or without names', () => {
    const [answer] = exchanges('go-proxmox/pve9x-hardware.json', 'hardware/pci$');
    expect(pciDevices(bodyData(answer))?.map(partLine)).toEqual([
      'pci 0000:01:00.0 | NVIDIA Corporation | GA102 [GeForce RTX 3090] | - | - | 10de:2204',
      'pci 0000:02:00.0 | - | - | - | - | 8086:a808',
    ]);
  });

  it('processors, one a socket', () => {
    const [answer] = exchanges('go-proxmox/pve7x-nodes.json', /\/status\$$/);
    expect(processors(bodyData(answer))?.map(partLine)).toEqual([
      'cpus socket 1 | - | Intel(R) Core(TM) i7-6700 CPU @ 3.40GHz | - | - | 4 cores',
    ]);
  });

  it('updates that wait, in the order of their names', () => {
    const updates = packageUpdates(recording('homeassistant-proxmoxve/apt_update.json'));
    expect(updates?.packages).toEqual([
      { name: 'bind9-host', installed: '1:9.20.18-1~deb13u1', available: '1:9.20.21-1~deb13u1', origin: 'Debian' },
      { name: 'corosync', installed: '3.1.10-pve1', available: '3.1.10-pve2', origin: 'Proxmox' },
      { name: 'libpve-common-perl', installed: '9.1.7', available: '9.1.9', origin: 'Proxmox' },
      { name: 'pve-firmware', installed: '3.18-1', available: '3.18-2', origin: 'Proxmox' },
      { name: 'pve-manager', installed: '9.1.6', available: '9.1.7', origin: 'Proxmox' },
    ]);
  });

  it('its members, also those that are offline', () => {
    expect(listedNodes(recording('homeassistant-proxmoxve/nodes.json'))).toEqual([
      { name: 'pve1', online: true },
      { name: 'pve2', online: true },
      { name: 'pve3', online: false },
    ]);
  });
});

describe('a disk', () => {
  it.each([
    ['PASSED', 'PASSED'],
    ['OK', 'PASSED'],
    ['FAILED!', 'FAILED'],
    ['FAILURE PREDICTION THRESHOLD EXCEEDED', 'FAILED'],
    ['HARDWARE IMPENDING FAILURE GENERAL HARD DRIVE FAILURE', 'FAILED'],
    ['UNKNOWN', 'UNKNOWN'],
    ['', 'UNKNOWN'],
  ])('that says %j is %s', (health, verdict) => {
    expect(listedDisks([{ devpath: '/dev/sda', health }])?.[0]?.health?.verdict).toBe(verdict);
  });
});

it('two sockets share the cores that are counted together; a node that does not tell of its processors is not read', () => {
  const status = (cpuinfo: object) => processors({ cpuinfo })?.map(partLine);
  expect(status({ model: 'Xeon', sockets: 2, cores: 20, cpus: 40 })).toEqual([
    'cpus socket 1 | - | Xeon | - | - | 10 cores',
    'cpus socket 2 | - | Xeon | - | - | 10 cores',
  ]);
  expect([status({}), processors(null)]).toEqual([undefined, undefined]);
});

it.each([listedDisks, listedNodes, pciDevices, packageUpdates])('what is no list is none of %s', (parse) => {
  expect(parse({ disks: [] })).toBeUndefined();
});
