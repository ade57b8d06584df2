import { describe, expect, it } from 'vitest';
import type { DiskFact, DiskHealth } from '../../../src/sources/hardware/disks.js';
import { blockDevices } from '../../../src/sources/hosts/parse/lsblk.js';
import { smartDevices, smartReportOf } from '../../../src/sources/hosts/parse/smartctl.js';
import { describeRecordings, recordedText } from '../recordings.js';

const factLine = ({ device, vendor, model, serial, wwn, sizeBytes, detail }: DiskFact) =>
  [device, vendor, model, serial, wwn, sizeBytes, detail].map((word) => word ?? '-').join(' | ');
const healthLine = ({ verdict, lifeLeftPercent, counters }: DiskHealth) =>
  [verdict, lifeLeftPercent === null ? 'life unknown' : `${lifeLeftPercent} % left`, ...counters].join(', ');

const listed = (text: string) => {
  const parsed = blockDevices(text);
  return parsed.kind === 'unreadable' ? parsed.words : parsed.value.disks.map(factLine);
};
const rows = (...list: object[]) => listed(JSON.stringify({ blockdevices: list }));

describeRecordings('lsblk of real machines', () => {
  const of = (file: string) => listed(recordedText(`ironic-lshw/${file}_blk_device_template.json`.replace('/_', '/')));

  it('names the disks, and neither memory nor loops, nor a floppy with nothing in it', () => {
    expect(of('')).toEqual([
      '/dev/sda | - | TinyUSB Drive | sda123 | wwn0 | 3116853504 | ssd',
      '/dev/sdb | - | Fastable SD131 7 | sdb123 | wwn1 | 10737418240 | ssd',
      '/dev/sdc | - | NWD-BLP4-1600 | sdc123 | wwn2 | 1765517033472 | ssd',
      '/dev/sdd | - | NWD-BLP4-1600 | sdd123 | wwn3 | 1765517033472 | ssd',
    ]);
  });

  it('names what arrays are made of, and not the arrays; a disk that is listed twice is one', () => {
    expect(of('raid')).toEqual([
      '/dev/sda | - | DRIVE 0 | sda123 | wwn1234 | 1765517033472 | hdd',
      '/dev/sdb | - | DRIVE 1 | sdb123 | wwn333 | 1765517033472 | hdd',
    ]);
  });

  it('reads sizes that are written as text', () => {
    expect(of('multipath')).toEqual([
      '/dev/sda | - | INTEL_SSDSC2CT060A3 | sda123 | - | 60022480896 | ssd',
      '/dev/sdb | - | INTEL_SSDSC2CT060A3 | sdb123 | 123ee | 60022480896 | ssd',
      '/dev/sdc | - | ST1000DM003-1CH162 | sdc123 | 123g | 1000204886016 | hdd',
    ]);
  });
});

describe('a block device', () => {
  const disk = {
    name: 'sda',
    type: 'disk',
    size: 100,
    rota: true,
    tran: 'sata',
    vendor: 'ATA     ',
    model: 'X',
    serial: 'S',
    wwn: '0x5000C500',
  };

  it('is read from util-linux before 2.33 too, where a flag is a text', () => {
    expect(rows({ ...disk, size: '100', rota: '0' })).toEqual(['/dev/sda | - | X | S | 0x5000c500 | 100 | ssd']);
  });

  it.each(['zd0', 'zd16', 'dm-0', 'loop3', 'rbd0', 'nbd1', 'md127', 'zram0', 'sr0', 'drbd1000'])(
    '%s is no hardware',
    (name) => {
      expect(rows({ ...disk, name, tran: null })).toEqual([]);
    },
  );

  it.each(['iscsi', 'fc'])('that comes over %s is not in this machine', (tran) => {
    expect(rows({ ...disk, tran })).toEqual([]);
  });

  it('with a serial and no size is a disk that died, and is listed', () => {
    expect(rows({ ...disk, size: 0 })).toEqual(['/dev/sda | - | X | S | 0x5000c500 | - | hdd']);
  });
});

const report = (file: string) => {
  const parsed = smartReportOf({ name: '/dev/sdx', type: null }, recordedText(file));
  if (parsed.kind === 'unreadable') throw new Error(parsed.words);
  return [factLine(parsed.value.fact), healthLine(parsed.value.health)];
};

