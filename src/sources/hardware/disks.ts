import type { HardwareHealth, HardwarePart, SmartVerdict } from '../../domain/record.js';
import { byText, part } from './part-list.js';

/** One disk as one tool sees it, or several of them joined. */
export interface DiskFact {
  /** `/dev/sda`; of a disk behind a controller the way that smartctl takes to it. */
  readonly device: string;
  readonly vendor: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  /** Lower case, as udev writes it. */
  readonly wwn: string | null;
  readonly sizeBytes: number | null;
  /** `ssd`, `hdd`, `nvme`, `usb`. */
  readonly detail: string | null;
}

export interface DiskHealth {
  readonly verdict: SmartVerdict;
  readonly lifeLeftPercent: number | null;
  readonly counters: readonly string[];
}

/** A disk with the place that tells it from the others of its node. */
export interface PlacedDisk {
  readonly place: string;
  readonly fact: DiskFact;
  /** Undefined: nobody asked it for its health. */
  readonly health: DiskHealth | undefined;
}

/** Made of a guest's volume, of other disks, of memory or of the network: no hardware of this machine. */
const VIRTUAL = /^(?:zd|dm-|loop|rbd|nbd|ram|zram|md|sr|fd|drbd|bcache|mtdblock|zvol|mapper)(?:\d|$|\/)|^dm-|^mapper\//;

export function isVirtualDisk(device: string): boolean {
  return VIRTUAL.test(device.replace(/^\/dev\//, ''));
}

/** Two paths to one disk: what it says of itself is the same, down to its world wide name. */
function isSame(a: DiskFact, b: DiskFact): boolean {
  if (a.wwn === null || a.wwn !== b.wwn) return false;
  return a.serial === b.serial && a.model === b.model && a.sizeBytes === b.sizeBytes;
}

/**
 * The disks of a node, each once, by what it bears and not by its letter: letters are dealt anew at each start.
 * Serials that several bear (cheap bridges, volumes of one controller) are counted through.
 */
export function placeDisks(
  disks: readonly { readonly fact: DiskFact; readonly health: DiskHealth | undefined }[],
): readonly PlacedDisk[] {
  const once: { fact: DiskFact; health: DiskHealth | undefined }[] = [];
  for (const disk of [...disks].sort((a, b) => byText(order(a.fact), order(b.fact)))) {
    const other = once.find(({ fact }) => isSame(fact, disk.fact));
    if (other === undefined) once.push({ ...disk });
    else other.health = worse(other.health, disk.health);
  }
  const taken = new Map<string, number>();
  return once.map(({ fact, health }) => {
    const name = fact.serial ?? fact.wwn ?? fact.model ?? fact.device;
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return { place: count === 1 ? name : `${name} (${count})`, fact, health };
  });
}

/** Devices come last, and so only decide between disks that are alike in all else. */
function order({ serial, wwn, model, sizeBytes, device }: DiskFact): string {
  return JSON.stringify([serial, model, sizeBytes, wwn, device]);
}

const SEVERITY: Readonly<Record<SmartVerdict, number>> = { UNKNOWN: 0, PASSED: 1, FAILED: 2 };

function worse(a: DiskHealth | undefined, b: DiskHealth | undefined): DiskHealth | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return SEVERITY[b.verdict] > SEVERITY[a.verdict] ? b : a;
}

export function diskParts(placed: readonly PlacedDisk[]): readonly HardwarePart[] {
  return placed.map(({ place, fact: { vendor, model, serial, sizeBytes, detail } }) =>
    part('disks', place, { vendor, model, serial, sizeBytes, detail }),
  );
}

export function diskHealth(by: HardwareHealth['by'], placed: readonly PlacedDisk[]): HardwareHealth {
  const disks = placed.flatMap(({ place, fact, health }) => {
    const disk = fact.serial === null ? fact.device : place;
    return health === undefined ? [] : [{ disk, device: fact.device, model: fact.model, ...health }];
  });
  return { by, disks: disks.sort((a, b) => byText(a.disk, b.disk)) };
}
