import { serviceCovered } from '../coverage.js';
import type { Evidence } from '../finding.js';
import type { KeptRecord, RecordBodies, RecordKind } from '../record.js';
import { controllerScopes } from '../sightings.js';
import type { ChangeInterval, Instant } from '../time.js';
import type { InventoryView } from '../view.js';
import type { World } from './world.js';

/** A service answered lately: what it says may be held against something. */
export function isCovered(world: World, source: string): boolean {
  return serviceCovered(world.view, source, world.now);
}

/** The records of a kind whose services are still collected. */
export function* recordsOf<K extends RecordKind>(view: InventoryView, kind: K): Iterable<KeptRecord<RecordBodies[K]>> {
  for (const record of view.records[kind].values()) if (view.services.has(record.source)) yield record;
}

/** When a record came to say what it says; at the first look at its service: that look. */
export function recordChange(world: World, { source, since }: Pick<KeptRecord<unknown>, 'source' | 'since'>) {
  const firstLook = world.view.services.get(source)?.firstSuccessAt ?? null;
  return since.before === null ? ({ after: null, before: firstLook } satisfies ChangeInterval) : since;
}

/** When a service was last asked. */
export function lookedAt(world: World, source: string): Instant | null {
  return world.view.services.get(source)?.lastSuccessAt ?? null;
}

export function serviceEvidence(world: World, source: string, text: string): Evidence {
  return { source, text, at: lookedAt(world, source) };
}

/** Whoever would have heard somebody answer in a scope: neighbour tables of its clusters' hosts, controllers of its LAN. */
export function observersOf(world: World, scope: string): readonly string[] {
  const lans = controllerScopes(world.view);
  return [...world.view.services.values()].flatMap(({ kind, source, cluster }) => {
    if (kind === 'unifi') return lans.get(source) === scope ? [source] : [];
    const settings = kind === 'ip_neigh' ? world.view.clusters.get(cluster)?.settings : undefined;
    if (settings === undefined) return [];
    const rules = settings.addressScopes.map((rule) => rule.scope);
    const isThere =
      settings.addressScope === scope || rules.some((own) => scope === own || scope.startsWith(`${own}@`));
    return isThere ? [source] : [];
  });
}
