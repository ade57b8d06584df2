import type {
  KnownCluster,
  KnownGuest,
  ObservedNode,
  ObservedRow,
  PartAge,
  PartKey,
  SlicePart,
} from '../../domain/observation.js';

/** `free`: what it says is known without a request. */
export type Part = PartKey & { readonly age: PartAge | undefined; readonly free: boolean };

/** Sees one part by itself: a poll looks at tens of thousands, and of nearly all no more than their age. `key`: also as a number. */
export type Visit = (part: SlicePart, key: string | number, age: PartAge | undefined, free: boolean) => void;

export interface Listed {
  /** Without quorum nobody can prove an absence: VMIDs are not asked for. */
  readonly quorate: boolean;
  readonly rows: readonly ObservedRow[];
  readonly nodes: readonly ObservedNode[];
  readonly known: KnownCluster;
}

export interface Estate {
  /** Visits every part that can be asked for now: of guests on nodes that are not offline, of those nodes, and of VMIDs in question. */
  each(visit: Visit): void;
  /** The nodes of machines that can be asked. */
  readonly powered: ReadonlyMap<string, Part>;
  /** Those that ask whether a VMID is free. */
  readonly proofs: readonly Part[];
  readonly guests: ReadonlyMap<number, ObservedRow>;
  find(part: PartKey): Part | undefined;
  has(part: PartKey): boolean;
}

// A poll walks through tens of thousands of parts to choose some dozens: what can be looked up by number has no name here.
export function estateOf({ rows, nodes, known, quorate }: Listed): Estate {
  // A call to an offline node is proxied into the void and costs half a minute.
  const offline = new Set(nodes.filter((node) => node.status === 'OFFLINE').map((node) => node.name));
  const listed = new Set<number>();
  const guests = new Map<number, ObservedRow>();
  const powered = new Map<string, Part>();
  for (const row of rows) {
    const { vmid, node } = row;
    listed.add(vmid);
    if (offline.has(node)) continue;
    guests.set(vmid, row);
    if (row.kind === 'QEMU' && !powered.has(node)) powered.set(node, paid('power', node, known.power.get(node)));
  }
  const proofs = quorate ? questions(known, listed) : [];
  const isQuestion = ({ part, key }: PartKey) =>
    quorate && part === 'vmid' && /^\d{3,9}$/.test(key) && !listed.has(Number(key));
  const find = ({ part, key }: PartKey): Part | undefined => {
    if (part === 'power') return powered.get(key);
    if (part === 'vmid') return proofs.find((proof) => proof.key === key);
    const row = guests.get(Number(key));
    return row && guestParts(row, known.guests.get(row.vmid)).find((one) => one.part === part && one.key === key);
  };
  return {
    each(visit) {
      for (const row of guests.values()) eachPart(row, known.guests.get(row.vmid), visit);
      for (const { part, key, age, free } of powered.values()) visit(part, key, age, free);
      for (const { part, key, age, free } of proofs) visit(part, key, age, free);
    },
    ...{ powered, proofs, guests, find },
    has: (part) => find(part) !== undefined || isQuestion(part),
  };
}

/** Known guests that the list does not show, and VMIDs that were in question before. */
function questions({ guests, vmids }: KnownCluster, listed: ReadonlySet<number>): readonly Part[] {
  const asked = new Set<number>();
  for (const vmid of guests.keys()) if (!listed.has(vmid)) asked.add(vmid);
  for (const vmid of vmids.keys()) if (!listed.has(vmid)) asked.add(vmid);
  return [...asked].map((vmid) => paid('vmid', String(vmid), vmids.get(vmid)));
}

export function guestParts(row: ObservedRow, known: KnownGuest | undefined): readonly Part[] {
  const parts: Part[] = [];
  eachPart(row, known, (part, key, age, free) => parts.push({ part, key: String(key), age, free }));
  return parts;
}

function eachPart(row: ObservedRow, known: KnownGuest | undefined, visit: Visit): void {
  visit('config', row.vmid, known?.parts.config, false);
  // Whether a guest without statistics runs is not known: its addresses are neither read nor said to be none.
  if (row.status === 'UNKNOWN') return;
  const free = row.status === 'STOPPED' || (row.kind === 'QEMU' && known?.agent === false);
  visit('addresses', row.vmid, known?.parts.addresses, free);
}

function paid(part: SlicePart, key: string, age: PartAge | undefined): Part {
  return { part, key, age, free: false };
}
