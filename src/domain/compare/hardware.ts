import type { Subject } from '../finding.js';
import { isForeign, knowsNodes } from '../foreign-hosts.js';
import { type PartChange, partChanges, partText } from '../hardware-parts.js';
import type { HardwareHealth, HardwareReport, KeptRecord, RecordBodies } from '../record.js';
import type { InventoryView } from '../view.js';
import { isCovered, recordChange, recordsOf, serviceEvidence } from './services.js';
import { so } from './telling.js';
import { AGREES, DOUBT, type Rule, type Verdict, type World } from './world.js';

type HardwareKind = 'hardware' | 'hardware.health';

const byNode = new WeakMap<InventoryView, Map<HardwareKind, ReadonlyMap<string, KeptRecord<unknown>>>>();

/**
 * The record of each node, by `cluster/node`. Where a node was read by two sources (first over the API, then over SSH), its
 * own host's word counts: `hardware:main/pve1` goes before `hardware:main`, which leaves such a node out. What was read
 * under a name that no node of the cluster has is nobody's.
 */
function nodeRecords<K extends HardwareKind>(
  view: InventoryView,
  kind: K,
): ReadonlyMap<string, KeptRecord<RecordBodies[K]>> {
  const known = byNode.get(view) ?? new Map<HardwareKind, ReadonlyMap<string, KeptRecord<unknown>>>();
  byNode.set(view, known);
  let records = known.get(kind) as ReadonlyMap<string, KeptRecord<RecordBodies[K]>> | undefined;
  if (records === undefined) {
    const found = new Map<string, KeptRecord<RecordBodies[K]>>();
    for (const record of recordsOf(view, kind)) {
      if (!view.clusters.has(record.cluster) || isForeign(view, record.cluster, record.key)) continue;
      const node = `${record.cluster}/${record.key}`;
      const other = found.get(node);
      if (other === undefined || other.source.length < record.source.length) found.set(node, record);
    }
    records = found;
    known.set(kind, records);
  }
  return records;
}

/**
 * What a person accepts who acknowledges HARDWARE_CHANGED of a node (`cluster/node`): this record's body, written as the
 * `hardware.accepted` of the same source and key. undefined: the node's hardware is not collected.
 */
export function partsToAccept(view: InventoryView, node: string): KeptRecord<HardwareReport> | undefined {
  return nodeRecords(view, 'hardware').get(node);
}

/** What HARDWARE_CHANGED says of a node by this view: the parts that went, and those that came. undefined: nothing. */
export function changedParts(
  view: InventoryView,
  node: string,
): { readonly declared: string | null; readonly observed: string | null } | undefined {
  const record = nodeRecords(view, 'hardware').get(node);
  const accepted = record === undefined ? undefined : view.records['hardware.accepted'].get(record.id);
  if (record === undefined || accepted === undefined) return undefined;
  const changes = partChanges(accepted.body, record.body);
  return changes.length === 0 ? undefined : sides(changes);
}

const NOT_COLLECTED = { kind: 'agrees', reason: 'its hardware is no longer collected' } as const satisfies Verdict;
const NO_NODE = { kind: 'agrees', reason: 'its cluster has no such node' } as const satisfies Verdict;

function unread(view: InventoryView, node: string): Verdict {
  const [cluster = '', name = ''] = node.split('/');
  return isForeign(view, cluster, name) ? NO_NODE : NOT_COLLECTED;
}

/** A cluster that was never polled may have no such node: until it was, what is read of a host is held against nothing. */
function isHeard(world: World, { source, cluster }: KeptRecord<unknown>): boolean {
  return knowsNodes(world.view, cluster) && isCovered(world, source);
}

function nodeSubject(id: string): Subject {
  return { kind: 'PROXMOX_NODE', id };
}

