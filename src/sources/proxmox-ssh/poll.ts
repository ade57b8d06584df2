import type { KnownCluster, ObservedNode, ObservedRow } from '../../domain/observation.js';
import { HOUR, type Instant } from '../../domain/time.js';
import { clusterStatus } from '../proxmox/parse/cluster-status.js';
import { resources, withoutNodes } from '../proxmox/parse/resources.js';
import { quorum } from '../proxmox/poll.js';
import { wireObject, wireText } from '../wire-values.js';
import type { Ask, ProxmoxShell, Reply, Text } from './client.js';
import { type VmList, vmList, vmListMark, writtenSince } from './parse/vmlist.js';

/** What `/version` said, and until when that is believed: nothing of the estate. */
export interface PollMemory {
  version: { readonly says: string; readonly until: Instant } | undefined;
}

/** The list and what goes with it: three commands. */
export interface Poll {
  readonly askedAt: Instant;
  readonly proxmoxName: string | null;
  readonly version: string | null;
  readonly quorate: boolean;
  readonly quorumKnown: boolean;
  readonly nodes: readonly ObservedNode[];
  readonly rows: readonly ObservedRow[];
  /** Every VMID that has a config; undefined where that could not be read. */
  readonly vmids: { readonly askedAt: Instant; readonly list: VmList | undefined; readonly words: string };
  /** Guests whose configs were written since the last look; undefined: it cannot be told. */
  readonly touched: ReadonlySet<number> | undefined;
  readonly activityMark: string | null;
  readonly notes: readonly string[];
}

export interface PollNeeds {
  readonly shell: ProxmoxShell;
  readonly memory: PollMemory;
  readonly ask: Ask;
}

/** The poll, or why there is none, in one sentence. */
export async function poll({ shell, memory, ask }: PollNeeds, known: KnownCluster): Promise<Poll | string> {
  const [list, membership, written, version] = await Promise.all([
    shell.pvesh('/cluster/resources', [], ask),
    shell.pvesh('/cluster/status', [], ask),
    shell.vmlist(ask),
    readVersion(shell, memory, ask),
  ]);
  if (list.kind === 'silent') return list.words;
  if (list.kind === 'failed') return `pvesh get /cluster/resources: ${list.words}; try it on that node`;
  const listed = resources(list.content);
  if (listed === undefined)
    return 'pvesh get /cluster/resources: the answer is no list; is this a node of a Proxmox cluster?';
  const foreign = withoutNodes(list.content, listed);
  if (foreign !== undefined) return `pvesh get ${foreign}; try it on that node, and check that it is a Proxmox VE node`;

  const status = membership.kind === 'content' ? clusterStatus(membership.content) : undefined;
  const vmids = readVmList(written);
  return {
    askedAt: list.askedAt,
    version,
    rows: listed.rows,
    ...quorum(status, listed.nodes),
    vmids,
    touched: vmids.list === undefined ? new Set() : writtenSince(known.activityMark, vmids.list),
    activityMark: vmids.list === undefined ? null : vmListMark(vmids.list),
    notes: [
      AGENTS_NOT_READ,
      ...listed.notes,
      ...(status === undefined ? [statusNote(wordsOf(membership))] : []),
      ...(vmids.list === undefined ? [vmlistNote(vmids.words)] : []),
    ],
  };
}

const AGENTS_NOT_READ =
  'over SSH the addresses inside running guests are not read: nothing is concluded about them, but for QEMU guests without an agent';

function readVmList(reply: Reply<Text>): Poll['vmids'] {
  if (reply.kind !== 'text') return { askedAt: reply.askedAt, list: undefined, words: reply.words };
  return { askedAt: reply.askedAt, list: vmList(reply.text), words: 'it is not the list that Proxmox writes' };
}

async function readVersion(shell: ProxmoxShell, memory: PollMemory, ask: Ask): Promise<string | null> {
  const kept = memory.version;
  if (kept !== undefined && ask.now() < kept.until) return kept.says;
  const reply = await shell.pvesh('/version', [], ask);
  const says = reply.kind === 'content' ? wireText(wireObject(reply.content)?.version) : undefined;
  if (says !== undefined) memory.version = { says, until: reply.askedAt + HOUR };
  return says ?? null;
}

function wordsOf(reply: { readonly kind: string; readonly words?: string }): string {
  return reply.words ?? 'it is no list of members';
}

function statusNote(why: string): string {
  return `/cluster/status could not be read, so quorum is judged by the nodes online: ${why}`;
}

function vmlistNote(why: string): string {
  return `/etc/pve/.vmlist could not be read, so config edits are seen when their turn comes, and absence is not proven: ${why}`;
}
