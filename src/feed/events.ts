import { CHANGE_TOPIC_OF, type ChangeRequestStep } from '../domain/change-request.js';
import type { DriftFindingFilter, GuestFilter } from '../domain/filters.js';
import type {
  DriftCategory,
  DriftEventType,
  DriftFindingKind,
  DriftFindingState,
  FindingId,
  Severity,
} from '../domain/finding.js';
import type { GuestId, GuestKind } from '../domain/guest.js';
import type { InventoryEventType } from '../domain/inventory-event.js';
import type { Instant } from '../domain/time.js';
import type { LogEvent } from '../store/store.js';
import { cursorText } from './cursor.js';

export const DRIFT_TOPICS = [
  'drift.detected',
  'drift.updated',
  'drift.acknowledged',
  'drift.suppressed',
  'drift.resolved',
  'drift.reopened',
] as const;
export const INVENTORY_TOPICS = [
  'guest.created',
  'guest.removed',
  'guest.moved',
  'guest.power_changed',
  'guest.config_changed',
] as const;
export const CHANGE_TOPICS = Object.values(CHANGE_TOPIC_OF);

/** What of a finding a filter looks at, before or after an event. */
export interface FindingFacts {
  readonly state: DriftFindingState;
  readonly kind: DriftFindingKind;
  readonly severity: Severity;
  readonly category: DriftCategory;
  readonly clusters: readonly string[];
  readonly guests: readonly GuestId[];
}

/** Payload of a `drift.*` event. */
export interface DriftPayload {
  readonly type: DriftEventType;
  readonly findingId: FindingId;
  readonly actor: string | null;
  readonly reason: string | null;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly before: FindingFacts | null;
  readonly after: FindingFacts;
}

/** Payload of a `guest.*` event. `from` and `to`: nodes of a move, statuses of a power change. */
export interface InventoryPayload {
  readonly type: InventoryEventType;
  readonly guest: GuestId;
  readonly name: string | null;
  readonly kind: GuestKind;
  readonly from: string | null;
  readonly to: string | null;
}

export interface DriftEventRecord extends DriftPayload {
  readonly cursor: string;
  readonly at: Instant;
}

export interface InventoryEventRecord extends InventoryPayload {
  readonly cursor: string;
  readonly at: Instant;
}

export interface ChangeRequestEventRecord extends ChangeRequestStep {
  readonly cursor: string;
  readonly at: Instant;
}

/** The payload was written by this product under that topic: the topic says its type. */
export function driftEvent({ cursor, at, payload }: LogEvent): DriftEventRecord {
  return { ...(payload as DriftPayload), cursor: cursorText(cursor), at };
}

export function inventoryEvent({ cursor, at, payload }: LogEvent): InventoryEventRecord {
  return { ...(payload as InventoryPayload), cursor: cursorText(cursor), at };
}

export function changeRequestEvent({ cursor, at, payload }: LogEvent): ChangeRequestEventRecord {
  return { ...(payload as ChangeRequestStep), cursor: cursorText(cursor), at };
}

/** Whether the finding passes as it was before the event or as it is after: so a reader sees things leave, too. */
export function driftMatches(event: DriftEventRecord, filter: DriftFindingFilter): boolean {
  if (filter.since !== undefined && event.at < filter.since) return false;
  return [event.before, event.after].some((facts) => facts !== null && factsMatch(facts, event.findingId, filter));
}

function factsMatch(facts: FindingFacts, id: FindingId, filter: DriftFindingFilter): boolean {
  const { states, kinds, severities, categories, cluster, vmid } = filter;
  return (
    (states === undefined || states.includes(facts.state)) &&
    (kinds === undefined || kinds.includes(facts.kind)) &&
    (severities === undefined || severities.includes(facts.severity)) &&
    (categories === undefined || categories.includes(facts.category)) &&
    (cluster === undefined ||
      facts.clusters.includes(cluster) ||
      facts.guests.some((guest) => guest.startsWith(`${cluster}/`))) &&
    (vmid === undefined || vmidsIn(facts, id).includes(vmid))
  );
}

const SUBJECT_VMID = /^[A-Z_]+:[^:]*\/(\d+)(?:@\d+)?:[^:]*$/;

function vmidsIn(facts: FindingFacts, id: FindingId): number[] {
  const subject = SUBJECT_VMID.exec(id)?.[1];
  return [...facts.guests.map(vmidOf), ...(subject === undefined ? [] : [Number(subject)])];
}

/** The VMID of `cluster/vmid@n`. */
export function vmidOf(guest: GuestId): number {
  return Number.parseInt(guest.slice(guest.lastIndexOf('/') + 1), 10);
}

export function clusterOf(guest: GuestId): string {
  return guest.slice(0, guest.lastIndexOf('/'));
}

/** What the event itself says about a filter's fields; undefined: it does not say, the living guest must. */
export function inventoryMatches(event: InventoryEventRecord, filter: GuestFilter): boolean | undefined {
  const { cluster, kinds, ...rest } = filter;
  if (cluster !== undefined && clusterOf(event.guest) !== cluster) return false;
  if (kinds !== undefined && !kinds.includes(event.kind)) return false;
  const { node, statuses, search, ...others } = rest;
  const ends = [event.from, event.to].filter((end) => end !== null);
  const said: (boolean | undefined)[] = [
    node === undefined
      ? true
      : event.type === 'MOVED' && ends.some((end) => isNode(event, end, node))
        ? true
        : undefined,
    statuses === undefined
      ? true
      : event.type === 'POWER_CHANGED' && statuses.some((status) => ends.includes(status))
        ? true
        : undefined,
    search === undefined || event.name?.toLowerCase().includes(search.trim().toLowerCase()) ? true : undefined,
    Object.values(others).every((value) => value === undefined) ? true : undefined,
  ];
  return said.every((part) => part === true) ? true : undefined;
}

function isNode(event: InventoryEventRecord, end: string, node: string): boolean {
  return end === node || `${clusterOf(event.guest)}/${end}` === node;
}
