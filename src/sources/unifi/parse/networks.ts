import type { UnifiNetwork } from '../../../domain/record.js';
import { plainText } from '../../understood.js';
import { type WireObject, wireFlag, wireText } from '../../wire-values.js';
import { rangeOf, subnetOf, vlanOf } from './addresses.js';

/** A row of `rest/networkconf`. WANs and VPNs are networks too, and have their purpose to tell them by. */
export function network(row: WireObject): UnifiNetwork | string {
  const id = plainText(row._id);
  if (id === null) return 'a network without an id';
  const name = plainText(row.name) ?? id;
  const text = wireText(row.ip_subnet);
  const subnet = text === undefined ? undefined : subnetOf(text);
  if (text !== undefined && subnet === undefined) return `network ${name}: its subnet ${JSON.stringify(text)} is none`;
  return {
    ...{ id, name, purpose: plainText(row.purpose) },
    // Switched off, the number that was typed before is still there.
    vlan: wireFlag(row.vlan_enabled) === false ? null : vlanOf(row.vlan),
    prefix: subnet?.prefix ?? null,
    gateway: subnet?.gateway ?? null,
    dhcp: wireFlag(row.dhcpd_enabled) === true ? rangeOf(row.dhcpd_start, row.dhcpd_stop) : null,
    enabled: wireFlag(row.enabled) ?? true,
  };
}

/** The networks as clients and ports name them. */
export interface NetworkIndex {
  byId(id: unknown): UnifiNetwork | undefined;
  /** The name of the LAN whose frames bear this tag (null: none). */
  nameOf(vlan: number | null): string | null;
}

export function networkIndex(networks: readonly UnifiNetwork[]): NetworkIndex {
  const byId = new Map(networks.map((each) => [each.id, each]));
  const isLan = ({ purpose }: UnifiNetwork) =>
    purpose === 'corporate' || purpose === 'guest' || purpose === 'vlan-only';
  const names = new Map<number | null, string>();
  for (const each of networks) if (isLan(each) && !names.has(each.vlan)) names.set(each.vlan, each.name);
  return {
    byId: (id) => byId.get(wireText(id) ?? ''),
    nameOf: (vlan) => names.get(vlan) ?? null,
  };
}