describeRecordings('smartctl of real disks', () => {
  it.each([
    [
      'smartctl-exporter/HGST_HUS724020ALE640_28',
      '- | HGST HUS724020ALE640 | REDACTED | 0x5000cca0499602d2 | 2000398934016 | hdd',
      'PASSED, life unknown, CRC errors on the cable: 12',
    ],
    [
      'smartctl-exporter/HITACHI_H109060SESUN600G_9',
      'HITACHI | HITACHI H109060SESUN600G | REDACTED | 0x1234567890abcdef | 600127266816 | hdd',
      'PASSED, life unknown',
    ],
    [
      'smartctl-exporter/HP_73.4G_MAS3735NC_25',
      'HP 73.4G | HP 73.4G MAS3735NC | REDACTED | 0x1234567890abcdef | 73407865856 | hdd',
      'PASSED, life unknown',
    ],
    [
      'smartctl-exporter/INTEL_SSDPE2KX080T8_1',
      '- | INTEL SSDPE2KX080T8 | REDACTED | - | 8001563222016 | nvme',
      'PASSED, 100 % left',
    ],
    [
      'smartctl-exporter/MB0500EBNCR_13',
      '- | MB0500EBNCR | REDACTED | 0x50014ee0499602d2 | 500107862016 | hdd',
      'PASSED, life unknown, reported uncorrectable errors: 1',
    ],
    [
      'smartctl-exporter/SAMSUNG_MZ7WD240HAFV-00003_21',
      '- | SAMSUNG MZ7WD240HAFV-00003 | REDACTED | 0x50025380499602d2 | 240057409536 | ssd',
      'PASSED, 91 % left',
    ],
    [
      'smartctl-exporter/SAMSUNG_MZVL21T0HCLR-00B00_23',
      '- | SAMSUNG MZVL21T0HCLR-00B00 | REDACTED | - | 1024209543168 | nvme',
      'PASSED, 84 % left, percentage used: 16',
    ],
    [
      'smartctl-exporter/WDC_WD20EFRX-68EUZN0_17',
      '- | WDC WD20EFRX-68EUZN0 | REDACTED | 0x50014ee0499602d2 | 2000398934016 | hdd',
      'PASSED, life unknown',
    ],
    [
      'telegraf-smartctl/megaraid',
      '- | ST6000NM0115-1YZ110 | ZAD2C11G | 0x5000c500a496983d | 6001175126016 | hdd',
      'PASSED, life unknown',
    ],
    [
      'telegraf-smartctl/nvme',
      '- | Sabrent Rocket 4.0 1TB | 6D1107091C9583054511 | - | 1000204886016 | nvme',
      'PASSED, 96 % left, percentage used: 4',
    ],
    ['telegraf-smartctl/scsi', '- | XXXX XX0000NM123 | - | - | 13715978077777 | hdd', 'PASSED, life unknown'],
    [
      'telegraf-smartctl/scsi_extended',
      'XYZZZZZZ | SEAGATE ST0000000 | XYZZZZ | 0x5000cb0847 | 13715978079776 | hdd',
      'PASSED, life unknown',
    ],
    [
      'telegraf-smartctl/usb',
      '- | SanDisk pSSD | 06c9f4c44 | 0x5001b4409f6c444c | 15693664256 | ssd',
      'PASSED, life unknown',
    ],
  ])('%s', (file, fact, health) => {
    expect(report(`${file}.json`)).toEqual([`/dev/sdx | ${fact}`, health]);
  });

  it('are found by a scan; behind a controller each by its number there', () => {
    const scan = (file: string) => {
      const parsed = smartDevices(recordedText(`telegraf-smartctl/${file}.json`));
      return parsed.kind === 'unreadable'
        ? parsed.words
        : parsed.value.map(({ name, type }) => [name, type].join(' ').trim());
    };
    expect(scan('scan_all')).toEqual(['/dev/sda', '/dev/nvme0', '/dev/nvme1']);
    const behind = [8, 9, 10, 11, 12, 13, 14].map((number) => `/dev/bus/6 megaraid,${number}`);
    expect(scan('scan_megaraid')).toEqual(['/dev/sda', '/dev/sdb', '/dev/sdc', ...behind]);
  });
});

