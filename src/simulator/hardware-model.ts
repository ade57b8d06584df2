import type { SimNode } from './guest.js';
import { below, hashOf, oneOf, type Random, seeded, uuidOf } from './random.js';

/** A memory slot; without a module it is empty. */
export interface MemorySlot {
  readonly slot: string;
  readonly module: {
    readonly vendor: string;
    readonly part: string;
    readonly serial: string;
    readonly sizeBytes: number;
    readonly type: string;
    readonly mtPerSecond: number;
  } | null;
}

export interface Disk {
  /** `sda`, `nvme0n1` */
  readonly device: string;
  readonly kind: 'ssd' | 'hdd' | 'nvme';
  readonly vendor: string;
  readonly model: string;
  readonly serial: string;
  readonly wwn: string;
  readonly sizeBytes: number;
  readonly rpm: number;
  readonly failing: boolean;
  readonly reallocated: number;
  readonly lifeLeftPercent: number;
  readonly powerOnHours: number;
  readonly use: 'boot' | 'LVM' | 'ZFS';
}

export interface NetworkPort {
  readonly device: string;
  /** Lower-case with colons, as Linux writes them. */
  readonly mac: string;
  readonly pci: string;
  readonly mbps: number;
  readonly linked: boolean;
}

export interface PciDevice {
  /** `0000:03:00.0` */
  readonly id: string;
  readonly class: string;
  readonly vendor: string;
  readonly device: string;
  readonly vendorName: string;
  readonly deviceName: string;
  readonly iommuGroup: number;
}

export interface Processor {
  readonly socket: string;
  readonly model: string;
  readonly cores: number;
  readonly threads: number;
  readonly mhz: number;
}

/** The machine that a node runs on. */
export interface Hardware {
  readonly vendor: string;
  readonly product: string;
  readonly serial: string;
  readonly uuid: string;
  readonly bios: { readonly vendor: string; readonly version: string; readonly date: string };
  readonly board: { readonly product: string; readonly serial: string };
  readonly cpus: readonly Processor[];
  readonly memory: readonly MemorySlot[];
  readonly disks: readonly Disk[];
  readonly ports: readonly NetworkPort[];
  readonly pci: readonly PciDevice[];
}

interface Model {
  readonly vendor: string;
  readonly product: string;
  readonly board: string;
  readonly cpu: string;
  readonly mhz: number;
  readonly nic: readonly [string, string];
  readonly mbps: number;
}

const MODELS: readonly Model[] = [
  {
    ...{ vendor: 'Dell Inc.', product: 'PowerEdge R640', board: '0RGP26' },
    ...{ cpu: 'Intel(R) Xeon(R) Gold 6130 CPU @ 2.10GHz', mhz: 2100, nic: ['0x14e4', '0x16d8'], mbps: 10_000 },
  },
  {
    ...{ vendor: 'Supermicro', product: 'SYS-6029P-TRT', board: 'X11DPi-NT' },
    ...{ cpu: 'Intel(R) Xeon(R) Silver 4214 CPU @ 2.20GHz', mhz: 2200, nic: ['0x8086', '0x1563'], mbps: 10_000 },
  },
  {
    ...{ vendor: 'HPE', product: 'ProLiant DL360 Gen10', board: 'ProLiant DL360 Gen10' },
    ...{ cpu: 'Intel(R) Xeon(R) Gold 5218 CPU @ 2.30GHz', mhz: 2300, nic: ['0x14e4', '0x165f'], mbps: 1000 },
  },
];

const NAMES: Readonly<Record<string, string>> = {
  '0x14e4': 'Broadcom Inc. and subsidiaries',
  '0x8086': 'Intel Corporation',
  '0x16d8': 'BCM57416 NetXtreme-E Dual-Media 10G RDMA Ethernet Controller',
  '0x165f': 'NetXtreme BCM5720 Gigabit Ethernet PCIe',
  '0x1563': 'Ethernet Controller X550',
};

const GIB = 1024 ** 3;
const SLOTS = 16;

/** The machine of a node: the same for the same seed, with as much processor and memory as the node says it has. */
export function hardwareOf(seed: number, cluster: number, node: SimNode): Hardware {
  const random = seeded(seed, cluster, node.id, 'hardware');
  const model = oneOf(random, MODELS) ?? (MODELS[0] as Model);
  const { vendor, product } = model;
  const ports = portsOf(seed, cluster, node, model);
  return {
    ...{ vendor, product, serial: serialOf(random, 7), uuid: uuidOf(seed, cluster, node.id, 'machine') },
    bios: { vendor, version: `2.${below(random, 20)}.${below(random, 9)}`, date: `0${1 + below(random, 9)}/15/2024` },
    board: { product: model.board, serial: serialOf(random, 14) },
    cpus: ['CPU1', 'CPU2'].map((socket) => ({
      ...{ socket, model: model.cpu, cores: node.cores / 4, threads: node.cores / 2, mhz: model.mhz },
    })),
    memory: memoryOf(node, random),
    disks: disksOf(node, random),
    ports,
    pci: pciOf(ports, model),
  };
}

