import { type KeptRecord, type RecordKind, type Records, serviceOf } from '../record.js';
import type { PartReadRow, Version } from '../version.js';
import type { InventoryView } from '../view.js';
import type { Draft } from './draft.js';

export function recordId(source: string, key: string): string {
  return `${source} ${key}`;
}

/** The records of a kind as this draft may write on them. */
function own(draft: Draft, kind: RecordKind): Map<string, KeptRecord<unknown>> {
  const known = draft.records.get(kind);
  if (known !== undefined) return known;
  const copy = new Map<string, KeptRecord<unknown>>(draft.view.records[kind]);
  draft.records.set(kind, copy);
  return copy;
}

export function learnRecord(draft: Draft, kind: RecordKind, version: Version): void {
  const { source, cluster, key, body, validFrom: before, priorReadAt: after } = version;
  const id = recordId(source, key);
  const records = own(draft, kind);
  // What answered before under this key may have been another: when it did is told by the read that comes with it.
  const since = after === null ? { after: null, before: null } : { after, before };
  records.set(id, {
    id,
    source,
    service: serviceOf(source),
    cluster,
    key,
    body,
    since,
    seenAt: records.get(id)?.seenAt ?? null,
  });
}

export function forgetRecord(draft: Draft, kind: RecordKind, version: Version): void {
  own(draft, kind).delete(recordId(version.source, version.key));
}

/** When a record last answered for itself. */
export function learnSeen(draft: Draft, kind: RecordKind, { source, key, askedAt }: PartReadRow): void {
  const id = recordId(source, key);
  const known = (draft.records.get(kind) ?? draft.view.records[kind]).get(id);
  if (known !== undefined && known.seenAt !== askedAt) own(draft, kind).set(id, { ...known, seenAt: askedAt });
}

/** The records of the next view: those that nothing was learned of are the last one's. What retired sources said is gone. */
export function recordsOf(view: InventoryView, draft: Draft): Records {
  if (draft.records.size === 0) return view.records;
  return { ...view.records, ...Object.fromEntries(draft.records) } as Records;
}
