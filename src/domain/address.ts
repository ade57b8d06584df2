import ipaddr from 'ipaddr.js';

/** An IPv4 or IPv6 address in canonical text (RFC 5952 for IPv6, IPv4-mapped IPv6 as IPv4), without prefix or zone. */
export type IpAddress = string & { readonly __ip: unique symbol };
export type Family = 4 | 6;

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/**
 * IPv6 that is in RFC 5952's form already, as nearly all is that is read: lower case, no zero group written, and `::` for
 * two groups or more, not at an end. Six groups at most stand beside it, so six colons at most.
 */
const PLAIN_IPV6 = /^(?!(?:[^:]*:){7})[1-9a-f][0-9a-f]{0,3}(?::[1-9a-f][0-9a-f]{0,3})*:(?::[1-9a-f][0-9a-f]{0,3})+$/;

/** The canonical form of one literal address; undefined for anything else (prefixes, names, `010.0.0.1`). */
export function ipAddress(text: string): IpAddress | undefined {
  if (IPV4.test(text)) return text as IpAddress;
  if (PLAIN_IPV6.test(text)) return text as IpAddress;
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  const parsed = ipaddr.IPv6.parse(text);
  return (parsed.isIPv4MappedAddress() ? parsed.toIPv4Address().toString() : parsed.toRFC5952String()) as IpAddress;
}

/** `10.0.0.5/24`, `10.0.0.5` or `fe80::1%eth0/64` → address and prefix length (null where none is written). */
export function ipWithPrefix(text: string): { address: IpAddress; prefixLength: number | null } | undefined {
  const slash = text.indexOf('/');
  const literal = (slash < 0 ? text : text.slice(0, slash)).replace(/%.*$/, '');
  const address = ipAddress(literal);
  if (address === undefined) return undefined;
  if (slash < 0) return { address, prefixLength: null };
  const rest = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(rest)) return undefined;
  const prefixLength = Number(rest);
  return prefixLength <= (familyOf(address) === 4 ? 32 : 128) ? { address, prefixLength } : undefined;
}

export function familyOf(address: IpAddress): Family {
  return address.includes(':') ? 6 : 4;
}

/** Whether an address can be reached from elsewhere: not loopback, link-local, multicast, broadcast or unspecified. */
export function isRoutable(address: IpAddress): boolean {
  if (familyOf(address) === 4) {
    const first = Number(address.slice(0, address.indexOf('.')));
    return first !== 0 && first !== 127 && first < 224 && !address.startsWith('169.254.');
  }
  const range = ipaddr.IPv6.parse(address).range();
  return range !== 'loopback' && range !== 'linkLocal' && range !== 'multicast' && range !== 'unspecified';
}

export type Cidr = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/** A prefix (`10.0.0.0/8`) or a single address; undefined when it is neither. */
export function cidr(text: string): Cidr | undefined {
  const parsed = ipWithPrefix(text);
  if (parsed === undefined) return undefined;
  return [ipaddr.parse(parsed.address), parsed.prefixLength ?? (familyOf(parsed.address) === 4 ? 32 : 128)];
}

export function inCidr(address: IpAddress, network: Cidr): boolean {
  const parsed = ipaddr.parse(address);
  return parsed.kind() === network[0].kind() && parsed.match([network[0], network[1]] as [ipaddr.IPv4, number]);
}

/** IPv4 before IPv6, then by number: the order in which addresses are listed everywhere. */
export function compareAddresses(a: IpAddress, b: IpAddress): number {
  const families = familyOf(a) - familyOf(b);
  if (families !== 0 || a === b) return families;
  const x = ipaddr.parse(a).toByteArray();
  const y = ipaddr.parse(b).toByteArray();
  for (let i = 0; i < x.length; i++) {
    const d = (x[i] ?? 0) - (y[i] ?? 0);
    if (d !== 0) return d;
  }
  return 0;
}
