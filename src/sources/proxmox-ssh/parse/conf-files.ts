import type { GuestKind } from '../../../domain/guest.js';
import { wireVmid } from '../../wire-values.js';

/** One guest's config file, as it lies in `/etc/pve/nodes`. */
export interface ConfFile {
  readonly node: string;
  readonly kind: GuestKind;
  readonly vmid: number;
  readonly text: string;
}

/**
 * Takes apart what `tail -v` printed of many files: `==> path <==` before each, and an empty line between two. No line
 * of a config begins so: they are `key: value`, `#` and `[section]`. What lies elsewhere, and a file without a word
 * (its reading failed), is left out.
 */
export function confFiles(output: string): ReadonlyMap<number, ConfFile> {
  const files = new Map<number, ConfFile>();
  const headers = [...output.matchAll(/^==> (.+) <==$/gm)];
  for (const [index, header] of headers.entries()) {
    const end = headers[index + 1]?.index ?? output.length;
    const text = output.slice(header.index + header[0].length + 1, end);
    const place = /\/nodes\/([^/]+)\/(qemu-server|lxc)\/(\d+)\.conf$/.exec(header[1] ?? '');
    const [, node, folder, id] = place ?? [];
    const vmid = wireVmid(id);
    if (node === undefined || vmid === undefined || text.trim() === '') continue;
    files.set(vmid, { node, kind: folder === 'lxc' ? 'LXC' : 'QEMU', vmid, text });
  }
  return files;
}
