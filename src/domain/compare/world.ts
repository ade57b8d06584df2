import { proxmoxSourceName } from '../absorbing.js';
import type { IpAddress } from '../address.js';
import type { CarriedAddress } from '../carried.js';
import { classesOf } from '../classify.js';
import { Coverage } from '../coverage.js';
import type { Difference, DriftFindingKind, Subject } from '../finding.js';
import type { AddressClass, Policy } from '../policy.js';
import type { ChangeInterval, Instant } from '../time.js';
import type { GuestView, InventoryView } from '../view.js';
import type { Binding, Row } from './binding.js';
import { type Carrier, carriersOf } from './carriers.js';
import { withoutStaleServices } from './in-reach.js';
import type { NodeNames } from './names.js';
import { bindingOf } from './rebinding.js';

/** A read that would settle a doubt. `row` is the next poll itself; `vm` one guest (`cluster/vmid`) of a declared service. */
export interface Ask {
  /** `proxmox:main`, `declared:netbox:dcim`. */
  readonly source: string;
  readonly part: 'row' | 'config' | 'addresses' | 'power' | 'vmid' | 'vm';
  readonly key: string;
}

/**
 * What may be said of one identity now.
 * `doubt`: not covered on one side, not settled, or not read since the other side changed. It opens and resolves nothing.
 */
export type Verdict =
  | { readonly kind: 'so'; readonly difference: Difference; readonly due?: Instant | null }
  | { readonly kind: 'agrees'; readonly reason?: string; readonly due?: Instant | null }
  | { readonly kind: 'doubt'; readonly asks: readonly Ask[]; readonly due: Instant | null };

export const AGREES: Verdict = { kind: 'agrees' };
export const DOUBT: Verdict = { kind: 'doubt', asks: [], due: null };

export function doubt(asks: readonly Ask[], due: Instant | null = null): Verdict {
  return { kind: 'doubt', asks, due };
}

/** A guest and the rows that are bound to it. */
export interface Bound {
  readonly guest: GuestView;
  readonly rows: readonly Row[];
}

/** That a guest and its rows differ in nothing, as long as this holds as well. */
export interface Agreement {
  /** None of these addresses is virtual: such a one is nobody's own. */
  readonly addresses: readonly IpAddress[];
  /** The policy asks for no longer time between a guest's start and its reading than this. */
  readonly ranFor: number;
}

export const AGREED: Agreement = { addresses: [], ranFor: Number.POSITIVE_INFINITY };

/** One kind of drift: who could have it, and whether one identity has it. */
export interface Rule {
  readonly kind: DriftFindingKind;
  /** Whoever could have it; of guests with rows, those that are `restless` are enough. */
  candidates(world: World, restless: readonly Bound[]): Iterable<{ readonly subject: Subject; readonly field: string }>;
  /**
   * Of a rule over guests and their rows: whether these two differ in nothing, by themselves. Then `judge` has nothing to
   * tell, to ask or to wait for, whatever is covered, as long as no finding of theirs lives and their cluster was listed
   * since the rows were written. Nothing else may be looked at: the answer is kept with the guest.
   */
  agreement?(bound: Bound, nodes: NodeNames): Agreement | undefined;
  judge(world: World, subject: Subject, field: string): Verdict;
}

/** Everything one comparison looks at. */
export interface World {
  readonly view: InventoryView;
  readonly policy: Policy;
  readonly now: Instant;
  readonly coverage: Coverage;
  readonly binding: Binding;
  /** Who carries (or, stopped, claims) each `scope/address`. Templates own none. */
  readonly carriers: ReadonlyMap<string, readonly Carrier[]>;
  /** In the scope that is given, or that of its carriers; without both, whatever is so in any scope. */
  classOf(address: IpAddress, carriers?: readonly Carrier[], scope?: string): AddressClass | undefined;
  /** Whether an address may be virtual in some scope, by another's word than that of who carries it. */
  mayBeVirtual(address: IpAddress): boolean;
}

export function worldOf(known: InventoryView, policy: Policy, now: Instant): World {
  const view = withoutStaleServices(known, now);
  const binding = bindingOf(view);
  const classes = classesOf(view, policy, binding);
  return {
    view,
    policy,
    now,
    coverage: new Coverage(view, now),
    binding,
    carriers: carriersOf(view),
    classOf: (address, by = [], scope = by[0]?.carried.scope) =>
      classes.classOf(address, { scope, macs: by.map(({ carried }) => carried.mac) }),
    mayBeVirtual: classes.mayBeVirtual,
  };
}

