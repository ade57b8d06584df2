import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { HostPaths } from '../../../src/sources/proxmox-ssh/client.js';

export type Folder = 'qemu-server' | 'lxc';

/** What a Proxmox node has for those who come over SSH: a pvesh that knows some answers, and a folder for `/etc/pve`. */
export interface FakeNode {
  readonly dir: string;
  readonly paths: HostPaths;
  /** What `pvesh get` prints for a path with its options, word by word. */
  answer(path: string, content: unknown): void;
  /** A shell script to be run instead. */
  script(path: string, body: string): void;
  /** Writes a config, and makes it a new version in the list. */
  conf(node: string, folder: Folder, vmid: number, text: string): void;
  remove(node: string, folder: Folder, vmid: number): void;
  writeVmlist(text?: string): void;
  /** What pvesh was asked for since the last call, sorted. */
  asked(): readonly string[];
  end(): void;
}

export function fakeNode(): FakeNode {
  const dir = mkdtempSync(join(tmpdir(), 'pve-'));
  const paths = { pvesh: join(dir, 'pvesh'), etcPve: join(dir, 'etc') };
  mkdirSync(join(paths.etcPve, 'nodes'), { recursive: true });
  mkdirSync(join(dir, 'answers'));
  writeFileSync(join(dir, 'asked'), '');
  writeFileSync(paths.pvesh, PVESH.replaceAll('DIR', dir));
  chmodSync(paths.pvesh, 0o755);
  chmodSync(dir, 0o755);
  chmodSync(join(dir, 'asked'), 0o666);

  const ids = new Map<number, { node: string; type: string; version: number }>();
  let version = 1;
  const writeVmlist = (text?: string) => {
    const rows = [...ids].map(([vmid, entry]) => `"${vmid}": ${JSON.stringify(entry)}`);
    writeFileSync(
      join(paths.etcPve, '.vmlist'),
      text ?? `{\n"version": ${version},\n"ids": {\n${rows.join(',\n')}}\n\n}\n`,
    );
  };
  const fileOf = (node: string, folder: Folder, vmid: number) =>
    join(paths.etcPve, 'nodes', node, folder, `${vmid}.conf`);
  const place = (path: string) => join(dir, 'answers', path.replaceAll(/[^\w]/g, '_'));
  writeVmlist();

  return {
    ...{ dir, paths, writeVmlist },
    answer: (path, content) => writeFileSync(place(path), `cat <<'EOF'\n${JSON.stringify(content)}\nEOF\n`),
    script: (path, body) => writeFileSync(place(path), body),
    conf(node, folder, vmid, text) {
      mkdirSync(dirname(fileOf(node, folder, vmid)), { recursive: true });
      writeFileSync(fileOf(node, folder, vmid), text);
      version += 1;
      ids.set(vmid, { node, type: folder === 'lxc' ? 'lxc' : 'qemu', version });
      writeVmlist();
    },
    remove(node, folder, vmid) {
      rmSync(fileOf(node, folder, vmid));
      ids.delete(vmid);
      version += 1;
      writeVmlist();
    },
    asked() {
      const lines = readFileSync(join(dir, 'asked'), 'utf8').split('\n').filter(Boolean);
      writeFileSync(join(dir, 'asked'), '');
      return lines.sort();
    },
    end: () => rmSync(dir, { recursive: true, force: true }),
  };
}

// A warning on stderr comes before good answers now and then.
const PVESH = `#!/bin/sh
[ "$1" = get ] || { echo "unknown command '$1'" >&2; exit 255; }
shift
case "$*" in *" --output-format json") ;; *) echo 'no json was asked for' >&2; exit 255 ;; esac
what=\${*%" --output-format json"}
echo "$what" >>DIR/asked
file=DIR/answers/$(printf %s "$what" | tr -c 'A-Za-z0-9_' _)
[ -f "$file" ] || { echo "No 'get' handler defined for '$what'" >&2; exit 1; }
echo 'perl: warning: Setting locale failed.' >&2
. "$file"
`;

/** Two nodes and the guests that are given, each with a config with an agent. */
export function smallCluster(node: FakeNode, guests: readonly Readonly<Record<string, unknown>>[]): void {
  const nodes = ['pve1', 'pve2'].map((name) => ({ id: `node/${name}`, type: 'node', node: name, status: 'online' }));
  const members = ['pve1', 'pve2'].map((name) => ({ type: 'node', name, online: 1, ip: '10.0.0.1' }));
  node.answer('/cluster/resources', [...guests, ...nodes]);
  node.answer('/cluster/status', [{ type: 'cluster', name: 'lab', quorate: 1 }, ...members]);
  node.answer('/version', { version: '9.1.1', release: '9.1', repoid: 'x' });
  for (const { node: name } of nodes) node.answer(`/nodes/${name}/qemu --full 1`, []);
  for (const { vmid, type, node: home } of guests) {
    const at = [String(home), type === 'lxc' ? 'lxc' : 'qemu-server', Number(vmid)] as const;
    node.conf(...at, type === 'lxc' ? 'hostname: x\n' : 'name: x\ncores: 1\nagent: 1\n');
  }
}
