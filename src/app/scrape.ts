import type { InventoryView } from '../domain/view.js';
import type { ScrapeReading } from '../telemetry.js';

/** What the metrics say of the view, read once a scrape. */
export function scrapeReading(view: InventoryView, now: number): ScrapeReading {
  const states = [
    ...[...view.clusters.values()].map((cluster) => cluster.state),
    ...[...view.declared.values()].map((declared) => declared.state),
    ...view.services.values(),
  ];
  const counts = new Map<string, { kind: string; state: string; count: number }>();
  for (const { identity, state } of view.findings.byId.values()) {
    const key = `${identity.kind} ${state}`;
    const known = counts.get(key) ?? { kind: identity.kind, state, count: 0 };
    counts.set(key, { ...known, count: known.count + 1 });
  }
  return {
    sources: states
      .filter((state) => state.outcome !== 'RETIRED')
      .map((state) => ({
        source: state.source,
        up: state.outcome === 'OBSERVED',
        ageSeconds: state.lastSuccessAt === null ? null : Math.max(0, (now - state.lastSuccessAt) / 1_000),
      })),
    findings: [...counts.values()],
  };
}
