/** What is run on a host, word by word: the manual prints it for sudoers, and nothing else is ever sent. */
export interface HostCommand {
  readonly tool: HostTool;
  readonly args: readonly string[];
  /** The host ends it after so long. */
  readonly seconds: number;
  /** Whether a user other than root runs it through `sudo -n`. */
  readonly needsRoot: boolean;
}

export type HostTool = 'ip' | 'lsblk' | 'dmidecode' | 'lshw' | 'smartctl' | 'pvesh';
export type HostPaths = Readonly<Record<HostTool, string>>;

/** Where Debian and Proxmox VE keep them. What needs no root is found on the path: its folder changed between releases. */
export const HOST_PATHS: HostPaths = {
  ip: 'ip',
  lsblk: 'lsblk',
  dmidecode: '/usr/sbin/dmidecode',
  lshw: '/usr/bin/lshw',
  smartctl: '/usr/sbin/smartctl',
  pvesh: '/usr/bin/pvesh',
};

/** In every util-linux from 2.33 (which first wrote JSON booleans) to 2.41. */
const LSBLK_COLUMNS = 'NAME,TYPE,SIZE,ROTA,TRAN,VENDOR,MODEL,SERIAL,WWN';

function command(tool: HostTool, args: readonly string[], seconds: number, needsRoot = true): HostCommand {
  return { tool, args, seconds, needsRoot };
}

export const HOST_COMMANDS = {
  neighbours: command('ip', ['-j', 'neigh'], 15, false),
  disks: command('lsblk', ['-J', '-b', '-d', '-o', LSBLK_COLUMNS], 30, false),
  tables: command('dmidecode', [], 30),
  tree: command('lshw', ['-json'], 120),
  smartDevices: command('smartctl', ['--scan', '-j'], 60),
  /** `localhost` is the node itself, whatever it is called: the same line for sudoers on each. */
  updates: command('pvesh', ['get', '/nodes/localhost/apt/update', '--output-format', 'json'], 60),
} as const satisfies Readonly<Record<string, HostCommand>>;

/** A disk as `smartctl --scan` names it; `type` where the controller before it has to be told. */
export interface SmartDevice {
  readonly name: string;
  readonly type: string | null;
}

export function smartReport({ name, type }: SmartDevice): HostCommand {
  return command('smartctl', ['-j', '-a', ...(type === null ? [] : ['-d', type]), name], 60);
}

/** The devices that the manual's lines for sudoers allow: single signs stand for one letter or digit each. */
export const SMART_PATTERNS: readonly SmartDevice[] = [
  { name: '/dev/sd[a-z]', type: null },
  { name: '/dev/sd[a-z][a-z]', type: null },
  { name: '/dev/nvme[0-9]', type: null },
  { name: '/dev/nvme[0-9][0-9]', type: null },
  { name: '/dev/bus/[0-9]', type: 'megaraid,[0-9]' },
  { name: '/dev/bus/[0-9]', type: 'megaraid,[0-9][0-9]' },
];

/** The commands of a plain user's sudoers file, as sudoers writes them. */
export function sudoersCommands(paths: HostPaths = HOST_PATHS): readonly string[] {
  const { tables, tree, smartDevices, updates } = HOST_COMMANDS;
  const named = [tables, tree, smartDevices, ...SMART_PATTERNS.map(smartReport), updates];
  return named.map(({ tool, args, seconds }) =>
    ['/usr/bin/timeout', '-k', '1', String(seconds), paths[tool], ...args.map(escaped)].join(' '),
  );
}

/** sudoers takes a comma for the end of a command. */
function escaped(word: string): string {
  return word.replaceAll(/[,:=\\]/g, '\\$&');
}
