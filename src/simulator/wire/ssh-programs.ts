import type { SimNode } from '../guest.js';
import { neighboursOf, type Stranger } from '../neighbourhood.js';
import type { ClusterFiles } from './cluster-files.js';
import { dmidecodeText } from './dmidecode.js';
import { lsblkText, lshwText } from './hardware-listings.js';
import type { Resources } from './resources.js';
import { answer, type Waits } from './routes.js';
import type { Sight } from './sight.js';
import { smartReport, smartScan } from './smartctl.js';

/** What a command leaves behind; `delayMs`: how long Proxmox itself would take for it. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly delayMs?: number;
}

/** A node as whoever is signed in there sees it. `sight` is root's: no privilege is missing, no guest hidden. */
export interface Host {
  readonly node: SimNode;
  readonly sight: Sight;
  readonly resources: Resources;
  readonly files: ClusterFiles;
  readonly waits: Waits;
  readonly isRoot: boolean;
  readonly stranger?: Stranger | undefined;
}

type Program = (args: readonly string[], host: Host) => Ran;

const PROGRAMS: Readonly<Record<string, Program>> = {
  pvesh,
  cat: (args, host) =>
    args.length === 1 && args[0] === '/etc/pve/.vmlist'
      ? asRoot(host, () => said(host.files.vmlist()), 'cat: /etc/pve/.vmlist: Permission denied')
      : failed(1, `cat: ${args.at(-1) ?? ''}: No such file or directory`),
  find: (args, host) =>
    args[0] === '/etc/pve/nodes' && args.includes('-exec')
      ? asRoot(host, () => said(host.files.configs()), 'find: ‘/etc/pve/nodes’: Permission denied')
      : failed(1, `find: ‘${args[0] ?? ''}’: No such file or directory`),
  ip,
  lsblk: (args, { sight, node }) => said(lsblkText(sight.estate.machines.of(node.name), args)),
  lshw: (_, { sight, node, isRoot }) => ({
    ...said(lshwText(sight.estate, node, isRoot)),
    stderr: isRoot ? '' : 'WARNING: you should run this program as super-user.\n',
  }),
  dmidecode: (_, host) =>
    asRoot(
      host,
      () => said(dmidecodeText(host.sight.estate.machines.of(host.node.name))),
      '# dmidecode 3.6\n/sys/firmware/dmi/tables/smbios_entry_point: Permission denied\n/dev/mem: Permission denied',
    ),
  smartctl: (args, { sight, node, isRoot }) => {
    const { disks } = sight.estate.machines.of(node.name);
    if (args.includes('--scan') || args.includes('--scan-open'))
      return { code: 0, stdout: smartScan(disks), stderr: '' };
    return smartReport(disks, args, isRoot);
  },
  true: () => said(''),
  hostname: (_, { node }) => said(`${node.name}\n`),
};

/** Runs a command on a node; undefined where the node has no such program. */
export function run(program: string, args: readonly string[], host: Host): Ran | undefined {
  return Object.hasOwn(PROGRAMS, program) ? PROGRAMS[program]?.(args, host) : undefined;
}

function said(stdout: string): Ran {
  return { code: 0, stdout, stderr: '' };
}

export function failed(code: number, stderr: string): Ran {
  return { code, stdout: '', stderr: `${stderr}\n` };
}

function asRoot({ isRoot }: Host, deed: () => Ran, refusal: string): Ran {
  return isRoot ? deed() : failed(1, refusal);
}

/** The bare data of an API call made by root; what pveproxy would answer with a status is an error in words. */
function pvesh(args: readonly string[], { node, sight, resources, waits, isRoot }: Host): Ran {
  if (!isRoot) return failed(255, 'please run as root');
  const [deed, path = '', ...options] = args;
  if (deed !== 'get') return failed(255, `unknown command '${deed ?? ''}'`);
  const query = new Map<string, string>();
  for (let at = 0; at < options.length; at += 2)
    query.set((options[at] ?? '').replace(/^-+/, ''), options[at + 1] ?? '');
  const format = query.get('output-format');
  for (const own of ['output-format', 'noproxy', 'human-readable', 'quiet']) query.delete(own);
  const asked = path.replace(/^\/nodes\/localhost(?=\/|$)/, `/nodes/${node.name}`);
  const told = answer({ sight, resources, waits, path: asked, query });
  const delayMs = told.delayMs ?? 0;
  if (told.status === 501) return { ...failed(1, `No 'get' handler defined for '${path}'`), delayMs };
  if (told.status === 595)
    return { ...failed(255, `proxy handler failed: ${told.reason.replace(/^.*: /, '')}`), delayMs };
  if (told.status !== 200) return { ...failed(told.status === 400 ? 2 : 255, told.reason), delayMs };
  if (format !== 'json') return failed(255, 'only --output-format json is simulated');
  const bare = told.body.slice('{"data":'.length, -1);
  return { code: 0, stdout: bare === 'null' ? '' : `${bare}\n`, stderr: '', delayMs };
}

function ip(args: readonly string[], { sight, node, stranger }: Host): Ran {
  if (!args.some((word) => /^n(?:eigh(?:bou?r)?)?$/.test(word)))
    return failed(255, `Object "${args.at(-1) ?? ''}" is unknown, try "ip help".`);
  if (!args.includes('-j') && !args.includes('-json')) return failed(255, 'only ip -j is simulated');
  const rows = neighboursOf(sight.estate, node, stranger).map(({ address, device, mac, state, router }) => ({
    ...{ dst: address, dev: device },
    ...(mac === null ? {} : { lladdr: mac }),
    ...(router ? { router: null } : {}),
    state: [state],
  }));
  return said(`${JSON.stringify(rows)}\n`);
}
