import { said } from './absorb-declared.js';
import { carriedAddresses, scopeOf } from './carried.js';
import { sameValue } from './content-hash.js';
import type { Declaration, KeptDeclaration } from './declaration.js';
import { declarationsOf } from './declared-sources.js';
import type {
  ClusterRow,
  GuestIdentity,
  GuestInterfaces,
  GuestPower,
  GuestRow,
  GuestStatus,
  KeptConfig,
  NodeRow,
  VmidRow,
} from './guest.js';
import { type GuestKey, guestId, guestKey } from './guest.js';
import type { InventorySettings } from './settings.js';
import { DAY, FIRST_LOOK, type Instant } from './time.js';
import type { PartReadRow, SourceState, Version } from './version.js';
import {
  type AbsenceProof,
  type ClusterView,
  type DeclaredMeta,
  type GuestView,
  type InventoryView,
  type KeptDeclared,
  NEVER_READ,
  type NodeView,
  type PartState,
} from './view.js';

/** What a run (or a start) adds to what is known: the shape in which the store hands it over. */
export interface Learned {
  readonly seq: bigint;
  readonly opened: readonly Version[];
  readonly ended: readonly { readonly version: Version; readonly validTo: Instant }[];
  readonly reads: readonly PartReadRow[];
  readonly states: readonly SourceState[];
}

/** Removed declarations are remembered this long: until then every part they speak of was read again. */
const REMEMBER_REMOVED = DAY;

/** The maps of a view while it is being made of the last one. */
interface Draft {
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
    }
  >;
  /** Nodes that came, went, or changed status: their guests are touched too. */
  readonly touchedNodes: Set<string>;
  /** Guests that something was learned of, each a copy of this draft's own. What follows from their parts is worked out at the end. */
  readonly touched: Map<GuestKey, DraftGuest>;
}

type DraftGuest = { -readonly [K in keyof GuestView]: GuestView[K] };
type PartKind = 'guest.config' | 'guest.addresses' | 'guest.power';

/**
 * The next inventory view: the last one and what was learned since. Objects that nothing was learned of are shared.
 * A version that ended and was followed by another is a change, not a loss: the new one takes its place.
 */
export function learn(view: InventoryView, learned: Learned, settings: InventorySettings): InventoryView {
  const draft = draftOf(view, speaksOfDeclared(learned));
  for (const state of learned.states) learnState(draft, state, settings);
  const followed = new Set(learned.ended.length === 0 ? [] : learned.opened.map(versionId));
  for (const { version } of learned.ended) {
    if (!followed.has(versionId(version))) forget(draft, version);
  }
  // Parts belong to a guest, so the guest is learned before them, in whatever order they come.
  for (const version of learned.opened) if (version.kind === 'guest') learnVersion(draft, version);
  for (const version of learned.opened) if (version.kind !== 'guest') learnVersion(draft, version);
  learnDeclaredRows(draft, learned);
  for (const read of learned.reads) learnRead(draft, read, learned);
  touchGuestsOnNodes(draft);
  for (const guest of draft.touched.values()) settle(guest, draft);
  return viewOf(view, draft, learned.seq, settings);
}

/** The same knowledge under other settings: other scopes, clusters named or not, declared sources on or off. */
export function relearn(view: InventoryView, settings: InventorySettings): InventoryView {
  const draft = draftOf(view, true);
  for (const cluster of draft.clusters.values())
    draft.clusters.set(cluster.name, { ...cluster, settings: settings.cluster(cluster.name) });
  for (const key of draft.guestsByKey.keys()) touched(draft, key);
  for (const guest of draft.touched.values()) settle(guest, draft);
  return viewOf(view, draft, view.seq, settings);
}

function versionId({ source, kind, cluster, key, incarnation }: Version): string {
  return `${source}\n${kind}\n${cluster}\n${key}\n${incarnation}`;
}

function speaksOfDeclared({ opened, ended, states }: Learned): boolean {
  const isDeclared = ({ kind }: Version) => kind === 'declared.row' || kind === 'declared.meta';
  return (
    states.some((state) => state.kind === 'declared') ||
    opened.some(isDeclared) ||
    ended.some(({ version }) => isDeclared(version))
  );
}

