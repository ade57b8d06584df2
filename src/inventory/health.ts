import type { Severity } from '../domain/finding.js';
import type { HealthParts } from './records.js';

/**
 * DRIFT §3: 100 × (1 − min(1, (10·critical + 3·warning + 0.5·info) ÷ max(10, guests))) − 10 per stale collector
 * (at most 30), not under 0, rounded. Only open findings are given in.
 */
export function healthOf(
  open: Iterable<{ readonly severity: Severity }>,
  guests: number,
  staleCollectors: number,
): { score: number; parts: HealthParts } {
  const count: Record<Severity, number> = { CRITICAL: 0, WARNING: 0, INFO: 0 };
  for (const finding of open) count[finding.severity]++;
  const weight = 10 * count.CRITICAL + 3 * count.WARNING + 0.5 * count.INFO;
  const lostByFindings = 100 * Math.min(1, weight / Math.max(10, guests));
  const lostByStaleness = Math.min(30, 10 * staleCollectors);
  return {
    score: Math.round(Math.max(0, 100 - lostByFindings - lostByStaleness)),
    parts: {
      critical: count.CRITICAL,
      warning: count.WARNING,
      info: count.INFO,
      guests,
      staleCollectors,
      lostByFindings,
      lostByStaleness,
    },
  };
}
