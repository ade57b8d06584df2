import { type IpAddress, ipWithPrefix } from '../../../domain/address.js';
import { wireInteger, wireObject } from '../../wire-values.js';
import { choiceWord, idOf, nameOf, type Row, text } from './values.js';

/** What an address is given to; of which VM or device that is a part only where the object itself was sent. An FHRP group's is shared by its members in turn. */
export type Bearer =
  | { readonly kind: 'vm'; readonly interfaceId: number; readonly machineId: number | undefined }
  | { readonly kind: 'device'; readonly deviceId: number | undefined; readonly name: string }
  | { readonly kind: 'group' }
  | { readonly kind: 'nobody' };

export interface ListedAddress {
  readonly kind: 'address';
  readonly id: number;
  readonly address: IpAddress;
  readonly prefixLength: number | null;
  /** null: the global table. */
  readonly vrf: string | null;
  readonly reserved: boolean;
  readonly dynamic: boolean;
  readonly virtual: boolean;
  readonly label: string;
  readonly bearer: Bearer;
}

export interface UnreadAddress {
  readonly kind: 'unread';
  readonly id: number;
  readonly written: string;
}

const RESERVED = new Set(['reserved', 'deprecated']);
const DYNAMIC = new Set(['dhcp', 'slaac']);
/** Roles under which several may carry an address in turn. `secondary` is not one: it is one interface's further address. */
const VIRTUAL = new Set(['vip', 'vrrp', 'hsrp', 'glbp', 'carp', 'anycast', 'loopback']);

export function listedAddress({ id, fields }: Row): ListedAddress | UnreadAddress {
  const parsed = typeof fields.address === 'string' ? ipWithPrefix(fields.address.trim()) : undefined;
  if (parsed === undefined) return { kind: 'unread', id, written: String(fields.address).slice(0, 80) };
  const status = choiceWord(fields.status) ?? '';
  const bearer = bearerOf(fields);
  return {
    kind: 'address',
    id,
    ...parsed,
    vrf: nameOf(fields.vrf),
    reserved: RESERVED.has(status),
    dynamic: DYNAMIC.has(status),
    virtual: bearer.kind === 'group' || VIRTUAL.has(choiceWord(fields.role) ?? ''),
    label: text(fields.dns_name) ?? text(fields.description) ?? parsed.address,
    bearer,
  };
}

export function bearerOf(fields: Row['fields']): Bearer {
  const object = wireObject(fields.assigned_object);
  const id = wireInteger(fields.assigned_object_id) ?? idOf(object);
  switch (fields.assigned_object_type) {
    case 'virtualization.vminterface':
      return id === undefined
        ? { kind: 'nobody' }
        : { kind: 'vm', interfaceId: id, machineId: idOf(object?.virtual_machine) };
    case 'dcim.interface': {
      const deviceId = idOf(object?.device);
      return { kind: 'device', deviceId, name: nameOf(object?.device) ?? `interface ${id ?? '?'}` };
    }
    case 'ipam.fhrpgroup':
      return { kind: 'group' };
    default:
      return { kind: 'nobody' };
  }
}

/** Addresses on devices of which only the interface's id was sent. */
export function withoutDevice(addresses: readonly (ListedAddress | UnreadAddress)[]): readonly number[] {
  return addresses.flatMap((each) =>
    each.kind === 'address' && each.bearer.kind === 'device' && each.bearer.deviceId === undefined ? [each.id] : [],
  );
}

export function withBearers(
  addresses: readonly (ListedAddress | UnreadAddress)[],
  found: readonly { readonly id: number; readonly bearer: Bearer }[],
): readonly (ListedAddress | UnreadAddress)[] {
  if (found.length === 0) return addresses;
  const bearers = new Map(found.map(({ id, bearer }) => [id, bearer]));
  return addresses.map((each) =>
    each.kind === 'address' ? { ...each, bearer: bearers.get(each.id) ?? each.bearer } : each,
  );
}
