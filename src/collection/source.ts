import type { CollectorName } from '../domain/contract.js';
import type { InventoryEvent, NodeEvent } from '../domain/inventory-event.js';
import type { Progress } from '../domain/observation.js';
import type { Batch, SourceKind } from '../domain/version.js';
import type { InventoryView } from '../domain/view.js';

export type RunMode = 'POLL' | 'FULL' | 'ON_DEMAND';

export interface RunRequest {
  readonly mode: RunMode;
  readonly view: InventoryView;
  /** Parts somebody asked for: they come first. */
  readonly asked: readonly AskedPart[];
  readonly progress: Progress;
}

/** A part of what a source has, by its key there. */
export interface AskedPart {
  readonly part: string;
  readonly key: string;
}

/** What a run came to, before it is written. */
export interface RunResult {
  readonly batch: Batch;
  readonly events: readonly InventoryEvent[];
  readonly nodeEvents?: readonly NodeEvent[];
  readonly requests: number;
  readonly coverage: { readonly rows: number; readonly parts: number; readonly failed: number };
}

/** One source as the schedule sees it: a cluster, a file. It keeps no estate between runs; what is known comes with the view. */
export interface CollectedSource {
  /** `proxmox:main`, `declared:ip-addresses.conf`, `npm:edge-proxy`. */
  readonly source: string;
  readonly kind: SourceKind;
  readonly cluster: string;
  /** The contract's name; null for declared files and the policy, which are watched and not scheduled by it. */
  readonly collector: CollectorName | null;
  intervalMs(): number;
  /** Asked as soon as the process starts, however young its last success: a poll that must not miss what happened meanwhile. */
  readonly atStart: boolean;

  run(request: RunRequest, signal: AbortSignal): Promise<RunResult>;
  close(): Promise<void>;
}