/** Whether an address makes findings at all: one that is classified does not; a dynamic one only as its kind says. */
export function isVirtual(world: World, address: IpAddress, carriers: readonly Carrier[] = []): boolean {
  return world.classOf(address, carriers) === 'virtual';
}

export function isDynamic(world: World, carried: CarriedAddress): boolean {
  if (world.binding.leases.size > 0 && world.binding.leases.has(`${carried.scope}/${carried.address}`)) return true;
  return carried.dynamic || world.classOf(carried.address, [], carried.scope) === 'dynamic';
}

/** When both parts that tell a guest's addresses had been asked: the config, and the agent's or interfaces' answer (or that there is none). */
export function addressesAskedAt(guest: GuestView): Instant {
  const { config, addresses } = guest.parts;
  return Math.min(config.askedAt ?? 0, addresses.askedAt ?? 0);
}

const IN_THE_MAKING = new Set(['create', 'clone']);

/** A guest that is being created, cloned or restored: what it says of itself is not final. */
export function isInTheMaking(guest: GuestView): boolean {
  return guest.row.lock !== null && IN_THE_MAKING.has(guest.row.lock);
}

export function asksFor(guest: GuestView): readonly Ask[] {
  const key = String(guest.vmid);
  const source = proxmoxSourceName(guest.cluster);
  return [
    { source, part: 'config', key },
    { source, part: 'addresses', key },
  ];
}

/** When a running guest started. Without an uptime: not before it was first listed as running. */
function startOf(guest: GuestView): Instant | null {
  return guest.status === 'RUNNING' ? (guest.row.startedAt ?? guest.row.since.status.before) : null;
}

/** Devices edited after the guest was asked: which addresses are on which MAC is not known until it is asked again. */
function isEditedSince(guest: GuestView): boolean {
  const edited = guest.status === 'STOPPED' ? 0 : (guest.config?.devicesSince.before ?? 0);
  return (guest.parts.addresses.askedAt ?? 0) < edited;
}

/**
 * How long a guest had run when it was last asked, where `addressDoubt` has nothing to ask or to wait for on any other
 * account. undefined: it may have.
 */
export function readAfterStart(guest: GuestView, since: Instant): number | undefined {
  const askedAt = addressesAskedAt(guest);
  if (askedAt < since || isEditedSince(guest)) return undefined;
  const started = startOf(guest);
  return started === null ? Number.POSITIVE_INFINITY : askedAt - started;
}

/**
 * Why nothing can be concluded from a guest's addresses yet; undefined when it can. `since`: when the other side last
 * changed; what was read before that is not held against it.
 */
export function addressDoubt(world: World, guest: GuestView, since: Instant): Verdict | undefined {
  if (!world.coverage.addresses(guest) || isInTheMaking(guest)) return DOUBT;
  const askedAt = addressesAskedAt(guest);
  const started = startOf(guest);
  const settled = started === null ? 0 : started + world.policy.addressAfterStart;
  if (askedAt < settled) return world.now < settled ? doubt([], settled) : doubt(asksFor(guest));
  if (isFrozenStale(guest, since)) return DOUBT;
  return isEditedSince(guest) || askedAt < since ? doubt(asksFor(guest)) : undefined;
}

/**
 * A stopped guest keeps what it was last seen with; but where the other side changed while it still ran, after that was
 * first seen, it may have followed unseen before it stopped. Only its next start tells.
 */
function isFrozenStale(guest: GuestView, since: Instant): boolean {
  if (guest.status !== 'STOPPED' || guest.carried.every((c) => c.evidence[0]?.source === 'CONFIG')) return false;
  const seen = guest.changed.addresses.before ?? 0;
  return seen < since && since < (guest.row.since.status.before ?? 0);
}

/** Why nothing can be concluded from a guest's list row yet; undefined when it can. */
export function rowDoubt(world: World, guest: GuestView, since: Instant): Verdict | undefined {
  if (!world.coverage.row(guest)) return DOUBT;
  const askedAt = world.view.clusters.get(guest.cluster)?.state.lastSuccessAt ?? 0;
  return askedAt < since ? doubt([{ source: proxmoxSourceName(guest.cluster), part: 'row', key: '' }]) : undefined;
}

/** When it becomes settled that something is so since these changes; null: it is. What was so at the first look is settled. */
export function unsettledUntil(world: World, changes: readonly ChangeInterval[], time: number): Instant | null {
  const since = Math.max(...changes.map((change) => change.before ?? 0));
  return since === 0 || since + time <= world.now ? null : since + time;
}

export function sinceOf(changes: readonly ChangeInterval[]): Instant {
  return changes.reduce((latest, change) => Math.max(latest, change.before ?? 0), 0);
}
