import { type DiskFact, isVirtualDisk } from '../../hardware/disks.js';
import { diskVendor, partText } from '../../hardware/part-text.js';
import { type WireObject, wireFlag, wireInteger, wireObject, wireObjects } from '../../wire-values.js';
import { type Parsed, parsedJson, read } from './output.js';

export interface BlockDevices {
  readonly disks: readonly DiskFact[];
  /** Devices that are none of this machine's hardware, by `/dev/…`: nobody need ask them for their health. */
  readonly foreign: ReadonlySet<string>;
}

/** Disks that are somewhere else, and only lent over a network. */
const LENT: ReadonlySet<string> = new Set(['iscsi', 'fc', 'fcoe', 'nvme-tcp', 'tcp', 'rdma', 'loop']);

/** `lsblk -J -b -d`. */
export function blockDevices(text: string): Parsed<BlockDevices> {
  const json = parsedJson(text);
  if (json.kind === 'unreadable') return json;
  const rows = wireObjects(wireObject(json.value)?.blockdevices);
  if (rows === undefined) return { kind: 'unreadable', words: 'its answer is JSON, but no list of block devices' };
  const disks = new Map<string, DiskFact>();
  const foreign = new Set<string>();
  for (const row of rows) {
    const name = partText(row.name ?? row.kname);
    if (name === null) continue;
    const device = `/dev/${name}`;
    const fact = diskOf(device, row);
    if (fact === undefined) foreign.add(device);
    // A device that is listed again may say less the second time.
    else if ((disks.get(device)?.serial ?? null) === null) disks.set(device, fact);
  }
  return read({ disks: [...disks.values()], foreign });
}

function diskOf(device: string, row: WireObject): DiskFact | undefined {
  const tran = typeof row.tran === 'string' ? row.tran.toLowerCase() : null;
  if (row.type !== 'disk' || isVirtualDisk(device) || (tran !== null && LENT.has(tran))) return undefined;
  const serial = partText(row.serial);
  const sizeBytes = wireInteger(row.size) ?? 0;
  // A drive of the remote console, or a card reader, with nothing in it.
  if (sizeBytes === 0 && serial === null) return undefined;
  return {
    ...{ device, serial, vendor: diskVendor(row.vendor), model: partText(row.model) },
    wwn: partText(row.wwn)?.toLowerCase() ?? null,
    sizeBytes: sizeBytes === 0 ? null : sizeBytes,
    detail: detailOf(device, tran, wireFlag(row.rota)),
  };
}

function detailOf(device: string, tran: string | null, rotates: boolean | undefined): string | null {
  if (tran === 'usb') return 'usb';
  if (tran === 'nvme' || device.startsWith('/dev/nvme')) return 'nvme';
  return rotates === undefined ? null : rotates ? 'hdd' : 'ssd';
}
