import type { RecipientTurn } from './recipients.js';

/** What is news of a target: told once, however many attempts say the same. */
export type Turn =
  | { readonly kind: 'failing'; readonly reason: string }
  /** Its retry plan is spent, and so many messages became dead letters. */
  | { readonly kind: 'spent'; readonly reason: string; readonly letters: number }
  | { readonly kind: 'recovered' }
  | RecipientTurn;
