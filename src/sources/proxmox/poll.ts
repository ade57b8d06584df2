import type { KnownCluster, ObservedNode, ObservedRow } from '../../domain/observation.js';
import { HOUR, type Instant } from '../../domain/time.js';
import { askedFor } from '../transport/asked-for.js';
import { wireObject, wireText } from '../wire-values.js';
import { type Ask, type ProxmoxClient, type Reply, refusedToken } from './client.js';
import { type Activity, activitySince } from './parse/activity.js';
import { ELSE_CHECK } from './parse/answer.js';
import { type ClusterStatus, clusterStatus, majorityOnline, withMembership } from './parse/cluster-status.js';
import { RESOURCE_KEYS, resources, withoutNodes } from './parse/resources.js';

/** What the process remembers between polls about asking, never about the estate. */
export interface PollMemory {
  /** Until when the log is not asked for, since it was refused. */
  logRefusedUntil: Instant;
  /** What `/version` said, by URL. */
  readonly versions: Map<string, string>;
}

export function pollMemory(): PollMemory {
  return { logRefusedUntil: 0, versions: new Map() };
}

/** The list, and what goes with it: three or four requests that tell power, placement, names, tags, sizes and what was touched. */
export interface Poll {
  readonly askedAt: Instant;
  readonly proxmoxName: string | null;
  readonly version: string | null;
  readonly quorate: boolean;
  readonly quorumKnown: boolean;
  readonly nodes: readonly ObservedNode[];
  readonly rows: readonly ObservedRow[];
  readonly activity: Activity;
  readonly notes: readonly string[];
}

export interface PollNeeds {
  readonly client: ProxmoxClient;
  readonly memory: PollMemory;
  readonly ask: Ask;
}

// The list of a large cluster takes a moment; a node that says nothing for longer is given up for the next URL.
const LIST_MS = 15_000;

/** The poll, or why there is none, in one sentence. */
export async function poll(needs: PollNeeds, known: KnownCluster): Promise<Poll | string> {
  const { client, ask } = needs;
  const list = await client.get('/cluster/resources', {
    ...{ ...ask, wanted: RESOURCE_KEYS },
    ...{ headersMs: LIST_MS, atTheDoor: true },
  });
  if (list.kind === 'silent') return `${list.words}${askedFor('/cluster/resources', list.setback)}`;
  if (list.kind !== 'content') return `${list.url}: ${list.words}${tokenHint(list)}`;
  const listed = resources(list.content);
  if (listed === undefined)
    return `${list.url}: it answers, but is not a Proxmox API: /cluster/resources is no list; ${ELSE_CHECK}`;
  const foreign = withoutNodes(list.content, listed);
  if (foreign !== undefined) return `${list.url}: it answers, but is not a Proxmox API: ${foreign}; ${ELSE_CHECK}`;

  const short = { ...ask, headersMs: LIST_MS };
  const [membership, tasks, log, version] = await Promise.all([
    client.get('/cluster/status', short),
    client.get('/cluster/tasks', short),
    readLog(needs, list.askedAt, short),
    readVersion(needs, list.url, short),
  ]);
  const status = membership.kind === 'content' ? clusterStatus(membership.content) : undefined;
  return {
    askedAt: list.askedAt,
    version,
    rows: listed.rows,
    ...quorum(status, listed.nodes),
    activity: activitySince(known.activityMark, contentOf(tasks), log === undefined ? undefined : contentOf(log)),
    notes: [
      ...listed.notes,
      ...(status === undefined ? [statusNote(membership)] : []),
      ...(tasks.kind === 'content' ? [] : [`/cluster/tasks could not be read: ${tasks.words}`]),
      ...(log === undefined || log.kind !== 'content' ? [logNote(log)] : []),
      ...[...client.setbacks()].map(([url, words]) => `${url} is not used: ${words}`),
    ],
  };
}

/** Containers' and asynchronous edits show in the tasks, other edits in the log alone; a refusal is remembered for an hour. */
async function readLog({ client, memory }: PollNeeds, now: Instant, ask: Ask): Promise<Reply | undefined> {
  if (now < memory.logRefusedUntil) return undefined;
  const log = await client.get('/cluster/log?max=500', ask);
  if (log.kind === 'refused' && log.status === 403) memory.logRefusedUntil = now + HOUR;
  return log;
}

async function readVersion({ client, memory }: PollNeeds, url: string, ask: Ask): Promise<string | null> {
  const known = memory.versions.get(url);
  if (known !== undefined) return known;
  const reply = await client.get('/version', ask);
  const version = reply.kind === 'content' ? wireText(wireObject(reply.content)?.version) : undefined;
  if (version !== undefined && reply.kind !== 'silent') memory.versions.set(reply.url, version);
  return version ?? null;
}

/** Who is in the cluster and whether it may decide; without a membership, by who is online. */
export function quorum(status: ClusterStatus | undefined, listed: readonly ObservedNode[]) {
  if (status === undefined) {
    return { proxmoxName: null, quorumKnown: false, quorate: majorityOnline(listed), nodes: listed };
  }
  const { proxmoxName, quorate } = status;
  return { proxmoxName, quorumKnown: true, quorate, nodes: withMembership(listed, status) };
}

function contentOf(reply: Reply): unknown {
  return reply.kind === 'content' ? reply.content : undefined;
}

function statusNote(reply: Reply): string {
  const why = reply.kind === 'content' ? 'it is no list of members' : reply.words;
  return `/cluster/status could not be read (the token needs Sys.Audit on /), so quorum is judged by the nodes online: ${why}`;
}

function logNote(reply: Reply | undefined): string {
  const why = reply === undefined || reply.kind === 'content' ? 'refused' : reply.words;
  return `/cluster/log could not be read (the token needs Sys.Syslog on /), so config edits are seen when their turn comes: ${why}`;
}

function tokenHint(reply: Reply): string {
  const rights = reply.kind === 'refused' && reply.status === 403;
  return rights ? ' (the token needs VM.Audit and Sys.Audit, role PVEAuditor, on /)' : refusedToken(reply);
}
