import { goodServiceState, Writes } from './absorbing.js';
import { acceptedHardware, keptHardware, keptHealth } from './keep-hardware.js';
import { recordId } from './learn/service-records.js';
import {
  type KeptRecord,
  LASTING_KINDS,
  type ObservedRecord,
  type RecordKind,
  type ServiceObservation,
} from './record.js';
import { DAY, type Instant } from './time.js';
import type { Batch, PartReadRow, SourceState } from './version.js';
import type { InventoryView } from './view.js';

/** An address that nobody answered for in so long is forgotten. */
const FORGET_AFTER = 30 * DAY;

/** Which records of a source are known, by kind and key. */
function knownOf(view: InventoryView, source: string, kind: RecordKind): KeptRecord<unknown>[] {
  const known: KeptRecord<unknown>[] = [];
  for (const record of view.records[kind].values()) if (record.source === source) known.push(record);
  return known;
}

/**
 * Holds one pass over a service against what is known of it. Records of kinds that were not read completely, and of nodes
 * that were not read, keep their last word. Lasting ones go when they have been silent for 30 days.
 */
export function absorbService(
  view: InventoryView,
  state: SourceState,
  seen: ServiceObservation,
  finishedAt: Instant,
): Batch {
  const writes = new Writes(state.source, state.cluster);
  const reads: PartReadRow[] = [];
  const listed = new Set<string>();
  for (const record of seen.records) {
    listed.add(`${record.kind} ${record.key}`);
    absorbRecord(record, { view, state, seen, writes, reads });
  }
  for (const kind of seen.complete) {
    for (const known of knownOf(view, state.source, kind)) {
      if (listed.has(`${kind} ${known.key}`) || !isGone(kind, known, seen, state)) continue;
      writes.end(writes.key(kind, known.key), seen.askedAt);
    }
  }
  return { writes: writes.list, reads, state: goodServiceState(state, seen, finishedAt) };
}

interface Absorbing {
  readonly view: InventoryView;
  readonly state: SourceState;
  readonly seen: ServiceObservation;
  readonly writes: Writes;
  readonly reads: PartReadRow[];
}

function absorbRecord(record: ObservedRecord, { view, state, seen, writes, reads }: Absorbing): void {
  const { kind, key, seenAt } = record;
  const id = recordId(state.source, key);
  const known = view.records[kind].get(id);
  const body = keptBody(record, view, id);
  const isNew = writes.put(writes.key(kind, key), body, known?.body, seen.askedAt, state.lastSuccessAt);
  if (record.kind === 'hardware') {
    // The first parts list of a node is the one that later ones are held against.
    const accepted = view.records['hardware.accepted'].get(id)?.body;
    const now = keptHardware(view.records.hardware.get(id)?.body, record.body);
    const next = acceptedHardware(accepted, now);
    writes.put(writes.key('hardware.accepted', key), next, accepted, seen.askedAt, null);
  }
  if (!LASTING_KINDS.has(kind)) return;
  // Another body under the same key is another word: that the one before answered is nothing to it.
  const before = isNew ? null : (known?.seenAt ?? null);
  const latest = seenAt === null || before === null ? (seenAt ?? before) : Math.max(seenAt, before);
  if (!isNew && latest === before) return;
  reads.push(seenRow(state.source, kind, key, latest, seen.askedAt));
}

/** A pass may have read less of a node than is known of it: what it could not read stays. */
function keptBody(record: ObservedRecord, view: InventoryView, id: string): unknown {
  if (record.kind === 'hardware') return keptHardware(view.records.hardware.get(id)?.body, record.body);
  if (record.kind === 'hardware.health') return keptHealth(view.records['hardware.health'].get(id)?.body, record.body);
  return record.body;
}

function seenRow(
  source: string,
  kind: RecordKind,
  key: string,
  askedAt: Instant | null,
  attemptedAt: Instant,
): PartReadRow {
  const part = kind === 'neighbour' ? 'neighbour' : 'unifi.client';
  const state = askedAt === null ? 'none' : 'read';
  return { source, part, key, state, askedAt, attemptedAt, failures: 0, reason: null };
}

function isGone(
  kind: RecordKind,
  known: KeptRecord<unknown>,
  seen: ServiceObservation,
  { firstSuccessAt }: SourceState,
): boolean {
  if (seen.nodes !== null && !seen.nodes.includes(known.key)) return false;
  if (!LASTING_KINDS.has(kind)) return true;
  // What was there at the very first look has no beginning of its own.
  return seen.askedAt - (known.seenAt ?? known.since.before ?? firstSuccessAt ?? 0) > FORGET_AFTER;
}