/** `withDeclared`: what people wrote down may change; else it is the same object in the next view, and so is what was made of it. */
function draftOf(view: InventoryView, withDeclared: boolean): Draft {
  const declared = withDeclared ? [...view.declared] : [];
  return {
    withDeclared,
    clusters: new Map(view.clusters),
    nodes: new Map(view.nodes),
    guestsByKey: new Map(view.guestsByKey),
    identities: new Map(view.identities),
    absences: new Map(view.absences),
    absenceReads: new Map(view.absenceReads),
    declared: new Map(declared.map(([name, kept]) => [name, { ...kept, rows: new Map(kept.rows) }])),
    touched: new Map(),
    touchedNodes: new Set(),
  };
}

function learnState(draft: Draft, state: SourceState, settings: InventorySettings): void {
  if (state.kind === 'declared') {
    const kept = draft.declared.get(state.source);
    draft.declared.set(state.source, { meta: null, rows: new Map(), removed: [], ...kept, state });
    return;
  }
  if (state.outcome === 'RETIRED') {
    draft.clusters.delete(state.cluster);
    for (const key of [...draft.absenceReads.keys()])
      if (key.startsWith(`${state.cluster}/`)) draft.absenceReads.delete(key);
    return;
  }
  const known = draft.clusters.get(state.cluster);
  draft.clusters.set(state.cluster, {
    name: state.cluster,
    settings: known?.settings ?? settings.cluster(state.cluster),
    state,
    row: known?.row ?? null,
  });
}

/** The guest under a key as this draft may write on it. */
function touched(draft: Draft, key: GuestKey): DraftGuest | undefined {
  const own = draft.touched.get(key);
  if (own !== undefined) return own;
  const known = draft.guestsByKey.get(key);
  if (known === undefined) return undefined;
  const copy = { ...known };
  introduce(draft, copy);
  return copy;
}

function introduce(draft: Draft, guest: DraftGuest): void {
  draft.touched.set(guest.key, guest);
  draft.guestsByKey.set(guest.key, guest);
}

/** The guest that a part's version speaks of; undefined where another one lives there now. */
function touchedIn(draft: Draft, key: GuestKey, incarnation: number): DraftGuest | undefined {
  return draft.guestsByKey.get(key)?.incarnation === incarnation ? touched(draft, key) : undefined;
}

function forget(draft: Draft, version: Version): void {
  const key = `${version.cluster}/${version.key}`;
  switch (version.kind) {
    case 'guest':
      if (draft.guestsByKey.get(key)?.incarnation !== version.incarnation) return;
      draft.guestsByKey.delete(key);
      draft.touched.delete(key);
      return;
    case 'guest.config':
    case 'guest.addresses':
    case 'guest.power':
      forgetPart(touchedIn(draft, key, version.incarnation), version.kind);
      return;
    case 'guest.identity':
      draft.identities.delete(key);
      return;
    case 'node':
      draft.nodes.delete(key);
      draft.touchedNodes.add(key);
      return;
    case 'cluster': {
      const cluster = draft.clusters.get(version.cluster);
      if (cluster !== undefined) draft.clusters.set(version.cluster, { ...cluster, row: null });
      return;
    }
    case 'vmid':
      draft.absences.delete(key);
      return;
    case 'declared.meta': {
      const kept = draft.declared.get(version.source);
      if (kept !== undefined) kept.meta = null;
      return;
    }
    case 'declared.row':
      return;
  }
}

function forgetPart(guest: DraftGuest | undefined, kind: PartKind): void {
  if (guest === undefined) return;
  const { config, addresses, power } = guest.changed;
  switch (kind) {
    case 'guest.config':
      guest.config = null;
      guest.configSince = null;
      guest.changed = { config: FIRST_LOOK, addresses, power };
      return;
    case 'guest.addresses':
      guest.interfaces = null;
      guest.changed = { config, addresses: FIRST_LOOK, power };
      return;
    case 'guest.power':
      guest.power = null;
      guest.changed = { config, addresses, power: FIRST_LOOK };
      return;
  }
}

/**
 * Declared rows as they came and went, in order of time. What a row said and says no more is remembered, whether it went
 * away or was edited: a carried address that a person just renumbered is held against the new row once it was read again.
 */
