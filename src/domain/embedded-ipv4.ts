import ipaddr from 'ipaddr.js';
import { type IpAddress, ipAddress } from './address.js';

/** Where addresses of a translating or tunnelling range hold an IPv4 address. */
interface Embedding {
  /** Its groups of 16 bits: the leading ones, or those from `from` on. */
  readonly groups: readonly number[];
  readonly from?: number;
  /** Which of the sixteen bytes are the IPv4 address. */
  readonly bytes: readonly [number, number, number, number];
  /** What each byte is written with: Teredo inverts them. */
  readonly mask?: number;
}

const LAST = [12, 13, 14, 15] as const;
const EMBEDDINGS: readonly Embedding[] = [
  // NAT64 (RFC 6052), and its range for local use (RFC 8215), of which every network takes the length that it likes.
  { groups: [0x64, 0xff9b, 0, 0, 0, 0], bytes: LAST },
  { groups: [0x64, 0xff9b, 1], bytes: [6, 7, 9, 10] },
  { groups: [0x64, 0xff9b, 1], bytes: [7, 9, 10, 11] },
  { groups: [0x64, 0xff9b, 1], bytes: [9, 10, 11, 12] },
  { groups: [0x64, 0xff9b, 1], bytes: LAST },
  // 6to4 (RFC 3056).
  { groups: [0x2002], bytes: [2, 3, 4, 5] },
  // Teredo (RFC 4380): the client behind its NAT.
  { groups: [0x2001, 0], bytes: LAST, mask: 0xff },
  // ISATAP (RFC 5214): the last half names the host by its IPv4 address, under any prefix.
  { groups: [0, 0x5efe], from: 4, bytes: LAST },
  { groups: [0x200, 0x5efe], from: 4, bytes: LAST },
  // IPv4-translated (RFC 2765), and IPv4-compatible (RFC 4291), which is given up.
  { groups: [0, 0, 0, 0, 0xffff, 0], bytes: LAST },
  { groups: [0, 0, 0, 0, 0, 0], bytes: LAST },
];

/** The IPv4 addresses that an IPv6 address may stand for on its way; mapped ones are IPv4 addresses here already. */
export function embeddedIpv4(address: IpAddress): readonly IpAddress[] {
  const parsed = ipaddr.parse(address);
  if (!(parsed instanceof ipaddr.IPv6)) return [];
  const bytes = parsed.toByteArray();
  return EMBEDDINGS.flatMap(({ groups, from = 0, bytes: places, mask = 0 }) => {
    if (!groups.every((group, i) => parsed.parts[from + i] === group)) return [];
    return ipAddress(places.map((place) => (bytes[place] ?? 0) ^ mask).join('.')) ?? [];
  });
}
