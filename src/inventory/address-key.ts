import ipaddr from 'ipaddr.js';
import type { IpAddress } from '../domain/address.js';

/** The bytes of an address in hex: within one family it sorts as the numbers do. */
export function addressKey(address: IpAddress): string {
  return Buffer.from(ipaddr.parse(address).toByteArray()).toString('hex');
}
