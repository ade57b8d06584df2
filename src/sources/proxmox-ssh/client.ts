import type { SshSettings } from '../../domain/settings.js';
import { type Instant, SECOND } from '../../domain/time.js';
import { type SshLimits, sshClient } from '../transport/ssh.js';
import { TransportError } from '../transport/transport-error.js';
import { type Content, failureWords, pveshContent, type Ran } from './parse/pvesh.js';

/** Where things lie on a Proxmox node. */
export interface HostPaths {
  readonly pvesh: string;
  readonly etcPve: string;
}

export const PROXMOX_PATHS: HostPaths = { pvesh: '/usr/bin/pvesh', etcPve: '/etc/pve' };

/** `silent`: the host was not reached, or the command's end was never heard of. */
export type Reply<T> = {
  /** When the command was sent (the last time). */
  readonly askedAt: Instant;
} & (T | { readonly kind: 'silent'; readonly words: string });

export type Text =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'failed'; readonly words: string };

export interface Ask {
  readonly signal: AbortSignal;
  readonly now: () => Instant;
  /** Called for each command sent, also for a repeated one. */
  readonly onAttempt: () => void;
}

/** Asks one cluster through one of its nodes. Only cancelling throws. */
export interface ProxmoxShell {
  /** `pvesh get <path>`, with options as pvesh takes them. */
  pvesh(path: string, options: readonly string[], ask: Ask): Promise<Reply<Content>>;
  /** The list of all guests with the versions of their configs. */
  vmlist(ask: Ask): Promise<Reply<Text>>;
  /** The configs of all guests of the cluster, in one command. */
  configs(ask: Ask): Promise<Reply<Text>>;
  close(): void;
}

// The host ends a command itself, also where we may not; we listen a little longer than it takes for that.
const PVESH_SECONDS = 30;
const FILES_SECONDS = 30;
const GRACE_MS = 15 * SECOND;

export interface ShellNeeds {
  readonly limits?: Partial<SshLimits>;
  readonly paths?: HostPaths;
  /** Whether commands are run through sudo: by default for every user but root. */
  readonly sudo?: boolean;
}

export function proxmoxShell(settings: SshSettings, needs: ShellNeeds): ProxmoxShell {
  const ssh = sshClient(settings, needs.limits);
  const { pvesh, etcPve } = needs.paths ?? PROXMOX_PATHS;
  const sudo = needs.sudo ?? settings.user !== 'root';

  const run = async (
    seconds: number,
    argv: readonly string[],
    ask: Ask,
  ): Promise<Reply<{ readonly kind: 'ran'; readonly ran: Ran }>> => {
    let askedAt = ask.now();
    const onAttempt = () => {
      askedAt = ask.now();
      ask.onAttempt();
    };
    try {
      const line = commandLine(sudo, seconds, argv);
      const ran = await ssh.run({ line, signal: ask.signal, timeoutMs: seconds * SECOND + GRACE_MS, onAttempt });
      return { kind: 'ran', ran, askedAt };
    } catch (thrown) {
      ask.signal.throwIfAborted();
      if (!(thrown instanceof TransportError)) throw thrown;
      return { kind: 'silent', words: thrown.message, askedAt };
    }
  };
  const readText = async (
    seconds: number,
    argv: readonly string[],
    ask: Ask,
    mayMiss: boolean,
  ): Promise<Reply<Text>> => {
    const reply = await run(seconds, argv, ask);
    if (reply.kind === 'silent') return reply;
    const { ran, askedAt } = reply;
    // find's 1: a file went between being listed and being read, as it does when a guest moves. The others are whole.
    const whole = ran.code === 0 || (mayMiss && ran.code === 1 && ran.stdout !== '');
    return whole ? { kind: 'text', text: ran.stdout, askedAt } : { kind: 'failed', words: failureWords(ran), askedAt };
  };

  return {
    async pvesh(path, options, ask) {
      const argv = [pvesh, 'get', path, ...options, '--output-format', 'json'];
      const reply = await run(PVESH_SECONDS, argv, ask);
      return reply.kind === 'silent' ? reply : { ...pveshContent(reply.ran), askedAt: reply.askedAt };
    },
    vmlist: (ask) => readText(FILES_SECONDS, ['/usr/bin/cat', `${etcPve}/.vmlist`], ask, false),
    configs: (ask) => readText(FILES_SECONDS, configsCommand(etcPve), ask, true),
    close: () => ssh.close(),
  };
}

/** No shell takes part in it, so that sudoers can name it word by word. */
function configsCommand(etcPve: string): readonly string[] {
  const files = [
    '/usr/bin/find',
    `${etcPve}/nodes`,
    '-mindepth',
    '3',
    '-maxdepth',
    '3',
    '-type',
    'f',
    '-name',
    '*.conf',
  ];
  return [...files, '-exec', '/usr/bin/tail', '-v', '-n', '+1', '{}', '+'];
}

/**
 * The line for the login shell. `exec`, so that a kill reaches the command and not a shell before it; `timeout` within
 * sudo, as a plain user may not end what root runs.
 */
export function commandLine(sudo: boolean, seconds: number, argv: readonly string[]): string {
  const limited = ['/usr/bin/timeout', '-k', '1', String(seconds), ...argv];
  const whole = sudo ? ['sudo', '-n', ...limited] : limited;
  return `exec ${whole.map(quoted).join(' ')}`;
}

function quoted(word: string): string {
  return /^[\w/.:+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
