import type { GuestKind } from '../../../domain/guest.js';
import { wireInteger, wireObject, wireText, wireVmid } from '../../wire-values.js';

/** Every guest that has a config anywhere in the cluster, with a version that each write of it changes. */
export interface VmList {
  readonly version: number;
  readonly ids: ReadonlyMap<number, { readonly node: string; readonly kind: GuestKind; readonly version: number }>;
}

/** What `/etc/pve/.vmlist` says; undefined when it is no such list: then it proves nothing. */
export function vmList(text: string): VmList | undefined {
  const list = wireObject(parsed(text));
  const version = wireInteger(list?.version);
  if (list === undefined || version === undefined) return undefined;
  const ids = new Map<number, { node: string; kind: GuestKind; version: number }>();
  // A cluster without guests may leave the key out.
  for (const [id, value] of Object.entries(list.ids === undefined ? {} : (wireObject(list.ids) ?? { '': null }))) {
    const entry = wireObject(value);
    const [vmid, node, own] = [wireVmid(id), wireText(entry?.node), wireInteger(entry?.version)];
    if (vmid === undefined || node === undefined || own === undefined) return undefined;
    ids.set(vmid, { node, kind: entry?.type === 'lxc' ? 'LXC' : 'QEMU', version: own });
  }
  return { version, ids };
}

/** What to hand in at the next look, so that it tells which configs were written since. */
export function vmListMark(list: VmList): string {
  const ids = [...list.ids].map(([vmid, { version }]) => `${vmid}:${version}`).join(' ');
  return JSON.stringify({ vmlist: list.version, ids });
}

/**
 * The guests whose configs were written since the mark was taken. undefined: that cannot be told, as there is no mark,
 * or the versions began anew (the cluster file system was restarted on this host); then all are to be read.
 */
export function writtenSince(mark: string | null, list: VmList): ReadonlySet<number> | undefined {
  const before = mark === null ? undefined : wireObject(parsed(mark));
  const version = wireInteger(before?.vmlist);
  if (version === undefined || typeof before?.ids !== 'string' || list.version < version) return undefined;
  const versions = new Map(
    before.ids.split(' ').map((entry) => [entry.replace(/:.*/, ''), entry.replace(/.*:/, '')] as const),
  );
  const written = [...list.ids].filter(([vmid, entry]) => versions.get(String(vmid)) !== String(entry.version));
  return new Set(written.map(([vmid]) => vmid));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
