import { type PolicyFileRead, readPolicy } from '../declared/policy-file.js';
import { policyProblems, shortHash } from '../domain/absorb-policy.js';
import type { KeptPolicy } from '../domain/view.js';
import type { Logger } from '../telemetry.js';

interface Needs {
  readonly configDir: string;
  /** What all replicas go by. */
  kept(): KeptPolicy | null;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Whether the file of this replica is something else than what is in force. */
  differs(isSo: boolean): void;
}

interface Doubt {
  readonly level: 'warn' | 'error';
  readonly text: string;
}

const PATIENCE = 15_000;
const IN_FORCE = 'in force is what another replica reads from its own';

/**
 * The policy.yaml of this replica. One replica reads its own for all; while that is another one, a person who wrote
 * something else here has to be told that nobody goes by it.
 */
export class OwnPolicy {
  readonly #needs: Needs;
  readonly #stop = new AbortController();
  #last: PolicyFileRead | undefined;
  #isHere = false;
  #looking = false;
  /** What the last look found to differ: it is told when the next one finds the same, as files do not reach all at once. */
  #seen: string | undefined;
  #told: string | undefined;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  async look(signal: AbortSignal): Promise<PolicyFileRead> {
    this.#last = await readPolicy(this.#needs.configDir, signal);
    return this.#last;
  }

  /** Why the file that was read here for all could not be used; empty: it could, is not there, or is read elsewhere. */
  problems(): readonly string[] {
    if (!this.#isHere || this.#last?.kind !== 'refused') return [];
    return this.#last.problems.map((problem) => policyProblems([problem]));
  }

  /** This replica has read it for all. */
  readHere(isUsed: boolean): void {
    if (!this.#isHere) this.#needs.log.info('this replica reads policy.yaml for all');
    this.#isHere = true;
    this.#seen = undefined;
    this.#told = undefined;
    this.#needs.differs(!isUsed);
  }

  /** Another replica reads its own. */
  async readElsewhere(): Promise<void> {
    this.#isHere = false;
    if (this.#looking || this.#stop.signal.aborted) return;
    this.#looking = true;
    try {
      const own = await this.look(AbortSignal.any([this.#stop.signal, AbortSignal.timeout(PATIENCE)]));
      if (this.#isHere || this.#stop.signal.aborted) return;
      const kept = this.#needs.kept();
      this.#needs.differs(isAnother(own, kept));
      this.#tell(doubtOf(own, kept));
    } catch {
      // Told to stop, or a share that hangs: the next look is a few seconds away.
    } finally {
      this.#looking = false;
    }
  }

  #tell(doubt: Doubt | undefined): void {
    const text = doubt?.text;
    const isLasting = text === this.#seen;
    this.#seen = text;
    if (!isLasting || text === this.#told) return;
    this.#told = text;
    if (doubt === undefined) this.#needs.log.info('policy.yaml of this replica is what is in force');
    else this.#needs.log[doubt.level](doubt.text);
  }

  stop(): void {
    this.#stop.abort();
  }
}

/** One that is not there says nothing else than the defaults do. */
function isAnother(own: PolicyFileRead, kept: KeptPolicy | null): boolean {
  const inForce = kept?.taken?.contentHash ?? null;
  return own.kind === 'refused' || (own.kind === 'read' ? own.contentHash : null) !== inForce;
}

/** What is to be said of it here, and is not said by every replica already. */
function doubtOf(own: PolicyFileRead, kept: KeptPolicy | null): Doubt | undefined {
  const taken = kept?.taken ?? null;
  const inForce = taken === null ? 'every default' : shortHash(taken.contentHash);
  switch (own.kind) {
    case 'absent':
      // Gone for whoever reads it, too: that is told already.
      if (taken === null || kept?.state.outcome === 'UNREACHABLE') return undefined;
      return { level: 'warn', text: `policy.yaml is not there for this replica; ${IN_FORCE} (${inForce})` };
    case 'refused': {
      const problems = policyProblems(own.problems);
      if (kept?.state.reason === problems) return undefined;
      return { level: 'error', text: `policy.yaml of this replica: ${problems}; ${IN_FORCE} (${inForce})` };
    }
    case 'read':
      if (own.contentHash === taken?.contentHash) return undefined;
      return {
        level: 'warn',
        text: `policy.yaml of this replica (${shortHash(own.contentHash)}) is not what is in force; ${IN_FORCE} (${inForce})`,
      };
  }
}
