import { sourceStale } from '../domain/coverage.js';
import type {
  HardwareHealth,
  HardwarePart,
  HardwareReport,
  HardwareSection,
  HardwareUpdates,
  KeptRecord,
  RecordBodies,
} from '../domain/record.js';
import type { Instant } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import { freshness } from './freshness.js';
import type { Freshness, NodeRecord } from './records.js';

/** What is known of a node's machine. */
export interface NodeHardware {
  readonly by: 'SSH' | 'API';
  /** The sections that were ever read; of others nothing is known. */
  readonly sections: readonly HardwareSection[];
  readonly parts: readonly HardwarePart[];
  readonly disks: HardwareHealth['disks'];
  readonly updates: HardwareUpdates['packages'] | null;
  readonly freshness: Freshness;
}

type HardwareKind = 'hardware' | 'hardware.health' | 'hardware.updates';

/** A node may be read over SSH and over the API: who asks the machine itself tells more. */
function best<K extends HardwareKind>(
  view: InventoryView,
  kind: K,
  node: NodeRecord,
): KeptRecord<RecordBodies[K]> | undefined {
  const prefix = `hardware:${node.cluster}`;
  const at = (source: string) => view.records[kind].get(`${source} ${node.name}`);
  return (at(`${prefix}/${node.name}`) ?? at(prefix)) as KeptRecord<RecordBodies[K]> | undefined;
}

/** undefined: nobody was asked for it, or nobody answered yet. */
export function hardwareOf(view: InventoryView, node: NodeRecord, now: Instant): NodeHardware | undefined {
  const report = best(view, 'hardware', node);
  const health = best(view, 'hardware.health', node);
  const updates = best(view, 'hardware.updates', node);
  const source = report?.source ?? health?.source ?? updates?.source;
  const state = source === undefined ? undefined : view.services.get(source);
  if (state === undefined) return undefined;
  const body: HardwareReport | undefined = report?.body;
  return {
    by: body?.by ?? health?.body.by ?? 'API',
    sections: body?.sections ?? [],
    parts: body?.parts ?? [],
    disks: health?.body.disks ?? [],
    updates: updates?.body.packages ?? null,
    freshness: freshness(state.lastSuccessAt, sourceStale(state, view, now), state.reason, now),
  };
}
