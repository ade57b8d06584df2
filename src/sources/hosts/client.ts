import type { SshSettings } from '../../domain/settings.js';
import { type Instant, SECOND } from '../../domain/time.js';
import { commandLine } from '../proxmox-ssh/client.js';
import { failureWords, type Ran } from '../proxmox-ssh/parse/pvesh.js';
import { type SshLimits, sshClient } from '../transport/ssh.js';
import { TransportError } from '../transport/transport-error.js';
import { HOST_PATHS, type HostCommand, type HostPaths, type HostTool } from './commands.js';

/**
 * `missing`: the tool is not there. `refused`: sudo does not let it be run. Both last; what `failed` or stayed `silent`
 * (the host was not reached, or the end never heard of) may be better next time.
 */
export type Reply = { readonly askedAt: Instant } & (
  | { readonly kind: 'ran'; readonly ran: Ran }
  | { readonly kind: 'missing' | 'refused' | 'failed' | 'silent'; readonly words: string }
);

export interface Ask {
  readonly signal: AbortSignal;
  /** Called for each command sent, also for a repeated one. */
  readonly onAttempt: () => void;
}

/** Runs the commands of one host. Only cancelling throws. */
export interface HostShell {
  readonly peer: string;
  run(command: HostCommand, ask: Ask): Promise<Reply>;
  close(): void;
}

export interface ShellNeeds {
  readonly now: () => Instant;
  readonly limits?: Partial<SshLimits>;
  readonly paths?: Partial<HostPaths>;
  /** Whether commands that need root are run through sudo: by default for every user but root. */
  readonly sudo?: boolean;
}

// The host ends a command itself, also where we may not; we listen a little longer than it takes for that.
const GRACE_MS = 15 * SECOND;

export function hostShell(settings: SshSettings, needs: ShellNeeds): HostShell {
  const ssh = sshClient(settings, needs.limits);
  const paths = { ...HOST_PATHS, ...needs.paths };
  const sudo = needs.sudo ?? settings.user !== 'root';
  return {
    peer: `${settings.user}@${settings.host}:${settings.port}`,
    async run({ tool, args, seconds, needsRoot }, { signal, onAttempt }) {
      let askedAt = needs.now();
      const line = commandLine(sudo && needsRoot, seconds, [paths[tool], ...args]);
      try {
        const timeoutMs = seconds * SECOND + GRACE_MS;
        const ran = await ssh.run({
          ...{ line, signal, timeoutMs },
          onAttempt: () => {
            askedAt = needs.now();
            onAttempt();
          },
        });
        return { ...judged(tool, ran), askedAt };
      } catch (thrown) {
        signal.throwIfAborted();
        if (!(thrown instanceof TransportError)) throw thrown;
        return { kind: 'silent', words: thrown.message, askedAt };
      }
    },
    close: () => ssh.close(),
  };
}

type Judged =
  | { readonly kind: 'ran'; readonly ran: Ran }
  | { readonly kind: 'missing' | 'refused' | 'failed'; readonly words: string };

/** What comes of a command before its output is looked at. smartctl's exit code is a set of flags: what it printed counts. */
function judged(tool: HostTool, ran: Ran): Judged {
  if (ran.code === 0 || (tool === 'smartctl' && ran.stdout.trim() !== '')) return { kind: 'ran', ran };
  if (/\bsudo: (?:command )?not found/.test(ran.stderr))
    return { kind: 'refused', words: 'sudo is not installed there' };
  const words = failureWords(ran);
  if (words.startsWith('sudo does not let it')) return { kind: 'refused', words };
  if (ran.code === 127) return { kind: 'missing', words: 'it is not installed' };
  if (ran.code === 126) return { kind: 'failed', words: 'it cannot be run there' };
  return { kind: 'failed', words };
}
