import { createHash, timingSafeEqual } from 'node:crypto';
import ssh2, { type Client, type ConnectConfig, type ServerHostKeyAlgorithm } from 'ssh2';
import type { SshSettings } from '../../domain/settings.js';
import { BROKEN_OFF, noConnection, TransportError, transportError } from './transport-error.js';

export interface ConnectLimits {
  /** For the way to the host, its key and the sign-in together. */
  readonly connectMs: number;
  /** A connection whose peer says nothing for three of these is given up. */
  readonly keepAliveMs: number;
}

/** One signed-in connection; `lost` is set when it has ended, with why. */
export interface SshConnection {
  readonly client: Client;
  lost(): TransportError | undefined;
}

// A host has up to one key of each kind and shows the first that the client prefers: the pin says only one of them.
const KEY_KINDS: readonly (readonly ServerHostKeyAlgorithm[])[] = [
  ['ssh-ed25519'],
  ['ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'],
  ['rsa-sha2-512', 'rsa-sha2-256'],
];
const KEEP_ALIVES = 3;

/**
 * Opens connections to one host. Each kind of host key is asked for in turn until one is the pinned one; that kind is
 * asked for first from then on. Nothing is signed in to before the key is known.
 */
export function sshConnector(settings: SshSettings, limits: ConnectLimits): () => Promise<SshConnection> {
  let kinds = KEY_KINDS;
  return async () => {
    const seen: string[] = [];
    for (const kind of kinds) {
      const attempt = await connect(settings, limits, kind);
      if (attempt.kind === 'connected') {
        kinds = [kind, ...KEY_KINDS.filter((other) => other !== kind)];
        return attempt.connection;
      }
      if (attempt.kind === 'failed') throw attempt.error;
      if (attempt.seen !== undefined) seen.push(attempt.seen);
    }
    throw wrongHostKey(settings, seen);
  };
}

type Attempt =
  | { readonly kind: 'connected'; readonly connection: SshConnection }
  /** The host has no key of this kind (`seen` undefined), or another than the pinned one. */
  | { readonly kind: 'other-key'; readonly seen: string | undefined }
  | { readonly kind: 'failed'; readonly error: TransportError };

function connect(
  settings: SshSettings,
  limits: ConnectLimits,
  keyKind: readonly ServerHostKeyAlgorithm[],
): Promise<Attempt> {
  const client = new ssh2.Client();
  let refused: string | undefined;
  let lost: TransportError | undefined;
  const config: ConnectConfig = {
    host: settings.host,
    port: settings.port,
    username: settings.user,
    privateKey: settings.key.reveal(),
    ...(settings.passphrase === null ? {} : { passphrase: settings.passphrase.reveal() }),
    readyTimeout: limits.connectMs,
    keepaliveInterval: limits.keepAliveMs,
    keepaliveCountMax: KEEP_ALIVES,
    algorithms: { serverHostKey: [...keyKind] },
    hostVerifier: (key: Buffer) => {
      const shown = hostKeyFingerprint(key);
      if (isSame(shown, settings.hostKeyFingerprint)) return true;
      refused = shown;
      return false;
    },
  };
  return new Promise((resolve) => {
    const ends = (error: TransportError) => {
      lost ??= error;
      client.destroy();
      const other = refused !== undefined || error.setback === 'host-key';
      resolve(other ? { kind: 'other-key', seen: refused } : { kind: 'failed', error });
    };
    client.on('error', (error) => ends(connectionError(error, settings, limits)));
    client.on('close', () => ends(new TransportError('cut', BROKEN_OFF)));
    client.on('ready', () => {
      // Small packets go at once: held back for an acknowledgement, each command would wait 40 ms.
      client.setNoDelay(true);
      resolve({ kind: 'connected', connection: { client, lost: () => lost } });
    });
    try {
      client.connect(config);
    } catch (thrown) {
      ends(unusableKey(thrown));
    }
  });
}

/** As `ssh-keygen -lf` prints it. */
export function hostKeyFingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function wrongHostKey({ host, port }: SshSettings, seen: readonly string[]): TransportError {
  if (seen.length === 0) return new TransportError('host-key', `${host}:${port} showed no host key of a kind in use`);
  const keys =
    seen.length === 1
      ? `its host key is ${seen[0]}, which is not pinned`
      : `its host keys are ${seen.join(', ')}, of which none is pinned`;
  const mend =
    'compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and change hostKeyFingerprint';
  return new TransportError('host-key', `${keys}; nothing was sent. If the host was installed anew, ${mend}`);
}

function unusableKey(thrown: unknown): TransportError {
  // ssh2's own words say what is wrong with the key, and nothing that stands in it.
  const words = thrown instanceof Error ? thrown.message.replace(/\.$/, '') : String(thrown);
  return new TransportError('auth', `the private key cannot be used: ${words}`);
}

function connectionError(
  error: Error & { level?: string },
  { user }: SshSettings,
  { connectMs }: ConnectLimits,
): TransportError {
  if (error.level === 'client-authentication') {
    const words = `${user} was not let in with this key; does ~${user}/.ssh/authorized_keys on the host have it, and may ${user} sign in?`;
    return new TransportError('auth', words, error);
  }
  if (error.level === 'client-timeout') {
    const kept = /keepalive/i.test(error.message);
    return kept
      ? new TransportError('cut', 'the connection broke off: the host says nothing any more', error)
      : new TransportError('connect-timeout', noConnection(connectMs), error);
  }
  // No algorithm in common for the host key is a host without a key of the kind that was asked for.
  if (error.level === 'handshake' && /host key|verification failed/i.test(error.message))
    return new TransportError('host-key', error.message, error);
  if (error.level === 'handshake' || error.level === 'protocol')
    return new TransportError(
      'unfit',
      `it answers, but not as an SSH server that can be spoken to: ${error.message}`,
      error,
    );
  return transportError(error);
}
