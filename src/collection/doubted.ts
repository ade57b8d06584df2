import type { CollectedSource } from './source.js';

/** A source of which the settings say something wrong: it runs without that, and each run tells of it first. */
export function doubted(source: CollectedSource, doubts: readonly string[]): CollectedSource {
  if (doubts.length === 0) return source;
  return {
    ...source,
    async run(request, signal) {
      const result = await source.run(request, signal);
      const { state } = result.batch;
      return { ...result, batch: { ...result.batch, state: { ...state, notes: [...doubts, ...state.notes] } } };
    },
  };
}
