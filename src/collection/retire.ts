import { departs } from '../domain/absorb-guest.js';
import { Writes } from '../domain/absorbing.js';
import { RECORD_KINDS } from '../domain/record.js';
import type { Instant } from '../domain/time.js';
import type { Batch, SourceState } from '../domain/version.js';
import type { InventoryView } from '../domain/view.js';

/**
 * What it takes to retire a source: everything it said ends now, its history stays. Who lived under a VMID is remembered,
 * so that a cluster named again later gives its guests the incarnations they had.
 */
export function retirement(view: InventoryView, state: SourceState, at: Instant): Batch {
  const writes = new Writes(state.source, state.cluster);
  if (state.kind === 'declared') {
    const kept = view.declared.get(state.source);
    for (const key of kept?.rows.keys() ?? []) writes.end(writes.key('declared.row', key), at);
    if (kept?.meta != null) writes.end(writes.key('declared.meta', 'meta'), at);
  } else if (state.kind !== 'proxmox') {
    for (const kind of RECORD_KINDS)
      for (const record of view.records[kind].values())
        if (record.source === state.source) writes.end(writes.key(kind, record.key), at);
  } else {
    const { cluster } = state;
    for (const guest of view.guests.values()) if (guest.cluster === cluster) departs(writes, view, guest, at);
    for (const node of view.nodes.values()) if (node.cluster === cluster) writes.end(writes.key('node', node.name), at);
    const prefix = `${cluster}/`;
    for (const key of view.absences.keys())
      if (key.startsWith(prefix)) writes.end(writes.key('vmid', key.slice(prefix.length)), at);
    if (view.clusters.get(cluster)?.row != null) writes.end(writes.key('cluster', cluster), at);
  }
  const reason = 'retired: the settings no longer name it';
  return {
    writes: writes.list,
    reads: [],
    state: { ...state, outcome: 'RETIRED', reason, firstSuccessAt: null, lastSuccessAt: null, backOffUntil: null },
  };
}
