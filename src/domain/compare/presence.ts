import { proxmoxSourceName } from '../absorbing.js';
import type { Subject } from '../finding.js';
import { guestKey } from '../guest.js';
import { FIRST_LOOK } from '../time.js';
import type { GuestView } from '../view.js';
import type { Binding, Row } from './binding.js';
import { bareName } from './names.js';
import { unsaid } from './said.js';
import {
  AGREES,
  type Ask,
  addressDoubt,
  called,
  DOUBT,
  doubt,
  guestSubject,
  isInTheMaking,
  type Rule,
  rowDoubt,
  rowEvidence,
  so,
  type Verdict,
  type World,
} from './world.js';

const unboundIn = new WeakMap<Binding['byGuest'], readonly Subject[]>();

/** Guests that no row is bound to. A binding holds for the same guests, whatever became of them. */
function unbound({ view, binding: { byGuest } }: World): readonly Subject[] {
  let subjects = unboundIn.get(byGuest);
  if (subjects === undefined) {
    subjects = [...view.guests.values()].filter(({ id }) => !byGuest.has(id)).map(guestSubject);
    unboundIn.set(byGuest, subjects);
  }
  return subjects;
}

/** A running guest that nobody wrote down. With no source that declares guests there is no such thing. */
export const guestNotDeclared: Rule = {
  kind: 'GUEST_NOT_DECLARED',

  *candidates(world) {
    if (!world.view.declarations.some((source) => source.declaresGuests && source.state.kind !== 'never')) return;
    for (const subject of unbound(world)) yield { subject, field: '' };
  },

  judge(world, subject) {
    const guest = world.view.guests.get(subject.id);
    if (guest === undefined) return AGREES;
    const declaring = world.view.declarations.filter(
      (source) => source.declaresGuests && source.state.kind !== 'never',
    );
    if (declaring.length === 0) return AGREES;
    const bound = world.binding.byGuest.get(guest.id) ?? [];
    const named = bound.find((row) => row.source.state.kind === 'covered');
    if (named !== undefined) return rowDoubt(world, guest, named.row.since.before ?? 0) ?? AGREES;
    if (bound.length > 0) return DOUBT;
    if (isDeclaringUnreachable(world) || isInTheMaking(guest)) return DOUBT;
    if (
      world.binding.ambiguous.get(guest.vmid)?.some((one) => one.guests.includes(guest)) ||
      isNamedUnreadably(world, guest)
    )
      return DOUBT;
    const gone = world.binding.goneVmids.get(guest.vmid) ?? 0;
    const wait = rowDoubt(world, guest, gone) ?? mayYetBeNamed(world, guest);
    if (wait !== undefined) return wait;
    // It may have been written down since the services were asked, as it was made.
    const asks = unsaid(world, declaring, guest.key, guest.row.since.presence.before ?? 0);
    if (asks.length > 0) return doubt(asks);
    return so(world, {
      kind: 'GUEST_NOT_DECLARED',
      subject,
      field: '',
      declared: null,
      // Not its name: one that is renamed, or told by Proxmox only later, makes no other difference of it.
      observed: guest.key,
      declaredBy: [],
      evidence: [rowEvidence(world, guest, `listed on node ${guest.row.node}`)],
      message: `${called(guest)} exists on ${guest.row.node} and no declared source names it`,
      guests: [guest],
      clusters: [guest.cluster],
      changes: [guest.row.since.presence, gone === 0 ? FIRST_LOOK : { after: null, before: gone }],
      swallowers: [],
    });
  },
};

/** While a source that declares guests or addresses is out of reach, nothing is called undeclared. */
export function isDeclaringUnreachable(world: World): boolean {
  return world.view.declarations.some(
    ({ declaresGuests, declaresAddresses, state }) =>
      (declaresGuests || declaresAddresses) && state.kind === 'unreachable',
  );
}

