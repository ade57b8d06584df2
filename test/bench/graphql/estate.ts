import type { Finding } from '../../../src/domain/finding.js';
import type { InventoryView } from '../../../src/domain/view.js';
import { aFinding, aView } from '../../testkit/view.js';

export const GUESTS = 1_000;
const NODES = 20;

/** What every server of this bench answers from: a thousand guests in memory, every second one with a finding. */
export function graphqlEstate(): InventoryView {
  const guests = Array.from({ length: GUESTS }, (_, i) => ({
    vmid: 100 + i,
    name: `guest-${i}`,
    kind: i % 3 === 0 ? ('LXC' as const) : ('QEMU' as const),
    node: `pve${i % NODES}`,
    status: i % 7 === 0 ? ('STOPPED' as const) : ('RUNNING' as const),
    cores: 2 + (i % 8),
    memoryBytes: (1 + (i % 16)) * 2 ** 30,
    tags: ['prod', `team${i % 7}`],
    addresses: [`10.0.${i >> 8}.${i & 255}/24`],
  }));
  const findings = guests.flatMap(({ vmid }, i): Finding[] => {
    if (i % 2 === 1) return [];
    return [
      aFinding({
        identity: { kind: 'NAME_DIFFERS', subject: { kind: 'GUEST', id: `main/${vmid}@1` }, field: 'name' },
        severity: i % 4 === 0 ? 'INFO' : 'WARNING',
        message: `main/${vmid} (guest-${i}): name is guest-${i}, declared other-${i} at VMIDS.md:${i + 10}`,
      }),
    ];
  });
  return aView({ guests, findings });
}

/** Twelve leaves, a node of three and findings of four; as small as the schema of a peer must be to answer it. */
export const QUERY = `query Page($first: Int!) {
  guests(first: $first) {
    nodes {
      id cluster vmid name kind status template tags cores memoryBytes diskBytes pool
      node { id name status }
      findings { id kind severity message }
    }
  }
}`;
