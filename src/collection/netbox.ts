import { absorbDeclared, declaredSourceName } from '../domain/absorb-declared.js';
import { tiesOf } from '../domain/compare/ties.js';
import type { Declaration, DeclaredOutcome } from '../domain/declaration.js';
import type { GuestId } from '../domain/guest.js';
import type { Mac } from '../domain/mac.js';
import type { NetboxSettings } from '../domain/settings.js';
import { SECOND } from '../domain/time.js';
import type { InventoryView, KeptDeclared } from '../domain/view.js';
import type { AskedGuest, NetboxSource } from '../sources/netbox/source.js';
import type { Confirmations } from './confirmations.js';
import { keptIn } from './declared.js';
import { backOffAfter } from './service.js';
import type { AskedPart, CollectedSource, RunRequest, RunResult } from './source.js';

interface Needs extends Pick<Confirmations, 'confirmed' | 'pending'> {
  readonly netbox: NetboxSource;
  /** As the contract says now. */
  intervalSeconds(): number;
  now(): number;
}

/** When more guests than this are asked for at once, one whole pass is the smaller question. */
const MOST_ASKED = 50;

export function netboxName(name: string): string {
  return `netbox:${name}`;
}

/** NetBox on its collector's schedule, and for a guest at once where a doubt asks for it. */
export function netboxCollector(settings: Pick<NetboxSettings, 'name'>, needs: Needs): CollectedSource {
  const source = declaredSourceName(netboxName(settings.name));
  const named = { source, kind: 'declared' as const, cluster: '' };
  const intervalMs = () => needs.intervalSeconds() * SECOND;
  return {
    ...named,
    collector: 'netbox',
    atStart: false,
    intervalMs,
    async run(request, signal): Promise<RunResult> {
      const known = keptIn(request.view, named);
      const asked = askedOf(request, known, needs.now() - intervalMs());
      const read = await needs.netbox.collect(
        { known: known.rows, confirmedHash: await needs.confirmed(source), asked, progress: request.progress },
        signal,
      );
      if (asked === null)
        await needs.pending(source, read.outcome.kind === 'unreachable' ? read.outcome.contentHash : null);
      const outcome = withTies(request.view, known, read.outcome);
      const { state, ...batch } = absorbDeclared(known, outcome, needs.now());
      const backOffUntil =
        outcome.kind === 'unreachable' ? needs.now() + backOffAfter(known.state.failures, intervalMs()) : null;
      const rows = outcome.kind === 'observed' ? outcome.value.rowCount : 0;
      return {
        batch: { ...batch, state: { ...state, requests: read.requests, notes: read.notes, backOffUntil } },
        events: [],
        requests: read.requests,
        coverage: { rows, parts: asked?.length ?? 0, failed: 0 },
      };
    },
    close: () => needs.netbox.close(),
  };
}

/** The guests to ask for alone; null: all there is, since the interval is over, or they are too many. */
function askedOf(
  { mode, asked, view }: RunRequest,
  known: KeptDeclared,
  dueBefore: number,
): readonly AskedGuest[] | null {
  const { outcome, lastSuccessAt } = known.state;
  const isDue = outcome !== 'OBSERVED' || lastSuccessAt === null || lastSuccessAt <= dueBefore;
  const guests = asked.filter(({ part }) => part === 'vm');
  if (mode !== 'POLL' || isDue || guests.length === 0 || guests.length > MOST_ASKED) return null;
  return guests.map((ask) => askedGuest(ask, view, known));
}

function askedGuest({ key }: AskedPart, view: InventoryView, known: KeptDeclared): AskedGuest {
  const slash = key.lastIndexOf('/');
  const [cluster, vmid] = [key.slice(0, slash), Number(key.slice(slash + 1))];
  const guest = view.guestsByKey.get(key);
  const macs = guest?.config?.devices.flatMap(({ mac }): Mac[] => (mac === null ? [] : [mac])) ?? [];
  const rows = [...known.rows.values()].filter(
    (row) =>
      row.kind === 'vm' &&
      ((row.vmid === vmid && (row.cluster ?? cluster) === cluster) || row.tiedTo?.startsWith(`${key}@`)),
  );
  return { guest: key, cluster, vmid, name: guest?.row.name ?? null, macs, known: rows.map((row) => row.key) };
}

/** The guest that each VM is found to mean is kept with it: a rename on either side must not part them. */
function withTies(view: InventoryView, known: KeptDeclared, outcome: DeclaredOutcome): DeclaredOutcome {
  if (outcome.kind !== 'observed') return outcome;
  const remembered = outcome.value.rows.map((row) => {
    const before = known.rows.get(row.key);
    return row.kind === 'vm' ? tied(row, before?.kind === 'vm' ? before.tiedTo : null) : row;
  });
  const ties = tiesOf(view, remembered);
  const rows = remembered.map((row): Declaration => (row.kind === 'vm' ? tied(row, ties.get(row.key)) : row));
  return { ...outcome, value: { ...outcome.value, rows } };
}

function tied<T extends { readonly tiedTo: GuestId | null }>(row: T, guest: GuestId | null | undefined): T {
  return guest === undefined || guest === row.tiedTo ? row : { ...row, tiedTo: guest };
}
