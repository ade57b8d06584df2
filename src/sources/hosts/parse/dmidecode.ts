import type { HardwarePart, HardwareSection } from '../../../domain/record.js';
import { part } from '../../hardware/part-list.js';
import { partText } from '../../hardware/part-text.js';
import { type Parsed, read } from './output.js';

/** The sections of a parts list that one tool could fill. */
export interface ReadSections {
  readonly sections: readonly HardwareSection[];
  readonly parts: readonly HardwarePart[];
}

interface Structure {
  readonly type: number;
  readonly fields: ReadonlyMap<string, string>;
}

// The numbers of SMBIOS, which do not change; the headings above the fields do.
const BIOS = 0;
const SYSTEM = 1;
const BOARD = 2;
const PROCESSOR = 4;
const MEMORY_ARRAY = 16;
const MEMORY_DEVICE = 17;

/** What the firmware says of the machine, its processors and its memory modules. */
export function dmiSections(text: string): Parsed<ReadSections> {
  const all = structures(text);
  // A machine whose firmware keeps no tables (a small board, a virtual machine) is told so, and that is an answer.
  if (all.length === 0 && !/^# ?dmidecode/m.test(text))
    return { kind: 'unreadable', words: `its answer is no table and begins with ${JSON.stringify(text.slice(0, 40))}` };
  const of = (type: number) => all.filter((each) => each.type === type);
  const sections: HardwareSection[] = [];
  if (of(SYSTEM).length > 0) sections.push('system');
  if (of(PROCESSOR).length > 0) sections.push('cpus');
  if (of(MEMORY_ARRAY).length + of(MEMORY_DEVICE).length > 0) sections.push('memory');
  const parts = [
    ...of(SYSTEM).slice(0, 1).map(system),
    ...of(BOARD).flatMap(board),
    ...of(BIOS).slice(0, 1).map(bios),
    ...of(PROCESSOR).flatMap(processor),
    ...memory(of(MEMORY_DEVICE)),
  ];
  return read({ sections, parts });
}

/** `Handle 0x0011, DMI type 17, 84 bytes`, a heading, and fields that stand one tab in; lists below them stand two in. */
function structures(text: string): readonly Structure[] {
  const found: Structure[] = [];
  let fields: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const type = /^Handle 0x[0-9a-f]+, DMI type (\d+)\b/i.exec(line)?.[1];
    if (type !== undefined) {
      fields = new Map();
      found.push({ type: Number(type), fields });
      continue;
    }
    const [, name, value] = /^\t([^\t:][^:]*):\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined && fields?.has(name) === false) fields.set(name, value);
  }
  return found;
}

const textOf = ({ fields }: Structure, name: string) => partText(fields.get(name));

function system(of: Structure): HardwarePart {
  const [vendor, model] = [textOf(of, 'Manufacturer'), textOf(of, 'Product Name')];
  return part('system', 'system', { vendor, model, serial: textOf(of, 'Serial Number') });
}

/** Blades have several: mezzanines among them, which may say nothing of themselves. */
function board(of: Structure): readonly HardwarePart[] {
  const [vendor, model, serial] = [textOf(of, 'Manufacturer'), textOf(of, 'Product Name'), textOf(of, 'Serial Number')];
  return model === null && serial === null ? [] : [part('system', 'board', { vendor, model, serial })];
}

function bios(of: Structure): HardwarePart {
  const [vendor, model] = [textOf(of, 'Vendor'), textOf(of, 'Version')];
  return part('system', 'bios', { vendor, model, detail: textOf(of, 'Release Date') });
}

function processor(of: Structure): readonly HardwarePart[] {
  if (/^unpopulated/i.test(of.fields.get('Status') ?? '')) return [];
  const cores = /^\d+$/.exec(of.fields.get('Core Count') ?? '')?.[0];
  return [
    part('cpus', textOf(of, 'Socket Designation') ?? 'CPU', {
      ...{ vendor: textOf(of, 'Manufacturer'), model: textOf(of, 'Version'), serial: textOf(of, 'Serial Number') },
      detail: coresText(cores),
    }),
  ];
}

export function coresText(cores: string | number | undefined): string | null {
  return cores === undefined ? null : `${cores} ${Number(cores) === 1 ? 'core' : 'cores'}`;
}

/** Empty slots are none of the parts. A slot's name that several bear is told by its bank. */
function memory(devices: readonly Structure[]): readonly HardwarePart[] {
  const locators = devices.map((each) => textOf(each, 'Locator'));
  return devices.flatMap((of, index) => {
    const sizeBytes = bytes(of.fields.get('Size') ?? '');
    // Old firmware lists its own flash among the modules.
    if (sizeBytes === null || /flash|rom$/i.test(of.fields.get('Type') ?? '')) return [];
    const locator = locators[index] ?? null;
    const isOnly = locator !== null && locators.filter((other) => other === locator).length === 1;
    const place = isOnly ? locator : [textOf(of, 'Bank Locator'), locator].filter((text) => text !== null).join(' ');
    const detail = memoryDetail(textOf(of, 'Type'), of.fields.get('Speed'));
    const [vendor, model, serial] = [
      textOf(of, 'Manufacturer'),
      textOf(of, 'Part Number'),
      textOf(of, 'Serial Number'),
    ];
    return [part('memory', place || 'slot', { vendor, model, serial, sizeBytes, detail })];
  });
}

/** `DDR4 3200 MT/s`: what the module is made for. Older tools wrote MHz and meant the same; how fast it runs now may change. */
export function memoryDetail(type: string | null, speed: string | undefined): string | null {
  const rate = /^(\d+) (?:MHz|MT\/s)/.exec(speed ?? '')?.[1];
  const words = [type, rate === undefined ? null : `${rate} MT/s`].filter((word) => word !== null && word !== 'Other');
  return words.length === 0 ? null : words.join(' ');
}

const UNITS: Readonly<Record<string, number>> = { bytes: 0, kb: 1, mb: 2, gb: 3, tb: 4 };

/** `16384 MB`, `32 GB`; null for `No Module Installed`, `Unknown` and nothing at all. */
function bytes(text: string): number | null {
  const [, count, unit] = /^(\d+) (bytes|[kMGT]B)$/i.exec(text.trim()) ?? [];
  const size = Number(count ?? 0) * 1024 ** (UNITS[unit?.toLowerCase() ?? ''] ?? 0);
  return size > 0 ? size : null;
}
