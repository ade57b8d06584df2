import { HARDWARE_SECTIONS, type HardwarePart, type HardwareReport, type HardwareSection } from './record.js';

/** One part that is not as it was accepted. */
export type PartChange =
  | { readonly kind: 'removed'; readonly was: HardwarePart }
  | { readonly kind: 'added'; readonly is: HardwarePart }
  | { readonly kind: 'replaced'; readonly was: HardwarePart; readonly is: HardwarePart };

/**
 * What differs between the accepted parts of a machine and those that it has, section by section among those that both
 * were read for. A part with a serial is itself wherever it sits; one without is known by its place and words, and a word
 * that only one side has tells nothing.
 */
export function partChanges(accepted: HardwareReport, now: HardwareReport): readonly PartChange[] {
  return HARDWARE_SECTIONS.flatMap((section) =>
    accepted.sections.includes(section) && now.sections.includes(section)
      ? sectionChanges(ofSection(accepted, section), ofSection(now, section))
      : [],
  );
}

function ofSection(report: HardwareReport, section: HardwareSection): readonly HardwarePart[] {
  return report.parts.filter((part) => part.section === section);
}

function sectionChanges(before: readonly HardwarePart[], after: readonly HardwarePart[]): readonly PartChange[] {
  // Two passes: a serial's word goes before a place's, or a swap of two disks would look like two replacements.
  const bySerial = withoutPairs(
    before,
    after,
    (a, b) => a.serial !== null && a.serial === b.serial && sameOrUnsaid(a.model, b.model),
  );
  const { was, is } = withoutPairs(bySerial.was, bySerial.is, samePart);
  const changes: PartChange[] = [];
  const added = [...is];
  for (const gone of was) {
    const at = added.findIndex((part) => part.place === gone.place);
    const [instead] = at < 0 ? [] : added.splice(at, 1);
    changes.push(instead === undefined ? { kind: 'removed', was: gone } : { kind: 'replaced', was: gone, is: instead });
  }
  return [...changes, ...added.map((part): PartChange => ({ kind: 'added', is: part }))];
}

/** What is left of both sides when everything that is the same was taken away, each with one of the other. */
function withoutPairs(
  before: readonly HardwarePart[],
  after: readonly HardwarePart[],
  same: (a: HardwarePart, b: HardwarePart) => boolean,
): { readonly was: readonly HardwarePart[]; readonly is: readonly HardwarePart[] } {
  const is = [...after];
  const was = before.filter((part) => {
    const at = is.findIndex((other) => same(part, other));
    if (at >= 0) is.splice(at, 1);
    return at < 0;
  });
  return { was, is };
}

/** The same place, and nothing that speaks against it. */
function samePart(a: HardwarePart, b: HardwarePart): boolean {
  return (
    a.place === b.place &&
    sameOrUnsaid(a.serial, b.serial) &&
    sameOrUnsaid(a.vendor, b.vendor) &&
    sameOrUnsaid(a.model, b.model) &&
    sameOrUnsaid(a.sizeBytes, b.sizeBytes) &&
    sameOrUnsaid(a.detail, b.detail)
  );
}

function sameOrUnsaid<T>(a: T | null, b: T | null): boolean {
  return a === null || b === null || a === b;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB'] as const;

/** Disks are sold in powers of 1000, memory in powers of 1024. */
function sizeText({ section, sizeBytes }: HardwarePart): string | null {
  if (sizeBytes === null) return null;
  if (section === 'disks') return sizeBytes >= 1e12 ? `${round(sizeBytes / 1e12)} TB` : `${round(sizeBytes / 1e9)} GB`;
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, sizeBytes)) / 10));
  return `${round(sizeBytes / 1024 ** power)} ${UNITS[power]}`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

const NOUNS: Readonly<Record<HardwareSection, string>> = {
  system: 'system',
  cpus: 'CPU',
  memory: 'memory',
  disks: 'disk',
  network: 'network card',
  pci: 'PCI device',
};

/** How a part is called in a sentence: `disk sda (Samsung PM883, 960 GB, serial S4X)`. */
export function partText(part: HardwarePart): string {
  const { section, place, vendor, model, serial, detail } = part;
  const make = [vendor, model].filter((word) => word !== null).join(' ');
  const words = [
    make === '' ? null : make,
    sizeText(part),
    detail,
    serial === null || serial === place ? null : `serial ${serial}`,
  ];
  const told = words.filter((word) => word !== null).join(', ');
  return `${NOUNS[section]} ${place}${told === '' ? '' : ` (${told})`}`;
}
