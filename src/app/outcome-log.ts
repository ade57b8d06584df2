import type { Logger } from '../telemetry.js';

interface Outcome {
  readonly source: string;
  readonly outcome: string;
  readonly reason: string | null;
}

/** Tells once that a source is out of reach, however often it is asked, and once that it is back. */
export function outcomeLog(log: Logger): (run: Outcome) => void {
  const outcomes = new Map<string, string>();
  return ({ source, outcome, reason }) => {
    const before = outcomes.get(source) ?? 'OBSERVED';
    outcomes.set(source, outcome);
    if (outcome === before || outcome === 'DISABLED') return;
    if (outcome === 'OBSERVED') log.info({ source }, 'the source answers again');
    else log.warn({ source, reason }, 'the source is out of reach; what was last known of it stays');
  };
}
