import { X509Certificate } from 'node:crypto';
import type { TlsPin } from '../domain/settings.js';
import type { Fields } from './fields.js';

/**
 * How the peer of a `https` address is recognised: `tlsFingerprint`, or `caFile`, or, with neither, the system's own authorities.
 * undefined, reported, where what is written cannot be used: then the peer must not be asked at all.
 */
export function tlsPin(fields: Fields, file: (path: string) => string): TlsPin | undefined {
  if (fields.raw('tlsFingerprint') !== undefined && fields.raw('caFile') !== undefined) {
    fields.report('caFile', 'and tlsFingerprint are both written: keep one of them');
    return undefined;
  }
  if (fields.raw('tlsFingerprint') !== undefined) return fingerprints(fields);
  if (fields.raw('caFile') === undefined) return { kind: 'system' };
  const path = fields.text('caFile');
  return path === undefined ? undefined : authority(fields, path, file);
}

function fingerprints(fields: Fields): TlsPin | undefined {
  const written = fields.raw('tlsFingerprint');
  const list: readonly unknown[] = Array.isArray(written) ? written : [written];
  const read = list.map((text) => (typeof text === 'string' ? sha256Fingerprint(text) : undefined));
  const sha256 = read.filter((text) => text !== undefined);
  if (sha256.length === read.length && sha256.length > 0) return { kind: 'fingerprint', sha256 };
  const sha1 = list.some((text) => typeof text === 'string' && bareDigits(text).length === 40);
  const found = sha1 ? ', this one is SHA-1' : '';
  fields.report(
    'tlsFingerprint',
    `must be a SHA-256 fingerprint, 64 hexadecimal digits with or without colons, or a list of them${found}`,
  );
  return undefined;
}

/** Lower-case digits of a fingerprint in any of the forms that tools print; undefined where it is no SHA-256. */
export function sha256Fingerprint(text: string): string | undefined {
  const digits = bareDigits(text);
  return /^[0-9a-f]{64}$/.test(digits) ? digits : undefined;
}

function bareDigits(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^sha-?256(?:\s+fingerprint)?\s*[:=]/, '')
    .replace(/[:\s]/g, '');
}

function authority(fields: Fields, path: string, file: (path: string) => string): TlsPin | undefined {
  let pem: string;
  try {
    pem = file(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    fields.report('caFile', `names ${path}, which cannot be read (${code})`);
    return undefined;
  }
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length > 0 && blocks.every(isCertificate)) return { kind: 'ca', pem };
  fields.report('caFile', `names ${path}, which holds no certificate in PEM`);
  return undefined;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
