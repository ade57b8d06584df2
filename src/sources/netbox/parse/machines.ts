import type { DeclaredSize, DeclaredStatus, VmDeclaration } from '../../../domain/declaration.js';
import { type Mac, macAddress } from '../../../domain/mac.js';
import { wireInteger, wireNumber, wireObject, wireObjects, wireVmid } from '../../wire-values.js';
import { isBefore, type NetboxVersion } from './answer.js';
import { choiceWord, idOf, nameOf, type Row, text } from './values.js';

/** What the custom field for the VMID holds. `missing`: VMs have no such field at all. */
export type VmidCell =
  | { readonly kind: 'missing' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'vmid'; readonly vmid: number }
  | { readonly kind: 'unreadable'; readonly written: string };

/** A VM as its own row tells it, without interfaces and addresses. */
export interface Machine {
  readonly id: number;
  readonly name: string | null;
  readonly vmid: VmidCell;
  readonly clusterName: string | null;
  /** The device that it is pinned to. */
  readonly node: string | null;
  readonly status: VmDeclaration['status'];
  readonly cpus: number | null;
  readonly memoryMb: number | null;
  /** In the unit of the version that was asked. */
  readonly disk: number | null;
}

export function machine({ id, fields }: Row, vmidField: string): Machine {
  return {
    id,
    name: text(fields.name),
    vmid: vmidCell(fields.custom_fields, vmidField),
    clusterName: nameOf(fields.cluster),
    node: nameOf(fields.device),
    status: machineStatus(choiceWord(fields.status)),
    cpus: positive(fields.vcpus),
    memoryMb: positive(fields.memory),
    disk: positive(fields.disk),
  };
}

/** Nothing, zero and what is no number say alike: nothing. */
function positive(value: unknown): number | null {
  const amount = wireNumber(value);
  return amount !== undefined && amount > 0 ? amount : null;
}

/** The field may be an integer, a decimal or a text, as whoever made it liked. */
function vmidCell(customFields: unknown, vmidField: string): VmidCell {
  const fields = wireObject(customFields);
  if (fields === undefined || !(vmidField in fields)) return { kind: 'missing' };
  const value = fields[vmidField];
  if (value === null || value === undefined || (typeof value === 'string' && value.trim() === '')) {
    return { kind: 'empty' };
  }
  const vmid = wireVmid(typeof value === 'string' ? value.trim() : value);
  if (vmid !== undefined) return { kind: 'vmid', vmid };
  return { kind: 'unreadable', written: (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 80) };
}

/**
 * What NetBox's words mean for a guest. `failed` and `paused` name a VM that is there and say neither that it should
 * run nor that it should not: its presence is compared, its power is not. So with words that an operator added (FIELD_CHOICES).
 */
const MEANINGS: ReadonlyMap<string, DeclaredStatus> = new Map([
  ['active', 'running'],
  ['offline', 'stopped'],
  ['planned', 'planned'],
  ['staged', 'planned'],
  ['decommissioning', 'retired'],
  ['failed', 'unclear'],
  ['paused', 'unclear'],
]);

function machineStatus(word: string | null): VmDeclaration['status'] {
  return word === null ? null : { word, means: MEANINGS.get(word) ?? 'unclear' };
}

/** `DISK_BASE_UNIT`: NetBox counts a VM's disk in MB since 4.1, before in GB. null: which of them is not known. */
export function diskSize(amount: number | null, version: NetboxVersion | undefined): DeclaredSize | null {
  if (amount === null || version === undefined) return null;
  return { amount, unit: isBefore(version, 4, 1) ? 'GB' : 'MB' };
}

export interface MachineInterface {
  readonly id: number;
  readonly machineId: number;
  readonly name: string;
  readonly macs: readonly Mac[];
  readonly vlan: number | null;
}

/** An interface of a VM; undefined where it names none. Since 4.2 it has any number of MACs, before at most one. */
export function machineInterface({ id, fields }: Row): MachineInterface | undefined {
  const machineId = idOf(fields.virtual_machine);
  if (machineId === undefined) return undefined;
  const others = wireObjects(fields.mac_addresses) ?? [];
  const written = [fields.mac_address, ...others.map(({ mac_address }) => mac_address)];
  const macs = written.flatMap((mac) => (typeof mac === 'string' ? (macAddress(mac) ?? []) : []));
  return { id, machineId, name: nameOf(fields) ?? `${id}`, macs: [...new Set(macs)].sort(), vlan: vlanOf(fields) };
}

/** The VLAN of untagged frames, which is what `tag=` of a guest's device says; in other modes NetBox names no such one. */
function vlanOf(fields: Row['fields']): number | null {
  const mode = choiceWord(fields.mode);
  if (mode !== 'access' && mode !== 'tagged') return null;
  return wireInteger(wireObject(fields.untagged_vlan)?.vid) ?? null;
}
