import type { Outcome, PartRead, ProxmoxObservation } from '../../domain/observation.js';
import type { ClusterSettings } from '../../domain/settings.js';
import type { Instant } from '../../domain/time.js';
import { closedSource, listedVmids, ownSignal, type ProxmoxRequest, type ProxmoxSource } from '../proxmox/source.js';
import { type ProxmoxShell, proxmoxShell, type ShellNeeds } from './client.js';
import { chooseShellReads } from './plan.js';
import { type PollMemory, poll } from './poll.js';
import { readParts } from './read-parts.js';

export interface ProxmoxSshNeeds extends ShellNeeds {
  readonly now: () => Instant;
}

/** One Proxmox cluster (or standalone node), over SSH to one of its nodes: the same observation as over the API, but for what guests say of themselves. */
export function proxmoxSshSource(settings: ClusterSettings, needs: ProxmoxSshNeeds): ProxmoxSource {
  const { ssh, broken } = settings;
  if (broken !== null || ssh === null) return closedSource(broken, needs.now);
  const shell = proxmoxShell(ssh, needs);
  const memory: PollMemory = { version: undefined };
  const host = `${ssh.user}@${ssh.host}:${ssh.port}`;
  return {
    async collect(request, signal) {
      signal.throwIfAborted();
      const own = ownSignal(signal);
      try {
        const parts = { shell, memory, host, now: needs.now, pollSeconds: settings.pollSeconds };
        return await collect(parts, request, own.signal);
      } finally {
        own.end();
      }
    },
    async close() {
      shell.close();
    },
  };
}

interface Parts {
  readonly shell: ProxmoxShell;
  readonly memory: PollMemory;
  readonly host: string;
  readonly now: () => Instant;
  readonly pollSeconds: number;
}

async function collect(
  { shell, memory, host, now, pollSeconds }: Parts,
  { known, plan, progress }: ProxmoxRequest,
  signal: AbortSignal,
): Promise<Outcome<ProxmoxObservation>> {
  const at = now();
  let requests = 0;
  const ask = { signal, now, onAttempt: () => (requests += 1) };
  const polled = await poll({ shell, memory, ask }, known);
  if (typeof polled === 'string') return { kind: 'unreachable', at, reason: `${host}: ${polled}`, requests };

  const reads = chooseShellReads(polled, known, plan, pollSeconds);
  const read = await readParts(reads, { shell, ask, polled, known, progress: progress ?? (() => {}) });
  const { vmids: _, touched: __, notes, ...seen } = polled;
  const value = {
    ...seen,
    parts: [...read, ...listedVmids(polled, plan)],
    full: plan.mode === 'all',
    notes: [...notes, ...failures(read)],
  };
  return { kind: 'observed', at: polled.askedAt, value, requests };
}

/** Commands that the host would not run are one note a kind, with the first of its reasons. */
function failures(parts: readonly PartRead[]): readonly string[] {
  const reasons = new Map<string, string>();
  for (const { key, result } of parts)
    if (result.kind === 'failed' && result.part === 'power' && !reasons.has('power'))
      reasons.set('power', `the power detail of node ${key} could not be read: ${result.reason}`);
    else if (result.kind === 'failed' && result.part === 'config' && !reasons.has('config'))
      reasons.set('config', `the config of guest ${key} could not be read: ${result.reason}`);
  return [...reasons.values()];
}
