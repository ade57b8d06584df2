/**
 * What went wrong between us and a peer.
 * `dns` `refused` `unreachable` `connect-timeout` `tls` happen before a request byte is sent; `cut` and `timeout` after;
 * `door` is a 502, 503 or 504 of something in front of the peer; `unfit` an answer that the caller would not take.
 * Over SSH, `host-key` and `auth` happen before a command is sent.
 */
export type Setback =
  | 'dns'
  | 'refused'
  | 'unreachable'
  | 'connect-timeout'
  | 'tls'
  | 'host-key'
  | 'auth'
  | 'cut'
  | 'timeout'
  | 'door'
  | 'unfit'
  | 'too-large'
  | 'not-http'
  | 'closed';

/** The message is one sentence for a person, without the URL; it never holds a header or a secret. */
export class TransportError extends Error {
  readonly setback: Setback;

  constructor(setback: Setback, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'TransportError';
    this.setback = setback;
  }
}

const CLOSED_BY =
  'the other side, or a firewall or proxy in between, closed it before the answer was whole; is it restarting?';
export const BROKEN_OFF = `the connection broke off: ${CLOSED_BY}`;

/** How long each step of a request may take. */
export interface Patience {
  readonly connectMs: number;
  readonly headersMs: number;
  readonly bodyMs: number;
}

const TIME_OUTS: Readonly<Record<string, readonly [Setback, (patience: Patience) => string]>> = {
  UND_ERR_CONNECT_TIMEOUT: ['connect-timeout', ({ connectMs }) => noConnection(connectMs)],
  UND_ERR_HEADERS_TIMEOUT: [
    'timeout',
    ({ headersMs }) => `no answer within ${seconds(headersMs)}: it took the connection and says nothing; does it hang?`,
  ],
  UND_ERR_BODY_TIMEOUT: [
    'timeout',
    ({ bodyMs }) => `the answer stalled: it began, and then nothing came for ${seconds(bodyMs)}`,
  ],
};

/** A server that wants TLS ends a connection that begins without. */
export function overPlainHttp(error: TransportError): TransportError {
  if (error.setback !== 'cut' && error.setback !== 'not-http') return error;
  const joint = error.message.endsWith('?') ? ' Or does' : '; does';
  return new TransportError(error.setback, `${error.message}${joint} this port want https?`, error);
}

/** `15 s`, as a reason says it. */
export function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

/** What a 502, 503 or 504 is taken for: it is what a proxy in front of the peer says, and of the three a peer itself only the second. */
export function doorWords(status: number, reason: string): string {
  const said = `${status} ${reason}`.trim();
  switch (status) {
    case 502:
      return `${said}, from a proxy in front of it and not from itself: is it running, and does the proxy lead to it?`;
    case 503:
      return `${said}, from a proxy in front of it or from itself: is it starting, down or overloaded?`;
    default:
      return `${said}, from a proxy in front of it that waited for it in vain: does it hang?`;
  }
}

export function noConnection(ms: number): string {
  return `no connection within ${seconds(ms)}; is it up, does a firewall let us there?`;
}

const UNKNOWN_NAME = 'the host name does not resolve; is it spelled right, does the name server know it?';

const BY_CODE: Readonly<Record<string, readonly [Setback, string]>> = {
  ENOTFOUND: ['dns', UNKNOWN_NAME],
  ENODATA: ['dns', UNKNOWN_NAME],
  EAI_AGAIN: ['dns', 'the name server did not answer; is this machine on the network?'],
  ECONNREFUSED: ['refused', 'connection refused: nothing listens there; is it running, and is the port right?'],
  EHOSTUNREACH: ['unreachable', 'no route to the host; is it up, and is the address right?'],
  ENETUNREACH: ['unreachable', 'the network is unreachable from here; is the address right, does a route lead to it?'],
  EHOSTDOWN: ['unreachable', 'the host is down; is it up, and is the address right?'],
  ETIMEDOUT: [
    'connect-timeout',
    'no connection: the network gave no sign of it; is it up, does a firewall let us there?',
  ],
  UND_ERR_SOCKET: ['cut', BROKEN_OFF],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['cut', `the answer is shorter than it said: ${CLOSED_BY}`],
  ECONNRESET: ['cut', `the connection was reset: ${CLOSED_BY}`],
  EPIPE: ['cut', BROKEN_OFF],
  UND_ERR_DESTROYED: ['closed', 'this client was closed'],
  UND_ERR_CLOSED: ['closed', 'this client was closed'],
  UND_ERR_RES_EXCEEDED_MAX_SIZE: ['too-large', 'the answer is larger than allowed'],
  CERT_HAS_EXPIRED: ['tls', 'the certificate has expired; renew it, or pin its fingerprint with tlsFingerprint'],
  CERT_NOT_YET_VALID: ['tls', 'the certificate is not yet valid; check both clocks'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls', 'the certificate is not made out for this host name'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['tls', 'the certificate is self-signed; pin it with tlsFingerprint'],
  SELF_SIGNED_CERT_IN_CHAIN: ['tls', 'the certificate comes from a CA that is not trusted here; name it in caFile'],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'tls',
    'the certificate comes from a CA that is not trusted here; name it in caFile',
  ],
  UNABLE_TO_GET_ISSUER_CERT: ['tls', 'the certificate comes from a CA that is not trusted here; name it in caFile'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    'tls',
    'the certificate comes from a CA that is not trusted here; name it in caFile',
  ],
};

/** Turns what undici, Node's net and tls throw into one of our words; with the patience it was asked with, of a time-out too. */
export function transportError(thrown: unknown, patience?: Patience): TransportError {
  if (thrown instanceof TransportError) return thrown;
  const code = codeOf(thrown);
  const timeOut = TIME_OUTS[code];
  if (timeOut !== undefined && patience !== undefined)
    return new TransportError(timeOut[0], timeOut[1](patience), thrown);
  const known = BY_CODE[code];
  if (known !== undefined) return new TransportError(known[0], known[1], thrown);
  if (code.startsWith('ERR_SSL') || code === 'EPROTO') {
    return new TransportError('tls', `the TLS handshake failed (${code}); does this port speak TLS?`, thrown);
  }
  if (code.startsWith('ERR_TLS') || code.startsWith('CERT_') || code.includes('_CERT')) {
    return new TransportError('tls', `the certificate was refused (${code})`, thrown);
  }
  if (code.startsWith('HPE_')) return new TransportError('not-http', `it does not speak HTTP (${code})`, thrown);
  return new TransportError('cut', thrown instanceof Error ? thrown.message : String(thrown), thrown);
}

function codeOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return codeOf(thrown.errors[0]);
  if (!(thrown instanceof Error)) return '';
  const code = (thrown as { code?: unknown }).code;
  if (typeof code === 'string') return code;
  return thrown.cause === undefined ? '' : codeOf(thrown.cause);
}
