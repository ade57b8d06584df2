import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { BlockList } from 'node:net';
import type { Secret } from '../domain/settings.js';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Who may read /metrics: a peer on this very machine whose request no proxy passed on, or the holder of METRICS_TOKEN.
 * The peer is the socket's: what a header claims is what a stranger could write.
 */
export function mayReadMetrics(
  peer: string | undefined,
  headers: IncomingHttpHeaders,
  token: Secret | undefined,
): boolean {
  if (isLoopback(peer) && !wasForwarded(headers)) return true;
  const shown = /^bearer +(.+)$/i.exec(headers.authorization ?? '')?.[1];
  return token !== undefined && shown !== undefined && isSame(shown, token.reveal());
}

function isLoopback(peer: string | undefined): boolean {
  if (peer === undefined) return false;
  const plain = peer.replace(/^::ffff:(?=\d+\.)/i, '');
  return LOOPBACK.check(plain, plain.includes(':') ? 'ipv6' : 'ipv4');
}

function wasForwarded(headers: IncomingHttpHeaders): boolean {
  return Object.keys(headers).some((name) => name === 'forwarded' || name.startsWith('x-forwarded-'));
}

/** Compared as digests: two texts of unequal length must not answer sooner. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
