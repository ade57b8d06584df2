import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientChannel } from 'ssh2';
import type { SshSettings } from '../../domain/settings.js';
import { gate } from './gate.js';
import { type ConnectLimits, type SshConnection, sshConnector } from './ssh-connection.js';
import { BROKEN_OFF, seconds, TransportError, transportError } from './transport-error.js';

export interface SshLimits extends ConnectLimits {
  /** Commands under way at once; a host allows 10 in a connection unless it is told otherwise. */
  readonly channels: number;
  /** What a command may write to its standard output. */
  readonly maxOutputBytes: number;
  /** What is kept of its standard error: the beginning. */
  readonly maxErrorBytes: number;
}

const DEFAULTS: SshLimits = {
  channels: 8,
  connectMs: 10_000,
  keepAliveMs: 5_000,
  maxOutputBytes: 32 * 1024 * 1024,
  maxErrorBytes: 16 * 1024,
};
// A channel that was just closed counts for a moment longer at the host, as does one whose command still ends.
const CHANNEL_TRIES = 6;
const CHANNEL_PAUSE_MS = 100;
// A command that was killed frees its place when the host says so, or after this.
const PARTING_MS = 2_000;

export interface SshCommand {
  /** For the user's login shell on the host. It should end itself in time (`timeout`): what root runs, or sudo, a host need not let us kill. */
  readonly line: string;
  readonly signal: AbortSignal;
  /** From when its place is free, the connection included. */
  readonly timeoutMs: number;
  /** Called just before each time that it is sent. */
  readonly onAttempt?: () => void;
}

export interface SshAnswer {
  /** The exit code; a command that was ended by a signal is an error. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SshClient {
  /** Every exit code is an answer. Else throws TransportError, or the signal's reason; the command is then killed if the host lets us. */
  run(command: SshCommand): Promise<SshAnswer>;
  close(): void;
}

/** A client for one host: one connection, opened when it is needed and again when it was lost, with several commands in it. */
export function sshClient(settings: SshSettings, given: Partial<SshLimits> = {}): SshClient {
  const limits = { ...DEFAULTS, ...given };
  const connect = sshConnector(settings, limits);
  const places = gate(limits.channels);
  let current: Promise<SshConnection> | undefined;
  let closed = false;

  /** The connection that is open, or a new one. */
  const connection = async (): Promise<{ readonly open: SshConnection; readonly fresh: boolean }> => {
    const kept = current;
    if (kept !== undefined) {
      const open = await kept;
      if (open.lost() === undefined) return { open, fresh: false };
      if (current === kept) current = undefined;
    }
    if (closed) throw new TransportError('closed', 'this client was closed');
    current ??= connect();
    const mine = current;
    try {
      const open = await mine;
      if (closed) open.client.destroy();
      return { open, fresh: true };
    } catch (thrown) {
      if (current === mine) current = undefined;
      throw thrown;
    }
  };

  /** What these commands do is reading, so one whose connection turned out to be dead is sent once more. */
  const attempt = async (command: SshCommand, life: AbortSignal): Promise<SshAnswer> => {
    const { open, fresh } = await connection();
    life.throwIfAborted();
    try {
      return await runIn(open, { ...command, signal: life }, limits);
    } catch (thrown) {
      life.throwIfAborted();
      const error = transportError(thrown);
      if (fresh || closed || error.setback !== 'cut') throw error;
    }
    const { open: again } = await connection();
    life.throwIfAborted();
    return runIn(again, { ...command, signal: life }, limits);
  };

  return {
    async run(command) {
      const leave = await places.enter(command.signal);
      const life = lifetime(command.signal, command.timeoutMs);
      // The place is left when the command has ended, not when its caller lost patience.
      const running = attempt(command, life.signal).finally(leave);
      try {
        return await untilAborted(running, life.signal);
      } finally {
        life.end();
      }
    },
    close() {
      closed = true;
      current?.then(
        ({ client }) => client.destroy(),
        () => {},
      );
    },
  };
}

async function runIn(connection: SshConnection, command: SshCommand, limits: SshLimits): Promise<SshAnswer> {
  const { ended } = await begin(connection, command, limits);
  return ended;
}

/** A command under way. Its end is a promise within, so that it can be waited for apart from its beginning. */
interface Begun {
  readonly ended: Promise<SshAnswer>;
}

