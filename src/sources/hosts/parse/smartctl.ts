import { type DiskFact, type DiskHealth, isVirtualDisk } from '../../hardware/disks.js';
import { diskVendor, partText } from '../../hardware/part-text.js';
import { type WireObject, wireNumber, wireObject, wireObjects, wireText } from '../../wire-values.js';
import type { SmartDevice } from '../commands.js';
import { type Parsed, parsedJson, read } from './output.js';
import { smartCounters } from './smart-counters.js';

// The flags of smartctl's exit status that count here: it could not be run as asked, and the disk is failing.
const NOT_OPENED = 0b11;
const FAILING = 0b1000;
/** What may stand in a command: a path below /dev, and a type that says where behind a controller the disk is. */
const DEVICE = /^\/dev\/[\w-]+(?:\/[\w-]+)*$/;
const BEHIND = /^[a-z0-9+]+,[\w,+/]+$/;

/** `smartctl --scan -j`: no `devices` at all where there is none. Disks that are no hardware are left out. */
export function smartDevices(text: string): Parsed<readonly SmartDevice[]> {
  const json = parsedJson(text);
  if (json.kind === 'unreadable') return json;
  const answer = wireObject(json.value);
  if (wireObject(answer?.smartctl) === undefined)
    return { kind: 'unreadable', words: 'its answer is JSON, but none of smartctl' };
  const devices = wireObjects(answer?.devices ?? []) ?? [];
  return read(
    devices.flatMap(({ name, type }) => {
      if (typeof name !== 'string' || !DEVICE.test(name) || isVirtualDisk(name)) return [];
      const behind = typeof type === 'string' && BEHIND.test(type) ? type : null;
      return [{ name, type: behind }];
    }),
  );
}

/** What smartctl says of one disk. `opened` is false where it could not ask it: then `fact` holds nothing but the device. */
export interface SmartReport {
  readonly opened: boolean;
  readonly fact: DiskFact;
  readonly health: DiskHealth;
  /** Why it was not opened. */
  readonly words: string | null;
}

export function smartReportOf(device: SmartDevice, text: string): Parsed<SmartReport> {
  const json = parsedJson(text);
  if (json.kind === 'unreadable') return json;
  const answer = wireObject(json.value);
  const about = wireObject(answer?.smartctl);
  if (answer === undefined || about === undefined)
    return { kind: 'unreadable', words: 'its answer is JSON, but none of smartctl' };
  const status = wireNumber(about.exit_status) ?? 0;
  const fact = factOf(device, answer);
  const knows = fact.model !== null || fact.serial !== null || answer.smart_status !== undefined;
  const opened = knows || (status & NOT_OPENED) === 0;
  return read({ opened, fact, health: healthOf(answer, status), words: opened ? null : messageOf(about) });
}

export function notOpened(device: SmartDevice, words: string): SmartReport {
  return { opened: false, fact: factOf(device, {}), health: healthOf({}, 0), words };
}

function messageOf(about: WireObject): string {
  const first = wireObjects(about.messages)?.find(({ severity }) => severity === 'error');
  return wireText(first?.string) ?? 'it could not be opened';
}

/** Where smartctl goes to ask: `/dev/sda`, or `/dev/bus/6 megaraid,14` behind a controller. */
export function smartPath({ name, type }: SmartDevice): string {
  return type === null ? name : `${name} ${type}`;
}

function factOf(device: SmartDevice, answer: WireObject): DiskFact {
  const vendor = diskVendor(answer.scsi_vendor ?? answer.vendor);
  const model = partText(answer.model_name ?? answer.scsi_model_name ?? answer.scsi_product ?? answer.product);
  return {
    ...{ device: smartPath(device), vendor, model, serial: partText(answer.serial_number), wwn: wwnOf(answer) },
    sizeBytes: wireNumber(wireObject(answer.user_capacity)?.bytes) ?? wireNumber(answer.nvme_total_capacity) ?? null,
    detail: detailOf(answer),
  };
}

function wwnOf({ wwn, logical_unit_id: unit }: WireObject): string | null {
  if (typeof unit === 'string') return partText(unit)?.toLowerCase() ?? null;
  const { naa, oui, id } = wireObject(wwn) ?? {};
  if (typeof naa !== 'number' || typeof oui !== 'number' || typeof id !== 'number') return null;
  return `0x${naa.toString(16)}${oui.toString(16).padStart(6, '0')}${id.toString(16).padStart(9, '0')}`;
}

function detailOf(answer: WireObject): string | null {
  if (wireObject(answer.device)?.protocol === 'NVMe') return 'nvme';
  const rate = wireNumber(answer.rotation_rate);
  return rate === undefined ? null : rate === 0 ? 'ssd' : 'hdd';
}

function healthOf(answer: WireObject, status: number): DiskHealth {
  const nvme = wireObject(answer.nvme_smart_health_information_log);
  const passed = wireObject(answer.smart_status)?.passed;
  const isFailing = passed === false || (status & FAILING) !== 0 || (wireNumber(nvme?.critical_warning) ?? 0) !== 0;
  return {
    verdict: isFailing ? 'FAILED' : passed === true ? 'PASSED' : 'UNKNOWN',
    lifeLeftPercent: lifeLeft(answer, nvme),
    counters: smartCounters(answer, nvme),
  };
}

/** The names under which makers of SATA disks give what is left, as the attribute's normalised value. */
const LIFE_NAMES =
  /^(?:media_wearout_indicator|ssd_life_left|wear_leveling_count|(?:perc|percent)_(?:rated_)?life(?:time)?_(?:remain|remaining|left|used)|(?:remaining_lifetime|lifetime)_(?:perc|left|remaining)|pct_life_remaining)$/i;

function lifeLeft(answer: WireObject, nvme: WireObject | undefined): number | null {
  const used =
    wireNumber(nvme?.percentage_used) ??
    wireNumber(wireObject(answer.endurance_used)?.current_percent) ??
    wireNumber(answer.scsi_percentage_used_endurance_indicator);
  if (used !== undefined) return Math.max(0, 100 - used);
  // Of a disk that turns the same names mean other things.
  if (wireNumber(answer.rotation_rate) !== 0) return null;
  const table = wireObjects(wireObject(answer.ata_smart_attributes)?.table) ?? [];
  const left = table.find(({ name }) => typeof name === 'string' && LIFE_NAMES.test(name));
  const value = wireNumber(left?.value);
  return value === undefined || value > 100 ? null : value;
}
