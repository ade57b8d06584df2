import type { NotifyTarget } from '../domain/notify.js';
import { isLack } from '../domain/target-lack.js';
import type { TargetState } from '../store/delivery-words.js';
import type { TenureNeeds } from './target-tenure.js';

/** A lack that is mended is forgotten: nothing was ever sent then, so what waits is tried now, and the plan begins anew. */
export async function withoutMendedLack(
  target: NotifyTarget,
  state: TargetState,
  { lack, store }: Pick<TenureNeeds, 'lack' | 'store'>,
): Promise<TargetState> {
  if (state.failures === 0 || state.reason === null) return state;
  if (!isLack(state.reason, target) || lack(target) !== null) return state;
  await store.deliveries.mended(target.id);
  return { ...state, failures: 0, spent: false, nextAttemptAt: null, reason: null };
}