async function begin(connection: SshConnection, command: SshCommand, limits: SshLimits): Promise<Begun> {
  const { signal, onAttempt } = command;
  for (let tried = 1; ; tried++) {
    onAttempt?.();
    try {
      // Its input ends so, and not by closing ours: a channel that was ended takes no signal any more.
      return await exec(connection, `exec </dev/null; ${command.line}`, (channel) =>
        read(channel, connection, command, limits),
      );
    } catch (thrown) {
      const lost = connection.lost();
      if (lost !== undefined) throw lost;
      const words = thrown instanceof Error ? thrown.message : String(thrown);
      if (tried >= CHANNEL_TRIES) throw new TransportError('refused', `the host opens no channel: ${words}`, thrown);
    }
    await sleep(CHANNEL_PAUSE_MS * tried, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Listens from the moment that the channel is there: a quick command's exit code comes in the same packet. */
function exec(
  { client, lost }: SshConnection,
  line: string,
  listen: (channel: ClientChannel) => Promise<SshAnswer>,
): Promise<Begun> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(lost() ?? new TransportError('cut', BROKEN_OFF));
    client.once('close', gone);
    client.exec(line, (error, channel) => {
      client.off('close', gone);
      if (error === undefined) resolve({ ended: listen(channel) });
      else reject(error);
    });
  });
}

function read(
  channel: ClientChannel,
  { lost }: SshConnection,
  { signal }: SshCommand,
  limits: SshLimits,
): Promise<SshAnswer> {
  return new Promise((resolve, reject) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let [outBytes, errBytes] = [0, 0];
    let exit: { readonly code: number | null; readonly signal: string | undefined } | undefined;
    let failure: unknown;
    let parting: NodeJS.Timeout | undefined;

    const kill = (why: unknown) => {
      if (failure !== undefined) return;
      failure = why;
      parting = setTimeout(settle, PARTING_MS);
      channel.signal('KILL');
      channel.close();
    };
    const cancelled = () => kill(signal.reason);
    const settle = () => {
      clearTimeout(parting);
      signal.removeEventListener('abort', cancelled);
      if (failure !== undefined) reject(failure);
      else if (exit?.code != null) resolve({ code: exit.code, stdout: text(out), stderr: text(err) });
      else if (exit !== undefined)
        reject(new TransportError('cut', `the command was ended by ${exit.signal ?? 'a signal'}`));
      // Closed without a word on how it ended: the connection went, and what came may be half of it.
      else
        reject(
          lost() ??
            new TransportError(
              'cut',
              'the connection broke off while the command ran: the host, or something in between, closed it',
            ),
        );
    };
    channel.on('data', (chunk: Buffer) => {
      outBytes += chunk.length;
      if (outBytes <= limits.maxOutputBytes) out.push(chunk);
      else kill(new TransportError('too-large', `the command wrote more than ${limits.maxOutputBytes} bytes`));
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      if (errBytes < limits.maxErrorBytes) err.push(chunk.subarray(0, limits.maxErrorBytes - errBytes));
      errBytes += chunk.length;
    });
    channel.on('exit', (code: number | null, name?: string) => {
      exit = { code, signal: name };
    });
    channel.on('error', (error: Error) => kill(transportError(error)));
    channel.on('close', settle);
    signal.addEventListener('abort', cancelled, { once: true });
    if (signal.aborted) cancelled();
  });
}

function text(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

/** Aborted with the caller's signal, or when a command has lasted too long; `end` lets go of both. */
function lifetime(outer: AbortSignal, ms: number): { readonly signal: AbortSignal; end(): void } {
  const inner = new AbortController();
  const cancelled = () => inner.abort(outer.reason);
  const tooLong = () =>
    inner.abort(
      new TransportError('timeout', `the command did not end within ${seconds(ms)}; is the host overloaded?`),
    );
  const timer = setTimeout(tooLong, ms);
  outer.addEventListener('abort', cancelled, { once: true });
  if (outer.aborted) cancelled();
  return {
    signal: inner.signal,
    end() {
      clearTimeout(timer);
      outer.removeEventListener('abort', cancelled);
    },
  };
}

/** The work's end, or the signal's reason at once; the work then ends by itself, unheard. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancelled = () => reject(signal.reason);
    signal.addEventListener('abort', cancelled, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cancelled));
  });
}
