import { join } from 'node:path';
import type { Collection } from '../collection/collection.js';
import { policyCollector } from '../collection/policy.js';
import type { CollectedSource } from '../collection/source.js';
import { POLICY_FILE } from '../declared/policy-file.js';
import { watchPaths } from '../declared/watch.js';
import { POLICY_SOURCE } from '../domain/absorb-policy.js';
import type { DeclaredProblem } from '../domain/declaration.js';
import type { Policy } from '../domain/policy.js';
import type { Instant } from '../domain/time.js';
import type { Replica } from '../inventory/replica.js';
import type { Logger } from '../telemetry.js';
import { firstPolicy } from './first-policy.js';
import { OwnPolicy } from './own-policy.js';
import { PolicyInForce } from './policy-in-force.js';
import { SettingsError } from './settings-files.js';

interface Needs {
  readonly configDir: string;
  readonly log: Logger;
  readonly replica: () => Pick<Replica, 'view' | 'catchUp'>;
  readonly collection: () => Pick<Collection, 'configure' | 'collectNow' | 'wake'>;
  differs(isSo: boolean): void;
  /** What of a policy has no effect on this replica. */
  warnings(read: { readonly policy: Policy; readonly text: string }): readonly DeclaredProblem[];
  now(): Instant;
}

/** policy.yaml as this replica has to do with it: it may be the one that reads the file, and goes by what is in the store. */
export class CollectedPolicy {
  readonly source: CollectedSource;
  readonly #needs: Needs;
  readonly #inForce: PolicyInForce;
  readonly #own: OwnPolicy;
  #unwatch = () => {};
  #isKnown = false;

  constructor(needs: Needs) {
    const { configDir, log, differs, now } = needs;
    this.#needs = needs;
    this.#inForce = new PolicyInForce(needs);
    this.#own = new OwnPolicy({ configDir, log, differs, kept: () => needs.replica().view().policy });
    this.source = policyCollector({ look: (signal) => this.#own.look(signal), now });
  }

  /** What every replica goes by. */
  policy(): Policy {
    return this.#inForce.policy();
  }

  /** Whether it was looked at since this process began: until then the file may say more than is known of it. */
  isKnown(): boolean {
    return this.#isKnown;
  }

  /** The view may be another. true: another policy is in force. */
  follow(): boolean {
    const isAnother = this.#inForce.follow(this.#needs.replica().view().policy);
    if (this.#isKnown) this.#inForce.tell();
    return isAnother;
  }

  /** The first look, by whichever replica reads the file. Throws SettingsError where nothing can be used and nothing older is known. */
  async learn(): Promise<void> {
    const { configDir, replica, collection } = this.#needs;
    // Watched from before it is read: an edit meanwhile would be seen by nobody.
    this.#unwatch = watchPaths([join(configDir, POLICY_FILE)], () => this.wake());
    const { state, taken } = await firstPolicy({
      collection: collection(),
      replica: replica(),
      source: this.source,
    });
    const unusable = this.#inForce.unusable();
    if (unusable !== null) throw new SettingsError([`the policy in force cannot be used by this version: ${unusable}`]);
    if (taken === null && state.outcome === 'UNREACHABLE') {
      const problems = this.#own.problems();
      throw new SettingsError(problems.length > 0 ? problems : [state.reason ?? `${POLICY_FILE} cannot be read`]);
    }
    this.#isKnown = true;
    this.#inForce.tell();
  }

  wake(): void {
    this.#needs.collection().wake(POLICY_SOURCE);
  }

  readHere(isUsed: boolean): void {
    this.#own.readHere(isUsed);
  }

  heldElsewhere(): void {
    void this.#own.readElsewhere();
  }

  stop(): void {
    this.#unwatch();
    this.#own.stop();
  }
}
