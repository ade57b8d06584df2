import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HOST_PATHS, type HostPaths, type HostTool } from '../../../src/sources/hosts/commands.js';

/** A folder of tools that answer as they are told, in place of a host's own. */
export interface FakeHost {
  readonly dir: string;
  readonly paths: HostPaths;
  /** What a tool prints for exactly these words, and how it ends. */
  answer(tool: HostTool, words: string, output: unknown, exit?: number): void;
  /** A shell script that a tool is instead, whatever it is asked. */
  script(tool: HostTool, body: string): void;
  remove(tool: HostTool): void;
  /** The commands that were run since the last call, sorted. */
  ran(): readonly string[];
  end(): void;
}

const TOOLS = Object.keys(HOST_PATHS) as HostTool[];

export function fakeHost(): FakeHost {
  const dir = mkdtempSync(join(tmpdir(), 'host-'));
  mkdirSync(join(dir, 'answers'));
  writeFileSync(join(dir, 'ran'), '');
  chmodSync(dir, 0o755);
  chmodSync(join(dir, 'ran'), 0o666);
  const path = (tool: HostTool) => join(dir, tool);
  const place = (tool: HostTool, words: string) => join(dir, 'answers', `${tool} ${words}`.replaceAll(/[^\w]/g, '_'));
  const script = (tool: HostTool, body: string) => {
    writeFileSync(path(tool), `#!/bin/sh\necho "${tool} $*" >>${dir}/ran\n${body}\n`);
    chmodSync(path(tool), 0o755);
  };
  for (const tool of TOOLS) script(tool, ANSWER.replaceAll('DIR', dir).replaceAll('TOOL', tool));
  return {
    ...{ dir, script },
    paths: Object.fromEntries(TOOLS.map((tool) => [tool, path(tool)])) as unknown as HostPaths,
    answer(tool, words, output, exit = 0) {
      const text = typeof output === 'string' ? output : JSON.stringify(output);
      writeFileSync(place(tool, words), `cat <<'EOF'\n${text}\nEOF\nexit ${exit}\n`);
    },
    remove: (tool) => rmSync(path(tool)),
    ran() {
      const lines = readFileSync(join(dir, 'ran'), 'utf8').split('\n').filter(Boolean);
      writeFileSync(join(dir, 'ran'), '');
      return lines.map((line) => line.trim()).sort();
    },
    end: () => rmSync(dir, { recursive: true, force: true }),
  };
}

const ANSWER = `file=DIR/answers/$(printf %s "TOOL $*" | tr -c 'A-Za-z0-9_' _)
[ -f "$file" ] || { echo "TOOL: nobody taught me $*" >&2; exit 1; }
. "$file"`;

export const LSBLK = '-J -b -d -o NAME,TYPE,SIZE,ROTA,TRAN,VENDOR,MODEL,SERIAL,WWN';
export const UPDATES = 'get /nodes/localhost/apt/update --output-format json';

/** A server with one processor, one module, a card, two disks of which one is failing, and an update that waits. */
export function smallServer(host: FakeHost): void {
  const disk = (name: string, serial: string) => ({
    ...{
      name,
      type: 'disk',
      size: 480e9,
      rota: false,
      tran: 'sata',
      vendor: 'ATA     ',
      model: 'SSD',
      serial,
      wwn: null,
    },
  });
  const smart = (serial: string, passed: boolean) => ({
    ...{ smartctl: { exit_status: passed ? 0 : 8 }, model_name: 'SSD', serial_number: serial, rotation_rate: 0 },
    smart_status: { passed },
  });
  const card = {
    id: 'network',
    class: 'network',
    vendor: 'Intel',
    product: 'I210',
    businfo: 'pci@0000:01:00.0',
    serial: 'bc:24:11:00:00:01',
  };
  const core = { id: 'core', class: 'bus', children: [{ ...card, configuration: { driver: 'igb' } }] };
  host.answer('ip', '-j neigh', [
    { dst: '10.0.0.5', dev: 'vmbr0', lladdr: 'bc:24:11:00:00:05', state: ['REACHABLE'] },
    { dst: '10.0.0.6', dev: 'vmbr0', lladdr: 'bc:24:11:00:00:06', state: ['STALE'] },
  ]);
  host.answer('dmidecode', '', TABLES);
  host.answer('lshw', '-json', [{ id: 'pve1', class: 'system', children: [core] }]);
  host.answer('lsblk', LSBLK, {
    blockdevices: [disk('sda', 'A1'), disk('sdb', 'B2'), { ...disk('zd0', ''), tran: null }],
  });
  const scanned = ['/dev/sda', '/dev/sdb'].map((name) => ({ name, type: 'sat' }));
  host.answer('smartctl', '--scan -j', { smartctl: { exit_status: 0 }, devices: scanned });
  host.answer('smartctl', '-j -a /dev/sda', smart('A1', true));
  host.answer('smartctl', '-j -a /dev/sdb', smart('B2', false), 8);
  host.answer('pvesh', UPDATES, [{ Package: 'pve-manager', OldVersion: '9.1.6', Version: '9.1.7', Origin: 'Proxmox' }]);
}

const TABLES = `# dmidecode 3.4
Handle 0x0001, DMI type 1, 27 bytes
System Information
	Manufacturer: Supermicro
	Product Name: SYS-6018R
	Serial Number: A1779

Handle 0x0004, DMI type 4, 48 bytes
Processor Information
	Socket Designation: CPU1
	Manufacturer: Intel
	Version: Xeon E5-2630
	Status: Populated, Enabled
	Core Count: 10

Handle 0x0011, DMI type 17, 40 bytes
Memory Device
	Size: 16 GB
	Locator: A1
	Type: DDR4
	Speed: 2400 MT/s
	Manufacturer: Samsung
	Serial Number: 18ABE4AE
	Part Number: M393A2G40DB0-CPB
`;
