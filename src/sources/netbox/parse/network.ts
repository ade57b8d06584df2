import { cidr, type IpAddress, ipWithPrefix } from '../../../domain/address.js';
import { wireInteger, wireObject } from '../../wire-values.js';
import { choiceWord, nameOf, type Row, text } from './values.js';

export interface ListedPrefix {
  readonly id: number;
  readonly prefix: string;
  /** null: the global table. */
  readonly vrf: string | null;
  readonly status: string | null;
  readonly vlan: number | null;
}

/** undefined: it is written in no form that can be read. */
export function listedPrefix({ id, fields }: Row): ListedPrefix | undefined {
  const prefix = text(fields.prefix);
  if (prefix === null || !prefix.includes('/') || cidr(prefix) === undefined) return undefined;
  const vlan = wireInteger(wireObject(fields.vlan)?.vid) ?? null;
  return { id, prefix, vrf: nameOf(fields.vrf), status: choiceWord(fields.status), vlan };
}

export interface ListedDevice {
  readonly id: number;
  readonly name: string | null;
  readonly role: string | null;
  readonly serial: string | null;
  readonly status: string | null;
  /** Its primary ones; others that its interfaces have are listed with the addresses. */
  readonly addresses: readonly IpAddress[];
}

export function listedDevice({ id, fields }: Row): ListedDevice {
  const primary = [fields.primary_ip4, fields.primary_ip6].flatMap((nested) => {
    const written = wireObject(nested)?.address;
    return typeof written === 'string' ? (ipWithPrefix(written)?.address ?? []) : [];
  });
  return {
    id,
    name: text(fields.name),
    // `device_role` until 3.7; `role` from 3.6 on.
    role: nameOf(fields.role ?? fields.device_role),
    serial: text(fields.serial),
    status: choiceWord(fields.status),
    addresses: primary,
  };
}
