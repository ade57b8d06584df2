import type { Estate } from '../estate.js';
import type { Guest } from '../guest.js';
import { guestFile } from './guest-file.js';

interface Entry {
  readonly guest: Guest;
  readonly text: string;
  readonly version: number;
}

/** `/etc/pve` of one cluster, as every node of it sees it. */
export class ClusterFiles {
  readonly #estate: Estate;
  readonly #entries = new Map<number, Entry>();
  #version = 10;

  constructor(estate: Estate) {
    this.#estate = estate;
  }

  /** All configs, as `find … -exec tail -v` prints them. */
  configs(): string {
    this.#refresh();
    return [...this.#entries.values()].map(({ guest, text }) => `==> ${pathOf(guest)} <==\n${text}`).join('\n');
  }

  /** `/etc/pve/.vmlist`: a config that is written gets the next version. */
  vmlist(): string {
    this.#refresh();
    const rows = [...this.#entries].map(
      ([vmid, { guest, version }]) =>
        `"${vmid}": { "node": "${guest.node}", "type": "${guest.kind}", "version": ${version} }`,
    );
    return `{\n"version": ${this.#version},\n"ids": {\n${rows.join(',\n')}}\n\n}\n`;
  }

  /** A guest that changed is a new object; its config was written only where its text or place changed. */
  #refresh(): void {
    const { version, index: cluster } = this.#estate;
    for (const guest of this.#estate.guests()) {
      const known = this.#entries.get(guest.vmid);
      if (known?.guest === guest) continue;
      const text = guestFile(guest, { version, cluster });
      const isWritten = known === undefined || known.text !== text || known.guest.node !== guest.node;
      if (isWritten) this.#version += 1;
      this.#entries.set(guest.vmid, { guest, text, version: isWritten ? this.#version : known.version });
    }
    for (const vmid of this.#entries.keys()) {
      if (this.#estate.has(vmid)) continue;
      this.#entries.delete(vmid);
      this.#version += 1;
    }
  }
}

function pathOf({ kind, node, vmid }: Guest): string {
  return `/etc/pve/nodes/${node}/${kind === 'qemu' ? 'qemu-server' : 'lxc'}/${vmid}.conf`;
}
