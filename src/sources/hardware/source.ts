import type { Outcome, Progress } from '../../domain/observation.js';
import type { RecordKind, ServiceObservation } from '../../domain/record.js';
import type { ClusterSettings } from '../../domain/settings.js';
import { type Instant, MINUTE, SECOND } from '../../domain/time.js';
import { type ProxmoxClient, proxmoxClient, type Reply, refusedToken } from '../proxmox/client.js';
import { ELSE_CHECK } from '../proxmox/parse/answer.js';
import { ownSignal } from '../proxmox/source.js';
import { askedFor } from '../transport/asked-for.js';
import { gate } from '../transport/gate.js';
import type { HttpsLimits } from '../transport/https.js';
import { listedNodes } from './parse/node.js';
import { type ReadNode, readNode } from './read-node.js';

export interface HardwareApiNeeds {
  readonly now: () => Instant;
  /** Nodes that are read over SSH, which tells more. */
  readonly skip: () => readonly string[];
  readonly limits?: Partial<HttpsLimits>;
}

export interface HardwareApiSource {
  collect(request: { readonly progress: Progress }, signal: AbortSignal): Promise<Outcome<ServiceObservation>>;
  close(): Promise<void>;
}

/** Nodes under way at once. Once a pass has lasted so long, no further node is begun: its last report stays. */
const AT_ONCE = 4;
const NO_LONGER_THAN = 30 * MINUTE;
const DOOR_MS = 15 * SECOND;

/** The hardware of a cluster's nodes as its API tells it: processors, disks with their health, PCI devices, pending updates. */
export function hardwareApiSource(settings: ClusterSettings, needs: HardwareApiNeeds): HardwareApiSource {
  const { api, broken } = settings;
  if (broken !== null || api === null) return closedApi(broken, needs.now);
  const limits = { concurrency: AT_ONCE, attemptMs: 3 * MINUTE, retries: 1, ...needs.limits };
  const client = proxmoxClient(api, { now: needs.now, limits });
  return {
    async collect({ progress }, signal) {
      signal.throwIfAborted();
      const own = ownSignal(signal);
      try {
        return await collect({ client, progress, ...needs }, own.signal);
      } finally {
        own.end();
      }
    },
    close: () => client.close(),
  };
}

interface Parts extends HardwareApiNeeds {
  readonly client: ProxmoxClient;
  readonly progress: Progress;
}

async function collect(
  { client, progress, now, skip }: Parts,
  signal: AbortSignal,
): Promise<Outcome<ServiceObservation>> {
  let requests = 0;
  const onAttempt = () => {
    requests += 1;
  };
  const reply = await client.get('/nodes', { signal, onAttempt, headersMs: DOOR_MS, atTheDoor: true });
  const nodes = reply.kind === 'content' ? listedNodes(reply.content) : undefined;
  if (nodes === undefined || nodes.length === 0)
    return { kind: 'unreachable', at: reply.askedAt, reason: doorWords(reply), requests };

  const skipped = skip();
  const wanted = nodes.filter(({ name, online }) => online && !skipped.includes(name));
  const read = await readNodes(
    wanted.map(({ name }) => name),
    { client, signal, onAttempt },
    { progress, now },
  );
  const told = read.filter(({ silent }) => !silent);
  const first = read.flatMap(({ failures }) => failures)[0];
  if (read.length > 0 && told.length === 0 && first !== undefined)
    return {
      kind: 'unreachable',
      at: reply.askedAt,
      reason: `no node tells of its hardware: ${first.words}${first.words.startsWith('403') ? '; give the token that privilege on /nodes' : ''}`,
      requests,
    };

  const kinds: readonly RecordKind[] = ['hardware', 'hardware.health', 'hardware.updates'];
  const value = {
    askedAt: reply.askedAt,
    records: told.flatMap(({ records }) => records),
    complete: kinds.filter((kind) => read.every(({ missing }) => !missing.includes(kind))),
    // Once every member was read, what is known of others is of nodes that left. A node that SSH reads is told of there.
    nodes: isWhole(nodes, told, skipped) ? null : [...told.map(({ node }) => node), ...skipped],
    notes: [...notesOf(read), ...offline(nodes, skipped)],
  };
  return { kind: 'observed', at: reply.askedAt, value, requests };
}

function isWhole(
  nodes: readonly { readonly name: string }[],
  told: readonly ReadNode[],
  skipped: readonly string[],
): boolean {
  return (
    nodes.length > 0 && nodes.every(({ name }) => skipped.includes(name) || told.some(({ node }) => node === name))
  );
}

async function readNodes(
  names: readonly string[],
  needs: Parameters<typeof readNode>[1],
  { progress, now }: Pick<Parts, 'progress' | 'now'>,
): Promise<readonly ReadNode[]> {
  const places = gate(AT_ONCE);
  const until = now() + NO_LONGER_THAN;
  let done = 0;
  return Promise.all(
    names.map(async (node) => {
      const leave = await places.enter(needs.signal);
      try {
        return now() > until ? notBegun(node) : await readNode(node, needs);
      } finally {
        leave();
        done += 1;
        progress(done, names.length);
      }
    }),
  );
}

function notBegun(node: string): ReadNode {
  const failures = [{ what: 'hardware', words: 'the pass had lasted too long; its turn comes with the next' }];
  const missing: readonly RecordKind[] = ['hardware', 'hardware.health', 'hardware.updates'];
  return { node, records: [], missing, failures, silent: true };
}

function doorWords(reply: Reply): string {
  if (reply.kind === 'silent') return `${reply.words}${askedFor('/nodes', reply.setback)}`;
  const words = reply.kind === 'content' ? `the answer to /nodes is no list of nodes; ${ELSE_CHECK}` : reply.words;
  return `${reply.url}: ${words}${refusedToken(reply)}`;
}

/** One note for each thing that could not be read, with the nodes that it is so of. */
function notesOf(read: readonly ReadNode[]): readonly string[] {
  const by = new Map<string, { readonly words: string; readonly nodes: string[] }>();
  for (const { node, failures } of read)
    for (const { what, words } of failures) {
      const known = by.get(what);
      if (known === undefined) by.set(what, { words, nodes: [node] });
      else known.nodes.push(node);
    }
  return [...by].map(
    ([what, { words, nodes }]) => `${what} of ${list(nodes)} could not be read: ${words}${mend(what, words)}`,
  );
}

function list(nodes: readonly string[]): string {
  const shown = [...nodes].sort().slice(0, 5).join(', ');
  return nodes.length > 5 ? `${shown} and ${nodes.length - 5} more` : shown;
}

/** PVEAuditor has all that the rest needs; updates are the one thing that it does not see. */
function mend(what: string, words: string): string {
  if (!words.startsWith('403')) return '';
  return what === 'pending updates'
    ? ' (the token needs Sys.Modify on /nodes for them; everything else is read without it)'
    : ' (the token needs Sys.Audit on /)';
}

function offline(
  nodes: readonly { readonly name: string; readonly online: boolean }[],
  skipped: readonly string[],
): readonly string[] {
  const names = nodes.filter(({ name, online }) => !online && !skipped.includes(name)).map(({ name }) => name);
  return names.length === 0 ? [] : [`${list(names)}: offline, the last report stays`];
}

function closedApi(broken: string | null, now: () => Instant): HardwareApiSource {
  return {
    async collect() {
      if (broken === null) return { kind: 'disabled', reason: 'no API is configured for this cluster' };
      return { kind: 'unreachable', at: now(), reason: broken, requests: 0 };
    },
    async close() {},
  };
}
