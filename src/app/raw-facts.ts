import { type Comparison, compare } from '../domain/compare/compare.js';
import type { Difference } from '../domain/finding.js';
import type { Policy } from '../domain/policy.js';
import type { Instant } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';

interface Needs {
  view(): InventoryView;
  policy(): Policy;
  now(): Instant;
}

/** What is so by the view as it is, swallowed or not. A replica that does not compare works it out when somebody asks, once a view. */
export class RawFacts {
  readonly #needs: Needs;
  #known: { readonly view: InventoryView; readonly policy: Policy; readonly so: readonly Difference[] } | undefined;

  constructor(needs: Needs) {
    this.#needs = needs;
  }

  /** This replica has just compared: what came of it need not be worked out again. */
  compared({ world: { view, policy }, so }: Comparison): void {
    this.#known = { view, policy, so: [...so.values()] };
  }

  now(): readonly Difference[] {
    const view = this.#needs.view();
    const so = this.#so(view);
    return [...so, ...keptOpen(view, so)];
  }

  #so(view: InventoryView): readonly Difference[] {
    const policy = this.#needs.policy();
    const known = this.#known;
    if (
      known !== undefined &&
      known.view.guests === view.guests &&
      known.view.declarations === view.declarations &&
      known.policy === policy
    )
      return known.so;
    const so = [...compare(view, policy, this.#needs.now()).so.values()];
    this.#known = { view, policy, so };
    return so;
  }
}

/** What was so when it could last be looked at stays so in the raw facts too, as its finding stays open. */
function keptOpen(view: InventoryView, so: readonly Difference[]): readonly Difference[] {
  const told = new Set(so.map((difference) => difference.id));
  return [...view.findings.byId.values()]
    .filter((finding) => !told.has(finding.id))
    .map((finding) => ({ ...finding, swallowers: [], swallowedBy: undefined }));
}
