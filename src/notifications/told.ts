import type { ChangeRequestStep } from '../domain/change-request.js';
import type { Severity } from '../domain/finding.js';
import type { NotifyTarget } from '../domain/notify.js';
import { isGraver } from '../domain/severity.js';
import { tenantOf } from '../domain/tenancy.js';
import type { LogEvent } from '../store/store.js';

/** Besides findings, these are worth more than a note; what ends them is told to whoever heard of them. */
const SEVERITY_OF_TOPIC: Readonly<Record<string, Severity>> = {
  'collector.stale': 'WARNING',
  'collector.recovered': 'WARNING',
  'entitlement.exhausted': 'WARNING',
};

/** What a `drift.*` event says of the finding, before or after the step; written by this product under that topic. */
interface Facts {
  readonly severity: Severity;
  readonly guests: readonly string[];
  readonly clusters: readonly string[];
}
export interface DriftWord {
  readonly type: string;
  readonly findingId: string;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly actor: string | null;
  readonly reason: string | null;
  readonly before: Facts | null;
  readonly after: Facts;
}

export function driftWord({ topic, payload }: LogEvent): DriftWord | undefined {
  return topic.startsWith('drift.') ? (payload as DriftWord) : undefined;
}

/** The graver of before and after, so that whoever heard of it also hears that it became less. */
export function severityOf(event: LogEvent): Severity {
  const drift = driftWord(event);
  if (drift === undefined) return SEVERITY_OF_TOPIC[event.topic] ?? 'INFO';
  const { before, after } = drift;
  return before !== null && isGraver(before.severity, after.severity) ? before.severity : after.severity;
}

/** Whether the target is to hear of it at all: by topic, severity and tenant. */
export function isTold(event: LogEvent, { topics, minSeverity, tenant }: NotifyTarget): boolean {
  if (!topics.some((topic) => topic === event.topic)) return false;
  if (minSeverity !== null && isGraver(minSeverity, severityOf(event))) return false;
  return tenant === null || tenantsOf(event).includes(tenant);
}

/** Whose it is. What belongs to nobody in particular is told to targets of all tenants only. */
function tenantsOf(event: LogEvent): readonly (string | null)[] {
  const drift = driftWord(event);
  if (drift !== undefined) {
    const guests = guestsOf(drift);
    if (guests.length > 0) return guests.map(tenantOfGuest);
    const clusters = drift.after.clusters.length > 0 ? drift.after.clusters : ['*'];
    return clusters.map((cluster) => tenantOf({ cluster }));
  }
  if (event.topic.startsWith('guest.')) return [tenantOfGuest(event.subject.id)];
  if (event.topic.startsWith('node.')) return [tenantOf({ cluster: clusterIn(event.subject.id) })];
  if (event.topic.startsWith('change.')) return (event.payload as ChangeRequestStep).tenants;
  return [];
}

function guestsOf({ before, after }: DriftWord): readonly string[] {
  return [...(before?.guests ?? []), ...after.guests];
}

/** Of `cluster/vmid@n`. */
function tenantOfGuest(id: string): string | null {
  return tenantOf({ cluster: clusterIn(id), vmid: Number.parseInt(id.slice(id.lastIndexOf('/') + 1), 10) });
}

function clusterIn(id: string): string {
  return id.slice(0, id.lastIndexOf('/'));
}

/**
 * The event as this target may see it. A finding of two guests is told to both tenants, the other's part left out:
 * its guest is not named, nor are the values, which may speak of it.
 */
export function shownTo(target: Pick<NotifyTarget, 'tenant'>, event: LogEvent): LogEvent {
  const drift = driftWord(event);
  if (target.tenant === null || drift === undefined || !hidesPart(target.tenant, drift)) return event;
  const seen = (facts: Facts): Facts => ({
    ...facts,
    guests: facts.guests.filter((guest) => tenantOfGuest(guest) === target.tenant),
  });
  const { before, after } = drift;
  const payload: DriftWord = {
    ...drift,
    declared: null,
    observed: null,
    before: before === null ? null : seen(before),
    after: seen(after),
  };
  return { ...event, payload };
}

/** Whether some of it is another tenant's. */
export function hidesPart(tenant: string | null, drift: DriftWord): boolean {
  return tenant !== null && guestsOf(drift).some((guest) => tenantOfGuest(guest) !== tenant);
}
