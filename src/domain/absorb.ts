import { absorbGuest, departs } from './absorb-guest.js';
import { type Absorbing, type PartIndex, readRow, Writes } from './absorbing.js';
import { type ClusterRow, guestKey, type NodeRow } from './guest.js';
import type { InventoryEvent, NodeEvent } from './inventory-event.js';
import type { ObservedNode, ObservedRow, PartRead, ProxmoxObservation } from './observation.js';
import { type ChangeInterval, FIRST_LOOK, type Instant } from './time.js';
import type { Batch, PartReadRow, SourceState } from './version.js';
import { type ClusterView, type GuestView, type InventoryView, NEVER_READ } from './view.js';

/** What one run changes, and what it saw happen. */
export interface Absorbed {
  readonly batch: Batch;
  readonly events: readonly InventoryEvent[];
  readonly nodeEvents: readonly NodeEvent[];
}

/**
 * Holds one observation of a cluster against what is known of it: which versions begin and end, which parts were read when,
 * what happened to whom. Pure: the same parts in any order or slicing lead to the same knowledge.
 *
 * A guest that the list no longer shows is gone only with proof (`vmid` free) from a cluster with quorum; else it is hidden.
 */
export function absorb(
  view: InventoryView,
  cluster: ClusterView,
  seen: ProxmoxObservation,
  finishedAt: Instant,
): Absorbed {
  const source = cluster.state.source;
  const writes = new Writes(source, cluster.name);
  const previousPoll = cluster.state.lastSuccessAt;
  const change: ChangeInterval =
    cluster.state.firstSuccessAt === null ? FIRST_LOOK : { after: previousPoll, before: seen.askedAt };

  absorbCluster(writes, cluster, seen);
  const nodeEvents: NodeEvent[] = [];
  absorbNodes(writes, view, cluster.name, seen, change, nodeEvents);

  const reads: PartReadRow[] = [];
  const events: InventoryEvent[] = [];
  const parts = indexParts(seen.parts);
  const rows = new Map<number, ObservedRow>();
  for (const row of seen.rows) rows.set(row.vmid, row);
  const incarnations = new Map<number, number>();
  const context: Absorbing = { writes, view, cluster, seen, change, previousPoll, parts, reads, events, incarnations };

  for (const row of rows.values()) {
    const key = guestKey(cluster.name, row.vmid);
    absorbGuest(context, row, view.guestsByKey.get(key));
    if (view.absences.has(key)) {
      writes.end(writes.key('vmid', String(row.vmid)), seen.askedAt);
    }
  }
  for (const guest of view.guests.values()) {
    if (guest.cluster === cluster.name && !rows.has(guest.vmid)) absorbMissing(context, guest);
  }
  absorbAbsenceProofs(context, rows);
  absorbPower(context, rows);

  const state = goodState(cluster.state, seen, finishedAt);
  const batch = { writes: writes.list, reads, state };
  // What is there at the first look did not come about.
  return change === FIRST_LOOK ? { batch, events: [], nodeEvents: [] } : { batch, events, nodeEvents };
}

function indexParts(parts: readonly PartRead[]): PartIndex {
  const index = { config: new Map(), addresses: new Map(), power: new Map(), vmid: new Map() } satisfies PartIndex;
  for (const read of parts) {
    const byKey: Map<string, PartRead> = index[read.result.part];
    const earlier = byKey.get(read.key);
    if (earlier === undefined || earlier.askedAt <= read.askedAt) byKey.set(read.key, read);
  }
  return index;
}

function absorbCluster(writes: Writes, cluster: ClusterView, seen: ProxmoxObservation): void {
  const { proxmoxName, version, quorate, quorumKnown } = seen;
  const body: ClusterRow = { proxmoxName, version, quorate, quorumKnown };
  writes.put(writes.key('cluster', cluster.name), body, cluster.row, seen.askedAt, cluster.state.lastSuccessAt);
}

function absorbNodes(
  writes: Writes,
  view: InventoryView,
  cluster: string,
  seen: ProxmoxObservation,
  change: ChangeInterval,
  events: NodeEvent[],
) {
  const names = new Set<string>();
  const at = seen.askedAt;
  for (const node of seen.nodes) {
    names.add(node.name);
    const id = `${cluster}/${node.name}`;
    const known = view.nodes.get(id)?.row;
    writes.put(writes.key('node', node.name), nodeRow(node, known, change), known, at, change.after);
    if (known === undefined) events.push({ type: 'ADDED', node: id, at, from: null, to: node.status });
    else if (known.status !== node.status)
      events.push({ type: 'STATUS_CHANGED', node: id, at, from: known.status, to: node.status });
  }
  if (!seen.quorate) return;
  for (const node of view.nodes.values()) {
    if (node.cluster !== cluster || names.has(node.name)) continue;
    writes.end(writes.key('node', node.name), at);
    events.push({ type: 'REMOVED', node: node.id, at, from: node.row.status, to: null });
  }
}

