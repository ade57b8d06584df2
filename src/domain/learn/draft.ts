import type { KeptDeclaration } from '../declaration.js';
import type { GuestIdentity, GuestKey } from '../guest.js';
import type { KeptRecord, RecordKind } from '../record.js';
import type { Instant } from '../time.js';
import type { SourceState, Version } from '../version.js';
import type {
  AbsenceProof,
  ClusterView,
  DeclaredMeta,
  GuestView,
  InventoryView,
  KeptDeclared,
  KeptPolicy,
  NodeView,
  PartState,
} from '../view.js';

/** The maps of a view while it is being made of the last one. */
export interface Draft {
  /** The view that it is made of. */
  readonly view: InventoryView;
  readonly withDeclared: boolean;
  readonly clusters: Map<string, ClusterView>;
  readonly nodes: Map<string, NodeView>;
  readonly guestsByKey: Map<string, GuestView>;
  readonly identities: Map<string, GuestIdentity>;
  readonly absences: Map<string, AbsenceProof>;
  readonly absenceReads: Map<string, PartState>;
  readonly declared: Map<
    string,
    {
      state: SourceState;
      meta: DeclaredMeta | null;
      rows: Map<string, KeptDeclaration>;
      removed: KeptDeclared['removed'];
      asked: Map<GuestKey, Instant>;
    }
  >;
  policy: KeptPolicy | null;
  readonly services: Map<string, SourceState>;
  /** Kinds of records that something was learned of, each a map of this draft's own; the others are the last view's. */
  readonly records: Map<RecordKind, Map<string, KeptRecord<unknown>>>;
  /** Nodes that came, went, or changed status: their guests are touched too. */
  readonly touchedNodes: Set<string>;
  /** Guests that something was learned of, each a copy of this draft's own. What follows from their parts is worked out at the end. */
  readonly touched: Map<GuestKey, DraftGuest>;
}

export type DraftGuest = { -readonly [K in keyof GuestView]: GuestView[K] };

export function versionId({ source, kind, cluster, key, incarnation }: Version): string {
  return `${source}\n${kind}\n${cluster}\n${key}\n${incarnation}`;
}

/** `withDeclared`: what people wrote down may change; else it is the same object in the next view, and so is what was made of it. */
export function draftOf(view: InventoryView, withDeclared: boolean): Draft {
  const declared = withDeclared ? [...view.declared] : [];
  return {
    view,
    withDeclared,
    clusters: new Map(view.clusters),
    nodes: new Map(view.nodes),
    guestsByKey: new Map(view.guestsByKey),
    identities: new Map(view.identities),
    absences: new Map(view.absences),
    absenceReads: new Map(view.absenceReads),
    declared: new Map(
      declared.map(([name, kept]) => [name, { ...kept, rows: new Map(kept.rows), asked: new Map(kept.asked) }]),
    ),
    policy: view.policy,
    services: new Map(view.services),
    records: new Map(),
    touched: new Map(),
    touchedNodes: new Set(),
  };
}

/** The guest under a key as this draft may write on it. */
export function touched(draft: Draft, key: GuestKey): DraftGuest | undefined {
  const own = draft.touched.get(key);
  if (own !== undefined) return own;
  const known = draft.guestsByKey.get(key);
  if (known === undefined) return undefined;
  const copy = { ...known };
  introduce(draft, copy);
  return copy;
}

export function introduce(draft: Draft, guest: DraftGuest): void {
  draft.touched.set(guest.key, guest);
  draft.guestsByKey.set(guest.key, guest);
}

/** The guest that a part's version speaks of; undefined where another one lives there now. */
export function touchedIn(draft: Draft, key: GuestKey, incarnation: number): DraftGuest | undefined {
  return draft.guestsByKey.get(key)?.incarnation === incarnation ? touched(draft, key) : undefined;
}
