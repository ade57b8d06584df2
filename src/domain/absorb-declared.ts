import { Writes } from './absorbing.js';
import { sameValue } from './content-hash.js';
import type { Declaration, DeclaredObservation, DeclaredOutcome, KeptDeclaration } from './declaration.js';
import { declaredName, isDeclaredService } from './declared-sources.js';
import { type ChangeInterval, FIRST_LOOK, type Instant } from './time.js';
import type { Batch, PartReadRow, SourceState } from './version.js';
import type { DeclaredMeta, KeptDeclared } from './view.js';

export function declaredSourceName(name: string): string {
  return `declared:${name}`;
}

/** What a declaration says, without where it says it and whom it was found to mean: moving a line is no change. */
export function said(row: Declaration): unknown {
  const { location: _, since: __, tiedTo: ___, ...value } = row as KeptDeclaration & { readonly tiedTo?: unknown };
  return value;
}

/**
 * Holds one look at a declared source against what is kept of it. Only a good read changes rows; a source that had some
 * and now cannot be read keeps them, and is unreachable. One that never had any declares and covers nothing.
 */
export function absorbDeclared(known: KeptDeclared, outcome: DeclaredOutcome, finishedAt: Instant): Batch {
  const { state } = known;
  if (outcome.kind !== 'observed') {
    return { writes: [], reads: [], state: withoutReading(state, known.rows.size > 0, outcome, finishedAt) };
  }
  const { value, contentHash } = outcome;
  if (value.only !== undefined) return absorbSome(known, value, value.only, finishedAt);
  const writes = new Writes(state.source, '');
  const seen = new Set<string>();
  for (const row of value.rows) {
    seen.add(row.key);
    putRow(writes, row, known.rows.get(row.key), value.askedAt, state);
  }
  for (const key of known.rows.keys()) {
    if (!seen.has(key)) writes.end(writes.key('declared.row', key), value.askedAt);
  }
  const { declaresGuests, declaresAddresses, problems, keyConflicts } = value;
  const meta: DeclaredMeta = { declaresGuests, declaresAddresses, problems, keyConflicts, contentHash };
  writes.put(writes.key('declared.meta', 'meta'), meta, known.meta, value.askedAt, state.lastSuccessAt);
  return { writes: writes.list, reads: [], state: goodState(state, value.askedAt, finishedAt) };
}

/** What a service says of some guests alone: their rows change, everything else stays as it was read. */
function absorbSome(
  { state, rows }: KeptDeclared,
  value: DeclaredObservation,
  { guests, gone }: NonNullable<DeclaredObservation['only']>,
  finishedAt: Instant,
): Batch {
  const writes = new Writes(state.source, '');
  const { askedAt } = value;
  for (const row of value.rows) putRow(writes, row, rows.get(row.key), askedAt, state);
  const listed = new Set(value.rows.map(({ key }) => key));
  for (const key of gone) if (rows.has(key) && !listed.has(key)) writes.end(writes.key('declared.row', key), askedAt);
  const reads = guests.map((key): PartReadRow => {
    const { source } = state;
    return { source, part: 'vm', key, state: 'read', askedAt, attemptedAt: askedAt, failures: 0, reason: null };
  });
  return { writes: writes.list, reads, state: { ...state, lastAttemptAt: finishedAt } };
}

function putRow(
  writes: Writes,
  row: Declaration,
  before: KeptDeclaration | undefined,
  askedAt: Instant,
  state: SourceState,
): void {
  const change: ChangeInterval =
    state.firstSuccessAt === null ? FIRST_LOOK : { after: lastShown(state), before: askedAt };
  const now = lastKnown(row, before);
  const same = before !== undefined && sameValue(said(before), said(now));
  const { since: _, ...bare } = now as KeptDeclaration;
  const body = { ...bare, since: same ? before.since : change };
  writes.put(writes.key('declared.row', row.key), body, before, askedAt, state.lastSuccessAt);
}

/** A cell that cannot be read any more keeps what it last said; that it is not covered stands in `unreadable`. */
function lastKnown(row: Declaration, before: KeptDeclaration | undefined): Declaration {
  if (row.kind !== 'guest' || before?.kind !== 'guest' || row.unreadable.length === 0) return row;
  const lost = new Set(row.unreadable);
  return {
    ...row,
    name: lost.has('name') ? (row.name ?? before.name) : row.name,
    node: lost.has('node') ? (row.node ?? before.node) : row.node,
    status: lost.has('status') ? (row.status ?? before.status) : row.status,
    addresses: lost.has('addresses') ? [...new Set([...row.addresses, ...before.addresses])] : row.addresses,
  };
}

/** The last look that still showed the earlier rows: a look that failed showed none. */
function lastShown(state: SourceState): Instant | null {
  if (isDeclaredService(declaredName(state.source))) return state.lastSuccessAt;
  return state.outcome === 'OBSERVED' ? (state.lastAttemptAt ?? state.lastSuccessAt) : state.lastSuccessAt;
}

/** A file, or a declared service, that was read. */
export function goodState(state: SourceState, askedAt: Instant, finishedAt: Instant): SourceState {
  return {
    ...state,
    outcome: 'OBSERVED',
    reason: null,
    firstSuccessAt: state.firstSuccessAt ?? askedAt,
    lastSuccessAt: askedAt,
    lastFullAt: askedAt,
    lastAttemptAt: finishedAt,
    unreachableSince: null,
    failures: 0,
    backOffUntil: null,
  };
}

/** `knows`: something of it is kept. Then it was there, and is out of reach; what never was there is not missed. */
export function withoutReading(
  state: SourceState,
  knows: boolean,
  outcome: { readonly kind: 'absent' | 'unreachable'; readonly reason: string },
  at: Instant,
): SourceState {
  const common = { ...state, reason: outcome.reason, lastAttemptAt: at };
  if (outcome.kind === 'absent' && !knows) return { ...common, outcome: 'NEVER' };
  const unreachableSince = state.outcome === 'UNREACHABLE' ? (state.unreachableSince ?? at) : at;
  return { ...common, outcome: 'UNREACHABLE', unreachableSince, failures: state.failures + 1 };
}
