import { Writes } from '../domain/absorbing.js';
import { demand, type Principal } from '../domain/access.js';
import { changedParts, partsToAccept } from '../domain/compare/hardware.js';
import { acceptsParts, type Decision, decide, LONGEST_REASON } from '../domain/decision.js';
import { DomainError } from '../domain/errors.js';
import type { Finding, FindingId } from '../domain/finding.js';
import { seesFinding } from '../domain/sees-finding.js';
import type { Instant } from '../domain/time.js';
import type { InventoryView } from '../domain/view.js';
import type { Store, Transaction } from '../store/store.js';
import { writeSteps } from './write-steps.js';

export interface DecisionNeeds {
  readonly store: Pick<Store, 'transaction'>;
  view(): InventoryView;
  /** Brings the view of this replica up to what was just committed: whoever decided is answered from it. */
  catchUp(): Promise<void>;
}

type Word = { readonly id: FindingId; readonly reason?: string | null | undefined };

/**
 * What people decide about findings. Each needs `drift:decide` and `drift:read`, and sight of the finding; each answers
 * once this replica's view has it. NOT_FOUND: absent or hidden; CONFLICT: its state does not allow it.
 */
export interface Decisions {
  acknowledge(principal: Principal, word: Word): Promise<void>;
  suppress(principal: Principal, word: Word & { readonly until: Instant }): Promise<void>;
  reopen(principal: Principal, word: Word): Promise<void>;
}

export function driftDecisions(needs: DecisionNeeds): Decisions {
  const take = async (principal: Principal, id: FindingId, decision: () => Decision) => {
    demand(principal, 'drift:decide');
    demand(principal, 'drift:read');
    const wanted = decision();
    await needs.store.transaction((tx) => write(tx, needs.view(), principal, id, wanted));
    await needs.catchUp();
  };
  return {
    acknowledge: (principal, { id, reason }) =>
      take(principal, id, () => ({ kind: 'acknowledge', reason: reasonOf(reason) })),
    suppress: (principal, { id, reason, until }) =>
      take(principal, id, () => ({ kind: 'suppress', reason: needed(reasonOf(reason)), until })),
    reopen: (principal, { id, reason }) => take(principal, id, () => ({ kind: 'reopen', reason: reasonOf(reason) })),
  };
}

/** The finding as the order of writers has it, its history, the word of it, and that no comparison that missed it counts. */
async function write(
  tx: Transaction,
  view: InventoryView,
  principal: Principal,
  id: FindingId,
  decision: Decision,
): Promise<void> {
  const finding = await tx.findings.find(id);
  if (finding === undefined || !seesFinding(principal, finding)) {
    throw new DomainError('NOT_FOUND', `there is no finding ${id}`, { field: ['id'] });
  }
  const steps = decide(finding, decision, { at: tx.now, by: principal.person });
  const last = steps.at(-1);
  if (last === undefined) return;
  if (acceptsParts(finding, decision)) await acceptParts(tx, view, finding);
  await writeSteps(tx, [last.after], steps);
  await tx.comparisons.outdate();
}

/** The parts that the finding tells of become those that later ones are held against. */
async function acceptParts(tx: Transaction, view: InventoryView, finding: Finding): Promise<void> {
  const node = finding.identity.subject.id;
  const record = partsToAccept(view, node);
  const told = changedParts(view, node);
  if (record === undefined || told?.declared !== finding.declared || told.observed !== finding.observed) {
    throw new DomainError('CONFLICT', `the parts of ${node} changed since this was found: look at it again`, {
      field: ['id'],
    });
  }
  const writes = new Writes(record.source, record.cluster);
  writes.put(writes.key('hardware.accepted', record.key), record.body, undefined, tx.now, null);
  await tx.versions.write(writes.list);
}

function reasonOf(given: string | null | undefined): string | null {
  const reason = given?.trim() ?? '';
  if (reason.length > LONGEST_REASON) {
    throw new DomainError('VALIDATION_ERROR', `a reason has at most ${LONGEST_REASON} characters`, {
      field: ['reason'],
    });
  }
  return reason === '' ? null : reason;
}

function needed(reason: string | null): string {
  if (reason === null) {
    throw new DomainError('VALIDATION_ERROR', 'say why it shall be silent: others will read it', { field: ['reason'] });
  }
  return reason;
}
