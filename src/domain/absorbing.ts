import { canonicalJson, sameValue, textHash } from './content-hash.js';
import type { InventoryEvent } from './inventory-event.js';
import type { PartRead, ProxmoxObservation, SlicePart } from './observation.js';
import type { ChangeInterval, Instant } from './time.js';
import type { PartReadRow, SourceState, VersionKey, VersionKind, VersionWrite } from './version.js';
import type { ClusterView, GuestView, InventoryView, PartState } from './view.js';

export function proxmoxSourceName(cluster: string): string {
  return `proxmox:${cluster}`;
}

/** Collects the writes of one run; a body equal to the one known is no write. */
export class Writes {
  readonly list: VersionWrite[] = [];
  readonly #source: string;
  readonly #cluster: string;

  constructor(source: string, cluster: string) {
    this.#source = source;
    this.#cluster = cluster;
  }

  key(kind: VersionKind, key: string, incarnation = 0): VersionKey {
    return { source: this.#source, cluster: this.#cluster, kind, key, incarnation };
  }

  /** Writes `body` unless it says what `known` said. Returns whether it differs. */
  put(key: VersionKey, body: unknown, known: unknown, at: Instant, priorReadAt: Instant | null): boolean {
    if (known !== undefined && known !== null && sameValue(known, body)) return false;
    const { source, cluster, kind, key: name, incarnation } = key;
    const text = canonicalJson(body);
    const hash = textHash(text);
    // Field by field: a first pass writes tens of thousands, and a spread costs several times as much.
    const version = { source, cluster, kind, key: name, incarnation, body, hash, validFrom: at, priorReadAt };
    // To write a body as JSON costs as much as to compare it: what is hashed is also what is stored.
    this.list.push({ op: 'put', version, text });
    return true;
  }

  end(key: VersionKey, at: Instant): void {
    this.list.push({ op: 'end', key, validTo: at });
  }
}

/** What was read, by part and key: two short look-ups, where a name of both would be made for each guest and part of a poll. */
export type PartIndex = Readonly<Record<SlicePart, ReadonlyMap<string, PartRead>>>;

/** What absorbing one run needs to see; `reads` and `events` are filled as it goes. */
export interface Absorbing {
  readonly writes: Writes;
  readonly view: InventoryView;
  readonly cluster: ClusterView;
  readonly seen: ProxmoxObservation;
  readonly change: ChangeInterval;
  readonly previousPoll: Instant | null;
  readonly parts: PartIndex;
  readonly reads: PartReadRow[];
  readonly events: InventoryEvent[];
  /** The incarnation that this run found under each VMID. */
  readonly incarnations: Map<number, number>;
}

/** The read row of one attempt: a failure keeps the time of the last success. */
export function readRow(source: string, read: PartRead, known: PartState): PartReadRow {
  const { key, askedAt: at, result } = read;
  const { part, kind: state } = result;
  switch (result.kind) {
    case 'read':
      return { source, part, key, state, askedAt: at, attemptedAt: at, failures: 0, reason: null };
    case 'none':
      return { source, part, key, state, askedAt: at, attemptedAt: at, failures: 0, reason: result.reason };
    case 'failed': {
      const { askedAt, failures } = known;
      return { source, part, key, state, askedAt, attemptedAt: at, failures: failures + 1, reason: result.reason };
    }
  }
}

export function endGuest(writes: Writes, guest: GuestView, at: Instant): void {
  const key = String(guest.vmid);
  writes.end(writes.key('guest', key, guest.incarnation), at);
  if (guest.config !== null) writes.end(writes.key('guest.config', key, guest.incarnation), at);
  if (guest.interfaces !== null) writes.end(writes.key('guest.addresses', key, guest.incarnation), at);
  if (guest.power !== null) writes.end(writes.key('guest.power', key, guest.incarnation), at);
}

/** A service that answered. */
export function goodServiceState(
  known: SourceState,
  { askedAt, notes }: { readonly askedAt: Instant; readonly notes: readonly string[] },
  finishedAt: Instant,
): SourceState {
  return {
    ...known,
    outcome: 'OBSERVED',
    reason: null,
    notes,
    firstSuccessAt: known.firstSuccessAt ?? askedAt,
    lastSuccessAt: askedAt,
    lastFullAt: askedAt,
    lastAttemptAt: finishedAt,
    unreachableSince: null,
    failures: 0,
    backOffUntil: null,
  };
}
