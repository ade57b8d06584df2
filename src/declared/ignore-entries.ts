import { type Cidr, cidr } from '../domain/address.js';
import { DRIFT_KINDS, type DriftFindingKind } from '../domain/finding.js';
import type { IgnoreRule } from '../domain/ignore.js';
import { DAY, type Instant } from '../domain/time.js';
import type { Fields } from './fields.js';
import { didYouMean } from './nearest-word.js';

const MATCHING_KEYS = ['kinds', 'address', 'vmids', 'name', 'tag', 'pool', 'cluster'];
const OTHER_KEYS = ['until', 'reason'];
const HIGHEST_VMID = 999_999_999;

/** The rules of policy.yaml's `ignore`. A bad one is reported, and no part of the answer. `later`: kinds that nothing tells yet. */
export function ignoreRules(top: Fields, later: readonly string[]): readonly IgnoreRule[] {
  return (top.list('ignore') ?? []).flatMap((_, index) => {
    const entry = top.listEntry('ignore', index);
    return entry === undefined ? [] : [ruleOf(entry, later)];
  });
}

function ruleOf(entry: Fields, later: readonly string[]): IgnoreRule {
  entry.allow([...MATCHING_KEYS, ...OTHER_KEYS]);
  // A rule that names nothing would ignore everything.
  if (!MATCHING_KEYS.some((key) => entry.raw(key) !== undefined))
    entry.report('kinds', `is missing: name what to ignore, by ${MATCHING_KEYS.join(', ')}`);
  return {
    kinds: kindsOf(entry, later),
    address: addressOf(entry),
    vmids: vmidsOf(entry),
    name: entry.text('name') ?? null,
    tag: entry.text('tag') ?? null,
    pool: entry.text('pool') ?? null,
    cluster: entry.text('cluster') ?? null,
    until: untilOf(entry),
    reason: entry.text('reason') ?? null,
  };
}

function kindsOf(entry: Fields, later: readonly string[]): readonly DriftFindingKind[] | null {
  const list = entry.list('kinds');
  if (list === undefined) return null;
  if (list.length === 0) entry.report('kinds', 'is empty: name the kinds, or leave it out for all');
  return list.flatMap((value, index) => {
    const kind = DRIFT_KINDS.find((known) => known === value);
    if (kind === undefined && !later.includes(String(value)))
      entry.reportItem('kinds', index, `"${value}" is no kind of finding${didYouMean(String(value), DRIFT_KINDS)}`);
    return kind ?? [];
  });
}

function addressOf(entry: Fields): Cidr | null {
  const text = entry.text('address');
  const network = text === undefined ? undefined : cidr(text);
  if (text !== undefined && network === undefined)
    entry.report('address', `"${text}" is no address or prefix such as 10.0.0.0/24`);
  return network ?? null;
}

function vmidsOf(entry: Fields): IgnoreRule['vmids'] {
  const list = entry.list('vmids');
  if (list === undefined) return null;
  if (list.length === 0) entry.report('vmids', 'is empty: name the VMIDs, or leave it out for all');
  return list.flatMap((value, index) => {
    const [, from, to = from] = /^(\d{1,9})(?:\s*-\s*(\d{1,9}))?$/.exec(String(value).trim()) ?? [];
    const range = { from: Number(from), to: Number(to) };
    if (range.from >= 1 && range.from <= range.to && range.to <= HIGHEST_VMID) return range;
    entry.reportItem('vmids', index, `"${value}" is no VMID and no range such as "5000-5099"`);
    return [];
  });
}

/** A day alone means until its end, in UTC; else a moment with its zone. One that is over is no mistake: the rule ended. */
function untilOf(entry: Fields): Instant | null {
  const text = entry.text('until');
  if (text === undefined) return null;
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const isMoment = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/.test(text);
  const at = isDay ? dayEnd(text) : isMoment ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  entry.report('until', `"${text}" is no day such as 2027-06-30 and no moment such as 2027-06-30T18:00:00Z`);
  return null;
}

/** NaN for a day that no calendar has: `Date.parse` would take 30 February for 2 March. */
function dayEnd(day: string): Instant {
  const start = Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(start) || new Date(start).toISOString().slice(0, 10) !== day ? Number.NaN : start + DAY;
}
