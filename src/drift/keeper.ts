import { type Comparison, compare } from '../domain/compare/compare.js';
import type { Ask } from '../domain/compare/world.js';
import type { Finding, FindingId } from '../domain/finding.js';
import { lastSeen } from '../domain/last-seen.js';
import { type Lived, live } from '../domain/lifecycle.js';
import type { Policy } from '../domain/policy.js';
import type { Instant } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import type { ComparisonRecord, Store } from '../store/store.js';
import { writeSteps } from './write-steps.js';

/** What COMPARE needs of the house: the view and the policy are handed in. */
export interface DriftNeeds {
  readonly store: Pick<Store, 'transaction' | 'findings' | 'lock' | 'comparisons'>;
  view(): InventoryView;
  policy(): Policy;
  now(): Instant;
  /** Whether every declared source was looked at since this process began: until then a file may say more than is known of it. */
  mayCompare(): boolean;
  /** Tells the replica what became of findings, what is so, and under which number it was written; null: nothing was. */
  learned(changed: readonly Finding[], comparison: Comparison, at: Instant, seq: bigint | null): void;
  /** Reads every finding that is not resolved anew: somebody else compared before us. */
  catchUp(): Promise<void>;
  /** All reads that would settle a doubt, for the collectors to take up; empty where there is none. */
  asked(asks: readonly Ask[]): void;
  measured(seconds: number): void;
  failed(error: unknown): void;
}

export interface DriftKeeper {
  /** Compares soon; several requests before that make one comparison. */
  request(): void;
  /** A person's word changed findings, here or elsewhere: where this replica compares, it learns it and compares anew. */
  outdated(): void;
  /** Whether this replica is the one that compares: then nobody else writes findings, but those who decide about them. */
  compares(): boolean;
  /** Compares now and waits for what it writes. false: another replica is the one that compares. */
  compareNow(): Promise<boolean>;
  /** Waits for the end of a comparison under way. */
  idle(): Promise<void>;
  stop(): Promise<void>;
}

/** A comparison that is due because time passed, and not because something changed, looks no more often than this. */
const SOONEST_DUE = 250;
/** Whoever compares may die with something left to compare: who does not compare looks this often whether it is gone. */
const TRY_LOCK_AGAIN = 2_000;
const LONGEST_TIMER = 60 * 60 * 1_000;

/** Compares whenever the view changed or a doubt falls due; one at a time over all replicas, by a lock. */
export function driftKeeper(needs: DriftNeeds): DriftKeeper {
  const keeper = new Keeper(needs);
  return {
    request: () => keeper.request(),
    outdated: () => keeper.outdated(),
    compares: () => keeper.compares(),
    compareNow: () => keeper.compareNow(),
    idle: () => keeper.idle(),
    stop: () => keeper.stop(),
  };
}

type Held = { readonly lost: AbortSignal; release(): Promise<void> };

