import type { InventoryEvent, NodeEvent } from '../domain/inventory-event.js';
import type { InventoryView } from '../domain/view.js';
import type { NewLogEvent, RunRecord } from '../store/store.js';
import type { RunResult } from './source.js';

/** What a run saw happen, as rows of the event log. */
export function eventsOf({ events, nodeEvents = [] }: RunResult, view: InventoryView): readonly NewLogEvent[] {
  return [...events.map((event) => guestEvent(event, view)), ...nodeEvents.map(nodeEvent)];
}

const NODE_TOPICS = { ADDED: 'node.added', REMOVED: 'node.removed', STATUS_CHANGED: 'node.status_changed' } as const;

function nodeEvent({ type, node, at, from, to }: NodeEvent): NewLogEvent {
  const subject = { kind: 'PROXMOX_NODE', id: node };
  return { topic: NODE_TOPICS[type], at, subject, payload: { type, node, from, to } };
}

const GUEST_TOPICS = {
  CREATED: 'guest.created',
  REMOVED: 'guest.removed',
  MOVED: 'guest.moved',
  POWER_CHANGED: 'guest.power_changed',
  CONFIG_CHANGED: 'guest.config_changed',
} as const;

function guestEvent({ type, guest, at, from, to }: InventoryEvent, view: InventoryView): NewLogEvent {
  const known = view.guests.get(guest);
  const name = known?.row.name ?? (type === 'CREATED' ? to : from);
  const payload = { type, guest, name, kind: known?.row.kind ?? null, from, to };
  return { topic: GUEST_TOPICS[type], at, subject: { kind: 'GUEST', id: guest }, payload };
}

export function runEvent(record: RunRecord): NewLogEvent {
  const subject = { kind: 'SOURCE', id: record.source };
  return { topic: 'collection.finished', at: record.finishedAt, subject, payload: record };
}
