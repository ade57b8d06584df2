import { declaredSourceName } from '../absorb-declared.js';
import { type DeclaredSource, saidAt } from '../declaration.js';
import type { FindingId } from '../finding.js';
import type { GuestKey } from '../guest.js';
import type { ChangeInterval, Instant } from '../time.js';
import { AGREES, type Ask, doubt, sinceOf, type Verdict, type World } from './world.js';

const NOTHING: readonly Ask[] = [];

/**
 * What to ask of the declared side before it is held against an observed change of `since`: the sources whose word on
 * the guest is older than that. A watched file counts as read now; one that is out of reach is another matter.
 */
export function unsaid(
  world: World,
  sources: Iterable<DeclaredSource>,
  guest: GuestKey,
  since: Instant,
): readonly Ask[] {
  if (since === 0) return NOTHING;
  let asks: Ask[] | undefined;
  for (const source of sources) {
    if (source.watched || source.state.kind !== 'covered' || saidAt(source, guest, world.now) >= since) continue;
    const ask: Ask = { source: declaredSourceName(source.name), part: 'vm', key: guest };
    if (asks === undefined) asks = [ask];
    else if (!asks.some((one) => one.source === ask.source)) asks.push(ask);
  }
  return asks ?? NOTHING;
}

/**
 * The two sides agree. An open finding ends by that only once both were read since; where none is open, nobody is asked
 * on account of it.
 */
export function agreesOn(world: World, id: FindingId, asks: readonly Ask[]): Verdict {
  return asks.length > 0 && world.view.findings.byId.has(id) ? doubt(asks) : AGREES;
}

interface Word {
  readonly source: DeclaredSource;
  readonly row: { readonly since: ChangeInterval };
}

/** Sources that were read before another one changed its word: the same change may have been made in them as well. */
export function olderWords(world: World, words: readonly Word[], guest: GuestKey): readonly Ask[] {
  return words.flatMap(({ source }) => {
    const others = words.filter((other) => other.source !== source);
    return unsaid(world, [source], guest, sinceOf(others.map(({ row }) => row.since)));
  });
}
