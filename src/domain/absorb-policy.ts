import { goodState, withoutReading } from './absorb-declared.js';
import { Writes } from './absorbing.js';
import type { DeclaredProblem } from './declaration.js';
import type { Instant } from './time.js';
import type { Batch } from './version.js';
import type { KeptPolicy, PolicyText } from './view.js';

export const POLICY_SOURCE = 'policy:policy.yaml';

/** What a look at policy.yaml came to. One bad entry refuses the whole file: half a policy could open what it was to close. */
export type PolicyLook =
  | { readonly kind: 'absent' }
  | ({ readonly kind: 'read' } & PolicyText)
  | { readonly kind: 'refused'; readonly problems: readonly DeclaredProblem[] };

/** Holds one look at the file against what is kept of it. Only a good one is taken; the last good one never lapses. */
export function absorbPolicy({ state, taken }: KeptPolicy, look: PolicyLook, at: Instant): Batch {
  if (look.kind !== 'read') {
    const knows = taken !== null;
    return { writes: [], reads: [], state: withoutReading(state, knows, troubleOf(look, knows), at) };
  }
  const writes = new Writes(state.source, '');
  const body: PolicyText = { text: look.text, contentHash: look.contentHash };
  const known = taken === null ? null : { text: taken.text, contentHash: taken.contentHash };
  writes.put(writes.key('policy', 'policy.yaml'), body, known, at, state.lastSuccessAt);
  return { writes: writes.list, reads: [], state: goodState(state, at, at) };
}

function troubleOf(look: Exclude<PolicyLook, { kind: 'read' }>, knows: boolean) {
  if (look.kind === 'absent')
    return { kind: 'absent', reason: knows ? 'policy.yaml is gone' : 'policy.yaml is not there' } as const;
  return { kind: 'unreachable', reason: policyProblems(look.problems) } as const;
}

/** The first characters of a content's hash: enough for a person to tell two policies apart. */
export function shortHash(contentHash: string): string {
  return contentHash.slice(0, 12);
}

/** All of them in one text, each with its line. */
export function policyProblems(problems: readonly DeclaredProblem[]): string {
  return problems.map(({ location, message }) => `${location}: ${message}`).join('; ');
}
