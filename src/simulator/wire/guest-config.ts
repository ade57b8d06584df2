import { createHash } from 'node:crypto';
import type { Guest, Nic, NicAddress, PveVersion } from '../guest.js';
import { gateway } from '../network-plan.js';
import { hashOf, type Random, seeded, shuffled, uuidOf } from '../random.js';
import { papersOf } from './guest-papers.js';
import { wireText } from './json.js';

/** `GET …/config` as JSON text: flat, all options that are set, and a digest over them. */
export function configText(guest: Guest, about: About): string {
  const random = seeded(guest.uuid, guest.name, 'config');
  const options = configOptions(guest, about, random);
  const digest = createHash('sha1').update(JSON.stringify(options)).digest('hex');
  return wireText({ ...options, digest }, random);
}

export type Options = Readonly<Record<string, unknown>>;
export interface About {
  readonly version: PveVersion;
  readonly cluster: number;
}

/** What is set of a guest, pending edits counted as done; undefined values are not set. */
export function configOptions(guest: Guest, about: About, random: Random): Options {
  return guest.kind === 'qemu' ? vmOptions(guest, about, random) : containerOptions(guest, about, random);
}

function shared(guest: Guest): Options {
  const { tags, lock, template } = guest;
  const { description, snapshot } = papersOf(guest);
  return {
    description: description ?? undefined,
    parent: snapshot?.name,
    tags: tags.length === 0 ? undefined : tags.join(';'),
    lock: lock ?? undefined,
    template: template ? 1 : undefined,
    onboot: 1,
  };
}

function vmOptions(guest: Guest, { version, cluster }: About, random: Random): Options {
  const { vmid, name, cores, memoryMiB, diskGiB, agent, system, uuid, nics, createdAt, template } = guest;
  const windows = system === 'windows';
  const settings = nics.map((nic) => [nic, ipConfig(nic, cluster)] as const);
  const cloudInit = settings.some(([, setting]) => setting !== undefined);
  return {
    ...shared(guest),
    ...{ name, cores, sockets: 1, numa: 0, ostype: windows ? 'win11' : 'l26', scsihw: 'virtio-scsi-single' },
    // A number until 8.0, text since.
    memory: version === '7.4' ? memoryMiB : String(memoryMiB),
    boot: `order=scsi0;net0`,
    scsi0: `local-lvm:${template ? 'base' : 'vm'}-${vmid}-disk-0,iothread=1,size=${diskGiB}G`,
    ide2: cloudInit ? `local-lvm:vm-${vmid}-cloudinit,media=cdrom` : 'none,media=cdrom',
    agent: agent === 'none' ? undefined : hashOf(uuid) % 3 === 0 ? 'enabled=1,fstrim_cloned_disks=1' : '1',
    smbios1: `uuid=${uuid}`,
    vmgenid: uuidOf(uuid, 'generation'),
    meta: `creation-qemu=9.0.2,ctime=${Math.floor(createdAt / 1000)}`,
    ...(windows ? { bios: 'ovmf', machine: 'pc-q35-9.0', efidisk0: `local-lvm:vm-${vmid}-disk-1,size=4M` } : {}),
    ...(cloudInit ? { ciuser: 'ops', cipassword: '**********' } : {}),
    ...Object.fromEntries(nics.map((nic) => [`net${nic.index}`, vmDevice(nic, windows, random)])),
    ...Object.fromEntries(settings.map(([nic, setting]) => [`ipconfig${nic.index}`, setting])),
  };
}

function vmDevice({ mac, bridge, tag, linkDown }: Nic, windows: boolean, random: Random): string {
  const more = [`bridge=${bridge}`, 'firewall=1'];
  if (tag !== null) more.push(`tag=${tag}`);
  if (linkDown) more.push('link_down=1');
  return [`${windows ? 'e1000' : 'virtio'}=${mac}`, ...shuffled(random, more)].join(',');
}

function ipConfig({ index, v4, v6 }: Nic, cluster: number): string | undefined {
  const parts = [...addressOption('ip', v4), ...addressOption('ip6', v6)];
  if (v4?.by === 'config' && index === 0) parts.push(`gw=${gateway(cluster)}`);
  return parts.length === 0 ? undefined : parts.join(',');
}

function addressOption(key: 'ip' | 'ip6', told: NicAddress | null): string[] {
  if (told === null || told.by === 'inside') return [];
  return [`${key}=${told.by === 'config' ? `${told.address}/${told.prefix}` : told.by}`];
}

function containerOptions(guest: Guest, { cluster }: About, random: Random): Options {
  const { vmid, name, cores, memoryMiB, diskGiB, nics, template, uuid } = guest;
  const volume = `local-lvm:${template ? 'base' : 'vm'}-${vmid}-disk-0,size=${diskGiB}G`;
  const raw = hashOf(uuid) % 7 === 0 ? [['lxc.cgroup2.devices.allow', 'c 10:200 rwm']] : undefined;
  return {
    ...shared(guest),
    ...{ arch: 'amd64', hostname: name, cores, memory: memoryMiB, swap: 512, ostype: 'debian', rootfs: volume },
    ...{ unprivileged: 1, features: 'nesting=1', lxc: raw },
    ...Object.fromEntries(nics.map((nic) => [`net${nic.index}`, containerDevice(nic, cluster, random)])),
  };
}

function containerDevice({ index, mac, bridge, tag, linkDown, v4, v6 }: Nic, cluster: number, random: Random): string {
  const options = [`name=eth${index}`, `bridge=${bridge}`, 'firewall=1', `hwaddr=${mac}`, 'type=veth'];
  options.push(...(v4?.by === 'inside' ? ['ip=manual'] : addressOption('ip', v4)), ...addressOption('ip6', v6));
  if (v4?.by === 'config' && index === 0) options.push(`gw=${gateway(cluster)}`);
  if (tag !== null) options.push(`tag=${tag}`);
  if (linkDown) options.push('link_down=1');
  // Proxmox writes them sorted; what was edited by hand keeps its own order.
  return (random() < 0.5 ? options.sort() : shuffled(random, options)).join(',');
}
