import { type Cidr, cidr, type IpAddress, inCidr } from './address.js';

const networks = (...texts: readonly string[]): readonly Cidr[] =>
  texts.map(cidr).filter((network) => network !== undefined);

const LOOPBACK = networks('127.0.0.0/8', '::1');
const PRIVATE = networks('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7');
const LINK_LOCAL = networks('169.254.0.0/16', 'fe80::/10');
/** Where clouds tell a machine its secrets: AWS, GCP and Azure (link-local as well), AWS over IPv6, Alibaba, Azure's host. */
const METADATA = networks('169.254.169.254', 'fd00:ec2::254', '100.100.100.200', '168.63.129.16');
const NOWHERE = networks('0.0.0.0/8', '::', '224.0.0.0/4', '240.0.0.0/4', 'ff00::/8');

const within = (address: IpAddress, list: readonly Cidr[]): boolean => list.some((network) => inCidr(address, network));

/** How somebody wrote where a message goes. */
export interface Destination {
  readonly protocol: 'http:' | 'https:';
  /** The host as written: a name, or a literal address. */
  readonly host: string;
  readonly allow: readonly Cidr[];
}

export function isLocalName(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/**
 * Why nothing may be sent to this address; undefined: it may. A name is judged by what it leads to at the moment of
 * connecting: a name that was harmless when it was written may lead to a metadata service by now.
 */
export function refusedAddress(address: IpAddress, { protocol, host, allow }: Destination): string | undefined {
  if (within(address, allow)) return undefined;
  if (within(address, METADATA)) return `${address} is a metadata service of a cloud`;
  if (within(address, LINK_LOCAL)) return `${address} is a link-local address`;
  if (within(address, NOWHERE)) return `${address} is no address of a host`;
  const isLoopback = within(address, LOOPBACK);
  // Whoever means this machine writes so; a name that leads here from elsewhere does not mean well.
  if (isLoopback && host !== address && !isLocalName(host)) return `${host} leads to ${address}, on this machine`;
  if (protocol === 'http:' && !isLoopback && !within(address, PRIVATE))
    return `${address} is on no loopback or private range, and plain http is for those alone: use https`;
  return undefined;
}
