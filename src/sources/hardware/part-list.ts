import {
  HARDWARE_SECTIONS,
  type HardwarePart,
  type HardwareReport,
  type HardwareSection,
} from '../../domain/record.js';

/** A part without a section: what tells it apart, the rest empty unless given. */
export function part(section: HardwareSection, place: string, more: Partial<HardwarePart> = {}): HardwarePart {
  return { vendor: null, model: null, serial: null, sizeBytes: null, detail: null, ...more, section, place };
}

/** The report of what was read, in the one order that does not change from read to read. */
export function partList(
  by: HardwareReport['by'],
  sections: readonly HardwareSection[],
  parts: readonly HardwarePart[],
): HardwareReport {
  const read = HARDWARE_SECTIONS.filter((section) => sections.includes(section));
  const listed = parts.filter(({ section }) => read.includes(section));
  return { by, sections: read, parts: withOwnPlaces([...listed].sort(inOrder)) };
}

function inOrder(a: HardwarePart, b: HardwarePart): number {
  const sections = HARDWARE_SECTIONS.indexOf(a.section) - HARDWARE_SECTIONS.indexOf(b.section);
  return sections || byPlace(a, b) || byText(identity(a), identity(b));
}

/** `CPU 2` before `CPU 10`; addresses on a bus are hexadecimal, and stand as they are. */
function byPlace(a: HardwarePart, b: HardwarePart): number {
  const isOnBus = a.section === 'network' || a.section === 'pci';
  return (isOnBus ? 0 : a.place.localeCompare(b.place, 'en', { numeric: true })) || byText(a.place, b.place);
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function identity({ vendor, model, serial, sizeBytes, detail }: HardwarePart): string {
  return JSON.stringify([vendor, model, serial, sizeBytes, detail]);
}

/** Places that several parts of a section claim are counted through: what is equal then, and only that, may swap. */
function withOwnPlaces(sorted: readonly HardwarePart[]): readonly HardwarePart[] {
  const seen = new Map<string, number>();
  return sorted.map((each) => {
    const key = `${each.section} ${each.place}`;
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? each : { ...each, place: `${each.place} (${count})` };
  });
}