/**
 * A row that does not say where its guest is may bind to this one by an address, a VM that is not tied yet by a MAC, and
 * a row that cannot be read may carry one of its addresses: as long as those are not read, nobody knows.
 */
function mayYetBeNamed(world: World, guest: GuestView): Verdict | undefined {
  const loose = (world.binding.byVmid.get(guest.vmid) ?? []).filter(
    ({ placement, row }) => placement.kind === 'anywhere' && row.addresses.length > 0,
  );
  const { unreadable, untied } = world.binding;
  if (loose.length === 0 && unreadable.addresses.size === 0 && untied.size === 0) return undefined;
  return addressDoubt(world, guest, Math.max(0, ...loose.map(({ row }) => row.since.before ?? 0)));
}

function isNamedUnreadably(world: World, guest: GuestView): boolean {
  const { names, addresses } = world.binding.unreadable;
  const { untied } = world.binding;
  const name = guest.row.name === null ? null : bareName(guest.row.name);
  return (
    (name !== null && (names.has(name) || untied.has(`${guest.cluster}/${name}`))) ||
    guest.carried.some((c) => addresses.has(c.address) || untied.has(`${guest.cluster}/${c.address}`))
  );
}

/** Whether a row says that its guest is there now, and so may be missed. */
export function declaresPresence({ row }: Row): boolean {
  return row.status === null || (row.status.means !== 'planned' && row.status.means !== 'retired');
}

interface Missed {
  readonly rows: readonly Row[];
  readonly clusters: readonly string[];
}

/** Rows that miss a guest under one subject id; the id names the cluster where the row does. */
function missed(world: World, vmid: number, cluster: string | null): Missed {
  const rows = (world.binding.byVmid.get(vmid) ?? []).filter((row) => {
    if (!declaresPresence(row) || row.placement.kind === 'elsewhere') return false;
    return clusterOf(row) === cluster;
  });
  const clusters = cluster === null ? [...new Set(rows.flatMap((row) => placesOf(world, row)))] : [cluster];
  return { rows, clusters };
}

function clusterOf(row: Row): string | null {
  const [only] = row.placement.kind === 'in' && row.placement.clusters.length === 1 ? row.placement.clusters : [];
  return only ?? null;
}

function placesOf(world: World, row: Row): readonly string[] {
  return row.placement.kind === 'in' ? row.placement.clusters : [...world.view.clusters.keys()];
}

const unmetIn = new WeakMap<Binding['byVmid'], readonly Subject[]>();

/** VMIDs of rows under which no guest lives where they say, or that do not say where: it hangs on the binding and its guests. */
function unmet({ view, binding: { byVmid } }: World): readonly Subject[] {
  const known = unmetIn.get(byVmid);
  if (known !== undefined) return known;
  const subjects: Subject[] = [];
  for (const [vmid, rows] of byVmid) {
    const clusters = new Set(
      rows.filter((row) => declaresPresence(row) && row.placement.kind !== 'elsewhere').map(clusterOf),
    );
    for (const cluster of clusters) {
      if (cluster !== null && view.guestsByKey.has(`${cluster}/${vmid}`)) continue;
      subjects.push({ kind: 'GUEST', id: `${cluster ?? '*'}/${vmid}` });
    }
  }
  unmetIn.set(byVmid, subjects);
  return subjects;
}

/** Declared as present, and proven absent from every cluster it could be in. */
export const guestMissing: Rule = {
  kind: 'GUEST_MISSING',

  *candidates(world) {
    for (const subject of unmet(world)) yield { subject, field: '' };
  },

  judge(world, subject) {
    const slash = subject.id.lastIndexOf('/');
    const vmid = Number(subject.id.slice(slash + 1));
    const named = subject.id.slice(0, slash);
    const { rows, clusters } = missed(world, vmid, named === '*' ? null : named);
    const [first] = rows;
    if (first === undefined) return noLongerDeclared(world, vmid);
    const covered = rows.filter((row) => row.source.state.kind === 'covered');
    if (clusters.some((cluster) => world.view.guestsByKey.has(`${cluster}/${vmid}`)))
      return presentAgain(world, vmid, clusters);
    if (covered.length === 0) return DOUBT;
    const since = Math.max(...covered.map((row) => row.row.since.before ?? 0));
    return (
      absence(world, vmid, clusters, since) ??
      unheard(world, vmid, clusters, covered) ??
      missing(world, subject, covered, clusters)
    );
  },
};

