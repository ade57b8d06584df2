import type { Learned } from '../../src/domain/learn/learned.js';
import type { Batch, PartReadRow, SourceState, Version, VersionKey } from '../../src/domain/version.js';

type Ended = Learned['ended'][number];

/**
 * What a store keeps of batches, and hands over the way a store does: an open version that is followed counts as ended, and
 * none ends before it began.
 */
export class Shelf {
  readonly #open = new Map<string, Version>();
  readonly #ended: Ended[] = [];
  readonly #reads = new Map<string, PartReadRow>();
  readonly #states = new Map<string, SourceState>();
  #seq = 0n;

  /** Keeps a batch; returns what is to be learned of it. */
  apply(batch: Batch): Learned {
    this.#seq += 1n;
    const ended: Ended[] = [];
    const opened: Version[] = [];
    for (const write of batch.writes) {
      const id = idOf(write.op === 'put' ? write.version : write.key);
      const before = this.#open.get(id);
      const at = write.op === 'put' ? write.version.validFrom : write.validTo;
      if (before !== undefined) ended.push({ version: before, validTo: Math.max(before.validFrom, at) });
      this.#open.delete(id);
      if (write.op === 'put') {
        this.#open.set(id, write.version);
        opened.push(write.version);
      }
    }
    this.#ended.push(...ended);
    for (const read of batch.reads) this.#reads.set(`${read.source} ${read.part} ${read.key}`, read);
    this.#states.set(batch.state.source, batch.state);
    return { seq: this.#seq, opened, ended, reads: batch.reads, states: [batch.state] };
  }

  /** All that is open, and the declared rows that ended after a moment: what a start learns. */
  everything(after: number): Learned {
    const ended = this.#ended.filter(({ version, validTo }) => version.kind === 'declared.row' && validTo > after);
    return {
      seq: this.#seq,
      opened: [...this.#open.values()],
      ended,
      reads: [...this.#reads.values()],
      states: [...this.#states.values()],
    };
  }
}

function idOf({ source, cluster, kind, key, incarnation }: VersionKey): string {
  return `${source} ${cluster} ${kind} ${key} ${incarnation}`;
}
