import { describe, expect, it } from 'vitest';
import { bindDeclarations } from '../../src/domain/compare/binding.js';
import { bindingOf } from '../../src/domain/compare/rebinding.js';
import type { InventoryView } from '../../src/domain/view.js';
import { type AGuest, aView } from '../testkit/view.js';

const DECLARED = {
  'VMIDS.md': [
    { vmid: 101, name: 'web', node: 'pve1', addresses: ['10.0.0.1'] },
    { vmid: 102, name: 'db' },
    { vmid: 103, addresses: ['10.0.0.3'] },
  ],
};

const GUESTS: readonly AGuest[] = [
  { vmid: 101, name: 'web', addresses: ['10.0.0.1/24'] },
  { vmid: 102, name: 'db' },
  { vmid: 102, name: 'db', cluster: 'edge' },
  { vmid: 103, name: 'mail', addresses: ['10.0.0.3/24'] },
];

const before = aView({ guests: GUESTS, declared: DECLARED });

/** Another view of the same declared files under the same settings. */
function next(guests: readonly AGuest[], nodes: readonly { name: string; cluster?: string }[] = []): InventoryView {
  const view = aView({ guests, nodes, declared: DECLARED });
  const clusters = [...view.clusters].map(
    ([name, cluster]) =>
      [name, { ...cluster, settings: before.clusters.get(name)?.settings ?? cluster.settings }] as const,
  );
  return { ...view, clusters: new Map(clusters), declarations: before.declarations };
}

function without(vmid: number): readonly AGuest[] {
  return GUESTS.filter((guest) => guest.vmid !== vmid);
}

function said(view: InventoryView, binding: ReturnType<typeof bindDeclarations>) {
  const { byGuest, byVmid, ambiguous, declaredAddresses, unreadable, listed, goneVmids, goneAddresses } = binding;
  const facts = [...view.guests.keys()].map((id) => binding.factsOf(id));
  const nodes = ['pve1', 'pve9'].map((name) => binding.nodes.find(name));
  return { byGuest, byVmid, ambiguous, declaredAddresses, unreadable, listed, goneVmids, goneAddresses, facts, nodes };
}

describe('declarations that were bound before', () => {
  it.each([
    ['nothing that ties them changed', next(GUESTS)],
    ['a guest stopped', next(GUESTS.map((guest) => ({ ...guest, status: 'STOPPED' as const })))],
    ['a guest was renamed', next([...without(103), { vmid: 103, name: 'post' }])],
    ['a guest carries another address', next([...without(103), { vmid: 103, addresses: ['10.0.0.4/24'] }])],
    ['a guest went', next(without(101))],
    ['a guest came', next([...GUESTS, { vmid: 104 }])],
    ['a guest gave way to another', next([...without(101), { vmid: 101, incarnation: 2, name: 'web' }])],
    ['a cluster went', next(GUESTS.filter((guest) => guest.cluster !== 'edge'))],
    ['a node came', next(GUESTS, [{ name: 'pve9' }])],
    ['a node went down', next(GUESTS, [{ name: 'pve1', cluster: 'edge' }])],
  ])('are bound as if for the first time when %s', (_, view) => {
    bindingOf(before);
    expect(said(view, bindingOf(view))).toEqual(said(view, bindDeclarations(view)));
  });

  it('are not bound again while nothing that ties them changed', () => {
    const { byGuest } = bindingOf(before);
    expect(bindingOf(next(GUESTS)).byGuest).toBe(byGuest);
    expect(bindingOf(next(without(101))).byGuest).not.toBe(byGuest);
  });
});
