import type { NicAddress } from './guest.js';

/**
 * Who gets which address: nothing here overlaps, in one cluster or in several, because an address that two guests carry
 * is a finding, and only those that are planted should be there.
 */
const GUESTS_A_ROW = 250;

function fourth(network: number, row: number, index: number): string {
  return `10.${network}.${row + Math.floor(index / GUESTS_A_ROW)}.${1 + (index % GUESTS_A_ROW)}`;
}

export const MOST_CLUSTERS = 50;

export function nodeAddress(cluster: number, index: number): string {
  return `10.${100 + cluster}.${Math.floor((10 + index) / 250)}.${((10 + index) % 250) + 1}`;
}

export function gateway(cluster: number): string {
  return `10.${100 + cluster}.0.1`;
}

/** The LAN of the guests: 10.100.8.1 onward in the first cluster. */
export function guestAddress(cluster: number, index: number): string {
  return fourth(100 + cluster, 8, index);
}

/** The storage network, where second devices live. */
export function storageAddress(cluster: number, index: number): string {
  return fourth(150 + cluster, 8, index);
}

export function leasedAddress(cluster: number, index: number): string {
  return fourth(200 + cluster, 8, index);
}

/** Addresses that no guest has at the start: what is planted, and where life moves a guest to. */
export function spareAddress(cluster: number, use: 'planted' | 'life', index: number): string {
  return fourth(100 + cluster, use === 'planted' ? 252 : 250, index % GUESTS_A_ROW);
}

export function guestAddress6(cluster: number, index: number): string {
  return `fd77:0:0:${(cluster + 1).toString(16)}::${(index + 1).toString(16)}`;
}

/** The address that a host makes itself of its MAC (RFC 4291 appendix A). */
export function madeOfMac(prefix: string, mac: string): string {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = mac.split(':').map((pair) => Number.parseInt(pair, 16));
  const group = (high: number, low: number) => ((high << 8) | low).toString(16);
  return `${prefix}${group(a ^ 2, b)}:${group(c, 0xff)}:${group(0xfe, d)}:${group(e, f)}`;
}

export function slaac(cluster: number, mac: string): NicAddress {
  return { by: 'auto', address: madeOfMac(`fd77::${(cluster + 1).toString(16)}:`, mac), prefix: 64 };
}

/** Proxmox's own prefix, and 24 bits that no other device has: an odd factor maps them one to one. */
export function macOf(seed: number, index: number): string {
  const bits = (index * 0x9e3779 + (seed % 0xffffff)) % 0x1000000;
  return macText(bits);
}

export function macText(bits: number): string {
  const digits = (bits & 0xffffff).toString(16).padStart(6, '0').toUpperCase();
  return `BC:24:11:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4)}`;
}
