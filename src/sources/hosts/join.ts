import type { HardwareHealth, HardwareReport, HardwareSection } from '../../domain/record.js';
import { type DiskFact, type DiskHealth, diskHealth, diskParts, placeDisks } from '../hardware/disks.js';
import { partList } from '../hardware/part-list.js';
import type { ReadSections } from './parse/dmidecode.js';
import type { BlockDevices } from './parse/lsblk.js';
import type { HardwareTree } from './parse/lshw.js';
import type { SmartReport } from './parse/smartctl.js';

/**
 * What came of one tool. `absent`: it is not there or not allowed, today as any day, so another's word stands for it.
 * `failed`: this time; what another says in its place would look like new hardware.
 */
export type Told<T> =
  | { readonly kind: 'told'; readonly value: T }
  | { readonly kind: 'absent' }
  | { readonly kind: 'failed' };

/** One disk that was to be asked for its health; `report` is undefined where no answer came this time. */
export interface AskedDisk {
  readonly device: string;
  readonly report: SmartReport | undefined;
}

export interface ToldByTools {
  readonly tables: Told<ReadSections>;
  readonly tree: Told<HardwareTree>;
  readonly disks: Told<BlockDevices>;
  readonly smart: Told<readonly AskedDisk[]>;
}

export interface JoinedHardware {
  readonly report: HardwareReport;
  /** Undefined: nobody could ask any disk. */
  readonly health: HardwareHealth | undefined;
}

/** The parts list of one host from what its tools say, each part once. */
export function joinHardware(told: ToldByTools): JoinedHardware {
  const { tables, tree, smart } = told;
  const isWithout = tables.kind === 'absent' || (tables.kind === 'told' && tables.value.sections.length === 0);
  const machine = isWithout ? toldBy(tree)?.machine : toldBy(tables);
  const devices = toldBy(tree)?.devices;
  const disks = joinDisks(told);
  const sections: HardwareSection[] = [...(machine?.sections ?? []), ...(devices?.sections ?? [])];
  if (disks.isWhole) sections.push('disks');
  const placed = placeDisks(disks.disks);
  const parts = [...(machine?.parts ?? []), ...(devices?.parts ?? []), ...diskParts(placed)];
  return {
    report: partList('SSH', sections, parts),
    health: smart.kind === 'told' ? diskHealth('SSH', placed) : undefined,
  };
}

function toldBy<T>(told: Told<T>): T | undefined {
  return told.kind === 'told' ? told.value : undefined;
}

interface JoinedDisks {
  readonly disks: readonly { readonly fact: DiskFact; readonly health: DiskHealth | undefined }[];
  /** Whether every disk is in it, as it will be next time. */
  readonly isWhole: boolean;
}

/** lsblk names the disks (lshw where there is none); smartctl adds those behind controllers, and what a disk keeps from the kernel. */
function joinDisks({ tree, disks, smart }: ToldByTools): JoinedDisks {
  const lshwStands = disks.kind === 'absent' && tree.kind === 'told';
  const listed = toldBy(disks)?.disks ?? (lshwStands ? tree.value.disks : undefined);
  const asked = toldBy(smart) ?? [];
  const joined: { fact: DiskFact; health: DiskHealth | undefined }[] = [];
  const left = new Set(asked);
  const paths = new Set((listed ?? []).map(({ device }) => baseOf(device)));
  let isWhole = listed !== undefined && smart.kind !== 'failed';
  for (const fact of listed ?? []) {
    const mine = [...left].filter((each) => isOf(fact, each, paths));
    for (const each of mine) left.delete(each);
    const reports = mine.map(({ report }) => report).filter((report) => report !== undefined);
    const best = reports.find(({ opened }) => opened) ?? reports[0];
    // Only a disk that says nothing of itself to the kernel depends on what smartctl got out of it.
    if (fact.serial === null && mine.length > reports.length) isWhole = false;
    const health = best?.health ?? (mine.length > 0 ? NOT_TOLD : undefined);
    joined.push({ fact: filled(fact, best?.fact), health });
  }
  for (const { report } of left) {
    if (report === undefined) isWhole = false;
    else if (report.opened) joined.push({ fact: report.fact, health: report.health });
  }
  return { disks: joined, isWhole };
}

const NOT_TOLD: DiskHealth = { verdict: 'UNKNOWN', lifeLeftPercent: null, counters: [] };

/** By the way to it, by its serial, or by its world wide name: the kernel and smartctl may take a different one for its serial. */
function isOf(fact: DiskFact, { device, report }: AskedDisk, paths: ReadonlySet<string>): boolean {
  if (paths.has(baseOf(device))) return baseOf(fact.device) === baseOf(device);
  const other = report?.fact;
  if (other === undefined) return false;
  return (fact.serial !== null && fact.serial === other.serial) || (fact.wwn !== null && fact.wwn === other.wwn);
}

/** `/dev/nvme0n1` is the first namespace of `/dev/nvme0`. */
function baseOf(device: string): string {
  return device.replace(/^(\/dev\/nvme\d+)n\d+$/, '$1');
}

function filled(fact: DiskFact, by: DiskFact | undefined): DiskFact {
  // A serial that the kernel knows comes with all that it knows: what smartctl adds would go when it is silent.
  if (by === undefined || fact.serial !== null) return fact;
  return {
    device: fact.device,
    vendor: fact.vendor ?? by.vendor,
    model: fact.model ?? by.model,
    serial: by.serial,
    wwn: fact.wwn ?? by.wwn,
    sizeBytes: fact.sizeBytes ?? by.sizeBytes,
    detail: fact.detail ?? by.detail,
  };
}
