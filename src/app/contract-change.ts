import type { CollectorContract } from '../domain/contract.js';
import type { OpenedStore } from '../store/open.js';

const MARK = 'contract-version';

/** A new version of the collectors' contract is an event, so that clients may drop the intervals they cached. */
export async function noteContract(
  store: Pick<OpenedStore, 'transaction'>,
  { version, hash }: CollectorContract,
): Promise<void> {
  await store.transaction(async (tx) => {
    const known = await tx.marks.get(MARK);
    if (known === String(version)) return;
    await tx.marks.put(MARK, String(version));
    if (known === undefined) return;
    const payload = { from: Number(known), to: version, hash };
    await tx.events.append([
      { topic: 'contract.changed', at: tx.now, subject: { kind: 'CONTRACT', id: String(version) }, payload },
    ]);
  });
}
