import { demand, type Principal } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import type { Store } from '../store/store.js';

/**
 * A declared source that lost many rows at once is not believed until a person says that it is right. Her word is about
 * that very content: another save is another question.
 */
export interface Confirmations {
  confirmed(source: string): Promise<string | null>;
  pending(source: string, contentHash: string | null): void;
  /** `source`: the name as facts show it (`ALL_VMIDS_ENDPOINTS.md`). Returns the source whose next look will be believed. */
  confirm(principal: Principal, input: { readonly source: string; readonly reason: string }): Promise<string>;
}

const LONGEST_REASON = 1_000;

export function confirmations(
  store: Pick<Store, 'transaction'>,
  sourceNameOf: (name: string) => string,
): Confirmations {
  const waiting = new Map<string, string>();
  const mark = (source: string) => `declared-confirmed:${source}`;
  return {
    async confirmed(source) {
      // Only a source that lost rows has anything to confirm: a look at a sound file costs no question.
      if (!waiting.has(source)) return null;
      return (await store.transaction((tx) => tx.marks.get(mark(source)))) ?? null;
    },
    pending(source, contentHash) {
      if (contentHash === null) waiting.delete(source);
      else waiting.set(source, contentHash);
    },
    async confirm(principal, { source: name, reason }) {
      demand(principal, 'drift:decide');
      const source = sourceNameOf(name);
      const contentHash = waiting.get(source);
      if (reason.trim() === '' || reason.length > LONGEST_REASON) {
        throw new DomainError('VALIDATION_ERROR', `give a reason of 1 to ${LONGEST_REASON} characters`, {
          field: ['reason'],
        });
      }
      if (contentHash === undefined) {
        throw new DomainError('CONFLICT', `${name} waits for no confirmation`, { field: ['source'] });
      }
      await store.transaction(async (tx) => {
        await tx.marks.put(mark(source), contentHash);
        const payload = { type: 'CONFIRMED', source, contentHash, actor: principal.id, reason };
        await tx.events.append([
          { topic: 'collection.finished', at: tx.now, subject: { kind: 'SOURCE', id: source }, payload },
        ]);
      });
      return source;
    },
  };
}
