import type { Estate } from '../estate.js';
import type { SimNode } from '../guest.js';
import type { Disk, Hardware, NetworkPort, PciDevice } from '../hardware-model.js';

/** `lsblk -J`: with `-d` disks alone, with `-b` sizes in bytes, and the columns of `-o`. */
export function lsblkText({ disks }: Hardware, args: readonly string[]): string {
  const columns = columnsOf(args);
  const bytes = args.some((word) => word === '--bytes' || /^-\w*b\w*$/.test(word));
  const flat = args.some((word) => word === '--nodeps' || /^-\w*d\w*$/.test(word));
  const row = (all: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(columns.map((column) => [column, all[column] ?? null]));
  const size = (value: number) => (bytes ? value : `${(value / 1024 ** 3).toFixed(1)}G`);
  const told = disks.map((disk) => {
    const parts = disk.use === 'boot' ? [{ name: `${disk.device}1`, type: 'part', size: size(1_073_741_824) }] : [];
    const own = row(lsblkDisk(disk, size));
    return flat || parts.length === 0 ? own : { ...own, children: parts.map(row) };
  });
  return `${JSON.stringify({ blockdevices: told }, null, 3)}\n`;
}

function columnsOf(args: readonly string[]): readonly string[] {
  const at = args.findIndex((word) => word === '-o' || word === '--output');
  const named = at < 0 ? 'NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS' : (args[at + 1] ?? '');
  return named.toLowerCase().split(',');
}

function lsblkDisk(disk: Disk, size: (value: number) => number | string): Readonly<Record<string, unknown>> {
  const { device, kind, vendor, model, serial, wwn, sizeBytes } = disk;
  return {
    ...{ name: device, kname: device, path: `/dev/${device}`, 'maj:min': '8:0', rm: false, size: size(sizeBytes) },
    ...{ ro: false, type: 'disk', mountpoints: [null], rota: kind === 'hdd', tran: kind === 'nvme' ? 'nvme' : 'sata' },
    // Vendors of SATA disks are padded to eight letters, and NVMe has none.
    ...{ vendor: kind === 'nvme' ? null : vendor.padEnd(8), model, serial, wwn },
  };
}

/** `lshw -json`: the tree; without root less of it, as the firmware's tables are closed. */
export function lshwText({ machines }: Estate, { name }: SimNode, isRoot: boolean): string {
  const machine = machines.of(name);
  const { vendor, product, serial, uuid, board } = machine;
  const core = {
    ...{ id: 'core', class: 'bus', claimed: true, description: 'Motherboard', physid: '0' },
    ...(isRoot ? { product: board.product, vendor, serial: board.serial } : {}),
    children: [...(isRoot ? [memoryTree(machine)] : []), ...processors(machine), ...pciTree(machine)],
  };
  const system = {
    ...{ id: name, class: 'system', claimed: true, description: 'Rack Mount Chassis', width: 64 },
    ...(isRoot ? { product, vendor, serial, configuration: { boot: 'normal', chassis: 'rackmount', uuid } } : {}),
    children: [core],
  };
  return `${JSON.stringify([system], null, 2)}\n`;
}

function memoryTree({ memory }: Hardware): object {
  const banks = memory.map(({ slot, module }, n) => ({
    ...{ id: `bank:${n}`, class: 'memory', claimed: true, physid: n.toString(16), slot },
    ...(module === null
      ? { description: '[empty]', product: 'NO DIMM', vendor: 'NO DIMM', serial: 'NO DIMM' }
      : {
          description: `DIMM ${module.type} Synchronous Registered (Buffered) ${module.mtPerSecond} MHz (0.3 ns)`,
          ...{ product: module.part, vendor: module.vendor, serial: module.serial, units: 'bytes' },
          ...{ size: module.sizeBytes, width: 64, clock: module.mtPerSecond * 1e6 },
        }),
  }));
  const total = memory.reduce((sum, { module }) => sum + (module?.sizeBytes ?? 0), 0);
  const head = { id: 'memory', class: 'memory', claimed: true, handle: 'DMI:1000', description: 'System Memory' };
  return { ...head, physid: '1000', slot: 'System board or motherboard', units: 'bytes', size: total, children: banks };
}

function processors({ cpus }: Hardware): object[] {
  return cpus.map(({ socket, model, cores, threads, mhz }, n) => ({
    ...{ id: `cpu:${n}`, class: 'processor', claimed: true, handle: `DMI:040${n}`, description: 'CPU' },
    ...{ product: model, vendor: 'Intel Corp.', physid: `40${n}`, businfo: `cpu@${n}`, slot: socket, units: 'Hz' },
    ...{ size: mhz * 1e6, capacity: 4_000_000_000, width: 64 },
    configuration: { cores: String(cores), enabledcores: String(cores), threads: String(threads) },
  }));
}

function pciTree({ pci, ports, disks }: Hardware): object[] {
  return pci.map((device, n) => {
    const port = ports.find((one) => one.pci === device.id);
    if (port !== undefined) return networkNode(device, port, n);
    const isNvme = device.class === '0x010802';
    const isSata = device.class === '0x010601';
    const held = disks.filter(({ kind }) => (isNvme ? kind === 'nvme' : isSata && kind !== 'nvme'));
    const node = pciNode(device, isNvme || isSata ? 'storage' : 'display', n);
    return held.length === 0 ? node : { ...node, children: held.map(diskNode) };
  });
}

function pciNode(
  { id, vendorName, deviceName }: PciDevice,
  kind: string,
  n: number,
): Readonly<Record<string, unknown>> {
  return {
    ...{ id: `${kind}:${n}`, class: kind, claimed: true, handle: `PCI:${id}`, businfo: `pci@${id}`, physid: String(n) },
    ...{ product: deviceName, vendor: vendorName, width: 64, clock: 33_000_000, configuration: { latency: '0' } },
  };
}

function networkNode(device: PciDevice, { device: name, mac, mbps, linked }: NetworkPort, n: number): object {
  return {
    ...pciNode(device, 'network', n),
    ...{ description: 'Ethernet interface', logicalname: name, serial: mac, units: 'bit/s', capacity: mbps * 1e6 },
    configuration: { autonegotiation: 'on', driver: 'ixgbe', duplex: 'full', link: linked ? 'yes' : 'no' },
  };
}

function diskNode({ device, kind, model, serial, sizeBytes, vendor }: Disk, n: number): object {
  return {
    ...{ id: `disk:${n}`, class: 'disk', claimed: true, handle: `SCSI:00:00:0${n}:00`, physid: `0.${n}.0` },
    ...{ description: kind === 'nvme' ? 'NVMe disk' : 'ATA Disk', product: model, logicalname: `/dev/${device}` },
    ...(kind === 'nvme' ? {} : { vendor }),
    ...{ serial, units: 'bytes', size: sizeBytes, configuration: { logicalsectorsize: '512', sectorsize: '512' } },
  };
}
