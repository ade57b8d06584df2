import type { CarriedAddress } from '../domain/carried.js';
import type { GuestConfig, GuestId, GuestKind, GuestRow, GuestStatus } from '../domain/guest.js';
import type { Instant } from '../domain/time.js';
import type { GuestView, NodeView } from '../domain/view.js';
import type { GuestAddressRecord, GuestInterfaceRecord, GuestRecord, NodeRecord } from './records.js';

/** What a record is made of: a guest of the view, or one rebuilt from versions. */
export interface GuestParts {
  readonly id: GuestId;
  readonly cluster: string;
  readonly vmid: number;
  readonly incarnation: number;
  readonly row: GuestRow;
  readonly config: Pick<GuestConfig, 'devices'> | null;
  readonly status: GuestStatus;
  readonly carried: readonly CarriedAddress[];
}

/**
 * A flat record, so that the faces read leaves as plain properties. The lists are made when first asked for: most
 * answers name neither.
 */
class FlatGuest implements GuestRecord {
  readonly id: GuestId;
  readonly cluster: string;
  readonly vmid: number;
  readonly incarnation: number;
  readonly name: string | null;
  readonly kind: GuestKind;
  readonly status: GuestStatus;
  readonly nodeName: string;
  readonly tags: readonly string[];
  readonly pool: string | null;
  readonly template: boolean;
  readonly lock: string | null;
  readonly ha: string | null;
  readonly hidden: boolean;
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly diskBytes: number | null;
  readonly startedAt: Instant | null;
  readonly asOf: Instant | null;
  readonly #parts: Pick<GuestParts, 'carried' | 'config'>;
  #addresses: readonly GuestAddressRecord[] | undefined;
  #interfaces: readonly GuestInterfaceRecord[] | undefined;

  constructor(parts: GuestParts, asOf: Instant | null) {
    const { row } = parts;
    this.id = parts.id;
    this.cluster = parts.cluster;
    this.vmid = parts.vmid;
    this.incarnation = parts.incarnation;
    this.name = row.name;
    this.kind = row.kind;
    this.status = parts.status;
    this.nodeName = row.node;
    this.tags = row.tags;
    this.pool = row.pool;
    this.template = row.template;
    this.lock = row.lock;
    this.ha = row.ha;
    this.hidden = row.hidden;
    this.cores = row.cores;
    this.memoryBytes = row.memoryBytes;
    this.diskBytes = row.diskBytes;
    this.startedAt = row.startedAt;
    this.asOf = asOf;
    this.#parts = parts;
  }

  get addresses(): readonly GuestAddressRecord[] {
    this.#addresses ??= this.#parts.carried.map((carried) => addressRecord(carried, this.asOf !== null));
    return this.#addresses;
  }

  get interfaces(): readonly GuestInterfaceRecord[] {
    this.#interfaces ??= (this.#parts.config?.devices ?? []).map(({ key, mac, bridge, vlan, linkDown }) => ({
      key,
      mac,
      bridge,
      vlan,
      linkDown,
    }));
    return this.#interfaces;
  }
}

function addressRecord(carried: CarriedAddress, isPast: boolean): GuestAddressRecord {
  const { address, family, prefixLength, scope, mac, device, linkDown, dynamic, evidence } = carried;
  const record = { address, family, prefixLength, scope, mac, interface: device, linkDown, dynamic, evidence };
  return isPast ? { ...record, isPast } : record;
}

export function guestRecordAsOf(parts: GuestParts, at: Instant): GuestRecord {
  return new FlatGuest(parts, at);
}

const records = new WeakMap<GuestView, GuestRecord>();

/** The record of a guest of the view: made once, as guests that did not change are shared by the views. */
export function guestRecord(guest: GuestView): GuestRecord {
  let record = records.get(guest);
  if (record === undefined) {
    record = new FlatGuest(guest, null);
    records.set(guest, record);
  }
  return record;
}

const nodeRecords = new WeakMap<NodeView, NodeRecord>();

export function nodeRecord(node: NodeView): NodeRecord {
  let record = nodeRecords.get(node);
  if (record === undefined) {
    record = nodeRecordOf(node.cluster, node.name, node.row, null);
    nodeRecords.set(node, record);
  }
  return record;
}

/** A node that no list shows (any more) is named by its guests all the same. */
export function nodeRecordOf(
  cluster: string,
  name: string,
  row: NodeView['row'] | undefined,
  asOf: Instant | null,
): NodeRecord {
  return {
    id: `${cluster}/${name}`,
    cluster,
    name,
    status: row?.status ?? 'UNKNOWN',
    maintenance: row?.maintenance ?? false,
    ip: row?.ip ?? null,
    cores: row?.cores ?? null,
    memoryBytes: row?.memoryBytes ?? null,
    diskBytes: row?.diskBytes ?? null,
    asOf,
  };
}
