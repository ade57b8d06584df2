import type { HardwarePart, HardwareSection } from '../../../domain/record.js';
import { type DiskFact, isVirtualDisk } from '../../hardware/disks.js';
import { part } from '../../hardware/part-list.js';
import { diskVendor, partText } from '../../hardware/part-text.js';
import { wireNumber, wireObject } from '../../wire-values.js';
import { coresText, memoryDetail, type ReadSections } from './dmidecode.js';
import { networkCards, otherPciDevices } from './lshw-devices.js';
import { type TreeNode, treeNodes, wordsOf } from './lshw-tree.js';
import { type Parsed, parsedJson, read } from './output.js';

export interface HardwareTree {
  /** Network cards and PCI devices: nobody else tells of them. */
  readonly devices: ReadSections;
  /** What the firmware's own tables say better, where they can be read. */
  readonly machine: ReadSections;
  /** What lsblk says better. */
  readonly disks: readonly DiskFact[];
}

/** `lshw -json`. */
export function hardwareTree(text: string): Parsed<HardwareTree> {
  const json = parsedJson(text);
  if (json.kind === 'unreadable') return json;
  const nodes = treeNodes(json.value);
  if (!nodes.some(({ id }) => id === 'core'))
    return { kind: 'unreadable', words: 'its answer is JSON, but no tree of hardware' };
  const parts = [...networkCards(nodes), ...otherPciDevices(nodes)];
  return read({ devices: { sections: ['network', 'pci'], parts }, machine: machineOf(nodes), disks: disksOf(nodes) });
}

function machineOf(nodes: readonly TreeNode[]): ReadSections {
  const system = nodes.filter(({ parent }) => parent === undefined).slice(0, 1);
  const boards = nodes.filter(({ id, parent }) => id === 'core' && parent?.parent === undefined);
  const firmware = nodes.filter(({ id, kind }) => id === 'firmware' && kind === 'memory').slice(0, 1);
  const cpus = nodes.filter(({ id, kind }) => kind === 'processor' && /^cpu(?::\d+)?$/.test(id));
  const banks = nodes.filter(({ id, kind }) => kind === 'memory' && /^bank(?::\d+)?$/.test(id));
  const sections: HardwareSection[] = [];
  if (system.some((node) => wordsOf(node).model !== null || wordsOf(node).serial !== null)) sections.push('system');
  if (cpus.length > 0) sections.push('cpus');
  if (banks.length > 0) sections.push('memory');
  const parts = [
    ...system.map((node) => part('system', 'system', wordsOf(node))),
    ...boards.map((node) => part('system', 'board', wordsOf(node))),
    ...firmware.map(bios),
    ...cpus.flatMap(processor),
    ...banks.flatMap(bank),
  ];
  return { sections, parts: parts.filter(({ section }) => sections.includes(section)) };
}

function bios({ row }: TreeNode): HardwarePart {
  const [vendor, model] = [partText(row.vendor), partText(row.version)];
  return part('system', 'bios', { vendor, model, detail: partText(row.date) });
}

/** An empty socket is listed as disabled, without a product. */
function processor(node: TreeNode): readonly HardwarePart[] {
  const { row, id } = node;
  const words = wordsOf(node);
  if (row.disabled === true && words.model === null) return [];
  const cores = wireNumber(wireObject(row.configuration)?.cores);
  const place = partText(row.slot) ?? partText(row.businfo) ?? id;
  return [part('cpus', place, { ...words, detail: coresText(cores) })];
}

function bank(node: TreeNode): readonly HardwarePart[] {
  const { row, id, parent } = node;
  const words = wordsOf(node);
  const sizeBytes = wireNumber(row.size) ?? null;
  const description = typeof row.description === 'string' ? row.description : '';
  if (/\[empty\]/i.test(description) || (sizeBytes === null && words.model === null)) return [];
  const type = /\b(?:LP)?DDR\d?[A-Z]?\b/.exec(description)?.[0] ?? null;
  const detail = memoryDetail(type, /\b\d+ MHz/.exec(description)?.[0]);
  return [part('memory', partText(row.slot) ?? `${parent?.id} ${id}`, { ...words, sizeBytes, detail })];
}

/** A namespace of an NVMe disk says its size; what it is stands at its controller, above. */
function disksOf(nodes: readonly TreeNode[]): readonly DiskFact[] {
  return nodes.flatMap((node) => {
    const names = [node.row.logicalname].flat().filter((name) => typeof name === 'string');
    const device = names.find((name) => /^\/dev\/[\w-]+$/.test(name));
    const sizeBytes = wireNumber(node.row.size) ?? null;
    if (node.kind !== 'disk' || device === undefined || isVirtualDisk(device) || sizeBytes === null) return [];
    const isNvme = device.startsWith('/dev/nvme');
    const { model, serial } = wordsOf(isNvme && node.parent !== undefined ? node.parent : node);
    const detail = isNvme ? 'nvme' : null;
    return [{ device, vendor: diskVendor(node.row.vendor), model, serial, wwn: null, sizeBytes, detail }];
  });
}
