import { proxmoxSourceName } from '../absorbing.js';
import type { Subject } from '../finding.js';
import { guestKey } from '../guest.js';
import type { Binding, Row } from './binding.js';
import { declaresPresence } from './presence.js';
import { unsaid } from './said.js';
import { so } from './telling.js';
import { AGREES, type Ask, DOUBT, doubt, type Rule, type Verdict, type World } from './world.js';

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
