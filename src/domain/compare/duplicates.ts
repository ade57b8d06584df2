import type { CarriedAddress } from '../carried.js';
import type { Difference, Severity, Subject } from '../finding.js';
import type { Mac } from '../mac.js';
import { isGraver, severityOf } from '../severity.js';
import type { Instant } from '../time.js';
import type { GuestView } from '../view.js';
import { changeOf } from './address-differs.js';
import { formerDoubt, joined } from './address-not-declared.js';
import { addressKey, addressOf, addressSubject } from './address-subject.js';
import type { Carrier } from './carriers.js';
import { addressEvidence, called, idOf, so } from './telling.js';
import {
  AGREES,
  addressDoubt,
  addressesAskedAt,
  asksFor,
  DOUBT,
  doubt,
  isVirtual,
  type Rule,
  type Verdict,
  type World,
} from './world.js';

/** Two running guests on devices that are up; a stopped guest, or one of an offline node, has a claim and no more. */
function contenders(carriers: readonly Carrier[]): readonly Carrier[] {
  const byGuest = new Map<string, Carrier>();
  for (const one of carriers) {
    if (one.guest.status === 'RUNNING' && !one.carried.linkDown && !byGuest.has(one.guest.id))
      byGuest.set(one.guest.id, one);
  }
  return [...byGuest.values()];
}

/** Carriers whose node or row is out of sight may still be running: with them in it, nothing is over. */
function mayContend(world: World, carriers: readonly Carrier[]): boolean {
  const guests = new Set(
    carriers
      .filter(({ guest }) => guest.status !== 'STOPPED' || !world.coverage.row(guest))
      .filter(({ guest, carried }) => !carried.linkDown || !world.coverage.config(guest))
      .map(({ guest }) => guest.id),
  );
  return guests.size > 1;
}

export const duplicateAddress: Rule = {
  kind: 'DUPLICATE_ADDRESS',

  *candidates(world) {
    for (const carriers of world.carriers.values()) {
      const [one] = carriers;
      if (one !== undefined && carriers.length > 1)
        yield { subject: addressSubject(one.carried.scope, one.carried.address), field: '' };
    }
  },

  judge(world, subject) {
    const carriers = world.carriers.get(addressKey(subject)) ?? [];
    const address = addressOf(subject);
    if (isVirtual(world, address, carriers)) return AGREES;
    const running = contenders(carriers);
    if (running.length < 2)
      return mayContend(world, carriers) ? DOUBT : (formerDoubt(world, 'DUPLICATE_ADDRESS', subject) ?? AGREES);
    const waits = running.map(({ guest }) => addressDoubt(world, guest, 0));
    const sure = running.filter((_, i) => waits[i] === undefined);
    if (sure.length < 2) return joined(waits);
    // An address that moves from one guest to the other looks like two for a moment: both must have it when read again.
    const since = Math.max(...sure.map(({ guest }) => firstSight(world, guest)));
    const stale = sure.filter(({ guest }) => addressesAskedAt(guest) <= since);
    if (stale.length > 0) return doubt(stale.flatMap(({ guest }) => asksFor(guest)));
    const sharing = sharers(world, subject, carriers, running);
    return so(world, {
      kind: 'DUPLICATE_ADDRESS',
      subject,
      field: '',
      declared: null,
      observed: [...new Set(sharing.map(({ guest }) => guest.key))].join(', '),
      declaredBy: [],
      evidence: sure.flatMap(({ guest, carried }) => addressEvidence(guest, carried)),
      message: `${address} is carried by ${sure.map(({ guest }) => called(guest)).join(' and ')} at once`,
      guests: [...new Set(sharing.map(({ guest }) => guest))],
      clusters: [...new Set(sure.map(({ guest }) => guest.cluster))],
      changes: sure.map(({ guest }) => changeOf(guest)),
      swallowers: swallowingMacs(sharing),
    });
  },
};

/** Who shares it: those that run, and a third one of an open finding that is only out of sight now. */
function sharers(
  world: World,
  subject: Subject,
  carriers: readonly Carrier[],
  running: readonly Carrier[],
): readonly Carrier[] {
  const known = world.view.findings.byId.get(idOf('DUPLICATE_ADDRESS', subject.id))?.guests ?? [];
  const isOutOfSight = ({ guest }: Carrier) =>
    known.includes(guest.id) &&
    (guest.status === 'UNKNOWN' || !world.coverage.row(guest)) &&
    !running.some((one) => one.guest === guest);
  return carriers.filter((one) => running.includes(one) || isOutOfSight(one));
}

/** When a guest's present addresses were first read. */
export function firstSight(world: World, guest: GuestView): Instant {
  const { state } = world.view.clusters.get(guest.cluster) ?? {};
  return changeOf(guest).before ?? guest.configSince ?? state?.firstSuccessAt ?? 0;
}

/** A MAC that all of them share already tells it. */
function swallowingMacs(sharing: readonly Carrier[]): readonly (readonly string[])[] {
  const macs = sharing.map(({ guest, carried }) => (carried.mac === null ? '' : `${guest.cluster}/${carried.mac}`));
  const [first] = macs;
  return first !== undefined && first !== '' && macs.every((mac) => mac === first)
    ? [[idOf('DUPLICATE_MAC', first)]]
    : [];
}

