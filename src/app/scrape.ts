import { type InventoryView, sourceStates } from '../domain/view.js';
import type { ScrapeReading } from '../telemetry.js';

/** What the metrics say of the view, read once a scrape. */
export function scrapeReading(view: InventoryView, now: number): ScrapeReading {
  const counts = new Map<string, { kind: string; state: string; count: number }>();
  for (const { identity, state } of view.findings.byId.values()) {
    const key = `${identity.kind} ${state}`;
    const known = counts.get(key) ?? { kind: identity.kind, state, count: 0 };
    counts.set(key, { ...known, count: known.count + 1 });
  }
  return {
    sources: sourceStates(view)
      // Without a policy.yaml every default holds: nothing is down.
      .filter(({ kind, outcome }) => kind !== 'policy' || outcome !== 'NEVER')
      .map((state) => ({
        source: state.source,
        up: state.outcome === 'OBSERVED',
        ageSeconds: state.lastSuccessAt === null ? null : Math.max(0, (now - state.lastSuccessAt) / 1_000),
      })),
    findings: [...counts.values()],
  };
}
