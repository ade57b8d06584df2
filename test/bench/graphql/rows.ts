import type { InventoryView } from '../../../src/domain/view.js';

export interface PlainNode {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}
export interface PlainFinding {
  readonly id: string;
  readonly kind: string;
  readonly severity: string;
  readonly message: string;
}
export interface PlainGuest {
  readonly id: string;
  readonly cluster: string;
  readonly vmid: number;
  readonly name: string | null;
  readonly kind: string;
  readonly status: string;
  readonly template: boolean;
  readonly tags: readonly string[];
  readonly cores: number | null;
  readonly memoryBytes: number | null;
  readonly diskBytes: number | null;
  readonly pool: string | null;
  readonly nodeId: string;
}

/** The estate as rows in memory, keyed as a peer's loaders ask for them. */
export interface Rows {
  readonly guests: readonly PlainGuest[];
  readonly nodes: ReadonlyMap<string, PlainNode>;
  readonly findings: ReadonlyMap<string, readonly PlainFinding[]>;
}

export function plainRows(view: InventoryView): Rows {
  const guests = [...view.guests.values()].map((guest): PlainGuest => {
    const { name, kind, template, tags, cores, memoryBytes, diskBytes, pool, node } = guest.row;
    const { id, cluster, vmid, status } = guest;
    const nodeId = `${cluster}/${node}`;
    return { id, cluster, vmid, name, kind, status, template, tags, cores, memoryBytes, diskBytes, pool, nodeId };
  });
  const nodes = new Map([...view.nodes].map(([id, { name, row }]) => [id, { id, name, status: row.status }]));
  const findings = new Map(
    [...view.findings.byGuest].map(([guest, list]) => [
      guest,
      list.map(({ id, identity, severity, message }) => ({ id, kind: identity.kind, severity, message })),
    ]),
  );
  return { guests, nodes, findings };
}