/**
 * What a shared MAC weighs where it tells of a shared address as well. It does not fall because one of them is paused,
 * hidden or cannot be asked any more: last known counts, once read twice. Who shows nothing yet, after a start, leaves it
 * as it was.
 */
export function sharedMacSeverity(world: World, difference: Difference): Severity {
  const { severity, identity, id } = difference;
  const shared = severityOf('DUPLICATE_ADDRESS', world.policy);
  if (!isGraver(shared, severity)) return severity;
  const mac = identity.subject.id.slice(identity.subject.id.lastIndexOf('/') + 1);
  const awake = difference.guests.flatMap((guest) => {
    const view = world.view.guests.get(guest);
    return view === undefined || view.status === 'STOPPED' ? [] : [view];
  });
  const known = world.view.findings.byId.get(id)?.severity;
  // Of a guest whose node is out of sight, nobody knows whether it is up: it keeps what was told, and adds nothing.
  const counted = known === shared ? awake : awake.filter(({ status }) => status !== 'UNKNOWN');
  if (counted.some((guest) => guest.carried.some((one) => one.mac === mac && isSharedOn(world, one, counted))))
    return shared;
  const isSilent = (guest: GuestView) =>
    guest.carried.every((one) => one.mac !== mac) && addressDoubt(world, guest, 0) !== undefined;
  return known === shared && awake.some(isSilent) ? known : severity;
}

/** Whether all that may be up with an address, two at least, have it on this one MAC, and were read twice with it. */
function isSharedOn(world: World, { scope, address, mac }: CarriedAddress, sharers: readonly GuestView[]): boolean {
  const carriers = world.carriers.get(`${scope}/${address}`) ?? [];
  if (carriers.length < 2 || isVirtual(world, address, carriers)) return false;
  const up = carriers.filter(({ guest, carried }) => guest.status !== 'STOPPED' && !carried.linkDown);
  return (
    new Set(up.map(({ guest }) => guest.id)).size > 1 &&
    up.every(({ guest, carried }) => carried.mac === mac && sharers.includes(guest)) &&
    up.every(({ guest }) => addressesAskedAt(guest) > firstSight(world, guest))
  );
}

/** `cluster/mac` of a guest's configured devices, each once; a template's are none. Kept with each guest. */
const keysOf = new WeakMap<GuestView, readonly string[]>();

function macKeys(guest: GuestView): readonly string[] {
  let keys = keysOf.get(guest);
  if (keys === undefined) {
    const macs = guest.row.template ? [] : (guest.config?.devices ?? []).flatMap(({ mac }) => mac ?? []);
    // Two devices of one guest are not two guests.
    keys = [...new Set(macs)].map((mac) => `${guest.cluster}/${mac}`);
    keysOf.set(guest, keys);
  }
  return keys;
}

const shared = new WeakMap<World, ReadonlyMap<string, readonly GuestView[]>>();

/** Who has a MAC that several guests have, by `cluster/mac`. */
function sharedMacs(world: World): ReadonlyMap<string, readonly GuestView[]> {
  const known = shared.get(world);
  if (known !== undefined) return known;
  const owners = new Map<string, GuestView>();
  const byMac = new Map<string, GuestView[]>();
  for (const guest of world.view.guests.values()) {
    for (const key of macKeys(guest)) {
      const first = owners.get(key);
      const list = first === undefined ? undefined : byMac.get(key);
      if (first === undefined) owners.set(key, guest);
      else if (list === undefined) byMac.set(key, [first, guest]);
      else list.push(guest);
    }
  }
  // In the order in which they are first met, and not in that in which they are found to be shared.
  const inOrder = new Map<string, readonly GuestView[]>();
  for (const key of byMac.size === 0 ? [] : owners.keys()) {
    const list = byMac.get(key);
    if (list !== undefined) inOrder.set(key, list);
  }
  shared.set(world, inOrder);
  return inOrder;
}

export const duplicateMac: Rule = {
  kind: 'DUPLICATE_MAC',

  *candidates(world) {
    for (const key of sharedMacs(world).keys()) yield { subject: { kind: 'MAC', id: key }, field: '' };
  },

  judge(world, subject): Verdict {
    const guests = sharedMacs(world).get(subject.id);
    if (guests === undefined) return AGREES;
    const sure = guests.filter((guest) => world.coverage.config(guest));
    if (sure.length < 2) return DOUBT;
    const mac = subject.id.slice(subject.id.lastIndexOf('/') + 1) as Mac;
    return so(world, {
      kind: 'DUPLICATE_MAC',
      subject,
      field: '',
      declared: null,
      observed: guests.map((guest) => guest.key).join(', '),
      declaredBy: [],
      evidence: sure.map((guest) => {
        const device = guest.config?.devices.find((one) => one.mac === mac);
        return {
          source: `proxmox:${guest.cluster}`,
          text: `${called(guest)} has ${mac} on ${device?.key ?? 'a device'}`,
          at: guest.parts.config.askedAt,
        };
      }),
      message: `${mac} is configured on ${guests.map(called).join(' and ')}`,
      guests,
      clusters: [...new Set(guests.map((guest) => guest.cluster))],
      changes: sure.map((guest) => guest.changed.config),
      swallowers: [],
    });
  },
};
