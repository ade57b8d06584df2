import { HARDWARE_SECTIONS, type HardwareHealth, type HardwarePart, type HardwareReport } from './record.js';

/**
 * What is known of a node's hardware after one more look at it. A section that nobody could read this time keeps its
 * parts, and a part keeps what it did not say again: a network card lent to a guest shows its MAC to nobody.
 */
export function keptHardware(known: HardwareReport | undefined, read: HardwareReport): HardwareReport {
  if (known === undefined) return read;
  return join({ ...read, parts: read.parts.map((part) => filledFrom(part, known.parts)) }, known);
}

/**
 * The parts list that later ones are held against, after one more look. What is read of a node for the first time is
 * accepted as it is: a section whose tool was installed later, or what a part had not said when it was accepted.
 */
export function acceptedHardware(accepted: HardwareReport | undefined, now: HardwareReport): HardwareReport {
  if (accepted === undefined) return now;
  return join({ ...accepted, parts: accepted.parts.map((part) => filledFrom(part, now.parts)) }, now);
}

/** `first`, with those sections of `other` that it has not, in the one order that parts lists have. */
function join(first: HardwareReport, other: HardwareReport): HardwareReport {
  const sections = HARDWARE_SECTIONS.filter((each) => first.sections.includes(each) || other.sections.includes(each));
  const parts = sections.flatMap((section) => {
    const from = first.sections.includes(section) ? first : other;
    return from.parts.filter((part) => part.section === section);
  });
  return { by: first.by, sections, parts };
}

/** Only from the same part: one in the same place, of the same make. */
function filledFrom(part: HardwarePart, others: readonly HardwarePart[]): HardwarePart {
  const { section, place, vendor, model, serial, sizeBytes, detail } = part;
  if (serial !== null && sizeBytes !== null && detail !== null) return part;
  const same = others.find(
    (other) => other.section === section && other.place === place && other.vendor === vendor && other.model === model,
  );
  if (same === undefined) return part;
  return {
    ...part,
    serial: serial ?? same.serial,
    sizeBytes: sizeBytes ?? same.sizeBytes,
    detail: detail ?? same.detail,
  };
}

/** What is known of the health of a node's disks: one that says nothing this time keeps its last word. */
export function keptHealth(known: HardwareHealth | undefined, read: HardwareHealth): HardwareHealth {
  if (known === undefined) return read;
  const disks = read.disks.map((disk) => {
    if (disk.verdict !== 'UNKNOWN') return disk;
    return known.disks.find((other) => other.disk === disk.disk && other.verdict !== 'UNKNOWN') ?? disk;
  });
  return { by: read.by, disks };
}
