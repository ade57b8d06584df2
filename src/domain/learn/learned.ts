import type { Instant } from '../time.js';
import type { PartReadRow, SourceState, Version } from '../version.js';

/** What a run (or a start) adds to what is known: the shape in which the store hands it over. */
export interface Learned {
  readonly seq: bigint;
  readonly opened: readonly Version[];
  readonly ended: readonly { readonly version: Version; readonly validTo: Instant }[];
  readonly reads: readonly PartReadRow[];
  readonly states: readonly SourceState[];
}
