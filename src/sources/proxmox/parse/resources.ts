import type { GuestStatus, NodeStatus } from '../../../domain/guest.js';
import type { ObservedNode, ObservedRow } from '../../../domain/observation.js';
import {
  type WireObject,
  wireFlag,
  wireInteger,
  wireNumber,
  wireObjects,
  wireText,
  wireVmid,
} from '../../wire-values.js';
import { wireTags } from './property-strings.js';
import { wantedKeys } from './wanted-json.js';

/** The keys that are read of it, in its envelope. */
export const RESOURCE_KEYS = wantedKeys(
  ...['data', 'type', 'id', 'node', 'vmid', 'name', 'status', 'template', 'tags', 'pool', 'lock', 'hastate'],
  ...['maxcpu', 'maxmem', 'maxdisk', 'uptime'],
);

export interface Resources {
  readonly rows: readonly ObservedRow[];
  readonly nodes: readonly ObservedNode[];
  readonly notes: readonly string[];
}

// Known and of no use here. `network` replaced `sdn` in PVE 9.1; a cluster between versions shows both.
const OTHER_TYPES = new Set(['storage', 'pool', 'sdn', 'network']);

/** What `/cluster/resources` says; undefined when it is no list. */
export function resources(content: unknown): Resources | undefined {
  const list = wireObjects(content);
  if (list === undefined) return undefined;
  const notes = new Set<string>();
  const rows = new Map<number, ObservedRow>();
  const nodes: ObservedNode[] = [];
  for (const item of list) {
    if (item.type === 'qemu' || item.type === 'lxc') {
      const row = guestRow(item);
      if (row === undefined) notes.add(`a ${item.type} row of the list has no VMID or node (id ${String(item.id)})`);
      else rows.set(row.vmid, preferred(rows.get(row.vmid), row, notes));
    } else if (item.type === 'node') {
      const node = nodeRow(item);
      if (node !== undefined) nodes.push(node);
    } else if (!OTHER_TYPES.has(String(item.type))) {
      notes.add(`the list has rows of the unknown type "${String(item.type)}", which are left out`);
    }
  }
  return { rows: [...rows.values()], nodes, notes: [...notes] };
}

/**
 * Why a list cannot be a Proxmox's; undefined: it may be. Each lists its own nodes, whatever the token may see,
 * so a list without one tells nothing of what is there or gone.
 */
export function withoutNodes(content: unknown, { nodes }: Resources): string | undefined {
  if (nodes.length > 0) return undefined;
  const came = wireObjects(content)?.length ?? 0;
  const what =
    came === 0
      ? 'an empty list'
      : came === 1
        ? 'a list of one row, which is no node'
        : `a list of ${came} rows, none a node`;
  return `/cluster/resources is ${what}, and Proxmox lists its nodes whatever the rights`;
}

/** One guest of the list. Without rrd data only id, VMID, node, type and status come: what is not there is undefined. */
export function guestRow(item: WireObject): ObservedRow | undefined {
  const vmid = wireVmid(item.vmid ?? /^(?:qemu|lxc)\/(\d+)$/.exec(String(item.id))?.[1]);
  const node = wireText(item.node);
  if (vmid === undefined || node === undefined) return undefined;
  const name = wireText(item.name);
  return {
    vmid,
    kind: item.type === 'lxc' ? 'LXC' : 'QEMU',
    node,
    status: guestStatus(item.status),
    name,
    template: wireFlag(item.template) ?? (name === undefined ? undefined : false),
    tags: wireTags(item.tags),
    pool: wireText(item.pool) ?? null,
    lock: wireText(item.lock) ?? null,
    ha: wireText(item.hastate) ?? null,
    cores: wireNumber(item.maxcpu),
    memoryBytes: wireInteger(item.maxmem),
    diskBytes: wireInteger(item.maxdisk),
    uptimeSeconds: wireInteger(item.uptime),
  };
}

/** While a guest migrates the list may show it on both nodes: the row that knows more holds. */
function preferred(before: ObservedRow | undefined, row: ObservedRow, notes: Set<string>): ObservedRow {
  if (before === undefined) return row;
  notes.add(`guest ${row.vmid} is listed twice, on ${before.node} and ${row.node}; it may be migrating`);
  const weight = (of: ObservedRow) => (of.name === undefined ? 0 : 2) + (of.status === 'RUNNING' ? 1 : 0);
  return weight(row) > weight(before) ? row : before;
}

function guestStatus(value: unknown): GuestStatus {
  switch (value) {
    case 'running':
      return 'RUNNING';
    case 'stopped':
      return 'STOPPED';
    case 'paused':
    case 'suspended':
    case 'prelaunch':
      return 'PAUSED';
    default:
      return 'UNKNOWN';
  }
}

function nodeRow(item: WireObject): ObservedNode | undefined {
  const name = wireText(item.node) ?? wireText(item.id)?.replace(/^node\//, '');
  if (name === undefined) return undefined;
  return {
    name,
    status: nodeStatus(item.status),
    maintenance: item.hastate === 'maintenance',
    ip: null,
    cores: wireInteger(item.maxcpu) ?? null,
    memoryBytes: wireInteger(item.maxmem) ?? null,
    diskBytes: wireInteger(item.maxdisk) ?? null,
  };
}

function nodeStatus(value: unknown): NodeStatus {
  return value === 'online' ? 'ONLINE' : value === 'offline' ? 'OFFLINE' : 'UNKNOWN';
}
