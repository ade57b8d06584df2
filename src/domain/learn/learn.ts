import { declarationsOf } from '../declared-sources.js';
import type { InventorySettings } from '../settings.js';
import { isServiceKind, type SourceState, type Version } from '../version.js';
import type { GuestView, InventoryView } from '../view.js';
import { learnDeclaredRows } from './declared-rows.js';
import { type Draft, draftOf, touched, versionId } from './draft.js';
import { settle, touchGuestsOnNodes } from './guest-status.js';
import type { Learned } from './learned.js';
import { learnRead } from './reads.js';
import { recordsOf } from './service-records.js';
import { forget, learnVersion } from './versions.js';

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

function speaksOfDeclared({ opened, ended, states, reads }: Learned): boolean {
  const isDeclared = ({ kind }: Version) => kind === 'declared.row' || kind === 'declared.meta';
  return (
    states.some((state) => state.kind === 'declared') ||
    reads.some((read) => read.part === 'vm') ||
    opened.some(isDeclared) ||
    ended.some(({ version }) => isDeclared(version))
  );
}

function learnState(draft: Draft, state: SourceState, settings: InventorySettings): void {
  if (isServiceKind(state.kind)) {
    if (state.outcome === 'RETIRED') draft.services.delete(state.source);
    else draft.services.set(state.source, state);
    return;
  }
  if (state.kind === 'policy') {
    draft.policy = { taken: draft.policy?.taken ?? null, state };
    return;
  }
  if (state.kind === 'declared') {
    const kept = draft.declared.get(state.source);
    draft.declared.set(state.source, { meta: null, rows: new Map(), removed: [], asked: new Map(), ...kept, state });
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

function viewOf(view: InventoryView, draft: Draft, seq: bigint, settings: InventorySettings): InventoryView {
  for (const [key, guest] of draft.guestsByKey) if (!draft.clusters.has(guest.cluster)) draft.guestsByKey.delete(key);
  for (const [key, node] of draft.nodes) if (!draft.clusters.has(node.cluster)) draft.nodes.delete(key);
  const guestsByKey = sortedGuests(draft.guestsByKey);
  return {
    ...view,
    number: view.number + 1,
    seq,
    contract: settings.contract,
    collectorsOff: settings.collectorsOff ?? [],
    clusters: sortedByKey(draft.clusters),
    policy: draft.policy,
    services: sortedByKey(draft.services),
    records: recordsOf(view, draft),
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
