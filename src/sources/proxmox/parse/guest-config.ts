import type { GuestConfig, GuestKind, NetworkDevice } from '../../../domain/guest.js';
import { type WireObject, wireFlag, wireInteger, wireNumber, wireObject, wireText } from '../../wire-values.js';
import { networkDevice } from './network-device.js';
import { properties, property } from './property-strings.js';
import { WantedKeys } from './wanted-json.js';

const MIB = 1024 * 1024;
const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: MIB, G: 1024 * MIB, T: 1024 * 1024 * MIB };
// What both kinds get when `memory` is not written (the schemas' default).
const DEFAULT_MEMORY_MIB = 512;

const QEMU_DISK = /^(?:ide|scsi|sata|virtio)\d+$/;
const LXC_DISK = /^(?:rootfs|mp\d+)$/;
const PLAIN_KEYS = new Set(['data', 'name', 'hostname', 'cores', 'sockets', 'vcpus', 'memory', 'agent', 'smbios1']);

/** The keys that are read of it, in its envelope. */
export const CONFIG_KEYS = new WantedKeys(
  (key) => PLAIN_KEYS.has(key) || /^(?:net|ipconfig)\d+$/.test(key) || QEMU_DISK.test(key) || LXC_DISK.test(key),
);

/** What `/nodes/{n}/{qemu|lxc}/{id}/config` says; undefined when it is no config at all. */
export function guestConfig(kind: GuestKind, content: unknown): GuestConfig | undefined {
  const config = wireObject(content);
  if (config === undefined) return undefined;
  return {
    name: wireText(kind === 'QEMU' ? config.name : config.hostname) ?? null,
    cpus: kind === 'QEMU' ? qemuCpus(config) : (wireInteger(config.cores) ?? null),
    memoryBytes: memoryBytes(config.memory),
    diskBytes: diskBytes(kind, config),
    agent: kind === 'QEMU' && agentConfigured(config.agent),
    smbiosUuid: kind === 'QEMU' ? smbiosUuid(config.smbios1) : null,
    devices: devices(kind, config),
  };
}

/** `vcpus` are those plugged in; without it all sockets are full. */
function qemuCpus(config: WireObject): number {
  return wireInteger(config.vcpus) ?? (wireInteger(config.sockets) ?? 1) * (wireInteger(config.cores) ?? 1);
}

/** MiB as a number, from PVE 8.1 as a string, there also as `current=4096`. */
function memoryBytes(value: unknown): number | null {
  if (value === undefined) return DEFAULT_MEMORY_MIB * MIB;
  const mib = wireNumber(value) ?? wireNumber(property(properties(wireText(value) ?? ''), 'current', ''));
  return mib === undefined ? null : mib * MIB;
}

/** `1`, `1,fstrim_cloned_disks=1`, `enabled=1,type=virtio`. */
function agentConfigured(value: unknown): boolean {
  return wireFlag(property(properties(wireText(value) ?? ''), 'enabled', '')) ?? false;
}

function smbiosUuid(value: unknown): string | null {
  const uuid = property(properties(wireText(value) ?? ''), 'uuid')?.toLowerCase();
  return uuid !== undefined && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) ? uuid : null;
}

/** The sum of what says its size; null when nothing does (no disk, or only devices passed through). */
function diskBytes(kind: GuestKind, config: WireObject): number | null {
  const isDisk = kind === 'QEMU' ? QEMU_DISK : LXC_DISK;
  let sum: number | null = null;
  for (const key of Object.keys(config)) {
    const size = isDisk.test(key) ? sizeOf(wireText(config[key]) ?? '') : undefined;
    if (size !== undefined) sum = (sum ?? 0) + size;
  }
  return sum;
}

function sizeOf(disk: string): number | undefined {
  const items = properties(disk);
  const volume = property(items, 'file', 'volume', '') ?? '';
  if (property(items, 'media') === 'cdrom' || /[:/-]cloudinit(?:\.|$)/.test(volume)) return undefined;
  const size = /^(\d+(?:\.\d+)?)([KMGT]?)$/.exec(property(items, 'size') ?? '');
  return size === null ? undefined : Math.round(Number(size[1]) * (UNITS[size[2] ?? ''] ?? 1));
}

function devices(kind: GuestKind, config: WireObject): GuestConfig['devices'] {
  const found: { readonly index: number; readonly device: NetworkDevice }[] = [];
  for (const key of Object.keys(config)) {
    const index = /^net(\d+)$/.exec(key)?.[1];
    const net = index === undefined ? undefined : wireText(config[key]);
    if (net === undefined) continue;
    const ipconfig = kind === 'QEMU' ? (wireText(config[`ipconfig${index}`]) ?? '') : undefined;
    found.push({ index: Number(index), device: networkDevice(key, net, ipconfig) });
  }
  return found.sort((a, b) => a.index - b.index).map(({ device }) => device);
}
