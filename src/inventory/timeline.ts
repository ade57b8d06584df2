import { demand, type Principal } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import { SEVERITIES, type Severity } from '../domain/finding.js';
import { seesFinding } from '../domain/sees-finding.js';
import { DAY, HOUR, type Instant } from '../domain/time.js';
import type { FindingTimeline, Store } from '../store/store.js';

export const TIME_BUCKETS = ['HOUR', 'DAY', 'WEEK'] as const;
export type TimeBucket = (typeof TIME_BUCKETS)[number];

/** What happened to findings in one hour, day or week. */
export interface DriftBucketRecord {
  readonly from: Instant;
  readonly to: Instant;
  readonly opened: number;
  readonly resolved: number;
  readonly reopened: number;
  /** At the end of the bucket; of the one that is not over: now. */
  readonly open: number;
  readonly openBySeverity: readonly { readonly severity: Severity; readonly count: number }[];
}

const LENGTH: Readonly<Record<TimeBucket, number>> = { HOUR, DAY, WEEK: 7 * DAY };
/** Weeks begin on Monday, as ISO 8601 has it; 1970-01-05 was the first one. */
const FIRST: Readonly<Record<TimeBucket, Instant>> = { HOUR: 0, DAY: 0, WEEK: 4 * DAY };
const MOST_BUCKETS = 1_000;

/** The whole buckets (UTC) that the time from `from` to `to` touches, by the findings' own history. */
export async function driftTimeline(
  principal: Principal,
  store: { readonly findings: Pick<Store['findings'], 'timeline' | 'touching'> },
  wanted: { readonly from: Instant; readonly to: Instant; readonly bucket: TimeBucket },
): Promise<readonly DriftBucketRecord[]> {
  demand(principal, 'drift:read');
  const { start, count, length } = bucketsOf(wanted);
  const times = { from: start, to: start + count * length };
  const told = await store.findings.timeline(times, length, await seen(principal, store, times));
  return bucketRecords(told, start, count, length);
}

function bucketsOf({ from, to, bucket }: { from: Instant; to: Instant; bucket: TimeBucket }) {
  if (from >= to) throw new DomainError('VALIDATION_ERROR', 'from must be earlier than to', { field: ['from'] });
  const length = LENGTH[bucket];
  const start = Math.floor((from - FIRST[bucket]) / length) * length + FIRST[bucket];
  const count = Math.ceil((to - start) / length);
  if (count > MOST_BUCKETS) {
    const message = `that are ${count} buckets, at most ${MOST_BUCKETS} are told: ask for less time or larger buckets`;
    throw new DomainError('VALIDATION_ERROR', message, { field: ['bucket'] });
  }
  return { start, count, length };
}

/** Which findings the caller may see; undefined: all. A finding belongs to whom it belongs to now. */
async function seen(
  principal: Principal,
  store: { readonly findings: Pick<Store['findings'], 'touching'> },
  times: { readonly from: Instant; readonly to: Instant },
): Promise<readonly string[] | undefined> {
  if (principal.tenants === 'all') return undefined;
  const findings = await store.findings.touching(times);
  return findings.filter((finding) => seesFinding(principal, finding)).map(({ id }) => id);
}

function bucketRecords(
  { before, steps, moves }: FindingTimeline,
  start: Instant,
  count: number,
  length: number,
): readonly DriftBucketRecord[] {
  const stepped = new Map(steps.map((step) => [`${step.n} ${step.type}`, step.count]));
  const moved = new Map(moves.map((move) => [`${move.n} ${move.severity}`, move.count]));
  const open = new Map<Severity, number>(before.map((row) => [row.severity, row.count]));
  return Array.from({ length: count }, (_, n) => {
    for (const severity of SEVERITIES)
      open.set(severity, (open.get(severity) ?? 0) + (moved.get(`${n} ${severity}`) ?? 0));
    const openBySeverity = SEVERITIES.map((severity) => ({ severity, count: open.get(severity) ?? 0 }));
    return {
      from: start + n * length,
      to: start + (n + 1) * length,
      opened: stepped.get(`${n} OPENED`) ?? 0,
      resolved: stepped.get(`${n} RESOLVED`) ?? 0,
      reopened: stepped.get(`${n} REOPENED`) ?? 0,
      open: openBySeverity.reduce((sum, row) => sum + row.count, 0),
      openBySeverity,
    };
  });
}
