import type { KnownCluster, KnownGuest, ObservedRow, PartAge, ReadPlan, SlicePart } from '../../domain/observation.js';
import { type Instant, MINUTE, SECOND } from '../../domain/time.js';
import { backedOffUntil, chooseReads } from '../proxmox/plan.js';
import type { Poll } from './poll.js';

/** What to read besides the list. One command reads all configs, so the question is when, and of which guests it is told. */
export interface Reads {
  /** Guests whose configs are read. None: the command is not sent. */
  readonly configs: readonly ObservedRow[];
  /** Guests whose addresses part is looked at: it costs nothing. */
  readonly addresses: readonly ObservedRow[];
  /** Nodes whose power detail is read. */
  readonly power: readonly string[];
  /** VMIDs whose absence is in question. */
  readonly vmids: readonly number[];
}

// A pvesh costs the host most of a second of work: so many nodes' power details a poll, the others in the next ones.
const POWER_PER_POLL = 8;
// However small the estate, what did not change is not read more often than this.
const SHORTEST_ROUND = MINUTE;
/** A pass over SSH is over when its commands are: nothing goes on behind it. */
const NOTHING_UNDER_WAY: ReadonlySet<string> = new Set();
const FREE: PartAge = { askedAt: Number.MAX_SAFE_INTEGER, attemptedAt: Number.MAX_SAFE_INTEGER, failures: 0 };

/**
 * What changed and what was asked for is read as over the API. What did not change comes once a round, all at once:
 * the round is as long as the API's slices would take.
 */
export function chooseShellReads(polled: Poll, known: KnownCluster, plan: ReadPlan, pollSeconds: number): Reads {
  const all = plan.mode === 'all';
  const { rows, nodes, quorate, askedAt: at } = polled;
  const touched = polled.touched ?? new Set();
  const seen = { at, rows, nodes, quorate, touched, underWay: NOTHING_UNDER_WAY, known: withoutSlice(known) };
  const changed = chooseReads({ ...seen, plan: { ...plan, slice: 0 } });
  const whole = chooseReads({ ...seen, plan: { ...plan, mode: 'all' } });
  const isDue = due(at, roundMs(known, plan, pollSeconds));
  const isKnownAndDue = (guest: KnownGuest | undefined) => guest !== undefined && isDue(guest.parts.config, 'config');
  const reachable = whole.guests.map(({ row }) => row);
  const everything =
    all || polled.touched === undefined || reachable.some(({ vmid }) => isKnownAndDue(known.guests.get(vmid)));
  const nodesDue = whole.power
    .filter((node) => !changed.power.includes(node) && isDue(known.power.get(node), 'power'))
    .sort((a, b) => attempted(known.power.get(a)) - attempted(known.power.get(b)));
  const questions = new Set([...changed.vmids, ...whole.vmids.filter((vmid) => isDue(known.vmids.get(vmid), 'vmid'))]);
  return {
    configs: everything ? reachable : changed.guests.filter(({ config }) => config).map(({ row }) => row),
    addresses: everything ? reachable : changed.guests.map(({ row }) => row),
    power: all ? whole.power : [...changed.power, ...nodesDue.slice(0, POWER_PER_POLL)],
    vmids: [...questions],
  };
}

/** No addresses part is worth a place in a slice: there is nothing to ask for. */
function withoutSlice(known: KnownCluster): KnownCluster {
  const guests = [...known.guests].map(([vmid, guest]) => {
    const parts = { ...guest.parts, addresses: FREE };
    return [vmid, { ...guest, parts }] as const;
  });
  return { ...known, guests: new Map(guests) };
}

/** A little less than the API's round, so that a part is read before its interval has passed, not at the next poll after. */
function roundMs(known: KnownCluster, { slice }: ReadPlan, pollSeconds: number): number {
  const parts = 2 * known.guests.size + known.power.size + known.vmids.size;
  return Math.max(SHORTEST_ROUND, (0.9 * parts * pollSeconds * SECOND) / Math.max(1, slice));
}

function due(at: Instant, round: number): (age: PartAge | undefined, part: SlicePart) => boolean {
  return (age, part) => at - attempted(age) >= round && backedOffUntil(age, part) <= at;
}

function attempted(age: PartAge | undefined): Instant {
  return age?.attemptedAt ?? 0;
}
