import type { GuestView, InventoryView, NodeView } from '../view.js';

/** Names agree without regard to case and domain. */
export function bareName(name: string): string {
  const dot = name.indexOf('.');
  return (dot > 0 ? name.slice(0, dot) : name).trim().toLowerCase();
}

export function sameName(a: string, b: string): boolean {
  return a === b || bareName(a) === bareName(b);
}

/** The name people gave it; Proxmox invents `VM 100` and `CT100` for guests without one. */
export function givenName(guest: GuestView): string | null {
  const { name } = guest.row;
  return name === null || name === `VM ${guest.vmid}` || name === `CT${guest.vmid}` ? null : name;
}

/** Finds nodes of an estate by what people write in a cell: the name, with or without domain, or the node's own IP. */
export class NodeNames {
  readonly #byName = new Map<string, NodeView[]>();
  /** What was looked for already: a cell's text comes once for every guest of its node. */
  readonly #found = new Map<string, readonly NodeView[]>();

  constructor(view: InventoryView) {
    for (const node of view.nodes.values()) {
      this.#add(bareName(node.name), node);
      if (node.row.ip !== null) this.#add(node.row.ip, node);
    }
  }

  #add(name: string, node: NodeView): void {
    const known = this.#byName.get(name);
    if (known === undefined) this.#byName.set(name, [node]);
    else known.push(node);
  }

  /** Every node that the text may mean; the same name may stand in several clusters. */
  find(text: string): readonly NodeView[] {
    const known = this.#found.get(text);
    if (known !== undefined) return known;
    const trimmed = text.trim().toLowerCase();
    const found = this.#byName.get(trimmed) ?? this.#byName.get(bareName(trimmed)) ?? [];
    this.#found.set(text, found);
    return found;
  }

  in(cluster: string, text: string): NodeView | undefined {
    return this.find(text).find((node) => node.cluster === cluster);
  }

  /** Names that a heading may hold. */
  names(): IterableIterator<[string, readonly NodeView[]]> {
    return this.#byName.entries();
  }
}
