import { shortHash } from '../domain/absorb-policy.js';
import { may, type Principal, seesTenant } from '../domain/access.js';
import { sourceStale } from '../domain/coverage.js';
import { partTroubles } from '../domain/part-troubles.js';
import { tenantOf } from '../domain/tenancy.js';
import { type Instant, isoTime } from '../domain/time.js';
import type { ClusterView, GuestView, InventoryView } from '../domain/view.js';
import type { Freshness, InventoryFreshness } from './records.js';

export function freshness(collectedAt: Instant | null, stale: boolean, reason: string | null, now: Instant): Freshness {
  return {
    collectedAt,
    ageSeconds: collectedAt === null ? null : Math.max(0, Math.round((now - collectedAt) / 1_000)),
    stale,
    reason,
  };
}

/** How fresh the word of a cluster is: its last good poll. */
export function clusterFreshness(view: InventoryView, cluster: ClusterView | undefined, now: Instant): Freshness {
  if (cluster === undefined) return freshness(null, true, 'its cluster is no longer collected', now);
  const { state } = cluster;
  const reason = state.outcome === 'UNREACHABLE' ? state.reason : null;
  return freshness(state.lastSuccessAt, sourceStale(state, view, now), reason, now);
}

const HIDDEN = 'the list no longer shows it and its absence is not proven: the token may lack VM.Audit on it';

export function guestFreshness(guest: GuestView | undefined, cluster: Freshness): Freshness {
  if (guest === undefined) return { ...cluster, stale: true, reason: 'it is no longer in the inventory' };
  if (guest.row.hidden) return { ...cluster, stale: true, reason: HIDDEN };
  const { config, addresses } = guest.parts;
  if (config.state === 'failed') return { ...cluster, reason: `its config could not be read: ${config.reason}` };
  if (addresses.state === 'failed')
    return { ...cluster, reason: `its addresses could not be read: ${addresses.reason}` };
  return cluster;
}

/** What stands before every inventory answer: the oldest last success of the clusters, and what a person should know. */
export function inventoryFreshness(principal: Principal, view: InventoryView, now: Instant): InventoryFreshness {
  const clusters = [...view.clusters.values()].filter(({ name }) => seesTenant(principal, tenantOf({ cluster: name })));
  const successes = clusters.map(({ state }) => state.lastSuccessAt);
  const oldest =
    successes.includes(null) || successes.length === 0 ? null : Math.min(...successes.map((at) => at ?? 0));
  return {
    collectedAt: oldest,
    stale: clusters.some(({ state }) => sourceStale(state, view, now)),
    seedUnreachable: clusters.some(({ state }) => state.outcome === 'UNREACHABLE'),
    notes: [
      ...clusters.flatMap((cluster) => clusterNotes(view, cluster)),
      ...declaredNotes(view),
      ...policyNotes(principal, view),
    ],
  };
}

function clusterNotes(view: InventoryView, { name, state }: ClusterView): string[] {
  const notes = [...state.notes, ...troublesOf(view, name)].map((note) => `${name}: ${note}`);
  if (state.outcome === 'NEVER') notes.unshift(`${name}: not polled yet`);
  if (state.outcome === 'UNREACHABLE') notes.unshift(unreachable(name, state.unreachableSince, state.reason));
  return notes;
}

/** What of a cluster's guests could not be read, in sentences. */
export function troublesOf(view: InventoryView, cluster: string): string[] {
  return partTroubles(view)
    .filter((trouble) => trouble.cluster === cluster)
    .map(({ text }) => text);
}

function declaredNotes(view: InventoryView): string[] {
  return view.declarations.flatMap(({ name, state }) =>
    state.kind === 'unreachable' ? [`${unreachable(name, state.since, state.reason)}${keptOf(state.readAt)}`] : [],
  );
}

/** A source that never answered has the first of all moments. */
function keptOf(readAt: Instant): string {
  return readAt === 0 ? '; nothing is known of it yet' : `; its last good rows (${isoTime(readAt)}) stay`;
}

/** What stands in the policy is for those who may read settings; that it cannot be used is for all who rely on it. */
function policyNotes(principal: Principal, { policy }: InventoryView): string[] {
  if (policy?.state.outcome !== 'UNREACHABLE') return [];
  const { taken, state } = policy;
  const stays =
    taken === null
      ? 'the defaults stay in force'
      : `the last good policy (${shortHash(taken.contentHash)}, since ${isoTime(taken.since)}) stays in force`;
  const why = may(principal, 'settings:read') ? state.reason : null;
  return [`${why ?? 'policy.yaml cannot be used'}; ${stays}`];
}

function unreachable(name: string, since: Instant | null, reason: string | null): string {
  return `${name}: unreachable${since === null ? '' : ` since ${isoTime(since)}`}${reason === null ? '' : `: ${reason}`}`;
}