/** The rows are gone: that is known only while no source that could still hold them is out of reach. */
function noLongerDeclared(world: World, vmid: number): Verdict {
  const kept = world.binding.byVmid.get(vmid) ?? [];
  return kept.some((row) => row.source.state.kind === 'unreachable') ? DOUBT : AGREES;
}

function presentAgain(world: World, vmid: number, clusters: readonly string[]): Verdict {
  const seen = clusters.some((cluster) => {
    const guest = world.view.guestsByKey.get(`${cluster}/${vmid}`);
    return guest !== undefined && !guest.row.hidden && world.coverage.cluster(cluster);
  });
  return seen ? AGREES : DOUBT;
}

/** Why the absence is not proven; undefined when it is, in every cluster. */
export function absence(world: World, vmid: number, clusters: readonly string[], since: number): Verdict | undefined {
  const asks: Ask[] = [];
  if (clusters.length === 0) return DOUBT;
  for (const cluster of clusters) {
    // Somebody lives there: no proof is asked for, and none would be given.
    if (!world.coverage.quorate(cluster) || world.view.guestsByKey.has(`${cluster}/${vmid}`)) return DOUBT;
    const proof = world.view.absences.get(`${cluster}/${vmid}`);
    if (proof !== undefined && world.coverage.proofFresh(proof.askedAt) && proof.askedAt >= since) {
      if (!proof.free) return DOUBT;
    } else asks.push({ source: proxmoxSourceName(cluster), part: 'vmid', key: String(vmid) });
  }
  return asks.length > 0 ? doubt(asks) : undefined;
}

/** A guest that lived there and went may have been struck off as well: the services are asked before it is missed. */
export function unheard(
  world: World,
  vmid: number,
  clusters: readonly string[],
  rows: readonly Pick<Row, 'source'>[],
): Verdict | undefined {
  const asks = clusters.flatMap((cluster) => {
    const key = guestKey(cluster, vmid);
    if (!world.view.identities.has(key)) return [];
    const sources = rows.map(({ source }) => source);
    return unsaid(world, sources, key, world.view.absences.get(key)?.since ?? 0);
  });
  return asks.length > 0 ? doubt(asks) : undefined;
}

function missing(world: World, subject: Subject, rows: readonly Row[], clusters: readonly string[]): Verdict {
  const { id } = subject;
  const name = rows[0]?.row.name ?? null;
  const proofs = clusters.map((cluster) => world.view.absences.get(`${cluster}/${id.slice(id.lastIndexOf('/') + 1)}`));
  return so(world, {
    kind: 'GUEST_MISSING',
    subject,
    field: '',
    declared: name ?? 'present',
    observed: null,
    declaredBy: rows.map(({ row: one, source }, i) => ({
      field: 'vmid',
      value: one.text,
      source: source.name,
      location: one.location,
      wins: i === 0,
    })),
    evidence: clusters.map((cluster, i) => ({
      source: `proxmox:${cluster}`,
      text: `the VMID is free in ${cluster}`,
      at: proofs[i]?.askedAt ?? null,
    })),
    message: `${id}${name === null ? '' : ` (${name})`} is declared at ${rows[0]?.row.location} and does not exist in ${clusters.join(' or ')}`,
    guests: [],
    clusters,
    changes: [...rows.map((one) => one.row.since)],
    swallowers: [],
  });
}