/** Serials are of capital letters and digits, as on a sticker. */
export function serialOf(random: Random, length: number): string {
  return Array.from({ length }, () => 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789'.charAt(below(random, 34))).join('');
}

function memoryOf({ memoryBytes }: SimNode, random: Random): MemorySlot[] {
  const sizeBytes = memoryBytes / 8;
  const part = `M393A${Math.round(sizeBytes / GIB / 8)}G40DB3-CWE`;
  return Array.from({ length: SLOTS }, (_, n) => {
    const slot = `DIMM_${n < SLOTS / 2 ? 'A' : 'B'}${(n % (SLOTS / 2)) + 1}`;
    const isFilled = n % 2 === 0;
    const serial = isFilled
      ? Math.floor(random() * 0xffffffff)
          .toString(16)
          .toUpperCase()
          .padStart(8, '0')
      : '';
    const module = { vendor: 'Samsung', part, serial, sizeBytes, type: 'DDR4', mtPerSecond: 3200 };
    return { slot, module: isFilled ? module : null };
  });
}

function disksOf(node: SimNode, random: Random): Disk[] {
  const boot = Array.from({ length: 2 }, (_, n) =>
    newDisk({ device: `sd${'ab'[n]}`, kind: 'ssd', use: 'boot' }, random),
  );
  const fast = Array.from({ length: 1 + below(random, 2) }, (_, n) =>
    newDisk(
      { device: `nvme${n}n1`, kind: 'nvme', use: 'LVM', sizeBytes: Math.ceil(node.diskBytes / GIB) * 1e9 },
      random,
    ),
  );
  const wide = Array.from({ length: below(random, 3) }, (_, n) =>
    newDisk({ device: `sd${'cd'[n]}`, kind: 'hdd', use: 'ZFS' }, random),
  );
  return [...boot, ...wide, ...fast];
}

const KINDS = {
  ssd: { vendor: 'ATA', model: 'SAMSUNG MZ7L3480HCHQ-00A07', sizeBytes: 480_103_981_056, rpm: 0 },
  hdd: { vendor: 'ATA', model: 'ST4000NM000A-2HZ100', sizeBytes: 4_000_787_030_016, rpm: 7200 },
  nvme: { vendor: 'unknown', model: 'INTEL SSDPE2KX010T8', sizeBytes: 1_000_204_886_016, rpm: 0 },
} as const;

/** A healthy disk of that kind, with a serial of its own. */
export function newDisk(
  wanted: Pick<Disk, 'device' | 'kind' | 'use'> & { readonly sizeBytes?: number },
  random: Random,
): Disk {
  const { device, kind, use } = wanted;
  const { vendor, model, sizeBytes, rpm } = KINDS[kind];
  return {
    ...{ device, kind, use, vendor, model, rpm, sizeBytes: wanted.sizeBytes ?? sizeBytes },
    ...{
      serial: `S${serialOf(random, 13)}`,
      wwn: `0x5${Math.floor(random() * 2 ** 48)
        .toString(16)
        .padStart(15, '0')}`,
    },
    ...{
      failing: false,
      reallocated: 0,
      lifeLeftPercent: 100 - below(random, 30),
      powerOnHours: below(random, 30_000),
    },
  };
}

function portsOf(seed: number, cluster: number, { id }: SimNode, { mbps }: Model): NetworkPort[] {
  return ['eno1', 'eno2'].map((device, n) => ({
    ...{ device, mac: machineMac(seed, cluster, id, n), pci: `0000:18:00.${n}`, mbps, linked: true },
  }));
}

/** Of a physical device, in a range of its own, so that none is a guest's. */
export function machineMac(...parts: readonly number[]): string {
  const digits = (hashOf(...parts, 'port') & 0xffffff).toString(16).padStart(6, '0');
  return `3c:ec:ef:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4)}`;
}

function pciOf(ports: readonly NetworkPort[], { nic: [vendor, device] }: Model): PciDevice[] {
  const nics = ports.map(({ pci }, n) => ({
    ...{ id: pci, class: '0x020000', vendor, device, iommuGroup: 20 + n },
    ...{ vendorName: NAMES[vendor] ?? '', deviceName: NAMES[device] ?? '' },
  }));
  const others = [
    ['0000:00:17.0', '0x010601', '0x8086', '0xa182', 'Intel Corporation', 'C620 SATA Controller [AHCI mode]'],
    ['0000:03:00.0', '0x030000', '0x102b', '0x0536', 'Matrox Electronics Systems Ltd.', 'Integrated Matrox G200eW3'],
    ['0000:5e:00.0', '0x010802', '0x8086', '0x0a54', 'Intel Corporation', 'NVMe Datacenter SSD'],
  ] as const;
  const rest = others.map(([id, kind, maker, model, vendorName, deviceName], n) => ({
    ...{ id, class: kind, vendor: maker, device: model, vendorName, deviceName, iommuGroup: 30 + n },
  }));
  return [...nics, ...rest].sort((a, b) => (a.id < b.id ? -1 : 1));
}
