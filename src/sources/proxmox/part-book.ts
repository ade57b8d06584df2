import type { ObservedRow, PartRead, PartResult, SlicePart } from '../../domain/observation.js';
import type { Instant } from '../../domain/time.js';
import { partName } from './plan.js';

/** One part of a pass, from when it is planned until it is taken. */
export interface Entry {
  readonly name: string;
  readonly part: SlicePart;
  readonly key: string;
  /** Whose it is; '' of a VMID in question, which is nobody's. */
  readonly node: string;
  /** The guest's; undefined of a node's power details and of a VMID in question. */
  readonly row: ObservedRow | undefined;
  readonly mayWait: boolean;
  /** It is still to come. */
  isOpen: boolean;
  /** What came of it, until it is taken. */
  read: PartRead | undefined;
}

/** Which parts of a pass are still to come, and what was read and not yet taken. */
export class PartBook {
  /** Those that are open, or to be taken. */
  readonly #entries = new Map<string, Entry>();
  readonly #read: Entry[] = [];

  get size(): number {
    return this.#entries.size;
  }

  /** `row`: of a guest's part; `mayWait`: it may be left for a later poll when time is short. */
  plan(part: SlicePart, key: string, node: string, row?: ObservedRow, mayWait = false): Entry {
    const name = partName({ part, key });
    const entry: Entry = { name, part, key, node, row, mayWait, isOpen: true, read: undefined };
    this.#entries.set(name, entry);
    return entry;
  }

  /** What came of a part; nothing, where it is of no use any more. */
  add(entry: Entry, askedAt: Instant, result: PartResult): void {
    if (!entry.isOpen) return;
    entry.isOpen = false;
    entry.read = { key: entry.key, askedAt, result };
    this.#read.push(entry);
  }

  /** Its turn is over, whatever came of it. */
  close(entry: Entry): void {
    if (entry.isOpen) this.forget([entry.name]);
  }

  /** What was read since it was last taken, in the order in which it came. */
  take(): readonly PartRead[] {
    const parts: PartRead[] = [];
    for (const { name, read } of this.#read.splice(0)) {
      if (read === undefined) continue;
      parts.push(read);
      this.#entries.delete(name);
    }
    return parts;
  }

  /** Names of the parts that are still to come, or to be taken. */
  underWay(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Nodes of which a config or the power details are still to come. */
  thinking(): readonly string[] {
    const nodes: string[] = [];
    for (const { isOpen, part, node } of this.#entries.values())
      if (isOpen && (part === 'config' || part === 'power')) nodes.push(node);
    return nodes;
  }

  /** Whatever comes, or came, of these parts is of no use any more. */
  forget(names: Iterable<string>): void {
    for (const name of names) {
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      entry.isOpen = false;
      entry.read = undefined;
      this.#entries.delete(name);
    }
  }
}