function nodeRow(node: ObservedNode, known: NodeRow | undefined, change: ChangeInterval): NodeRow {
  const { status, maintenance } = node;
  return {
    status,
    maintenance,
    // An offline node's row has no figures; the last known ones stay.
    ip: node.ip ?? known?.ip ?? null,
    cores: node.cores ?? known?.cores ?? null,
    memoryBytes: node.memoryBytes ?? known?.memoryBytes ?? null,
    diskBytes: node.diskBytes ?? known?.diskBytes ?? null,
    since: known !== undefined && known.status === status && known.maintenance === maintenance ? known.since : change,
  };
}

function absorbMissing({ writes, view, parts, seen, change, events }: Absorbing, guest: GuestView): void {
  const proof = parts.vmid.get(String(guest.vmid))?.result;
  const key = String(guest.vmid);
  if (seen.quorate && proof?.kind === 'read' && proof.part === 'vmid' && proof.value.free) {
    departs(writes, view, guest, seen.askedAt);
    events.push({ type: 'REMOVED', guest: guest.id, at: seen.askedAt, from: guest.row.name, to: null });
    return;
  }
  if (guest.row.hidden) return;
  const row = { ...guest.row, hidden: true, since: { ...guest.row.since, presence: change } };
  writes.put(writes.key('guest', key, guest.incarnation), row, guest.row, seen.askedAt, change.after);
}

/**
 * `nextid` answers are kept for VMIDs that no list shows. Without quorum they are no evidence, and no failure either:
 * nothing is kept of them, so that the next poll asks again.
 */
function absorbAbsenceProofs(
  { writes, view, cluster, parts, reads, seen }: Absorbing,
  rows: ReadonlyMap<number, unknown>,
) {
  if (!seen.quorate) return;
  for (const read of parts.vmid.values()) {
    const { result } = read;
    if (rows.has(Number(read.key))) continue;
    const key = guestKey(cluster.name, Number(read.key));
    const known = view.absenceReads.get(key) ?? NEVER_READ;
    reads.push(readRow(cluster.state.source, read, known));
    if (result.kind !== 'read' || result.part !== 'vmid') continue;
    const before = view.absences.get(key);
    writes.put(
      writes.key('vmid', read.key),
      { free: result.value.free },
      before === undefined ? undefined : { free: before.free },
      read.askedAt,
      known.askedAt,
    );
  }
}

const PLAIN: ReadonlySet<string> = new Set(['running', 'stopped']);

function absorbPower(
  { writes, view, cluster, parts, reads, incarnations }: Absorbing,
  rows: ReadonlyMap<number, ObservedRow>,
): void {
  for (const read of parts.power.values()) {
    const known = view.nodes.get(`${cluster.name}/${read.key}`)?.power ?? NEVER_READ;
    reads.push(readRow(cluster.state.source, read, known));
    if (read.result.kind !== 'read' || read.result.part !== 'power') continue;
    for (const [vmid, qmpStatus] of read.result.value) {
      if (rows.get(vmid)?.node !== read.key) continue;
      const key = guestKey(cluster.name, vmid);
      const guest = view.guestsByKey.get(key);
      const incarnation = incarnations.get(vmid) ?? 1;
      const before = guest?.incarnation === incarnation ? guest.power : null;
      const version = writes.key('guest.power', String(vmid), incarnation);
      // What the list says anyway is not kept: only a guest that is listed as running and is not.
      if (!PLAIN.has(qmpStatus)) writes.put(version, { qmpStatus }, before, read.askedAt, known.askedAt);
      else if (before !== null) writes.end(version, read.askedAt);
    }
  }
}

function goodState(known: SourceState, seen: ProxmoxObservation, finishedAt: Instant): SourceState {
  return {
    ...known,
    outcome: 'OBSERVED',
    reason: null,
    notes: seen.notes,
    firstSuccessAt: known.firstSuccessAt ?? seen.askedAt,
    lastSuccessAt: seen.askedAt,
    lastAttemptAt: finishedAt,
    unreachableSince: null,
    lastFullAt: seen.full ? seen.askedAt : known.lastFullAt,
    activityMark: seen.activityMark ?? known.activityMark,
    failures: 0,
    backOffUntil: null,
  };
}

/** A source that did not answer: nothing changes but its own state. `backOff` in milliseconds. */
export function failedState(known: SourceState, reason: string, at: Instant, backOff: number): SourceState {
  return {
    ...known,
    outcome: known.outcome === 'NEVER' && known.kind === 'declared' ? 'NEVER' : 'UNREACHABLE',
    reason,
    // What the last good run noted is not so any more, as far as anybody knows.
    notes: [],
    lastAttemptAt: at,
    unreachableSince: known.outcome === 'UNREACHABLE' ? (known.unreachableSince ?? at) : at,
    failures: known.failures + 1,
    backOffUntil: at + backOff,
  };
}
