import { demand, type Principal } from '../domain/access.js';
import { DomainError } from '../domain/errors.js';
import type { Store } from '../store/store.js';

/**
 * A declared source that lost many rows at once is not believed until a person says that it is right. Her word is about
 * that very content: another save is another question. Both are kept in the store: she may speak to another replica than
 * the one that reads the file, and either may be started anew.
 */
export interface Confirmations {
  /** The content that a person confirmed in spite of what it lost; null: none, or nothing waits. */
  confirmed(source: string): Promise<string | null>;
  /** Notes what waits for a person's word now; null: nothing. */
  pending(source: string, contentHash: string | null): Promise<void>;
  /** `source`: the name as facts show it (`ALL_VMIDS_ENDPOINTS.md`). Whoever reads the source is told to look again. */
  confirm(principal: Principal, input: { readonly source: string; readonly reason: string }): Promise<void>;
}

const LONGEST_REASON = 1_000;
const NOTHING = '';
const waitingMark = (source: string) => `declared-waiting:${source}`;
const confirmedMark = (source: string) => `declared-confirmed:${source}`;

export function confirmations(
  store: Pick<Store, 'transaction'>,
  sourceNameOf: (name: string) => string,
  /** What declared sources there are, as facts show them. */
  names: () => readonly string[],
): Confirmations {
  /** What waits, as far as this process has read or written it: a look at a sound file costs no question. */
  const waiting = new Map<string, string | null>();
  return {
    async confirmed(source) {
      if (waiting.get(source) === null) return null;
      return store.transaction(async (tx) => {
        const hash = await tx.marks.get(confirmedMark(source));
        return hash !== undefined && hash === (await tx.marks.get(waitingMark(source))) ? hash : null;
      });
    },
    async pending(source, contentHash) {
      if (waiting.get(source) === contentHash) return;
      const next = contentHash ?? NOTHING;
      await store.transaction(async (tx) => {
        const before = (await tx.marks.get(waitingMark(source))) ?? NOTHING;
        if (before === next) return;
        await tx.marks.put(waitingMark(source), next);
        // What was confirmed once and comes back after another save is another question.
        if (next !== NOTHING) await tx.marks.put(confirmedMark(source), NOTHING);
      });
      waiting.set(source, contentHash);
    },
    async confirm(principal, { source: name, reason }) {
      demand(principal, 'drift:decide');
      const source = sourceNameOf(name);
      if (reason.trim() === '' || reason.length > LONGEST_REASON) {
        throw new DomainError('VALIDATION_ERROR', `give a reason of 1 to ${LONGEST_REASON} characters`, {
          field: ['reason'],
        });
      }
      await store.transaction(async (tx) => {
        const contentHash = (await tx.marks.get(waitingMark(source))) ?? NOTHING;
        if (contentHash === NOTHING) throw nothingWaits(name, names());
        await tx.marks.put(confirmedMark(source), contentHash);
        const payload = { type: 'CONFIRMED', source, contentHash, actor: principal.person, reason };
        await tx.events.append([
          { topic: 'collection.finished', at: tx.now, subject: { kind: 'SOURCE', id: source }, payload },
        ]);
        await tx.asks.add(source, [{ part: 'row', key: '' }]);
      });
    },
  };
}

function nothingWaits(name: string, names: readonly string[]): DomainError {
  const field = { field: ['source'] };
  if (names.includes(name)) return new DomainError('CONFLICT', `${name} waits for no confirmation`, field);
  const there = names.length === 0 ? 'there is none' : `there are ${[...names].sort().join(', ')}`;
  return new DomainError('NOT_FOUND', `"${name}" is no declared source: ${there}`, field);
}
