import { type IpAddress, ipAddress } from '../../../domain/address.js';
import type { ObservedNode } from '../../../domain/observation.js';
import { wireFlag, wireObjects, wireText } from '../../wire-values.js';

export interface ClusterStatus {
  readonly proxmoxName: string | null;
  readonly quorate: boolean;
  readonly members: readonly {
    readonly name: string;
    readonly online: boolean | undefined;
    readonly ip: IpAddress | null;
  }[];
}

/** What `/cluster/status` says. A standalone node has no cluster row and decides alone. undefined when it is no such list. */
export function clusterStatus(content: unknown): ClusterStatus | undefined {
  const list = wireObjects(content);
  if (list === undefined || list.length === 0) return undefined;
  const cluster = list.find((row) => row.type === 'cluster');
  const members = list
    .filter((row) => row.type === 'node')
    .map((row) => ({
      name: wireText(row.name) ?? wireText(row.id)?.replace(/^node\//, '') ?? '',
      online: wireFlag(row.online),
      ip: ipAddress(wireText(row.ip) ?? '') ?? null,
    }))
    .filter((member) => member.name !== '');
  return {
    proxmoxName: wireText(cluster?.name) ?? null,
    quorate: cluster === undefined || wireFlag(cluster.quorate) === true,
    members,
  };
}

/** The nodes of the list with what the membership says of them: it knows who is online, also where statistics stopped. */
export function withMembership(nodes: readonly ObservedNode[], status: ClusterStatus): readonly ObservedNode[] {
  const members = new Map(status.members.map((member) => [member.name, member]));
  const listed = nodes.map((node) => {
    const member = members.get(node.name);
    return member === undefined ? node : { ...node, status: joined(node.status, member.online), ip: member.ip };
  });
  const names = new Set(nodes.map((node) => node.name));
  const unlisted = status.members
    .filter((member) => !names.has(member.name))
    .map(({ name, online, ip }) => ({ ...UNLISTED, name, status: joined('UNKNOWN', online), ip }));
  return [...listed, ...unlisted];
}

const UNLISTED = { maintenance: false, cores: null, memoryBytes: null, diskBytes: null } as const;

function joined(listed: ObservedNode['status'], online: boolean | undefined): ObservedNode['status'] {
  if (listed === 'OFFLINE' || online === false) return 'OFFLINE';
  return online === true ? 'ONLINE' : listed;
}

/** Where the membership cannot be read: more than half of the nodes that the list shows are online. */
export function majorityOnline(nodes: readonly ObservedNode[]): boolean {
  return nodes.filter((node) => node.status === 'ONLINE').length * 2 > nodes.length;
}
