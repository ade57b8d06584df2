import type { PveVersion, SimNode } from '../guest.js';
import { gateway } from '../network-plan.js';
import { nodeFigures } from './figures.js';
import type { Sight } from './sight.js';

export const VERSIONS: Readonly<
  Record<PveVersion, { version: string; release: string; repoid: string; kernel: string }>
> = {
  '7.4': { version: '7.4-16', release: '7.4', repoid: '0f39f621', kernel: '5.15.108-1-pve' },
  '8.4': { version: '8.4.1', release: '8.4', repoid: '2a5fa54a8503f96d', kernel: '6.8.12-10-pve' },
  '9.1': { version: '9.1.1', release: '9.1', repoid: '42db4a6cf33dac83', kernel: '6.17.2-1-pve' },
};

/** `GET /version` and, of one node, `GET /nodes/{n}/version` */
export function versionOf(version: PveVersion): object {
  const { kernel: _, ...told } = VERSIONS[version];
  return told;
}

/** `GET /nodes/{n}/status` */
export function nodeStatus(sight: Sight, node: SimNode): object {
  const { version: pve } = sight.estate;
  const { version, repoid, kernel } = VERSIONS[pve];
  const { cpu, mem, disk, uptime } = nodeFigures(node, sight.estate.now());
  const { cpus, memory } = sight.estate.machines.of(node.name);
  const total = memory.reduce((sum, { module }) => sum + (module?.sizeBytes ?? 0), 0);
  const [cpu0] = cpus;
  return {
    ...{ uptime, cpu, wait: 0.001, idle: 0, loadavg: ['0.42', '0.51', '0.48'] },
    kversion: `Linux ${kernel} #1 SMP PREEMPT_DYNAMIC`,
    pveversion: `pve-manager/${version}/${repoid}`,
    cpuinfo: {
      ...{ model: cpu0?.model ?? '', sockets: cpus.length, cores: node.cores / 2, cpus: node.cores },
      ...{ mhz: `${cpu0?.mhz ?? 0}.000`, hvm: '1', flags: 'fpu vme de pse tsc msr', user_hz: 100 },
    },
    memory: { total, used: mem, free: total - mem, ...(pve === '9.1' ? { available: total - mem } : {}) },
    swap: { total: 8_589_934_592, used: 0, free: 8_589_934_592 },
    rootfs: { total: node.diskBytes, used: disk, free: node.diskBytes - disk, avail: node.diskBytes - disk },
    ksm: { shared: 0 },
    ...(pve === '7.4'
      ? {}
      : {
          'current-kernel': { sysname: 'Linux', release: kernel, version: '#1 SMP PREEMPT_DYNAMIC', machine: 'x86_64' },
          'boot-info': { mode: 'efi', secureboot: 0 },
        }),
  };
}

/** `GET /nodes/{n}/network` */
export function nodeNetwork(sight: Sight, node: SimNode, type: string | undefined): object[] {
  const link = { method: 'manual', method6: 'manual', families: ['inet'], active: 1, autostart: 1 };
  const bridge = { ...link, type: 'bridge', bridge_stp: 'off', bridge_fd: '0', bridge_vlan_aware: 1 };
  const lan = { method: 'static', address: node.ip, netmask: '16', cidr: `${node.ip}/16` };
  const rows = [
    { ...link, iface: 'eno1', type: 'eth', exists: 1, priority: 3 },
    { ...link, iface: 'eno2', type: 'eth', exists: 1, priority: 4 },
    {
      ...{ ...bridge, ...lan, iface: 'vmbr0', bridge_ports: 'eno1', gateway: gateway(sight.estate.index), priority: 5 },
      comments: 'the LAN of the guests\n',
    },
    { ...bridge, iface: 'vmbr1', bridge_ports: 'eno2', bridge_vids: '2-4094', priority: 6 },
  ];
  if (type === undefined) return rows;
  const wanted = type.startsWith('any_') ? 'bridge' : type;
  return rows.filter((row) => row.type === wanted);
}

/** `GET /cluster/status`: the cluster's own row only where there is a cluster; a node alone has id 0. */
export function clusterStatus(sight: Sight): object[] {
  const { estate } = sight;
  const all = estate.nodes();
  const local = sight.local()?.name;
  const clustered = all.length > 1;
  const rows: object[] = all.map((node) => ({
    ...{ type: 'node', id: `node/${node.name}`, name: node.name, nodeid: clustered ? node.id : 0, ip: node.ip },
    ...{ local: node.name === local ? 1 : 0, online: sight.nodeState(node) === 'offline' ? 0 : 1, level: '' },
  }));
  const quorate = estate.quorate ? 1 : 0;
  const cluster = { type: 'cluster', id: 'cluster', name: estate.name, nodes: all.length, version: 7, quorate };
  return clustered ? [cluster, ...rows] : rows;
}

/** `GET /cluster/tasks`: those of everybody with Sys.Audit, newest first. */
export function clusterTasks(sight: Sight): object[] {
  if (!sight.may('Sys.Audit')) return [];
  return sight.estate.chronicle
    .tasks()
    .toReversed()
    .map((task) => ({ ...task, saved: '1' }));
}

/** `GET /cluster/log`: everybody's lines with Sys.Syslog on /, else the token's own, and it does nothing. */
export function clusterLog(sight: Sight, max: number): object[] {
  if (!sight.may('Sys.Syslog')) return [];
  return sight.estate.chronicle
    .lines()
    .toReversed()
    .slice(0, max)
    .map((line) => ({ ...line }));
}

export function osInfo(system: string): object {
  return system === 'windows'
    ? { result: { id: 'mswindows', name: 'Microsoft Windows', 'version-id': '11', machine: 'x86_64' } }
    : {
        result: {
          ...{ id: 'debian', name: 'Debian GNU/Linux', 'pretty-name': 'Debian GNU/Linux 13 (trixie)' },
          ...{ version: '13 (trixie)', 'version-id': '13', machine: 'x86_64', 'kernel-release': '6.12.48' },
        },
      };
}
