import type { DeclaredFileSource } from '../declared/source.js';
import { absorbDeclared, declaredSourceName } from '../domain/absorb-declared.js';
import { type Instant, SECOND } from '../domain/time.js';
import { neverCollected } from '../domain/version.js';
import type { InventoryView, KeptDeclared } from '../domain/view.js';
import { type CollectedSource, type RunResult } from './source.js';

/** A watched file is looked at when it changed; besides, in case a watch missed something, this often. */
export const LOOK_AGAIN = 30 * SECOND;

interface Needs {
  readonly file: DeclaredFileSource;
  now(): number;
  /** The content that a person confirmed in spite of what it lost; null: none. */
  confirmed(source: string): Promise<string | null>;
  /** What a person may confirm: the content that lost too much at once; null: nothing waits. */
  pending(source: string, contentHash: string | null): Promise<void>;
}

export function declaredCollector({ file, now, confirmed, pending }: Needs): CollectedSource {
  const named = { source: declaredSourceName(file.name), kind: 'declared' as const, cluster: '' };
  /** The last look that found what is known, which nobody wrote down: until then nothing had changed. */
  let looked: Look | undefined;
  return {
    ...named,
    collector: null,
    atStart: true,
    intervalMs: () => LOOK_AGAIN,
    async run({ view }, signal): Promise<RunResult> {
      const known = shownAt(looked, keptIn(view, named));
      const outcome = await file.collect(
        { rows: [...known.rows.values()], confirmedHash: await confirmed(named.source) },
        signal,
      );
      await pending(named.source, outcome.kind === 'unreachable' ? outcome.contentHash : null);
      const rows = outcome.kind === 'observed' ? outcome.value.rowCount : 0;
      const batch = absorbDeclared(known, outcome, now());
      looked = outcome.kind === 'observed' ? { contentHash: outcome.contentHash, at: outcome.at } : undefined;
      return { batch, events: [], requests: 1, coverage: { rows, parts: 0, failed: 0 } };
    },
    async close() {},
  };
}

interface Look {
  readonly contentHash: string;
  readonly at: Instant;
}

/** What is known, as of the last look that found just that. */
function shownAt(looked: Look | undefined, known: KeptDeclared): KeptDeclared {
  const { state, meta } = known;
  if (looked === undefined || state.outcome !== 'OBSERVED' || meta?.contentHash !== looked.contentHash) return known;
  const { lastAttemptAt, lastSuccessAt } = state;
  const since = (at: Instant | null) => Math.max(at ?? 0, looked.at);
  return { ...known, state: { ...state, lastAttemptAt: since(lastAttemptAt), lastSuccessAt: since(lastSuccessAt) } };
}

export function keptIn(view: InventoryView, named: Pick<CollectedSource, 'source' | 'kind' | 'cluster'>): KeptDeclared {
  const known = view.declared.get(named.source);
  if (known !== undefined && known.state.outcome !== 'RETIRED') return known;
  return { state: neverCollected(named), meta: null, rows: new Map(), removed: [], asked: new Map() };
}
