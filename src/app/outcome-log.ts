import type { Trouble } from '../domain/part-troubles.js';
import type { Logger } from '../telemetry.js';

/** Tells once that parts of an estate cannot be read, and why, and once that they can again. */
export function troubleLog(log: Logger): (troubles: readonly Trouble[]) => void {
  let told: ReadonlyMap<string, Trouble> = new Map();
  return (troubles) => {
    const now = new Map(troubles.map((trouble) => [trouble.key, trouble]));
    for (const [key, { cluster, text }] of now) if (!told.has(key)) log.warn({ cluster }, text);
    for (const [key, { cluster, text }] of told) if (!now.has(key)) log.info({ cluster }, `over: ${text}`);
    told = now;
  };
}

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
