import { absorbPolicy, POLICY_SOURCE, type PolicyLook } from '../domain/absorb-policy.js';
import { neverCollected } from '../domain/version.js';
import { LOOK_AGAIN } from './declared.js';
import type { CollectedSource, RunResult } from './source.js';

interface Needs {
  /** Looks at the file once. Throws only when `signal` aborts. */
  look(signal: AbortSignal): Promise<PolicyLook>;
  now(): number;
}

/** policy.yaml as a source: one replica reads and checks it, and writes what all of them go by. */
export function policyCollector({ look, now }: Needs): CollectedSource {
  const named = { source: POLICY_SOURCE, kind: 'policy' as const, cluster: '' };
  return {
    ...named,
    collector: null,
    atStart: true,
    intervalMs: () => LOOK_AGAIN,
    async run({ view }, signal): Promise<RunResult> {
      const kept = view.policy ?? { state: neverCollected(named), taken: null };
      const at = now();
      const batch = absorbPolicy(kept, await look(signal), at);
      return { batch, events: [], requests: 1, coverage: { rows: 0, parts: 0, failed: 0 } };
    },
    async close() {},
  };
}