/** Parts of a node came, went or were replaced since a person last accepted them. */
export const hardwareChanged: Rule = {
  kind: 'HARDWARE_CHANGED',

  *candidates(world) {
    for (const node of nodeRecords(world.view, 'hardware').keys()) yield { subject: nodeSubject(node), field: '' };
  },

  judge(world, subject) {
    const record = nodeRecords(world.view, 'hardware').get(subject.id);
    if (record === undefined) return unread(world.view, subject.id);
    const accepted = world.view.records['hardware.accepted'].get(record.id);
    if (accepted === undefined || !isHeard(world, record)) return DOUBT;
    const changes = partChanges(accepted.body, record.body);
    return changes.length === 0 ? AGREES : changed(world, subject, record, changes);
  },
};

function changed(
  world: World,
  subject: Subject,
  record: KeptRecord<HardwareReport>,
  changes: readonly PartChange[],
): Verdict {
  const sentences = changes.map(sentence);
  return so(world, {
    kind: 'HARDWARE_CHANGED',
    subject,
    field: '',
    ...sides(changes),
    declaredBy: [],
    evidence: sentences.map((text) => serviceEvidence(world, record.source, text)),
    message: `${subject.id}: ${sentences.join('; ')}`,
    guests: [],
    clusters: [record.cluster],
    changes: [recordChange(world, record)],
    swallowers: [],
  });
}

function sides(changes: readonly PartChange[]) {
  const gone = changes.flatMap((change) => (change.kind === 'added' ? [] : [partText(change.was)]));
  const come = changes.flatMap((change) => (change.kind === 'removed' ? [] : [partText(change.is)]));
  return {
    declared: gone.length === 0 ? null : gone.join('; '),
    observed: come.length === 0 ? null : come.join('; '),
  };
}

function sentence(change: PartChange): string {
  switch (change.kind) {
    case 'added':
      return `${partText(change.is)} was added`;
    case 'removed':
      return `${partText(change.was)} was removed`;
    case 'replaced':
      return `${partText(change.was)} was replaced by ${partText(change.is)}`;
  }
}

/** SMART's own verdict on a disk. */
export const diskFailing: Rule = {
  kind: 'DISK_FAILING',

  *candidates(world) {
    for (const [node, { body }] of nodeRecords(world.view, 'hardware.health'))
      for (const { disk, verdict } of body.disks)
        if (verdict === 'FAILED') yield { subject: nodeSubject(node), field: disk };
  },

  judge(world, subject, field) {
    const record = nodeRecords(world.view, 'hardware.health').get(subject.id);
    if (record === undefined) return unread(world.view, subject.id);
    if (!isHeard(world, record)) return DOUBT;
    const disk = record.body.disks.find((one) => one.disk === field);
    if (disk === undefined)
      return isStillThere(world, subject, field) ? DOUBT : { kind: 'agrees', reason: 'the disk is no longer there' };
    if (disk.verdict === 'UNKNOWN') return DOUBT;
    return disk.verdict === 'PASSED' ? AGREES : failing(world, subject, record, disk);
  },
};

/** The parts list still has the disk, or was read without disks: that SMART says nothing of it is no news of it. */
function isStillThere(world: World, subject: Subject, disk: string): boolean {
  const parts = nodeRecords(world.view, 'hardware').get(subject.id)?.body;
  if (parts === undefined) return false;
  return (
    !parts.sections.includes('disks') ||
    parts.parts.some(({ section, serial, place }) => section === 'disks' && (serial === disk || place === disk))
  );
}

function failing(
  world: World,
  subject: Subject,
  record: KeptRecord<HardwareHealth>,
  disk: HardwareHealth['disks'][number],
): Verdict {
  const left = disk.lifeLeftPercent === null ? [] : [`${disk.lifeLeftPercent} % of its life left`];
  const called = `disk ${disk.device}${disk.model === null ? '' : ` (${disk.model})`}, ${disk.disk}`;
  return so(world, {
    kind: 'DISK_FAILING',
    subject,
    field: disk.disk,
    declared: null,
    observed: disk.verdict,
    declaredBy: [],
    evidence: [`SMART says ${disk.verdict}`, ...disk.counters, ...left].map((text) =>
      serviceEvidence(world, record.source, text),
    ),
    message: `${subject.id}: SMART says that ${called} is failing`,
    guests: [],
    clusters: [record.cluster],
    changes: [recordChange(world, record)],
    swallowers: [],
  });
}
