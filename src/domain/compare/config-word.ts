import { proxmoxSourceName } from '../absorbing.js';
import type { DriftFindingKind } from '../finding.js';
import type { ChangeInterval } from '../time.js';
import type { GuestView } from '../view.js';
import type { Row } from './binding.js';
import { agreesOn, unsaid } from './said.js';
import { called, guestSubject, idOf, missingIds, so } from './telling.js';
import { AGREES, DOUBT, doubt, isInTheMaking, sinceOf, type Verdict, type World } from './world.js';

/** What one declared VM says of a field that only a config can answer. */
export interface Word {
  readonly row: Row;
  readonly value: string;
  /** Whether it is what the config says. */
  readonly isSo: boolean;
}

export interface HeldAgainst {
  readonly kind: DriftFindingKind;
  readonly field: string;
  /** How the field is called in a sentence. */
  readonly called: string;
  /** What the config says; null: nothing. */
  readonly observed: string | null;
  readonly changed: ChangeInterval;
}

/** The declared VMs among a guest's rows that have a word on what it is made of, first in precedence first. */
export function vmRows(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ vm, row }) => vm !== undefined && row.status?.means !== 'retired');
}

/** Holds what the winning VM says against the config, once each was read after the other changed. */
export function heldAgainstConfig(world: World, guest: GuestView, words: readonly Word[], what: HeldAgainst): Verdict {
  const { kind, field, observed } = what;
  const bound = world.binding.byGuest.get(guest.id) ?? [];
  const [winner] = words;
  if (winner === undefined) return bound.some(({ source }) => source.state.kind === 'unreachable') ? DOUBT : AGREES;
  if (winner.row.source.state.kind !== 'covered' || !world.coverage.config(guest) || isInTheMaking(guest)) return DOUBT;
  const since = winner.row.row.since.before ?? 0;
  const config = { source: proxmoxSourceName(guest.cluster), part: 'config' as const, key: String(guest.vmid) };
  if ((guest.parts.config.askedAt ?? 0) < since) return doubt([config]);
  const sources = bound.map(({ source }) => source);
  const asks = unsaid(world, sources, guest.key, sinceOf([guest.row.since.presence, what.changed]));
  if (observed === null || winner.isSo) return agreesOn(world, idOf(kind, guest.id, field), asks);
  if (asks.length > 0) return doubt(asks);
  const { location } = winner.row.row;
  return so(world, {
    kind,
    subject: guestSubject(guest),
    field,
    declared: winner.value,
    observed,
    declaredBy: words.map(({ row, value }, i) => ({
      field,
      value,
      source: row.source.name,
      location: row.row.location,
      wins: i === 0,
    })),
    evidence: [
      {
        source: config.source,
        text: `${what.called} is ${observed} by its config, edits that wait for a restart included`,
        at: guest.parts.config.askedAt,
      },
    ],
    message: `${called(guest)}: ${what.called} is ${observed}, declared ${winner.value} at ${location}`,
    guests: [guest],
    clusters: [guest.cluster],
    changes: [what.changed, winner.row.row.since],
    swallowers: [missingIds(guest.key, guest.vmid)],
  });
}
