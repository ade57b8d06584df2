import { describe, expect, it } from 'vitest';
import { absorb } from '../../src/domain/absorb.js';
import type { NodeStatus } from '../../src/domain/guest.js';
import type { ProxmoxObservation } from '../../src/domain/observation.js';
import { MINUTE } from '../../src/domain/time.js';
import type { InventoryView } from '../../src/domain/view.js';
import { aView, THEN } from '../testkit/view.js';

function poll(nodes: Readonly<Record<string, NodeStatus>>, quorate = true): ProxmoxObservation {
  const none = { maintenance: false, ip: null, cores: null, memoryBytes: null, diskBytes: null };
  return {
    ...{ askedAt: THEN + MINUTE, proxmoxName: 'main', version: '9.1', quorate, quorumKnown: true },
    nodes: Object.entries(nodes).map(([name, status]) => ({ name, status, ...none })),
    ...{ rows: [], parts: [], full: false, activityMark: null, notes: [] },
  };
}

function happened(view: InventoryView, seen: ProxmoxObservation) {
  const cluster = view.clusters.get('main');
  if (cluster === undefined) throw new Error('no cluster main');
  return absorb(view, cluster, seen, THEN + MINUTE).nodeEvents.map(({ type, node, from, to }) =>
    [type, node, from, to].join(' '),
  );
}

describe('a node', () => {
  const view = aView({ nodes: [{ name: 'pve1' }, { name: 'pve2' }] });

  it('that joins, leaves or goes down is an event; one that stays as it is, none', () => {
    expect(happened(view, poll({ pve1: 'ONLINE', pve2: 'ONLINE' }))).toEqual([]);
    expect(happened(view, poll({ pve1: 'OFFLINE', pve2: 'ONLINE', pve3: 'ONLINE' }))).toEqual([
      'STATUS_CHANGED main/pve1 ONLINE OFFLINE',
      'ADDED main/pve3  ONLINE',
    ]);
    expect(happened(view, poll({ pve2: 'ONLINE' }))).toEqual(['REMOVED main/pve1 ONLINE ']);
  });

  it('has not left because a cluster without quorum does not list it', () => {
    expect(happened(view, poll({ pve2: 'ONLINE' }, false))).toEqual([]);
  });

  it('is no news at the first look at its cluster', () => {
    const first = aView({ nodes: [], states: { main: { firstSuccessAt: null, lastSuccessAt: null } } });
    expect(happened(first, poll({ pve1: 'ONLINE' }))).toEqual([]);
  });
});
