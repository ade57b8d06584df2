import type { Disk } from '../hardware-model.js';

/** Its exit code is a set of flags: bit 1 the device could not be opened, bit 3 SMART says that the disk fails. */
const CANNOT_OPEN = 2;
const FAILING = 8;
const HEAD = { json_format_version: [1, 0] };

/** `smartctl --scan -j`: NVMe controllers by their own name, without the namespace. */
export function smartScan(disks: readonly Disk[]): string {
  const devices = disks.map(deviceOf);
  return `${JSON.stringify({ ...HEAD, smartctl: about([], 0), devices }, null, 2)}\n`;
}

/** `smartctl -j -a <device>` */
export function smartReport(
  disks: readonly Disk[],
  args: readonly string[],
  isRoot: boolean,
): { readonly code: number; readonly stdout: string; readonly stderr: string } {
  const name = args.at(-1) ?? '';
  const disk = disks.find((one) => deviceOf(one).name === name || `/dev/${one.device}` === name);
  if (disk === undefined || !isRoot) {
    const why = disk === undefined ? 'No such device' : 'Permission denied';
    const messages = [{ string: `Smartctl open device: ${name} failed: ${why}`, severity: 'error' }];
    const report = { ...HEAD, smartctl: { ...about(args, CANNOT_OPEN), messages } };
    return { code: CANNOT_OPEN, stdout: `${JSON.stringify(report, null, 2)}\n`, stderr: '' };
  }
  const code = disk.failing ? FAILING : 0;
  const report = {
    ...{ ...HEAD, smartctl: about(args, code), device: deviceOf(disk), model_name: disk.model },
    ...{ serial_number: disk.serial, firmware_version: 'JXTC404Q' },
    ...{ user_capacity: { blocks: Math.floor(disk.sizeBytes / 512), bytes: disk.sizeBytes }, logical_block_size: 512 },
    smart_support: { available: true, enabled: true },
    power_on_time: { hours: disk.powerOnHours },
    temperature: { current: 31 },
    ...(disk.kind === 'nvme' ? nvme(disk) : ata(disk)),
  };
  return { code, stdout: `${JSON.stringify(report, null, 2)}\n`, stderr: '' };
}

function about(args: readonly string[], code: number): object {
  return { version: [7, 4], svn_revision: '5530', argv: ['smartctl', ...args], exit_status: code };
}

function deviceOf({ device, kind }: Disk): { readonly name: string; readonly [key: string]: string } {
  const isNvme = kind === 'nvme';
  const name = `/dev/${isNvme ? device.replace(/n\d+$/, '') : device}`;
  const type = isNvme ? 'nvme' : 'sat';
  const words = isNvme ? name : `${name} [SAT]`;
  return { name, info_name: words, type, protocol: isNvme ? 'NVMe' : 'ATA' };
}

function nvme({ failing, reallocated, lifeLeftPercent, powerOnHours }: Disk): object {
  return {
    smart_status: { passed: !failing, nvme: { value: failing ? 4 : 0 } },
    nvme_smart_health_information_log: {
      ...{ critical_warning: failing ? 4 : 0, temperature: 31, available_spare: 100, available_spare_threshold: 10 },
      ...{ percentage_used: 100 - lifeLeftPercent, media_errors: reallocated, power_on_hours: powerOnHours },
      ...{ num_err_log_entries: reallocated, unsafe_shutdowns: 11, power_cycles: 25 },
    },
  };
}

function ata({ kind, rpm, failing, reallocated, lifeLeftPercent, powerOnHours }: Disk): object {
  const row = (id: number, name: string, raw: number, value = 100, thresh = 0) => ({
    ...{ id, name, value, worst: value, thresh, when_failed: value < thresh ? 'now' : '' },
    raw: { value: raw, string: String(raw) },
  });
  const table = [
    row(5, 'Reallocated_Sector_Ct', reallocated, failing ? 4 : 100, 10),
    row(9, 'Power_On_Hours', powerOnHours),
    ...(kind === 'ssd' ? [row(177, 'Wear_Leveling_Count', 100 - lifeLeftPercent, lifeLeftPercent, 5)] : []),
    row(197, 'Current_Pending_Sector', failing ? 8 : 0),
    row(198, 'Offline_Uncorrectable', failing ? 2 : 0),
  ];
  return {
    rotation_rate: rpm,
    smart_status: { passed: !failing },
    ata_smart_attributes: { revision: 16, table },
  };
}
