import { parsePolicy } from '../declared/policy-file.js';
import { policyProblems, shortHash } from '../domain/absorb-policy.js';
import type { DeclaredProblem } from '../domain/declaration.js';
import { DEFAULT_POLICY, type Policy } from '../domain/policy.js';
import { isoTime } from '../domain/time.js';
import type { KeptPolicy } from '../domain/view.js';
import type { Logger } from '../telemetry.js';

interface Needs {
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** What of a policy has no effect on this replica. */
  warnings(read: { readonly policy: Policy; readonly text: string }): readonly DeclaredProblem[];
}

/**
 * The policy that this replica goes by: the last good one in the store, whoever read it, parsed once. What is told of it is
 * told by every replica, as each may be the one whose log is looked at.
 */
export class PolicyInForce {
  readonly #log: Needs['log'];
  readonly #warnings: Needs['warnings'];
  #kept: KeptPolicy | null = null;
  #policy = DEFAULT_POLICY;
  /** Of the content that the policy is made of; null: every default holds. */
  #contentHash: string | null = null;
  #unusable: string | null = null;
  #told: { readonly contentHash: string | null; readonly trouble: string | null } = {
    contentHash: null,
    trouble: null,
  };

  constructor({ log, warnings }: Needs) {
    this.#log = log;
    this.#warnings = warnings;
  }

  policy(): Policy {
    return this.#policy;
  }

  /** Why the policy in the store cannot be used here: a replica of another version wrote it. null: it is used. */
  unusable(): string | null {
    return this.#unusable;
  }

  /** Takes up what the view has. true: another policy is in force than before. */
  follow(kept: KeptPolicy | null): boolean {
    if (kept === this.#kept) return false;
    this.#kept = kept;
    const taken = kept?.taken ?? null;
    this.#unusable = null;
    if (taken === null || taken.contentHash === this.#contentHash) return false;
    const read = parsePolicy(taken.text);
    if (read.kind === 'refused') {
      this.#unusable = policyProblems(read.problems);
      return false;
    }
    this.#policy = read.policy;
    this.#contentHash = taken.contentHash;
    return true;
  }

  /** Tells once what is in force, what is wrong with its file, and that this is over. */
  tell(): void {
    const taken = this.#kept?.taken ?? null;
    const trouble = this.#trouble();
    const { contentHash, trouble: before } = this.#told;
    this.#told = { contentHash: this.#contentHash, trouble };
    if (taken !== null && taken.contentHash === this.#contentHash && contentHash !== this.#contentHash) {
      this.#log.info({ policy: shortHash(taken.contentHash), since: isoTime(taken.since) }, 'this policy is in force');
      for (const { location, message } of this.#warnings({ policy: this.#policy, text: taken.text }))
        this.#log.warn(`${location}: ${message}`);
    }
    if (trouble === before) return;
    if (trouble === null) this.#log.info('policy.yaml can be used again');
    else
      this.#log.error(this.#contentHash === null ? `${trouble}; the defaults stay in force` : `${trouble}; ${STAYS}`);
  }

  #trouble(): string | null {
    if (this.#unusable !== null)
      return `this version cannot use the policy that another replica took: ${this.#unusable}`;
    const state = this.#kept?.state;
    return state?.outcome === 'UNREACHABLE' ? (state.reason ?? 'policy.yaml cannot be read') : null;
  }
}

const STAYS = 'the last good policy stays in force';