function learnDeclaredRows(draft: Draft, { opened, ended }: Learned): void {
  const isRow = (version: Version) => version.kind === 'declared.row';
  const steps = [
    ...ended
      .filter(({ version }) => isRow(version))
      .flatMap(({ version, validTo }) => [
        { at: version.validFrom, version, gone: false },
        { at: validTo, version, gone: true },
      ]),
    ...opened.filter(isRow).map((version) => ({ at: version.validFrom, version, gone: false })),
  ];
  // At one moment the old word ends before the new one begins; a word that ended as it began is heard first.
  steps.sort((a, b) => a.at - b.at || a.version.validFrom - b.version.validFrom || Number(a.gone) - Number(b.gone));
  // An end with a successor at the same moment is an edit: it shows in the successor's step.
  const begins = new Map<string, Version>();
  for (const { at, version, gone } of steps) if (!gone) begins.set(`${at} ${versionId(version)}`, version);
  for (const { at, version, gone } of steps) {
    const kept = draft.declared.get(version.source);
    if (kept === undefined || (gone && (begins.get(`${at} ${versionId(version)}`) ?? version) !== version)) continue;
    const before = kept.rows.get(version.key);
    const row = version.body as KeptDeclaration;
    if (gone) kept.rows.delete(version.key);
    else kept.rows.set(version.key, row);
    if (before !== undefined && (gone || !sameValue(said(before), said(row)))) remember(kept, before, at);
  }
  // Which of two rows of one source has the word must not depend on which was written down last.
  for (const source of new Set(steps.map(({ version }) => version.source))) {
    const kept = draft.declared.get(source);
    if (kept !== undefined) kept.rows = new Map([...kept.rows].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function remember(kept: { removed: KeptDeclared['removed'] }, row: Declaration, goneAt: Instant): void {
  kept.removed = [...kept.removed.filter((one) => one.goneAt > goneAt - REMEMBER_REMOVED), { row, goneAt }];
}

function learnVersion(draft: Draft, version: Version): void {
  const key = `${version.cluster}/${version.key}`;
  switch (version.kind) {
    case 'guest': {
      const row = version.body as GuestRow;
      const same = touchedIn(draft, key, version.incarnation);
      if (same !== undefined) same.row = row;
      else introduce(draft, newGuest(version, row));
      return;
    }
    case 'guest.config':
    case 'guest.addresses':
    case 'guest.power':
      learnPart(touchedIn(draft, key, version.incarnation), version.kind, version);
      return;
    case 'guest.identity':
      draft.identities.set(key, version.body as GuestIdentity);
      return;
    case 'node': {
      const known = draft.nodes.get(key);
      const row = version.body as NodeRow;
      draft.nodes.set(key, {
        id: key,
        cluster: version.cluster,
        name: version.key,
        power: known?.power ?? NEVER_READ,
        row,
      });
      if (known?.row.status !== row.status) draft.touchedNodes.add(key);
      return;
    }
    case 'cluster': {
      const cluster = draft.clusters.get(version.cluster);
      if (cluster !== undefined) draft.clusters.set(version.cluster, { ...cluster, row: version.body as ClusterRow });
      return;
    }
    case 'vmid':
      draft.absences.set(key, { free: (version.body as VmidRow).free, askedAt: version.validFrom });
      return;
    case 'declared.meta': {
      const kept = draft.declared.get(version.source);
      if (kept !== undefined) kept.meta = version.body as DeclaredMeta;
      return;
    }
    case 'declared.row':
      return;
  }
}

function learnPart(guest: DraftGuest | undefined, kind: PartKind, version: Version): void {
  if (guest === undefined) return;
  const change = { after: version.priorReadAt, before: version.validFrom };
  const { config, addresses, power } = guest.changed;
  switch (kind) {
    case 'guest.config': {
      const body = version.body as KeptConfig;
      guest.config = body;
      guest.configSince = version.validFrom;
      guest.changed = { config: body.devicesSince, addresses, power };
      return;
    }
    case 'guest.addresses':
      guest.interfaces = version.body as GuestInterfaces;
      guest.changed = { config, addresses: change, power };
      return;
    case 'guest.power':
      guest.power = version.body as GuestPower;
      guest.changed = { config, addresses, power: change };
      return;
  }
}

function newGuest(version: Version, row: GuestRow): DraftGuest {
  const vmid = Number(version.key);
  return {
    id: guestId(version.cluster, vmid, version.incarnation),
    key: guestKey(version.cluster, vmid),
    cluster: version.cluster,
    vmid,
    incarnation: version.incarnation,
    row,
    config: null,
    interfaces: null,
    power: null,
    parts: { config: NEVER_READ, addresses: NEVER_READ },
    changed: { config: FIRST_LOOK, addresses: FIRST_LOOK, power: FIRST_LOOK },
    configSince: null,
    status: 'UNKNOWN',
    carried: [],
    firstScope: 'default',
  };
}

function learnRead(draft: Draft, read: PartReadRow, learned: Learned): void {
  const cluster = clusterOf(draft, read.source, learned);
  if (cluster === undefined) return;
  const key = `${cluster}/${read.key}`;
  const { state, askedAt, attemptedAt, failures, reason } = read;
  const part: PartState = { state, askedAt, attemptedAt, failures, reason };
  if (read.part === 'power') {
    const node = draft.nodes.get(key);
    if (node !== undefined) draft.nodes.set(key, { ...node, power: part });
    return;
  }
  if (read.part === 'vmid') {
    draft.absenceReads.set(key, part);
    const proof = draft.absences.get(key);
    if (proof !== undefined && askedAt !== null) draft.absences.set(key, { ...proof, askedAt });
    return;
  }
  const guest = touched(draft, key);
  if (guest === undefined) return;
  const { config, addresses } = guest.parts;
  guest.parts = read.part === 'config' ? { config: part, addresses } : { config, addresses: part };
}

function clusterOf(draft: Draft, source: string, learned: Learned): string | undefined {
  const name = source.startsWith('proxmox:') ? source.slice('proxmox:'.length) : undefined;
  if (name === undefined) return undefined;
  return draft.clusters.has(name) || learned.states.some((s) => s.source === source) ? name : undefined;
}

function touchGuestsOnNodes(draft: Draft): void {
  if (draft.touchedNodes.size === 0) return;
  for (const guest of draft.guestsByKey.values()) {
    if (draft.touchedNodes.has(`${guest.cluster}/${guest.row.node}`)) touched(draft, guest.key);
  }
}

const SUSPENDED = new Set([
  'paused',
  'suspended',
  'prelaunch',
  'postmigrate',
  'io-error',
  'internal-error',
  'guest-panicked',
]);

/** The row's word; PAUSED where the power detail says so; UNKNOWN while the guest's node is not online. */
function effectiveStatus(guest: GuestView, draft: Draft): GuestStatus {
  if (draft.nodes.get(`${guest.cluster}/${guest.row.node}`)?.row.status !== 'ONLINE') return 'UNKNOWN';
  if (guest.row.status === 'RUNNING' && guest.power !== null && SUSPENDED.has(guest.power.qmpStatus)) return 'PAUSED';
  return guest.row.status;
}

/** Works out what follows from a guest's parts: status and carried addresses. */
function settle(guest: DraftGuest, draft: Draft): void {
  const cluster = draft.clusters.get(guest.cluster);
  if (cluster === undefined) return;
  const { row, config, interfaces, parts } = guest;
  const status = effectiveStatus(guest, draft);
  const lastWord = status === 'UNKNOWN' ? row.status : status;
  const readings = { kind: row.kind, node: row.node, status: lastWord, config, interfaces, parts };
  const [first] = config?.devices ?? [];
  guest.status = status;
  guest.carried = carriedAddresses(readings, cluster.settings);
  guest.firstScope = first === undefined ? cluster.settings.addressScope : scopeOf(cluster.settings, row.node, first);
}

function viewOf(view: InventoryView, draft: Draft, seq: bigint, settings: InventorySettings): InventoryView {
  for (const [key, guest] of draft.guestsByKey) if (!draft.clusters.has(guest.cluster)) draft.guestsByKey.delete(key);
  for (const [key, node] of draft.nodes) if (!draft.clusters.has(node.cluster)) draft.nodes.delete(key);
  const guestsByKey = sortedGuests(draft.guestsByKey);
  return {
    ...view,
    number: view.number + 1,
    seq,
    contract: settings.contract,
    clusters: sortedByKey(draft.clusters),
    nodes: sortedByKey(draft.nodes),
    guestsByKey,
    guests: new Map([...guestsByKey.values()].map((guest) => [guest.id, guest])),
    identities: draft.identities,
    absences: draft.absences,
    absenceReads: draft.absenceReads,
    ...(draft.withDeclared && { declared: draft.declared, declarations: declarationsOf(draft.declared, settings) }),
  };
}

function sortedByKey<T>(map: ReadonlyMap<string, T>): ReadonlyMap<string, T> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function sortedGuests(guests: Map<string, GuestView>): ReadonlyMap<string, GuestView> {
  const list = [...guests.values()];
  const inOrder = list.every((guest, i) => {
    const before = list[i - 1];
    return (
      before === undefined ||
      before.cluster < guest.cluster ||
      (before.cluster === guest.cluster && before.vmid < guest.vmid)
    );
  });
  if (inOrder) return guests;
  list.sort((a, b) => (a.cluster === b.cluster ? a.vmid - b.vmid : a.cluster < b.cluster ? -1 : 1));
  return new Map(list.map((guest) => [guest.key, guest]));
}
