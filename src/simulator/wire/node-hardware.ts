import type { Disk, PciDevice } from '../hardware-model.js';
import type { PackageUpdate } from '../machines.js';
import type { Sight } from './sight.js';

/** `GET /nodes/{n}/disks/list`; without SMART there is no health and no wear-out to tell. */
export function disksList({ estate }: Sight, node: string, skipSmart: boolean, type: string | undefined): object[] {
  // None is free for a new use.
  if (type !== undefined) return [];
  return estate.machines.of(node).disks.map((disk) => ({
    ...{ devpath: `/dev/${disk.device}`, model: disk.model, serial: disk.serial, vendor: disk.vendor, wwn: disk.wwn },
    ...{ size: disk.sizeBytes, type: disk.kind, rpm: disk.rpm, gpt: 1, used: usedFor(disk), mounted: 0 },
    ...{ osdid: -1, 'osdid-list': null, by_id_link: byId(disk) },
    health: skipSmart ? 'UNKNOWN' : disk.failing ? 'FAILED' : disk.kind === 'nvme' ? 'OK' : 'PASSED',
    wearout: skipSmart || disk.kind === 'hdd' ? 'N/A' : disk.lifeLeftPercent,
  }));
}

function usedFor({ use }: Disk): string {
  return use === 'boot' ? 'BIOS boot' : use;
}

function byId({ kind, model, serial }: Disk): string {
  const bus = kind === 'nvme' ? 'nvme' : 'ata';
  return `/dev/disk/by-id/${bus}-${model.replaceAll(' ', '_')}_${serial}`;
}

const HIDDEN_CLASSES = '05;06;0b';

/** `GET /nodes/{n}/hardware/pci`, sorted by place. */
export function pciList({ estate }: Sight, node: string, hidden = HIDDEN_CLASSES, verbose = true): object[] {
  const classes = hidden.split(/[;, ]+/).filter(Boolean);
  const shown = ({ class: kind }: PciDevice) => !classes.some((one) => kind.startsWith(`0x${one}`));
  const told = [...BRIDGES, ...estate.machines.of(node).pci].filter(shown);
  return told.map(({ id, class: kind, vendor, device, vendorName, deviceName, iommuGroup }) =>
    verbose
      ? { id, class: kind, vendor, device, vendor_name: vendorName, device_name: deviceName, iommugroup: iommuGroup }
      : { id },
  );
}

const BRIDGES: readonly PciDevice[] = [
  {
    ...{ id: '0000:00:00.0', class: '0x060000', vendor: '0x8086', device: '0x2020', iommuGroup: 0 },
    ...{ vendorName: 'Intel Corporation', deviceName: 'Sky Lake-E DMI3 Registers' },
  },
];

/** `GET /nodes/{n}/apt/update` */
export function updatesList({ estate }: Sight, node: string): object[] {
  return estate.machines
    .updatesOf(node)
    .map(({ name, title, installed, available, origin, section }: PackageUpdate) => ({
      ...{ Package: name, Title: title, Description: `${title}, in a newer version.`, OldVersion: installed },
      ...{ Version: available, Origin: origin, Arch: 'amd64', Section: section, Priority: 'optional' },
      ...(estate.version === '9.1' ? {} : { ChangeLogUrl: `http://changelogs.invalid/${name}` }),
    }));
}
