import type { Binding } from '../domain/compare/binding.js';
import type { Difference } from '../domain/finding.js';
import type { Policy } from '../domain/policy.js';
import type { Instant } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import type { Store } from '../store/store.js';
import type { InventoryVerbs } from './verbs.js';

export interface InventoryNeeds {
  view(): InventoryView;
  /** The declarations tied to the view's guests. */
  binding(): Binding;
  /** Every difference that is so by the last comparison, also the swallowed ones. */
  differences(): readonly Difference[];
  policy(): Policy;
  readonly store: Pick<Store, 'versions' | 'findings' | 'runs'>;
  now(): Instant;
}

/** Some of the verbs: each file answers a few. */
export type Verbs<K extends keyof InventoryVerbs> = Pick<InventoryVerbs, K>;
