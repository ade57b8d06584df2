import { cidr, inCidr, ipAddress } from '../domain/address.js';

export type PeerUrl =
  | { readonly kind: 'usable'; readonly url: string; readonly warning: string | null }
  | { readonly kind: 'refused'; readonly message: string };

const PRIVATE = [
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  '::1',
  'fc00::/7',
  'fe80::/10',
]
  .map(cidr)
  .filter((network) => network !== undefined);

export interface PeerForm {
  /** `kept`: a service may live below a path of its host, which is kept without the slash at its end. */
  readonly path: 'kept' | 'refused';
  /** What such an address looks like, with the port that the product usually has. */
  readonly example: string;
}

/** A base address to ask: https, or http on the loopback or a private range. Refusals never repeat a password. */
export function peerUrl(value: unknown, { path, example }: PeerForm): PeerUrl {
  if (typeof value !== 'string') return refused(`must be a URL such as ${example}`);
  if (!URL.canParse(value)) return refused(`is not a URL such as ${example}`);
  const url = new URL(value);
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return refused(`must begin with https://, not with ${url.protocol}//`);
  if (url.username !== '' || url.password !== '') return refused('must not hold a user or a password');
  const isBare = /^\/*$/.test(url.pathname);
  if ((path === 'refused' && !isBare) || url.search !== '' || url.hash !== '')
    return refused(
      path === 'kept'
        ? 'must have nothing behind its path: no question mark and no #'
        : 'must end after host and port: the path is ours to choose',
    );
  const shown = isBare ? url.origin : `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
  if (url.protocol === 'https:') return { kind: 'usable', url: shown, warning: null };
  if (!isNearby(url.hostname))
    return refused(`is plain http to ${url.hostname}, which is on no loopback or private address: use https`);
  return { kind: 'usable', url: shown, warning: `${shown} is plain http: whoever is on the way reads the secret` };
}

function refused(message: string): PeerUrl {
  return { kind: 'refused', message };
}

/** A name other than localhost may lead anywhere tomorrow, so only literal addresses count as private. */
function isNearby(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return true;
  const address = ipAddress(hostname.replace(/^\[|\]$/g, ''));
  return address !== undefined && PRIVATE.some((network) => inCidr(address, network));
}
