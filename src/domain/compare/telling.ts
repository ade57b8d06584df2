import type { CarriedAddress } from '../carried.js';
import type { DeclaredFact, DriftFindingKind, Evidence, FindingId, FindingIdentity, Subject } from '../finding.js';
import { findingId } from '../finding.js';
import type { GuestKey } from '../guest.js';
import { categoryOf, severityOf } from '../severity.js';
import { type ChangeInterval, isoTime } from '../time.js';
import type { GuestView } from '../view.js';
import { sinceOf, type Verdict, type World } from './world.js';

/** What a rule knows of a difference; severity, category and id follow. */
export interface Told {
  readonly kind: DriftFindingKind;
  readonly subject: Subject;
  readonly field: string;
  readonly declared: string | null;
  readonly observed: string | null;
  readonly declaredBy: readonly DeclaredFact[];
  readonly evidence: readonly Evidence[];
  readonly message: string;
  readonly guests: readonly GuestView[];
  readonly clusters: readonly string[];
  /** The changes on both sides that it could have begun with. */
  readonly changes: readonly ChangeInterval[];
  readonly swallowers: readonly (readonly FindingId[])[];
}

export function so(world: World, told: Told): Verdict {
  const { kind, subject, field, changes, guests, clusters, ...rest } = told;
  const identity: FindingIdentity = { kind, subject, field };
  const afters = changes.flatMap((change) => (change.after === null ? [] : [change.after]));
  const firstLook = Math.max(0, ...clusters.map((name) => world.view.clusters.get(name)?.state.firstSuccessAt ?? 0));
  const before = sinceOf(changes) || firstLook;
  return {
    kind: 'so',
    difference: {
      ...rest,
      identity,
      id: findingId(identity),
      severity: severityOf(kind, world.policy),
      category: categoryOf(kind, world.policy),
      guests: guests.map((guest) => guest.id),
      clusters,
      onsetAfter: afters.length === 0 ? null : Math.min(Math.max(...afters), before),
      onsetBefore: before === 0 ? null : before,
      swallowedBy: undefined,
    },
  };
}

export function idOf(kind: DriftFindingKind, subjectId: string, field = ''): FindingId {
  return `${kind}:${subjectId}:${field}`;
}

export function guestSubject(guest: GuestView): Subject {
  return { kind: 'GUEST', id: guest.id };
}

/** How a guest is called in a sentence. */
export function called(guest: GuestView): string {
  return guest.row.name === null ? guest.key : `${guest.key} (${guest.row.name})`;
}

export function missingIds(key: GuestKey, vmid: number): readonly FindingId[] {
  return [idOf('GUEST_MISSING', key), idOf('GUEST_MISSING', `*/${vmid}`)];
}

export function rowEvidence(world: World, guest: GuestView, text: string): Evidence {
  const at = world.view.clusters.get(guest.cluster)?.state.lastSuccessAt ?? null;
  return { source: `proxmox:${guest.cluster}`, text, at };
}

export function addressEvidence(guest: GuestView, carried: CarriedAddress): readonly Evidence[] {
  return carried.evidence.map(({ source, at }) => ({
    source: `proxmox:${guest.cluster}`,
    text: `${called(guest)} has ${carried.address} on ${carried.device} by its ${source.toLowerCase()}${at === null ? '' : `, asked ${isoTime(at)}`}`,
    at,
  }));
}
