import { compareAddresses } from '../address.js';
import type { Subject } from '../finding.js';
import { addressKey, addressOf, addressSubject } from './address-subject.js';
import type { Binding, DeclaredAddress } from './binding.js';
import { declaresPresence } from './presence.js';
import { olderWords } from './said.js';
import { called, so } from './telling.js';
import { AGREES, DOUBT, doubt, isVirtual, type Verdict, type World } from './world.js';

function forGuests(declared: readonly DeclaredAddress[]): readonly DeclaredAddress[] {
  return declared.filter(
    (one) => !one.isExcused && one.guests.length > 0 && one.row !== undefined && declaresPresence(one.row),
  );
}

const twice = new WeakMap<Binding['declaredAddresses'], readonly Subject[]>();

/** Addresses that are declared for two guests: it hangs on nothing but the binding. */
export function declaredTwice({ binding: { declaredAddresses } }: World): readonly Subject[] {
  let subjects = twice.get(declaredAddresses);
  if (subjects === undefined) {
    const found: Subject[] = [];
    for (const declared of declaredAddresses.values()) {
      const [one] = declared;
      if (one === undefined || declared.length < 2) continue;
      if (new Set(forGuests(declared).flatMap(({ guests }) => guests)).size > 1)
        found.push(addressSubject(one.scope, one.address));
    }
    subjects = found;
    twice.set(declaredAddresses, subjects);
  }
  return subjects;
}

export function oneAddressTwoGuests(world: World, subject: Subject): Verdict {
  const address = addressOf(subject);
  const all = world.binding.declaredAddresses.get(addressKey(subject)) ?? [];
  const declared = forGuests(all);
  const guests = [...new Set(declared.flatMap((one) => one.guests))].flatMap((id) => world.view.guests.get(id) ?? []);
  if (guests.length < 2 || isVirtual(world, address)) return all.some((one) => !one.covered) ? DOUBT : AGREES;
  if (declared.some((one) => !one.covered) || guests.some((g) => !world.coverage.cluster(g.cluster))) return DOUBT;
  const words = declared.map(({ from, since }) => ({ source: from, row: { since } }));
  const asks = guests.flatMap(({ key }) => olderWords(world, words, key));
  if (asks.length > 0) return doubt(asks);
  return so(world, {
    kind: 'DECLARATIONS_CONFLICT',
    subject,
    field: 'guest',
    declared: guests.map((guest) => guest.key).join(' | '),
    observed: null,
    declaredBy: declared.map((one, i) => ({
      field: 'guest',
      value: one.label,
      source: one.source,
      location: one.location,
      wins: i === 0,
    })),
    evidence: [],
    message: `${address} is declared for ${guests.map(called).join(' and ')} (${declared.map((one) => one.location).join(', ')})`,
    guests,
    clusters: [...new Set(guests.map((guest) => guest.cluster))],
    changes: declared.map((one) => one.since),
    swallowers: [],
  });
}

/** Keys of an address file that are written twice with two values, under the smallest of them: it does not depend on the order. */
export function* keyConflicts(world: World) {
  for (const source of world.view.declarations) {
    for (const conflict of source.keyConflicts) {
      const addresses = [...new Set(conflict.facts.map((fact) => fact.address))].sort(compareAddresses);
      const [first] = addresses;
      if (first === undefined || addresses.length < 2) continue;
      yield { subject: addressSubject('default', first), field: conflict.label, source, conflict, addresses };
    }
  }
}

export function oneKeyTwoValues(world: World, subject: Subject, field: string): Verdict {
  for (const { subject: mine, field: label, source, conflict, addresses } of keyConflicts(world)) {
    if (mine.id !== subject.id || label !== field) continue;
    if (source.state.kind !== 'covered') return DOUBT;
    return so(world, {
      kind: 'DECLARATIONS_CONFLICT',
      subject,
      field,
      declared: addresses.join(' | '),
      observed: null,
      declaredBy: conflict.facts.map((fact, i) => ({
        field,
        value: fact.address,
        source: source.name,
        location: fact.location,
        wins: i === conflict.facts.length - 1,
      })),
      evidence: [],
      message: `${field} is declared ${conflict.facts.map((fact) => `${fact.address} (${fact.location})`).join(' and ')}`,
      guests: [],
      clusters: [],
      changes: [],
      swallowers: [],
    });
  }
  return world.view.declarations.some((source) => source.state.kind === 'unreachable') ? DOUBT : AGREES;
}
