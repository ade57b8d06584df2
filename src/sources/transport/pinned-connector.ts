import { createHash } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import type { TlsPin } from '../../domain/settings.js';
import { TransportError } from './transport-error.js';

/**
 * How connections are made, so that no request byte (and with it no credential) leaves before the peer is known.
 * Pinned by fingerprint, the certificate itself is compared and nothing else of it matters: Proxmox signs its own.
 * Sessions are never resumed: each connection shows its certificate again.
 */
export function pinnedConnector(pin: TlsPin, connectMs: number): buildConnector.connector {
  const common = { timeout: connectMs, maxCachedSessions: 0 };
  switch (pin.kind) {
    case 'ca':
      return buildConnector({ ...common, ca: pin.pem, rejectUnauthorized: true });
    case 'system':
      return buildConnector({ ...common, rejectUnauthorized: true });
    case 'fingerprint':
      return fingerprintConnector(new Set(pin.sha256), buildConnector({ ...common, rejectUnauthorized: false }));
  }
}

function fingerprintConnector(pins: ReadonlySet<string>, connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...result) => {
      const [failed, socket] = result;
      if (failed !== null) return callback(failed, null);
      if (options.protocol !== 'https:') return callback(null, socket);
      const seen = socket instanceof TLSSocket ? fingerprintOf(socket) : undefined;
      if (seen !== undefined && pins.has(seen)) return callback(null, socket);
      // Once it is destroyed the connection tells nothing of its certificate any more.
      const error = wrongCertificate(seen, socket instanceof TLSSocket ? endOf(socket) : undefined);
      socket.destroy();
      return callback(error, null);
    });
}

function fingerprintOf(socket: TLSSocket): string | undefined {
  const { raw } = socket.getPeerCertificate();
  return raw === undefined ? undefined : createHash('sha256').update(raw).digest('hex');
}

function wrongCertificate(seen: string | undefined, ended: string | undefined): TransportError {
  if (seen === undefined) return new TransportError('tls', 'it showed no certificate');
  const expiry = ended === undefined ? '' : `It has also expired (${ended}): it may want renewing there. `;
  const written = seen.toUpperCase().replace(/(..)(?!$)/g, '$1:');
  return new TransportError(
    'tls',
    `its certificate has the SHA-256 fingerprint ${written}, which is not pinned; nothing was sent. ${expiry}If the certificate was renewed, compare it on that machine and change tlsFingerprint`,
  );
}

/** When it expired, if it has: judged by the TLS library, which goes by the clock of the machine. */
function endOf(socket: TLSSocket): string | undefined {
  // Node's types say Error, and what stands there is the code alone.
  return String(socket.authorizationError).includes('CERT_HAS_EXPIRED')
    ? socket.getPeerCertificate().valid_to
    : undefined;
}
