import type { GuestConfig, GuestKind } from '../../../domain/guest.js';
import { guestConfig } from '../../proxmox/parse/guest-config.js';

/** What a `<vmid>.conf` says, as the API would: pending edits count, snapshots and special sections do not. */
export function confConfig(kind: GuestKind, text: string): GuestConfig | undefined {
  return guestConfig(kind, confOptions(kind, text));
}

/**
 * The options that `GET config` shows of a config file: the main section with its pending edits over it, without what a
 * pending `delete` names (`delete: net1,!cores`; the mark `!` only says how hard).
 */
export function confOptions(kind: GuestKind, text: string): Readonly<Record<string, string>> {
  const main = new Map<string, string>();
  const pending = new Map<string, string>();
  let section: Map<string, string> | undefined = main;
  for (const line of text.split('\n')) {
    const header = /^\[(.+)\]\s*$/.exec(line)?.[1];
    if (header !== undefined) section = isPending(kind, header) ? pending : undefined;
    const option = /^([a-z][a-z_-]*\d*):\s*(.*?)\s*$/.exec(line);
    if (option !== null && section !== undefined) section.set(option[1] ?? '', option[2] ?? '');
  }
  const deleted = (pending.get('delete') ?? '').split(/[,;\s]+/).map((name) => name.replace(/^!/, ''));
  pending.delete('delete');
  for (const [name, value] of pending) main.set(name, value);
  for (const name of deleted) main.delete(name);
  return Object.fromEntries(main);
}

/** qemu-server writes `[PENDING]`, pve-container `[pve:pending]`. */
function isPending(kind: GuestKind, header: string): boolean {
  return header.toLowerCase() === (kind === 'QEMU' ? 'pending' : 'pve:pending');
}
