import { type Cidr, cidr, type IpAddress, inCidr } from './address.js';
import { embeddedIpv4 } from './embedded-ipv4.js';

const networks = (...texts: readonly string[]): readonly Cidr[] =>
  texts.map(cidr).filter((network) => network !== undefined);

const LOOPBACK = networks('127.0.0.0/8', '::1');
const PRIVATE = networks('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7');
const LINK_LOCAL = networks('169.254.0.0/16', 'fe80::/10');
/** Where clouds tell a machine its secrets: most of them, AWS, Google, Oracle and Scaleway over IPv6, Alibaba, Oracle's old one, Azure's host. */
const METADATA = networks(
  '169.254.169.254',
  'fd00:ec2::/32',
  'fd20:ce::254',
  'fd00:c1::a9fe:a9fe',
  'fd00:42::42',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
);
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

/** Why nothing can be sent to the port that a URL names; undefined: it can. */
export function refusedPort({ port }: Pick<URL, 'port'>): string | undefined {
  return port === '0' ? 'nobody listens on port 0' : undefined;
}

/**
 * Why nothing may be sent to this address; undefined: it may. A name is judged by what it leads to at the moment of
 * connecting: a name that was harmless when it was written may lead to a metadata service by now.
 */
export function refusedAddress(address: IpAddress, { protocol, host, allow }: Destination): string | undefined {
  // Whoever translates it on the way connects to an IPv4 address inside.
  const inside = embeddedIpv4(address);
  if ([address, ...inside].some((one) => within(one, allow))) return undefined;
  const closed = closedAt(address) ?? inside.map((one) => closedInside(address, one)).find((why) => why !== undefined);
  if (closed !== undefined) return closed;
  if (within(address, NOWHERE)) return `${address} is no address of a host`;
  const isLoopback = within(address, LOOPBACK);
  // Whoever means this machine writes so; a name that leads here from elsewhere does not mean well.
  if (isLoopback && host !== address && !isLocalName(host))
    return `${host} leads to ${address}, on this machine${unless(address)}`;
  if (protocol === 'http:' && !isLoopback && !within(address, PRIVATE))
    return `${address} is on no loopback or private range, and plain http is for those alone: use https`;
  return undefined;
}

/** Closed to every name and every protocol, until `allow` names it. */
function closedAt(address: IpAddress): string | undefined {
  const what = secretive(address);
  return what === undefined ? undefined : `${address} is ${what}${unless(address)}`;
}

function closedInside(address: IpAddress, inner: IpAddress): string | undefined {
  const what = secretive(inner) ?? (within(inner, LOOPBACK) ? 'an address of this machine' : undefined);
  return what === undefined ? undefined : `${address} stands for ${inner}, ${what}${unless(address)}`;
}

function secretive(address: IpAddress): string | undefined {
  if (within(address, METADATA)) return 'a metadata service of a cloud';
  return within(address, LINK_LOCAL) ? 'a link-local address' : undefined;
}

function unless(address: IpAddress): string {
  return `; if it is meant, write allow: ["${address}"]`;
}
