import type {
  KnownCluster,
  KnownGuest,
  ObservedNode,
  ObservedRow,
  PartAge,
  PartKey,
  ReadPlan,
  SlicePart,
} from '../../domain/observation.js';
import { type Instant, MINUTE, SECOND } from '../../domain/time.js';
import { isChanged, powerMayDiffer } from './changes.js';

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

export interface PlanInput {
  readonly at: Instant;
  /** Without quorum nobody can prove an absence: VMIDs are not asked for. */
  readonly quorate: boolean;
  /** Parts (`partName`) that an earlier pass still reads: they are asked for again only where they are outdated. */
  readonly underWay: ReadonlySet<string>;
  readonly rows: readonly ObservedRow[];
  readonly nodes: readonly ObservedNode[];
  readonly touched: ReadonlySet<number>;
  readonly known: KnownCluster;
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

type Part = PartKey & { readonly age: PartAge | undefined; readonly free: boolean };

/** Decides what to read: everything, or what changed, then what was asked for, then the longest unread. */
export function chooseReads(input: PlanInput): Reads {
  const estate = estateOf(input);
  const chosen = new Map<string, PartKey>();
  const choose = (part: PartKey) => chosen.set(partName(part), part);
  const all = input.plan.mode === 'all';
  if (all) for (const part of estate.parts.values()) choose(part);
  const changed = changedParts(input, estate);
  for (const part of changed) choose(part);
  for (const part of missingProofs(input, estate, all)) choose(part);
  const urgent = new Set(chosen.keys());
  const asked = input.plan.asked.filter((part) => (all ? estate.has(part) : isToBeAsked(input, estate, part)));
  for (const part of asked) choose(part);
  for (const part of slice(input, estate, chosen)) choose(part);
  for (const part of asked) urgent.add(partName(part));
  const outdated = new Set(changed.map(partName));
  const mayWait = (vmid: number) => {
    const isNew = !input.known.guests.has(vmid);
    return !all && (isNew ? !asked.some(({ key }) => key === String(vmid)) : !urgent.has(`addresses ${vmid}`));
  };
  return { ...grouped([...chosen.values()], estate, mayWait, outdated), outdated };
}

/** A read that would settle a doubt goes first, but not against its back-off: a dead agent gets no better by asking. */
function isToBeAsked({ at, underWay }: PlanInput, estate: Estate, part: PartKey): boolean {
  const age = estate.parts.get(partName(part))?.age;
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

interface Estate {
  /** Every part that can be asked for now: of guests on nodes that are not offline, of those nodes, and of VMIDs in question. */
  readonly parts: ReadonlyMap<string, Part>;
  readonly guests: ReadonlyMap<number, ObservedRow>;
  has(part: PartKey): boolean;
}

function estateOf({ rows, nodes, known, quorate }: PlanInput): Estate {
  // A call to an offline node is proxied into the void and costs half a minute.
  const offline = new Set(nodes.filter((node) => node.status === 'OFFLINE').map((node) => node.name));
  const reachable = rows.filter((row) => !offline.has(row.node));
  const listed = new Set(rows.map((row) => row.vmid));
  const missing = [...known.guests.keys()].filter((vmid) => !listed.has(vmid));
  const questions = new Set([...missing, ...[...known.vmids.keys()].filter((vmid) => !listed.has(vmid))]);
  const powered = new Set(reachable.filter((row) => row.kind === 'QEMU').map((row) => row.node));
  const parts: Part[] = [
    ...reachable.flatMap((row) => guestParts(row, known.guests.get(row.vmid))),
    ...[...powered].map((node) => paid('power', node, known.power.get(node))),
    ...(quorate ? [...questions].map((vmid) => paid('vmid', String(vmid), known.vmids.get(vmid))) : []),
  ];
  const byName = new Map(parts.map((part) => [partName(part), part]));
  const isQuestion = ({ part, key }: PartKey) =>
    quorate && part === 'vmid' && /^\d{3,9}$/.test(key) && !listed.has(Number(key));
  return {
    parts: byName,
    guests: new Map(reachable.map((row) => [row.vmid, row])),
    has: (part) => byName.has(partName(part)) || isQuestion(part),
  };
}

function guestParts(row: ObservedRow, known: KnownGuest | undefined): readonly Part[] {
  const key = String(row.vmid);
  const config = paid('config', key, known?.parts.config);
  // Whether a guest without statistics runs is not known: its addresses are neither read nor said to be none.
  if (row.status === 'UNKNOWN') return [config];
  const free = row.status === 'STOPPED' || (row.kind === 'QEMU' && known?.agent === false);
  return [config, { part: 'addresses', key, age: known?.parts.addresses, free }];
}

function paid(part: SlicePart, key: string, age: PartAge | undefined): Part {
  return { part, key, age, free: false };
}

function changedParts({ at, touched, known }: PlanInput, estate: Estate): readonly PartKey[] {
  return [...estate.guests.values()].flatMap((row): readonly PartKey[] => {
    const before = known.guests.get(row.vmid);
    const isTouched = touched.has(row.vmid);
    if (!isTouched && before !== undefined && !isChanged(before.row, row, at)) return [];
    const key = String(row.vmid);
    const parts = guestParts(row, before).map(({ part }) => ({ part, key }));
    const power = row.kind === 'QEMU' && (isTouched || before === undefined || powerMayDiffer(before.row, row));
    return power ? [...parts, { part: 'power', key: row.node }] : parts;
  });
}

/** Known guests that the list does not show: first those that were there a poll ago, then the hidden ones in turn. */
function missingProofs({ at, known }: PlanInput, estate: Estate, all: boolean): readonly PartKey[] {
  const due = [...estate.parts.values()].filter((part) => {
    if (part.part !== 'vmid') return false;
    const guest = known.guests.get(Number(part.key));
    if (guest === undefined || backedOffUntil(part.age, 'vmid') > at) return false;
    return (
      !guest.row.hidden || !isProvenThere(guest, part.age) || at - (part.age?.attemptedAt ?? 0) >= HIDDEN_PROOF_AGE
    );
  });
  const rank = (part: Part) => (known.guests.get(Number(part.key))?.row.hidden === true ? 1 : 0);
  return due.sort((a, b) => rank(a) - rank(b) || byAge(a, b)).slice(0, all ? undefined : PROOFS_PER_POLL);
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
): readonly PartKey[] {
  const taken: Part[] = [];
  let left = plan.slice;
  const waiting = [...estate.parts].flatMap(([name, part]) =>
    !chosen.has(name) && !underWay.has(name) && backedOffUntil(part.age, part.part) <= at ? [part] : [],
  );
  for (const part of waiting.sort(byAge)) {
    if (left <= 0) break;
    if (!part.free) left -= 1;
    taken.push(part);
  }
  return taken;
}

/** Never attempted first, then the longest ago. */
function byAge(a: Part, b: Part): number {
  const attempted = ({ age }: Part) => age?.attemptedAt ?? Number.NEGATIVE_INFINITY;
  const [x, y] = [attempted(a), attempted(b)];
  return x === y ? 0 : x - y;
}

function grouped(
  parts: readonly PartKey[],
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
      guests.set(Number(key), { ...wanted, [part]: true });
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
