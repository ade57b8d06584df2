import type { Outcome, Progress } from '../../domain/observation.js';
import type { ServiceObservation } from '../../domain/record.js';
import type { HostSettings } from '../../domain/settings.js';
import { ownSignal } from '../proxmox/source.js';
import { type Ask, hostShell, type ShellNeeds } from './client.js';
import { readHardware } from './hardware.js';
import { readNeighbours } from './neighbours.js';

/** One thing that a host is asked for. Unreachable is an outcome; only cancelling throws. */
export interface HostSource {
  collect(request: { readonly progress: Progress }, signal: AbortSignal): Promise<Outcome<ServiceObservation>>;
  close(): Promise<void>;
}

/** What is collected of a host; null: its settings do not name it. */
export interface HostSources {
  readonly neighbours: HostSource | null;
  readonly hardware: HostSource | null;
}

/** A host over SSH: its neighbours and its hardware, over one connection that ends when both are closed. */
export function hostSources(settings: HostSettings, needs: ShellNeeds): HostSources {
  const { ssh, broken, collect, name } = settings;
  const { now } = needs;
  const names = (part: HostSettings['collect'][number]) => collect.includes(part);
  if (broken !== null || ssh === null) {
    const closed = closedHost(broken ?? 'no SSH is configured for this host', now);
    return { neighbours: names('neighbours') ? closed : null, hardware: names('hardware') ? closed : null };
  }
  const shell = hostShell(ssh, needs);
  const open = new Set<HostSource>();
  const source = (read: Read): HostSource => {
    const made: HostSource = {
      collect: ({ progress }, signal) => counted(signal, (asking) => read({ ...asking, progress })),
      async close() {
        if (open.delete(made) && open.size === 0) shell.close();
      },
    };
    open.add(made);
    return made;
  };
  return {
    neighbours: names('neighbours') ? source((asking) => readNeighbours({ ...asking, shell, host: name })) : null,
    hardware: names('hardware') ? source((asking) => readHardware({ ...asking, shell, host: name, now })) : null,
  };
}

interface Asking {
  readonly ask: Ask;
  requests(): number;
}
type Read = (asking: Asking & { readonly progress: Progress }) => Promise<Outcome<ServiceObservation>>;

/** One pass with a signal of its own, and a count of what it sent. */
async function counted<T>(outer: AbortSignal, read: (asking: Asking) => Promise<T>): Promise<T> {
  outer.throwIfAborted();
  const own = ownSignal(outer);
  let requests = 0;
  try {
    const onAttempt = () => {
      requests += 1;
    };
    return await read({ ask: { signal: own.signal, onAttempt }, requests: () => requests });
  } finally {
    own.end();
  }
}

function closedHost(reason: string, now: () => number): HostSource {
  return {
    async collect() {
      return { kind: 'unreachable', at: now(), reason, requests: 0 };
    },
    async close() {},
  };
}
