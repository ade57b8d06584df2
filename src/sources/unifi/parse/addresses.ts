import ipaddr from 'ipaddr.js';
import { type IpAddress, ipAddress, ipWithPrefix } from '../../../domain/address.js';
import { type Mac, macAddress } from '../../../domain/mac.js';
import { wireInteger, wireText } from '../../wire-values.js';

/** A controller writes `0.0.0.0` where there is no address. */
export function addressOf(value: unknown): IpAddress | null {
  const address = ipAddress(wireText(value) ?? '');
  return address === undefined || address === '0.0.0.0' || address === '::' ? null : address;
}

export function macOf(value: unknown): Mac | null {
  return macAddress(wireText(value) ?? '') ?? null;
}

/** Nothing, 0 and 1 all stand for the default network, whose frames bear no tag. */
export function vlanOf(value: unknown): number | null {
  const vlan = wireInteger(value);
  return vlan !== undefined && vlan > 1 && vlan < 4095 ? vlan : null;
}

/** `192.168.1.1/24`, the gateway's address in its network, as the network's prefix and the gateway. */
export function subnetOf(text: string): { readonly prefix: string; readonly gateway: IpAddress | null } | undefined {
  const parsed = ipWithPrefix(text);
  if (parsed === undefined || parsed.prefixLength === null) return undefined;
  const { address, prefixLength } = parsed;
  const family = address.includes(':') ? ipaddr.IPv6 : ipaddr.IPv4;
  const base = family.networkAddressFromCIDR(`${address}/${prefixLength}`).toString();
  return { prefix: `${base}/${prefixLength}`, gateway: base === address ? null : address };
}

/** The range a DHCP server gives out, where both of its ends are written. */
export function rangeOf(from: unknown, to: unknown): { readonly from: IpAddress; readonly to: IpAddress } | null {
  const [start, stop] = [addressOf(from), addressOf(to)];
  return start === null || stop === null ? null : { from: start, to: stop };
}
