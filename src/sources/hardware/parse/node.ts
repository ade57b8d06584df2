import type { HardwarePart, SmartVerdict } from '../../../domain/record.js';
import { type WireObject, wireInteger, wireNumber, wireObject, wireObjects, wireText } from '../../wire-values.js';
import { type DiskFact, type DiskHealth, isVirtualDisk, type PlacedDisk, placeDisks } from '../disks.js';
import { part } from '../part-list.js';
import { diskVendor, partText } from '../part-text.js';

export interface ListedNode {
  readonly name: string;
  readonly online: boolean;
}

/** `/nodes`: every member of the cluster; undefined when it is no list. */
export function listedNodes(content: unknown): readonly ListedNode[] | undefined {
  return wireObjects(content)?.flatMap(({ node, status }) =>
    typeof node === 'string' && node !== '' ? [{ name: node, online: status === 'online' }] : [],
  );
}

/** The processors of `/nodes/{node}/status`, one for each socket; undefined when it does not tell of them. */
export function processors(content: unknown): readonly HardwarePart[] | undefined {
  const info = wireObject(wireObject(content)?.cpuinfo);
  const sockets = wireInteger(info?.sockets);
  if (info === undefined || sockets === undefined || sockets < 1 || sockets > 64) return undefined;
  // `cores` counts those of all sockets.
  const cores = wireInteger(info.cores);
  const each = cores === undefined ? null : cores / sockets;
  const detail = each === null || !Number.isInteger(each) ? null : `${each} ${each === 1 ? 'core' : 'cores'}`;
  const model = partText(info.model);
  return Array.from({ length: sockets }, (_, index) => part('cpus', `socket ${index + 1}`, { model, detail }));
}

/** `/nodes/{node}/hardware/pci`; undefined when it is no list. Names come from a list on the node and may be missing, numbers never are. */
export function pciDevices(content: unknown): readonly HardwarePart[] | undefined {
  return wireObjects(content)?.flatMap((row) => {
    const place = wireText(row.id);
    if (place === undefined) return [];
    const numbers = [hex(row.vendor), hex(row.device)];
    const vendor = partText(row.vendor_name);
    const model = partText(row.device_name);
    return [part('pci', place, { vendor, model, detail: numbers.includes(undefined) ? null : numbers.join(':') })];
  });
}

/** `0x10de` → `10de`. */
function hex(value: unknown): string | undefined {
  return typeof value === 'string' ? /^0x([0-9a-f]+)$/i.exec(value)?.[1]?.toLowerCase() : undefined;
}

/** `/nodes/{node}/disks/list`; undefined when it is no list. */
export function listedDisks(content: unknown): readonly PlacedDisk[] | undefined {
  const rows = wireObjects(content);
  if (rows === undefined) return undefined;
  const disks = rows.flatMap((row) => {
    const device = wireText(row.devpath);
    if (device === undefined || isVirtualDisk(device)) return [];
    return [{ fact: diskOf(device, row), health: healthOf(row) }];
  });
  return placeDisks(disks);
}

function diskOf(device: string, row: WireObject): DiskFact {
  return {
    ...{ device, vendor: diskVendor(row.vendor), model: partText(row.model), serial: partText(row.serial) },
    wwn: partText(row.wwn)?.toLowerCase() ?? null,
    sizeBytes: wireInteger(row.size) ?? null,
    detail: partText(row.type),
  };
}

function healthOf({ health, wearout }: WireObject): DiskHealth {
  const said = partText(health);
  const verdict = verdictOf(said);
  const left = wireNumber(wearout);
  return {
    verdict,
    // What Proxmox calls wearout is what is left of it.
    lifeLeftPercent: left === undefined || left < 0 || left > 100 ? null : left,
    counters: verdict === 'FAILED' && said !== null && !/^failed!?$/i.test(said) ? [`SMART says: ${said}`] : [],
  };
}

/** SAS disks answer in sentences (`FAILURE PREDICTION THRESHOLD EXCEEDED`), SATA and NVMe disks in one word. */
function verdictOf(said: string | null): SmartVerdict {
  if (said === null) return 'UNKNOWN';
  if (/^(?:passed|ok)\b/i.test(said)) return 'PASSED';
  return /fail|impending|exceeded/i.test(said) ? 'FAILED' : 'UNKNOWN';
}
