import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** SHA-256 over the certificate, upper-case pairs with colons, as Proxmox shows it. */
  readonly fingerprint: string;
}

/** Whatever clock a test has set, it is valid: what counts is its fingerprint. */
const VALID_FROM = Date.UTC(2020, 0, 1);
const VALID_TO = Date.UTC(2099, 11, 31);

/**
 * A self-signed X.509 certificate (RFC 5280) for the loopback, with a key made this moment. Node can read certificates
 * but not make them, and the packages that can bring twenty others along for the eighty lines of DER that this takes.
 */
export function selfSigned({ from, to } = { from: VALID_FROM, to: VALID_TO }): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const name = sequence(set(sequence(oid('2.5.4.3'), utf8('simulated Proxmox VE'))));
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(positive(randomBytes(16))),
    algorithm,
    name,
    sequence(time(from), time(to)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(3, sequence(alternativeNames())),
  );
  const signature = sign('sha256', body, privateKey);
  const der = sequence(body, algorithm, bits(signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: pem(der),
    fingerprint: createHash('sha256')
      .update(der)
      .digest('hex')
      .toUpperCase()
      .replace(/(..)(?!$)/g, '$1:'),
  };
}

/** One that ended years ago, whatever clock a test has set. */
export function expired(): Certificate {
  return selfSigned({ from: VALID_FROM, to: Date.UTC(2021, 0, 1) });
}

/** dNSName localhost, iPAddress 127.0.0.1. */
function alternativeNames(): Buffer {
  const names = sequence(node(0x82, Buffer.from('localhost')), node(0x87, Buffer.from([127, 0, 0, 1])));
  return sequence(oid('2.5.29.17'), node(0x04, names));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function node(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), content]);
}

function sequence(...items: readonly Buffer[]): Buffer {
  return node(0x30, Buffer.concat(items));
}

function set(item: Buffer): Buffer {
  return node(0x31, item);
}

function tagged(number: number, item: Buffer): Buffer {
  return node(0xa0 | number, item);
}

function integer(bytes: Buffer): Buffer {
  return node(0x02, bytes);
}

/** Neither negative nor with a zero in front: both are refused. */
function positive(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = ((copy[0] ?? 0) & 0x7f) | 0x40;
  return copy;
}

function bits(bytes: Buffer): Buffer {
  return node(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function utf8(text: string): Buffer {
  return node(0x0c, Buffer.from(text, 'utf8'));
}

/** UTCTime up to 2049, GeneralizedTime from then on. */
function time(at: number): Buffer {
  const digits = `${new Date(at).toISOString().replace(/\.\d+|[-:T]/g, '')}`;
  return Number(digits.slice(0, 4)) < 2050 ? node(0x17, Buffer.from(digits.slice(2))) : node(0x18, Buffer.from(digits));
}

function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  return node(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}