describe('a SMART report', () => {
  const told = (answer: object, exit = 0) => {
    const parsed = smartReportOf(
      { name: '/dev/sda', type: null },
      JSON.stringify({ smartctl: { exit_status: exit }, ...answer }),
    );
    return parsed.kind === 'unreadable'
      ? parsed.words
      : `${parsed.value.opened ? '' : `${parsed.value.words}: `}${healthLine(parsed.value.health)}`;
  };
  const attribute = (id: number, value: number, more: object = {}) => ({
    id,
    name: `A_${id}`,
    raw: { value, string: String(value) },
    ...more,
  });
  const sata = { model_name: 'X', serial_number: 'S', smart_status: { passed: true } };

  it('that says no is a failing disk, with the counters that explain it', () => {
    const table = [attribute(5, 8, { when_failed: 'now' }), attribute(9, 4000), attribute(197, 2), attribute(198, 0)];
    expect(told({ ...sata, smart_status: { passed: false }, ata_smart_attributes: { table } }, 24)).toBe(
      'FAILED, life unknown, reallocated sectors: 8, below its threshold: A_5, pending sectors: 2',
    );
  });

  it('whose exit status alone says that the disk is failing is believed', () => {
    expect(told({ ...sata, smart_status: undefined }, 8)).toBe('FAILED, life unknown');
  });

  it('with other flags in the exit status (old errors in the log) is no failing disk', () => {
    expect(told(sata, 64 + 128 + 32 + 4)).toBe('PASSED, life unknown');
  });

  it('of an NVMe disk with a warning is a failing disk, and says which', () => {
    const log = {
      critical_warning: 5,
      percentage_used: 104,
      media_errors: 3,
      available_spare: 4,
      available_spare_threshold: 10,
    };
    expect(told({ ...sata, smart_status: {}, nvme_smart_health_information_log: log })).toBe(
      'FAILED, 0 % left, critical warning: spare blocks run low, critical warning: reliability degraded, media errors: 3, percentage used: 104, available spare: 4 %',
    );
  });

  it('of a SAS disk counts its defects, and its wear where it says it', () => {
    const log = { read: { total_uncorrected_errors: 2 }, write: { total_uncorrected_errors: 0 } };
    const sas = {
      scsi_grown_defect_list: 7,
      scsi_error_counter_log: log,
      scsi_percentage_used_endurance_indicator: 12,
    };
    expect(told({ ...sata, ...sas })).toBe('PASSED, 88 % left, grown defects: 7, uncorrected read errors: 2');
  });

  it('takes a raw value by its text: other things may stand in its upper bytes', () => {
    const table = [attribute(5, 281474976710656, { raw: { value: 281474976710656, string: '0 (0 0)' } })];
    expect(told({ ...sata, ata_smart_attributes: { table } })).toBe('PASSED, life unknown');
  });

  it('of a disk that could not be opened says why, and concludes nothing', () => {
    const smartctl = {
      exit_status: 2,
      messages: [{ string: 'Smartctl open device: /dev/sda failed: No such device', severity: 'error' }],
    };
    expect(told({ smartctl })).toBe('Smartctl open device: /dev/sda failed: No such device: UNKNOWN, life unknown');
  });

  it('that is JSON of something else is said to be so', () => {
    expect(smartReportOf({ name: '/dev/sda', type: null }, '{"data":[]}')).toEqual({
      ...{ kind: 'unreadable', words: 'its answer is JSON, but none of smartctl' },
    });
  });
});

describe('a scan', () => {
  const scan = (devices: unknown) => {
    const parsed = smartDevices(JSON.stringify({ smartctl: {}, ...(devices === undefined ? {} : { devices }) }));
    return parsed.kind === 'unreadable' ? parsed.words : parsed.value;
  };

  it('of a machine without disks says nothing of them', () => {
    expect(scan(undefined)).toEqual([]);
  });

  it('gives no name to a command that is none of a device', () => {
    const names = ['/dev/../etc/shadow', '-l', '/dev/sda;reboot', '/dev/sd a', '/etc/passwd', '/dev/zd0'];
    expect(scan([...names.map((name) => ({ name, type: 'sat' })), { name: '/dev/sdb', type: 'sat; reboot' }])).toEqual([
      { name: '/dev/sdb', type: null },
    ]);
  });
});
