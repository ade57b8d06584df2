import type { ObservedRow, PartRead, Progress } from '../../domain/observation.js';
import { inLanes } from '../lanes.js';
import { type Entry, PartBook } from './part-book.js';
import { PartReader, type ReaderNeeds } from './part-reader.js';
import type { Reads } from './plan.js';

export interface ReadNeeds extends ReaderNeeds {
  /** Reads of one node under way at once. */
  readonly width: number;
  readonly progress: Progress;
  /**
   * Waits for a turn at a node (null: for what is urgent, wherever) and gives the way to leave; undefined: there is nothing
   * to wait for. Here and not at the client, where a request that waits is already much to remember.
   */
  enter(node: string | null, signal: AbortSignal): Promise<() => void> | (() => void) | undefined;
}

export interface PartsRead {
  readonly parts: readonly PartRead[];
  readonly notes: readonly string[];
}

interface NodeWork {
  readonly deciding: Entry[];
  /** Power details and the other configs. */
  readonly details: Entry[];
  readonly addresses: Entry[];
}

/**
 * Reads the chosen parts, each node on its own, so that one that hangs keeps nobody waiting: first the configs that decide
 * who lives there, then power details and the other configs, then addresses, where dead agents take seconds each.
 * Whatever goes wrong with one part is that part's result; only cancelling throws. What was read can be taken at any time.
 */
export class Pass {
  readonly #reads: Reads;
  readonly #needs: ReadNeeds;
  readonly #book = new PartBook();
  readonly #reader: PartReader;
  readonly #deciding = new Map<string, Promise<void>>();
  #proving: Promise<void> = Promise.resolve();
  #done = 0;
  #total = 0;

  constructor(reads: Reads, needs: ReadNeeds) {
    this.#reads = reads;
    this.#needs = needs;
    this.#reader = new PartReader(needs, this.#book);
  }

  async run(): Promise<void> {
    const questions = this.#reads.vmids.map((vmid) => this.#book.plan('vmid', String(vmid), ''));
    const byNode = this.#byNode();
    this.#total = this.#book.size;
    this.#proving = this.#inLanes(questions, null);
    const all: Promise<void>[] = [this.#proving];
    for (const [node, work] of byNode) {
      const deciding = this.#inLanes(work.deciding, null);
      this.#deciding.set(node, deciding);
      all.push(deciding.then(() => this.#readNode(node, work)));
    }
    const ends = await Promise.allSettled(all);
    const broken = ends.find((end) => end.status === 'rejected');
    if (broken !== undefined) throw broken.reason;
  }

  /** Ends when it is decided who lives on the nodes that are not `without`. */
  async decided(without: ReadonlySet<string> = new Set()): Promise<void> {
    await Promise.all([...this.#deciding].flatMap(([node, deciding]) => (without.has(node) ? [] : [deciding])));
  }

  async proven(): Promise<void> {
    await this.#proving;
  }

  /** What was read since it was last taken. */
  take(): PartsRead {
    return { parts: this.#book.take(), notes: this.#reader.takeNotes() };
  }

  /** Names of the parts that are still to come, or to be taken. */
  underWay(): readonly string[] {
    return this.#book.underWay();
  }

  /** Nodes that said nothing to the last question, or are still thinking about a config or their power details. */
  hanging(): readonly string[] {
    return [...this.#book.thinking(), ...this.#reader.silent()];
  }

  /** Whatever comes of these parts is of no use any more. */
  forget(names: Iterable<string>): void {
    this.#book.forget(names);
  }

  #byNode(): ReadonlyMap<string, NodeWork> {
    const nodes = new Map<string, NodeWork>();
    const at = (node: string): NodeWork => {
      const known = nodes.get(node);
      if (known !== undefined) return known;
      const work = { deciding: [], details: [], addresses: [] };
      nodes.set(node, work);
      return work;
    };
    for (const node of this.#reads.power) at(node).details.push(this.#book.plan('power', node, node));
    for (const { row, config, addresses, mayWait, decides } of this.#reads.guests) {
      const { deciding, details, addresses: later } = at(row.node);
      const key = String(row.vmid);
      if (config || (addresses && this.#needsAgentFlag(row)))
        (decides ? deciding : details).push(this.#book.plan('config', key, row.node, row));
      if (addresses) later.push(this.#book.plan('addresses', key, row.node, row, mayWait));
    }
    return nodes;
  }

  async #readNode(node: string, { deciding, details, addresses }: NodeWork): Promise<void> {
    await this.#inLanes(details, node);
    const planned = new Set(addresses.map(({ key }) => key));
    const turned = [...deciding, ...details].flatMap(({ key, row }) =>
      row === undefined || planned.has(key) || !this.#agentTurned(row)
        ? []
        : [this.#book.plan('addresses', key, node, row)],
    );
    this.#total += turned.length;
    await this.#inLanes([...addresses, ...turned], node);
  }

  /** Whether an agent answers is written in the config: without it there is nothing to decide by. */
  #needsAgentFlag(row: ObservedRow): boolean {
    return (
      row.kind === 'QEMU' && row.status !== 'STOPPED' && this.#needs.known.guests.get(row.vmid)?.agent === undefined
    );
  }

  /** An agent that the config now has, or has no more, changes what there is to read. */
  #agentTurned(row: ObservedRow): boolean {
    const before = this.#needs.known.guests.get(row.vmid)?.agent;
    return (
      row.kind === 'QEMU' &&
      row.status !== 'UNKNOWN' &&
      before !== undefined &&
      before !== this.#reader.agentOf(row.vmid)
    );
  }

  /** `node`: whose turn is waited for; null: they are urgent. */
  #inLanes(entries: readonly Entry[], node: string | null): Promise<void> {
    return inLanes(this.#needs.width, entries, (entry) => this.#counted(entry, node));
  }

  async #counted(entry: Entry, node: string | null): Promise<void> {
    const { ask, enter, progress } = this.#needs;
    const leave = await enter(node, ask.signal);
    try {
      ask.signal.throwIfAborted();
      if (entry.isOpen) await this.#reader.read(entry);
      this.#book.close(entry);
    } finally {
      leave?.();
    }
    this.#done += 1;
    progress(this.#done, this.#total);
  }
}
