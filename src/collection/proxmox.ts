import { absorb, failedState } from '../domain/absorb.js';
import { proxmoxSourceName } from '../domain/absorbing.js';
import type { Binding } from '../domain/compare/binding.js';
import type { KnownCluster, KnownGuest, PartAge, PartKey } from '../domain/observation.js';
import type { ClusterSettings } from '../domain/settings.js';
import { SECOND } from '../domain/time.js';
import { neverCollected } from '../domain/version.js';
import type { ClusterView, InventoryView } from '../domain/view.js';
import type { ProxmoxSource } from '../sources/proxmox/source.js';
import { type AskedPart, type CollectedSource, type RunRequest, type RunResult } from './source.js';

const PARTS: ReadonlySet<string> = new Set(['config', 'addresses', 'power', 'vmid'] satisfies PartKey['part'][]);

function isPartKey(asked: AskedPart): asked is PartKey {
  return PARTS.has(asked.part);
}

/** A cluster that keeps failing is asked ever less often, but never less than once in this time. */
const LONGEST_BACK_OFF = 60 * SECOND;

interface Needs {
  readonly proxmox: ProxmoxSource;
  now(): number;
  /** The declarations tied to the view: absence is in question for the VMIDs that they name. */
  binding(): Binding;
}

export function proxmoxCollector(settings: ClusterSettings, needs: Needs): CollectedSource {
  const named = { source: proxmoxSourceName(settings.name), kind: 'proxmox' as const, cluster: settings.name };
  return {
    ...named,
    collector: 'proxmox_guest_ipam',
    atStart: true,
    intervalMs: () => settings.pollSeconds * SECOND,
    run: (request, signal) => run(settings, needs, request, signal),
    close: () => needs.proxmox.close(),
  };
}

async function run(
  settings: ClusterSettings,
  needs: Needs,
  request: RunRequest,
  signal: AbortSignal,
): Promise<RunResult> {
  const { view, mode, progress } = request;
  const asked = request.asked.filter(isPartKey);
  const cluster = clusterIn(view, settings);
  const known = knownCluster(view, cluster, needs.binding(), asked);
  const all = mode !== 'POLL' || cluster.state.firstSuccessAt === null;
  const plan = { mode: all ? ('all' as const) : ('slice' as const), slice: sliceSize(settings, view, known), asked };
  const outcome = await needs.proxmox.collect({ known, plan, progress }, signal);
  const none = { events: [], coverage: { rows: 0, parts: 0, failed: 0 } };
  switch (outcome.kind) {
    case 'observed': {
      const { batch, ...happened } = absorb(view, cluster, outcome.value, needs.now());
      const { rows, parts } = outcome.value;
      const failed = parts.filter((part) => part.result.kind === 'failed').length;
      const state = { ...batch.state, requests: outcome.requests };
      const coverage = { rows: rows.length, parts: parts.length, failed };
      return { batch: { ...batch, state }, ...happened, requests: outcome.requests, coverage };
    }
    case 'unreachable': {
      const state = failedState(cluster.state, outcome.reason, needs.now(), backOff(settings, cluster));
      return {
        ...none,
        batch: { writes: [], reads: [], state: { ...state, requests: outcome.requests } },
        requests: outcome.requests,
      };
    }
    case 'disabled': {
      const state = { ...failedState(cluster.state, outcome.reason, needs.now(), LONGEST_BACK_OFF), requests: 0 };
      return { ...none, batch: { writes: [], reads: [], state }, requests: 0 };
    }
  }
}

function clusterIn(view: InventoryView, settings: ClusterSettings): ClusterView {
  const known = view.clusters.get(settings.name);
  const named = { source: proxmoxSourceName(settings.name), kind: 'proxmox' as const, cluster: settings.name };
  return known ?? { name: settings.name, settings, state: neverCollected(named), row: null };
}

function backOff(settings: ClusterSettings, cluster: ClusterView): number {
  return Math.min(settings.pollSeconds * SECOND * 2 ** Math.min(cluster.state.failures, 6), LONGEST_BACK_OFF);
}

/** So many parts a poll that each is read again within the contract's interval, and no fewer than the settings say. */
function sliceSize(settings: ClusterSettings, view: InventoryView, known: KnownCluster): number {
  const parts = 2 * known.guests.size + known.power.size + known.vmids.size;
  const { refreshSeconds } = view.contract.collectors.proxmox_guest_ipam;
  return Math.max(settings.readsPerPoll, Math.ceil((parts * settings.pollSeconds) / refreshSeconds));
}

function knownCluster(
  view: InventoryView,
  cluster: ClusterView,
  binding: Binding,
  asked: readonly PartKey[],
): KnownCluster {
  const guests = new Map<number, KnownGuest>();
  for (const guest of view.guests.values()) {
    if (guest.cluster !== cluster.name) continue;
    const { vmid, row, config, parts } = guest;
    guests.set(vmid, {
      vmid,
      row,
      agent: config?.agent,
      parts,
    });
  }
  const power = new Map<string, PartAge>();
  for (const node of view.nodes.values()) if (node.cluster === cluster.name) power.set(node.name, node.power);
  return {
    guests,
    power,
    vmids: questions(view, cluster.name, binding, asked),
    activityMark: cluster.state.activityMark,
  };
}

/** VMIDs whose absence is in question: asked for, or proven before and still declared. */
function questions(
  view: InventoryView,
  cluster: string,
  binding: Binding,
  asked: readonly PartKey[],
): ReadonlyMap<number, PartAge> {
  const vmids = new Map<number, PartAge>();
  const prefix = `${cluster}/`;
  for (const [key, read] of view.absenceReads) {
    const vmid = key.startsWith(prefix) ? Number(key.slice(prefix.length)) : Number.NaN;
    const isHidden = view.guestsByKey.get(key)?.row.hidden === true;
    if (isHidden || (binding.byVmid.has(vmid) && !view.guestsByKey.has(key))) vmids.set(vmid, read);
  }
  for (const { part, key } of asked) {
    if (part === 'vmid' && !vmids.has(Number(key)))
      vmids.set(Number(key), { askedAt: null, attemptedAt: null, failures: 0 });
  }
  return vmids;
}
