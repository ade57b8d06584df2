import type { KnownGuest, ObservedRow, PartAge, PartKey, ReadPlan, SlicePart } from '../../domain/observation.js';
import { type Instant, MINUTE, SECOND } from '../../domain/time.js';
import { isChanged, powerMayDiffer } from './changes.js';
import { type Estate, estateOf, guestParts, type Listed, type Part } from './estate.js';

/** One guest's parts to read. `mayWait`: when time is short it may be left for a later poll without loss. */
export interface GuestRead {
  readonly row: ObservedRow;
  readonly config: boolean;
  readonly addresses: boolean;
  readonly mayWait: boolean;
  /** Its config decides which guest lives there now: what the list says of it is not handed over without. */
  readonly decides: boolean;
}

/** What to read besides the list, in the order of its urgency. */
export interface Reads {
  readonly guests: readonly GuestRead[];
  /** Nodes whose power detail is read. */
  readonly power: readonly string[];
  /** VMIDs whose absence is in question. */
  readonly vmids: readonly number[];
  /** Parts whose earlier reads say nothing any more (`partName`): what they are parts of has changed since. */
  readonly outdated: ReadonlySet<string>;
}

export interface PlanInput extends Listed {
  readonly at: Instant;
  /** Parts (`partName`) that an earlier pass still reads: they are asked for again only where they are outdated. */
  readonly underWay: ReadonlySet<string>;
  readonly touched: ReadonlySet<number>;
  readonly plan: ReadPlan;
}

// Guests that left the list at once (a token that lost its rights): so many proofs a poll, the rest in later ones.
const PROOFS_PER_POLL = 100;
// A hidden guest that was proven to be still there is asked for again no more often than this.
const HIDDEN_PROOF_AGE = MINUTE;
const LONGEST_BACK_OFF = 30 * MINUTE;
// A proof costs the cluster next to nothing, and a guest that is gone stays on show until it succeeds.
const FIRST_PROOF_BACK_OFF = 5 * SECOND;
const LONGEST_PROOF_BACK_OFF = MINUTE;

/** One name for a part, to look it up by. */
export function partName({ part, key }: PartKey): string {
  return `${part} ${key}`;
}

/** Decides what to read: everything, or what changed, then what was asked for, then the longest unread. */
export function chooseReads(input: PlanInput): Reads {
  const estate = estateOf(input);
  if (input.plan.mode === 'all') return everything(input, estate);
  const chosen = new Map<string, PartKey>();
  const choose = (part: PartKey) => chosen.set(partName(part), part);
  const changed = changedParts(input, estate);
  for (const [name, part] of changed) chosen.set(name, part);
  for (const part of missingProofs(input, estate)) choose(part);
  const urgent = new Set(chosen.keys());
  const asked = input.plan.asked.filter((part) => isToBeAsked(input, estate, part));
  for (const part of asked) choose(part);
  for (const part of slice(input, estate, chosen)) choose(part);
  for (const part of asked) urgent.add(partName(part));
  const outdated = new Set(changed.keys());
  const mayWait = (vmid: number) => {
    const isNew = !input.known.guests.has(vmid);
    return isNew ? !asked.some(({ key }) => key === String(vmid)) : !urgent.has(`addresses ${vmid}`);
  };
  return { ...grouped(chosen.values(), estate, mayWait, outdated), outdated };
}

/** A read that would settle a doubt goes first, but not against its back-off: a dead agent gets no better by asking. */
function isToBeAsked({ at, underWay }: PlanInput, estate: Estate, part: PartKey): boolean {
  const age = estate.find(part)?.age;
  return estate.has(part) && !underWay.has(partName(part)) && backedOffUntil(age, part.part) <= at;
}

/**
 * Until when a part that failed is left alone: 60 s doubled with each failure, at most half an hour; a proof of absence
 * 5 s, at most a minute.
 */
export function backedOffUntil(age: PartAge | undefined, part: SlicePart): Instant {
  if (age === undefined || age.failures <= 0 || age.attemptedAt === null) return 0;
  if (part === 'vmid') {
    const wait = FIRST_PROOF_BACK_OFF * 2 ** (age.failures - 1);
    return age.attemptedAt + Math.min(wait, LONGEST_PROOF_BACK_OFF);
  }
  return age.attemptedAt + Math.min(MINUTE * 2 ** age.failures, LONGEST_BACK_OFF);
}

/** Every part there is, and VMIDs that were asked for beside. Nothing is under way from before that could be outdated. */
function everything(input: PlanInput, estate: Estate): Reads {
  const guests: GuestRead[] = [];
  for (const row of estate.guests.values()) {
    const addresses = guestParts(row, undefined).length > 1;
    guests.push({ row, config: true, addresses, mayWait: false, decides: isToBeDecided(input, row) });
  }
  const power = [...estate.powered.keys()];
  const asked = input.plan.asked.filter((part) => part.part === 'vmid' && estate.has(part));
  const vmids = new Set([...estate.proofs, ...asked].map(({ key }) => Number(key)));
  return { guests, power, vmids: [...vmids], outdated: new Set() };
}

