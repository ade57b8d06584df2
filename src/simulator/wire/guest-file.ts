import type { Guest } from '../guest.js';
import { seeded } from '../random.js';
import { type About, configOptions, type Options } from './guest-config.js';
import { papersOf } from './guest-papers.js';

/** A guest's config as it lies in `/etc/pve`: what holds now, what is pending, and how it was when it was snapshot. */
export function guestFile(guest: Guest, about: About): string {
  const options = configOptions(guest, about, seeded(guest.uuid, guest.name, 'config'));
  const { description: _, parent, ...present } = options;
  const { description, snapshot, pending } = papersOf(guest);
  const waits = pending && options.cores !== undefined;
  const before = waits ? { cores: Number(options.cores) + 2, net30: EXTRA_DEVICE } : {};
  const pendingName = guest.kind === 'qemu' ? 'PENDING' : 'pve:pending';
  return [
    ...(description === null ? [] : description.trimEnd().split('\n').map(comment)),
    ...lines({ ...present, parent, ...before }),
    ...(waits ? ['', `[${pendingName}]`, ...lines({ cores: options.cores, delete: 'net30' })] : []),
    ...(snapshot === null ? [] : ['', `[${snapshot.name}]`, ...lines(earlier(present, guest, snapshot.at))]),
    '',
  ].join('\n');
}

const EXTRA_DEVICE = 'virtio=BC:24:11:FF:FF:FF,bridge=vmbr0';

/** Percent signs for what is not plain, and for the colon, as it would look like an option. */
function comment(line: string): string {
  return `#${line.replaceAll(/[^\x20-\x7e]|[:%]/g, encodeURIComponent).replaceAll(':', '%3A')}`;
}

function earlier(present: Options, { kind, name }: Guest, at: number): Options {
  const { lock: _, ...rest } = present;
  const named = kind === 'qemu' ? { name: `${name}-before` } : { hostname: `${name}-before` };
  return { ...rest, ...named, cores: 1, snaptime: Math.floor(at / 1000) };
}

/** Sorted by option, and raw keys of containers last, as Proxmox writes them. */
function lines({ lxc, ...options }: Options): string[] {
  const raw = Array.isArray(lxc) ? (lxc as readonly (readonly [string, string])[]) : [];
  const plain = Object.entries(options).filter(([, value]) => value !== undefined);
  const sorted = plain.sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    ...sorted.map(([key, value]) => `${key}: ${String(value)}`),
    ...raw.map(([key, value]) => `${key}: ${value}`),
  ];
}
