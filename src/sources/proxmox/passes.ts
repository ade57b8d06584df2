import { setMaxListeners } from 'node:events';
import type { PartRead } from '../../domain/observation.js';
import { type Gate, gate } from '../transport/gate.js';
import type { PartsRead, Pass } from './read-parts.js';

/** Reads of one node that go on at once besides urgent ones: a node that hangs takes so many places and no more. */
export const NODE_WIDTH = 3;
// Requests that are kept free for the next poll while reads go on in the background.
const FOR_THE_POLL = 3;

interface Started {
  readonly pass: Pass;
  readonly cancel: AbortController;
  readonly done: Promise<void>;
  isDone: boolean;
}

/**
 * The passes of one source that still have something to hand over. A pass that was handed over goes on in the background
 * until it ends or the source is closed.
 */
export class Passes {
  readonly #started = new Set<Started>();
  readonly #nodes = new Map<string, Gate>();
  readonly #places: Gate;
  /** Nodes that hung in passes that ended. */
  #hung: ReadonlySet<string> = new Set();
  #closed: Error | undefined;

  constructor(concurrency: number) {
    this.#places = gate(Math.max(1, concurrency - FOR_THE_POLL));
  }

  /** Starts a pass. It ends with `outer` until it is let go on without it. */
  begin(outer: AbortSignal, make: (signal: AbortSignal) => Pass): Begun {
    const cancel = new AbortController();
    // Every request under way listens for the end.
    setMaxListeners(0, cancel.signal);
    const cancelled = () => cancel.abort(outer.reason);
    if (outer.aborted) cancelled();
    if (this.#closed !== undefined) cancel.abort(this.#closed);
    outer.addEventListener('abort', cancelled, { once: true });
    const pass = make(cancel.signal);
    const done = pass.run();
    const started: Started = { pass, cancel, done, isDone: false };
    this.#started.add(started);
    const ended = () => {
      started.isDone = true;
    };
    // Whoever waits for it hears of a failure; nobody may wait any more.
    done.then(ended, ended);
    return {
      pass,
      done,
      letGo: () => outer.removeEventListener('abort', cancelled),
      drop: async () => {
        this.#started.delete(started);
        cancel.abort();
        await done.catch(() => {});
      },
    };
  }

  /** Waits for a place among the reads of a node that go on in the background, then among those of all. */
  async enter(node: string, signal: AbortSignal): Promise<() => void> {
    const ofNode = this.#nodes.get(node) ?? gate(NODE_WIDTH);
    this.#nodes.set(node, ofNode);
    const leaveNode = await ofNode.enter(signal);
    try {
      const leave = await this.#places.enter(signal);
      return () => {
        leave();
        leaveNode();
      };
    } catch (cancelled) {
      leaveNode();
      throw cancelled;
    }
  }

  underWay(): ReadonlySet<string> {
    return new Set([...this.#started].flatMap(({ pass }) => pass.underWay()));
  }

  hanging(): ReadonlySet<string> {
    return new Set([...this.#hung, ...[...this.#started].flatMap(({ pass }) => pass.hanging())]);
  }

  forget(names: ReadonlySet<string>): void {
    for (const { pass } of this.#started) pass.forget(names);
  }

  /** What all of them read since the last time; those that ended are left. */
  take(): PartsRead {
    const parts: PartRead[] = [];
    const notes: string[] = [];
    this.#hung = new Set([...this.#started].flatMap(({ pass }) => pass.hanging()));
    for (const started of this.#started) {
      const read = started.pass.take();
      parts.push(...read.parts);
      notes.push(...read.notes);
      if (started.isDone) this.#started.delete(started);
    }
    return { parts, notes };
  }

  async close(): Promise<void> {
    this.#closed = new Error('the source was closed');
    await this.end(this.#closed);
  }

  /** Ends all that goes on, and forgets what it read. */
  async end(why: Error): Promise<void> {
    const ending = [...this.#started];
    this.#started.clear();
    for (const { cancel } of ending) cancel.abort(why);
    await Promise.allSettled(ending.map(({ done }) => done));
  }
}

export interface Begun {
  readonly pass: Pass;
  readonly done: Promise<void>;
  /** From now on it outlives the caller's signal. */
  letGo(): void;
  /** Nothing of it is handed over. */
  drop(): Promise<void>;
}