class Keeper {
  readonly #needs: DriftNeeds;
  /** What was known when it was last compared here: until then whatever stayed open was so. */
  #before: InventoryView;
  #held: Held | undefined;
  /** The last comparison on record that the findings known here come from. */
  #latest: ComparisonRecord | undefined;
  #running: Promise<boolean> | undefined;
  #wanted = false;
  /** Others wrote findings since they were read here. */
  #isOutdated = false;
  #due: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(needs: DriftNeeds) {
    this.#needs = needs;
    this.#before = needs.view();
  }

  request(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#wanted = true;
      return;
    }
    this.#running = this.#loop();
  }

  outdated(): void {
    if (!this.compares()) return;
    this.#isOutdated = true;
    this.request();
  }

  compares(): boolean {
    return this.#held !== undefined && !this.#held.lost.aborted;
  }

  async compareNow(): Promise<boolean> {
    while (this.#running !== undefined) await this.#running;
    if (this.#stopped) return false;
    this.#running = this.#loop();
    return this.#running;
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#due);
    await this.#running;
    await this.#held?.release();
  }

  /** What was learned while one comparison ran is compared by the next. */
  async #loop(): Promise<boolean> {
    let compared = false;
    try {
      do {
        this.#wanted = false;
        compared = await this.#once();
      } while (this.#wanted && !this.#stopped);
    } catch (error) {
      this.#needs.failed(error);
      this.#wakeAt(this.#needs.now() + 1_000);
    } finally {
      this.#running = undefined;
    }
    return compared;
  }

  async #once(): Promise<boolean> {
    if (!this.#needs.mayCompare()) return false;
    if (!(await this.#hold())) {
      this.#wakeAt(this.#needs.now() + TRY_LOCK_AGAIN);
      return false;
    }
    if (this.#isOutdated) await this.#learnOthers();
    const { view: currentView, policy, now, store } = this.#needs;
    const view = currentView();
    const started = performance.now();
    const at = now();
    const comparison = compare(view, policy(), at);
    const before = await known(store, view, comparison);
    const lived = seenUntil(this.#before, before, live(before, comparison, at));
    this.#needs.measured((performance.now() - started) / 1_000);
    const written = lived.changed.length === 0 ? null : await this.#write(view, lived, comparison.world.now);
    if (written === undefined) {
      // Something else is recorded: a person decided, or somebody held the lock since. What they wrote is learned first.
      this.#isOutdated = true;
      this.#wanted = true;
      return false;
    }
    this.#before = view;
    this.#needs.learned(lived.changed, comparison, at, written);
    this.#needs.asked(comparison.asks);
    const due = [comparison.due, lived.due].filter((moment) => moment !== null);
    if (due.length > 0) this.#wakeAt(Math.min(...due));
    return true;
  }

  async #hold(): Promise<boolean> {
    if (this.compares()) return true;
    const held = await this.#needs.store.lock('drift');
    if (held === undefined) return false;
    // Held before it is known what others wrote, it would be taken for granted by the next comparison.
    try {
      await this.#learnOthers();
    } catch (error) {
      await held.release();
      throw error;
    }
    this.#held = held;
    return true;
  }

  /** The record first: what is written after it was read makes the next write start anew. */
  async #learnOthers(): Promise<void> {
    // Before it reads: what is committed while it does outdates it again.
    this.#isOutdated = false;
    try {
      this.#latest = await this.#needs.store.comparisons.latest();
      await this.#needs.catchUp();
    } catch (error) {
      this.#isOutdated = true;
      throw error;
    }
  }

  /** Findings, their history, the event rows, and which knowledge they came from: one commit. undefined: not written. */
  async #write(view: InventoryView, lived: Lived, comparedAt: Instant): Promise<bigint | undefined> {
    const record = { seq: view.seq, at: comparedAt };
    const written = await this.#needs.store.transaction(async (tx) => {
      const latest = await tx.comparisons.latest();
      // A lost lock is noticed late. Whoever had it meanwhile saw perhaps no later run, and wrote all the same.
      // And whoever decided about a finding meanwhile was not heard by this comparison.
      if (latest?.seq !== this.#latest?.seq || latest?.at !== this.#latest?.at) return undefined;
      if (latest !== undefined && latest.seq > view.seq) return undefined;
      await writeSteps(tx, lived.changed, lived.events);
      await tx.comparisons.record(record);
      return tx.seq;
    });
    if (written !== undefined) this.#latest = record;
    return written;
  }

  #wakeAt(at: Instant): void {
    clearTimeout(this.#due);
    if (this.#stopped) return;
    const wait = Math.min(LONGEST_TIMER, Math.max(SOONEST_DUE, at - this.#needs.now()));
    this.#due = setTimeout(() => this.request(), wait);
    this.#due.unref();
  }
}

/** What is over was seen last by the reads before the one that showed it is. Nothing was written at each of those. */
function seenUntil(view: InventoryView, before: ReadonlyMap<FindingId, Finding>, lived: Lived): Lived {
  const seen = (finding: Finding): Finding => {
    const known = before.get(finding.id);
    if (finding.state !== 'RESOLVED' || known === undefined || known.state === 'RESOLVED') return finding;
    return { ...finding, lastSeenAt: Math.min(lastSeen(view, known), finding.resolvedAt ?? Number.POSITIVE_INFINITY) };
  };
  return { ...lived, changed: lived.changed.map(seen) };
}

/** What the life of findings needs to see: all that live, and those resolved ones that are so again. */
async function known(
  store: DriftNeeds['store'],
  view: InventoryView,
  comparison: Comparison,
): Promise<ReadonlyMap<FindingId, Finding>> {
  const living = view.findings.byId;
  const others = [...comparison.so.keys()].filter((id) => !living.has(id));
  if (others.length === 0) return living;
  const resolved = await store.findings.byIds(others);
  return resolved.size === 0 ? living : new Map([...living, ...resolved]);
}