/** It is new, named in the log or the tasks, or shown as other than it was. */
function isToBeDecided({ at, touched, known }: PlanInput, row: ObservedRow): boolean {
  const before = known.guests.get(row.vmid);
  return before === undefined || touched.has(row.vmid) || isChanged(before.row, row, at);
}

function changedParts(input: PlanInput, estate: Estate): ReadonlyMap<string, PartKey> {
  const changed = new Map<string, PartKey>();
  const add = (part: PartKey) => changed.set(partName(part), part);
  const { touched, known } = input;
  for (const row of estate.guests.values()) {
    if (!isToBeDecided(input, row)) continue;
    const before = known.guests.get(row.vmid);
    const isTouched = touched.has(row.vmid);
    for (const part of guestParts(row, before)) add(part);
    const power = row.kind === 'QEMU' && (isTouched || before === undefined || powerMayDiffer(before.row, row));
    if (power) add({ part: 'power', key: row.node });
  }
  return changed;
}

/** Known guests that the list does not show: first those that were there a poll ago, then the hidden ones in turn. */
function missingProofs({ at, known }: PlanInput, estate: Estate): readonly PartKey[] {
  const due = estate.proofs.filter((part) => {
    const guest = known.guests.get(Number(part.key));
    if (guest === undefined || backedOffUntil(part.age, 'vmid') > at) return false;
    return (
      !guest.row.hidden || !isProvenThere(guest, part.age) || at - (part.age?.attemptedAt ?? 0) >= HIDDEN_PROOF_AGE
    );
  });
  const rank = (part: Part) => (known.guests.get(Number(part.key))?.row.hidden === true ? 1 : 0);
  return due.sort((a, b) => rank(a) - rank(b) || byAge(a, b)).slice(0, PROOFS_PER_POLL);
}

/** Its last proof succeeded (else it would be gone), and was asked since it left the list. */
function isProvenThere({ row }: KnownGuest, age: PartAge | undefined): boolean {
  if (age === undefined || age.failures > 0 || age.askedAt === null) return false;
  return age.askedAt >= (row.since.presence.before ?? 0);
}

/** The longest unread, so many that cost a request; what costs none goes along on the way. */
function slice(
  { at, plan, underWay }: PlanInput,
  estate: Estate,
  chosen: ReadonlyMap<string, PartKey>,
): readonly Part[] {
  const taken: Part[] = [];
  let left = plan.slice;
  if (left <= 0) return taken;
  for (const part of longestUnread(estate, left + chosen.size + underWay.size, at).sort(byAge)) {
    if (left <= 0) break;
    const name = partName(part);
    if (chosen.has(name) || underWay.has(name)) continue;
    if (!part.free) left -= 1;
    taken.push(part);
  }
  return taken;
}

/** The parts that are due, among which are the `count` that were longest unread and cost a request, and few others. Unsorted. */
function longestUnread(estate: Estate, count: number, at: Instant): Part[] {
  const times: number[] = [];
  estate.each((part, _, age, free) => {
    if (!free && backedOffUntil(age, part) <= at) times.push(attempted(age));
  });
  const last = Float64Array.from(times).sort()[count - 1] ?? Number.POSITIVE_INFINITY;
  const parts: Part[] = [];
  estate.each((part, key, age, free) => {
    if (attempted(age) <= last && backedOffUntil(age, part) <= at) parts.push({ part, key: String(key), age, free });
  });
  return parts;
}

/** Never attempted first, then the longest ago. */
function byAge(a: Part, b: Part): number {
  const [x, y] = [attempted(a.age), attempted(b.age)];
  return x === y ? 0 : x - y;
}

function attempted(age: PartAge | undefined): Instant {
  return age?.attemptedAt ?? Number.NEGATIVE_INFINITY;
}

function grouped(
  parts: Iterable<PartKey>,
  estate: Estate,
  mayWait: (vmid: number) => boolean,
  changed: ReadonlySet<string>,
): Omit<Reads, 'outdated'> {
  const guests = new Map<number, { config: boolean; addresses: boolean }>();
  const power: string[] = [];
  const vmids: number[] = [];
  for (const { part, key } of parts) {
    if (part === 'power') power.push(key);
    else if (part === 'vmid') vmids.push(Number(key));
    else {
      const wanted = guests.get(Number(key)) ?? { config: false, addresses: false };
      wanted[part] = true;
      guests.set(Number(key), wanted);
    }
  }
  const reads = [...guests].flatMap(([vmid, wanted]) => {
    const row = estate.guests.get(vmid);
    return row === undefined
      ? []
      : [{ row, ...wanted, mayWait: mayWait(vmid), decides: changed.has(`config ${vmid}`) }];
  });
  return { guests: reads, power, vmids };
}
