import type { Guest } from './guest.js';

/** What people run: the guests of an estate come in these kinds, some of each. */
export interface Service {
  readonly name: string;
  readonly kind: Guest['kind'];
  readonly group: string;
  readonly system: Guest['system'];
  readonly tags: readonly string[];
  readonly cores: number;
  readonly memoryMiB: number;
  readonly diskGiB: number;
  /** Its addresses are all written in the config, or leased. */
  readonly cloudInit?: true;
}

export const GROUPS = {
  infra: 'Infrastructure',
  data: 'Databases and storage',
  apps: 'Applications',
  chain: 'Chain nodes',
  desk: 'Desktops',
  templates: 'Templates',
} as const;

const { infra, data, apps, chain, desk } = GROUPS;

export const SERVICES: readonly Service[] = [
  service('dns', 'lxc', infra, ['core', 'net'], 1, 512, 8),
  service('proxy', 'lxc', infra, ['core', 'edge'], 2, 1024, 8),
  service('ldap', 'qemu', infra, ['core'], 2, 4096, 32),
  service('monitor', 'qemu', infra, ['ops'], 4, 8192, 64, 'docker'),
  service('postgres', 'qemu', data, ['db', 'prod'], 4, 16384, 128),
  service('redis', 'lxc', data, ['db'], 2, 2048, 8),
  service('minio', 'qemu', data, ['storage'], 4, 8192, 512),
  service('web', 'lxc', apps, ['prod', 'web'], 2, 2048, 16),
  service('api', 'qemu', apps, ['prod', 'api'], 4, 8192, 48, 'docker'),
  service('blockscout', 'qemu', chain, ['explorer'], 8, 16384, 256, 'docker'),
  { ...service('besu', 'qemu', chain, ['validator'], 4, 8192, 256), cloudInit: true },
  service('desktop', 'qemu', desk, ['vdi'], 4, 8192, 96, 'windows'),
];

function service(
  name: string,
  kind: Guest['kind'],
  group: string,
  tags: readonly string[],
  cores: number,
  memoryMiB: number,
  diskGiB: number,
  system: Guest['system'] = 'linux',
): Service {
  return { name, kind, group, system, tags, cores, memoryMiB, diskGiB };
}
