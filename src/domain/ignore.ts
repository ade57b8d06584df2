import { type Cidr, type IpAddress, inCidr, ipAddress } from './address.js';
import type { Difference, DriftFindingKind } from './finding.js';
import type { Instant } from './time.js';
import type { GuestView, InventoryView } from './view.js';

/** A rule of the policy: what matches all that it names is counted and listed, and told to nobody. null: not named. */
export interface IgnoreRule {
  readonly kinds: readonly DriftFindingKind[] | null;
  readonly address: Cidr | null;
  readonly vmids: readonly { readonly from: number; readonly to: number }[] | null;
  /** `*` stands for any text, `?` for one character; letter case does not count. */
  readonly name: string | null;
  readonly tag: string | null;
  readonly pool: string | null;
  readonly cluster: string | null;
  /** It holds before this moment; null: for ever. */
  readonly until: Instant | null;
  readonly reason: string | null;
}

/** What of a difference, or of a finding that nobody can look at right now, a rule is held against. */
export type Ignorable = Pick<Difference, 'identity' | 'guests' | 'clusters' | 'declared' | 'observed' | 'declaredBy'>;

/**
 * Finds the first rule that holds now and ignores a difference. Where two guests (or addresses) are in it, the rule must
 * name both: the trouble that an ignored guest makes for another one is still told.
 */
export function ignoring(
  rules: readonly IgnoreRule[],
  view: InventoryView,
  now: Instant,
): (what: Ignorable) => IgnoreRule | undefined {
  const holding = rules.filter((rule) => holds(rule, now)).map((rule) => ({ rule, test: testOf(rule, view) }));
  if (holding.length === 0) return () => undefined;
  return (what) => holding.find(({ test }) => test(what))?.rule;
}

export function holds({ until }: IgnoreRule, now: Instant): boolean {
  return until === null || now < until;
}

function testOf(rule: IgnoreRule, view: InventoryView): (what: Ignorable) => boolean {
  const { kinds, address, vmids, name, tag, pool, cluster } = rule;
  const tests: ((what: Ignorable) => boolean)[] = [];
  if (kinds !== null) tests.push(({ identity }) => kinds.includes(identity.kind));
  if (cluster !== null) tests.push((what) => all(clustersOf(what), (one) => one === cluster));
  if (vmids !== null)
    tests.push((what) => all(vmidsOf(what), (vmid) => vmids.some(({ from, to }) => from <= vmid && vmid <= to)));
  if (address !== null) tests.push((what) => all(addressesOf(what), (one) => inCidr(one, address)));
  if (tag !== null) tests.push((what) => all(guestsOf(what, view), (guest) => guest?.row.tags.includes(tag) === true));
  if (pool !== null) tests.push((what) => all(guestsOf(what, view), (guest) => guest?.row.pool === pool));
  if (name !== null) {
    const pattern = globbed(name);
    tests.push((what) => all(namesOf(what, view), (one) => pattern.test(one)));
  }
  return (what) => tests.every((test) => test(what));
}

/** Of nothing nothing is true: a rule that names a tag says nothing of what has no guest. */
function all<T>(list: readonly T[], test: (item: T) => boolean): boolean {
  return list.length > 0 && list.every(test);
}

function globbed(glob: string): RegExp {
  const parts = glob.replace(/\*+/g, '*').split(/([*?])/);
  const source = parts.map((part) =>
    part === '*' ? '.*' : part === '?' ? '.' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&'),
  );
  return new RegExp(`^${source.join('')}$`, 'isu');
}

/** `cluster/vmid@n` or `cluster/vmid` of every guest in it, living or only declared. */
function placesOf({ guests, identity: { subject } }: Ignorable): readonly string[] {
  if (guests.length > 0) return guests;
  return subject.kind === 'GUEST' ? [subject.id] : [];
}

function vmidsOf(what: Ignorable): readonly number[] {
  return placesOf(what).map((id) => Number.parseInt(id.slice(id.lastIndexOf('/') + 1), 10));
}

function clustersOf(what: Ignorable): readonly string[] {
  const { subject } = what.identity;
  const own = subject.kind === 'MAC' || subject.kind === 'PROXMOX_NODE' ? [subject.id] : [];
  const named = [...placesOf(what), ...own].map((id) => id.slice(0, id.lastIndexOf('/')));
  return [...what.clusters, ...named];
}

function guestsOf({ guests }: Ignorable, view: InventoryView): readonly (GuestView | undefined)[] {
  return guests.map((id) => view.guests.get(id));
}

/** The names of its guests; of one that is only declared, the declared one; of a node its own. */
function namesOf(what: Ignorable, view: InventoryView): readonly string[] {
  if (what.guests.length > 0) return guestsOf(what, view).map((guest) => guest?.row.name ?? '');
  const { subject } = what.identity;
  if (subject.kind === 'PROXMOX_NODE') return [subject.id.slice(subject.id.indexOf('/') + 1)];
  return what.declaredBy.flatMap(({ field, value }) => (field === 'name' ? [value] : []));
}

/** The address it is about, else those that either side names: `10.0.0.5, 10.0.0.6`, `10.0.0.5:8080`, `[fd00::5]:8080`. */
function addressesOf({ identity: { subject }, declared, observed }: Ignorable): readonly IpAddress[] {
  if (subject.kind === 'ADDRESS') return literal(subject.id.slice(subject.id.lastIndexOf('/') + 1));
  return [declared, observed].flatMap((value) => (value ?? '').split(/[\s,;]+/)).flatMap(literal);
}

function literal(word: string): IpAddress[] {
  const address =
    ipAddress(word) ?? ipAddress(word.replace(/^\[(.*)\](?::\d+)?$/, '$1').replace(/^([\d.]+):\d+$/, '$1'));
  return address === undefined ? [] : [address];
}
