import { createHash } from 'node:crypto';
import { type Guest, isListedRunning, type SimNode } from '../guest.js';
import { GIB, guestFigures, MIB, nodeFigures } from './figures.js';
import type { Sight } from './sight.js';

/** `GET /nodes/{n}/qemu[?full=1]` */
export function machines(sight: Sight, node: string, full: boolean): object[] {
  const guests = sight.guests().filter((guest) => guest.node === node && guest.kind === 'qemu');
  return guests.map((guest) => (full ? { ...machine(sight, guest), ...detail(guest) } : machine(sight, guest)));
}

/** `GET /nodes/{n}/lxc` */
export function containers(sight: Sight, node: string): object[] {
  const guests = sight.guests().filter((guest) => guest.node === node && guest.kind === 'lxc');
  return guests.map((guest) => container(sight, guest));
}

/** `GET …/status/current` of either kind. */
export function current(sight: Sight, guest: Guest): object {
  const ha = guest.ha === null ? { managed: 0 } : { managed: 1, state: guest.ha };
  if (guest.kind === 'lxc') return { ...container(sight, guest), vmid: guest.vmid, ha };
  const agent = guest.agent === 'none' ? undefined : 1;
  return { ...machine(sight, guest), ...detail(guest), agent, ha };
}

function common(sight: Sight, guest: Guest): object {
  const { uptime, cpu, mem, netin, netout, diskread, diskwrite } = guestFigures(guest, sight.estate.now());
  const { name, cores, memoryMiB, diskGiB, tags, lock, template, vmid } = guest;
  const running = isListedRunning(guest);
  return {
    ...{ name, status: running ? 'running' : 'stopped', cpus: cores, maxmem: memoryMiB * MIB, maxdisk: diskGiB * GIB },
    ...{ uptime, cpu, mem, netin, netout, diskread, diskwrite },
    pid: running ? 10_000 + vmid : undefined,
    template: template ? 1 : undefined,
    tags: tags.length === 0 ? undefined : tags.join(';'),
    lock: lock ?? undefined,
  };
}

function pressure(sight: Sight, running: boolean): readonly string[] {
  return sight.estate.version === '9.1' && running ? PRESSURES : [];
}

const PRESSURES = ['pressurecpusome', 'pressureiosome', 'pressureiofull', 'pressurememorysome', 'pressurememoryfull'];

function machine(sight: Sight, guest: Guest): object {
  const running = isListedRunning(guest);
  const isNew = sight.estate.version === '9.1';
  return {
    ...common(sight, guest),
    vmid: guest.vmid,
    disk: 0,
    memhost: isNew && running ? guest.memoryMiB * MIB : undefined,
    ...Object.fromEntries(pressure(sight, running).map((key) => [key, 0])),
  };
}

function container(sight: Sight, guest: Guest): object {
  const running = isListedRunning(guest);
  return {
    ...common(sight, guest),
    ...{ type: 'lxc', swap: 0, maxswap: 512 * MIB, disk: guestFigures(guest, sight.estate.now()).disk },
    // Text until pve-container 5.0.10, in 8.2.
    vmid: sight.estate.version === '7.4' ? String(guest.vmid) : guest.vmid,
    // Numbers for machines, text for containers.
    ...Object.fromEntries(pressure(sight, running).map((key) => [key, '0.00'])),
  };
}

function detail(guest: Guest): object {
  if (!isListedRunning(guest)) return { qmpstatus: 'stopped' };
  return {
    qmpstatus: guest.prelaunch ? 'prelaunch' : guest.power,
    'running-qemu': '9.0.2',
    'running-machine': 'pc-i440fx-9.0+pve0',
    nics: Object.fromEntries(guest.nics.map(({ index }) => [`tap${guest.vmid}i${index}`, { netin: 0, netout: 0 }])),
    blockstat: { scsi0: { account_failed: true, rd_bytes: 0, wr_bytes: 0 } },
  };
}

/** `GET /nodes` */
export function nodes(sight: Sight): object[] {
  return sight.estate.nodes().map((node) => {
    const offline = sight.nodeState(node) === 'offline';
    const row = {
      ...{ node: node.name, id: `node/${node.name}`, type: 'node', status: offline ? 'offline' : 'online' },
      ssl_fingerprint: fingerprintOf(node),
    };
    if (!sight.may('Sys.Audit')) return row;
    const limits = { level: '', maxcpu: node.cores, maxmem: node.memoryBytes, maxdisk: node.diskBytes };
    return offline ? { ...row, level: '' } : { ...row, ...limits, ...nodeFigures(node, sight.estate.now()) };
  });
}

function fingerprintOf({ name, ip }: SimNode): string {
  const digits = createHash('sha256').update(`${name} ${ip}`).digest('hex').toUpperCase();
  return digits.replace(/(..)(?!$)/g, '$1:');
}
