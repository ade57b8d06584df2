import type { IpAddress } from '../address.js';
import { collectorOf } from '../coverage.js';
import type { Finding, Subject } from '../finding.js';
import { isVrrpMac, type Mac, macAddress } from '../mac.js';
import { type Sighting, sightingsOf } from '../sightings.js';
import { HOUR, type Instant, SECOND } from '../time.js';
import type { GuestView } from '../view.js';
import { changeOf } from './address-differs.js';
import { joined } from './address-not-declared.js';
import { addressKey, addressOf, addressSubject } from './address-subject.js';
import type { Carrier } from './carriers.js';
import { duplicateAddress, firstSight } from './duplicates.js';
import { isCovered, lookedAt, recordsOf } from './services.js';
import { addressEvidence, called, idOf, so } from './telling.js';
import { AGREES, addressDoubt, DOUBT, type Rule, type Verdict, type World } from './world.js';

const KIND = 'ADDRESS_ANSWERED_BY_OTHER';
/** Looks of an observer through which a stranger must be silent to be over, and the least time of that. */
const QUIET_LOOKS = 4;
const QUIET_AT_LEAST = HOUR;

/** A sighting that speaks of the machine itself. */
interface Answer extends Sighting {
  readonly at: Instant;
}

/**
 * Somebody else answers for the address of a guest.
 *
 * It is so when a guest had the address before a stranger was seen answering for it, and still has it when read after
 * that: so an address that merely moves on (a lease, a renumbering) tells nothing. It stays so through every later read of
 * the guest, until the guest has the address no more, the observers see the guest's own MAC instead, or they looked
 * several times and did not hear the stranger again. An observer that is out of reach opens nothing and ends nothing.
 */
export const addressAnsweredByOther: Rule = {
  kind: KIND,

  *candidates(world) {
    for (const [key, sightings] of sightingsOf(world.view)) {
      const carriers = world.carriers.get(key);
      const one = carriers?.[0];
      if (one === undefined || carriers === undefined) continue;
      if (strangers(world, carriers, sightings).length > 0)
        yield { subject: addressSubject(one.carried.scope, one.carried.address), field: '' };
    }
  },

  judge(world, subject) {
    const key = addressKey(subject);
    const carriers = world.carriers.get(key) ?? [];
    const named = world.classOf(addressOf(subject), carriers, key.slice(0, key.lastIndexOf('/')));
    if (named === 'virtual' || named === 'external') return AGREES;
    const strange = strangers(world, carriers, sightingsOf(world.view).get(key) ?? []);
    const heard = strange.filter((one) => isCovered(world, one.source) && isHeard(world, one));
    if (heard.length === 0) return strange.some((one) => !isCovered(world, one.source)) ? DOUBT : AGREES;
    const holders = carriers.filter(holds);
    if (holders.length === 0) return noHolder(world, subject, carriers, heard);
    const known = world.view.findings.byId.get(idOf(KIND, subject.id));
    const isOpen = known !== undefined;
    if (isOpen && isHalfSilent(world, known, strange, heard)) return DOUBT;
    // Whether two guests have it is read first: that would tell it.
    const shared = isOpen ? AGREES : duplicateAddress.judge(world, subject, '');
    if (shared.kind === 'doubt') return shared;
    const waits = holders.map((holder) => holderDoubt(world, holder, heard, isOpen));
    const sure = holders.filter((_, i) => waits[i] === undefined);
    if (sure.length > 0) return answered(world, subject, sure, heard);
    return waits.every((wait) => wait?.kind === 'agrees') ? AGREES : joined(waits);
  },
};

/** One of the answers that an open finding tells has an observer out of reach: what it saw last is part of it still. */
function isHalfSilent(world: World, known: Finding, strange: readonly Answer[], heard: readonly Answer[]): boolean {
  const told = new Set(known.observed?.split(', '));
  return strange.some(
    ({ mac, source }) => !isCovered(world, source) && told.has(mac) && !heard.some((one) => one.mac === mac),
  );
}

/** It runs with it, or would start with it. */
function holds({ guest, carried }: Carrier): boolean {
  if ((guest.status === 'RUNNING' || guest.status === 'PAUSED') && !carried.linkDown) return true;
  return guest.status !== 'UNKNOWN' && carried.evidence.some(({ source }) => source === 'CONFIG');
}

const NOBODY: readonly Answer[] = [];

/** Answers of MACs that belong to no carrier, no node and no virtual address. Hardly any address has one: thousands are looked at. */
function strangers(world: World, carriers: readonly Carrier[], sightings: readonly Sighting[]): readonly Answer[] {
  let own: ReadonlySet<Mac> | undefined;
  let found: Answer[] | undefined;
  for (const one of sightings) {
    const { at, mac } = one;
    if (at === null || one.secondHand || isCarriedOn(carriers, mac) || isVrrpMac(mac)) continue;
    own ??= macsOf(carriers);
    if (own.has(mac) || nodeMacs(world).has(mac)) continue;
    found ??= [];
    found.push({ ...one, at });
  }
  return found ?? NOBODY;
}

function isCarriedOn(carriers: readonly Carrier[], mac: Mac): boolean {
  for (const { carried } of carriers) if (carried.mac === mac) return true;
  return false;
}

/** Every MAC that the carriers have, on a device or on an interface inside: a bond or bridge may answer with another. */
function macsOf(carriers: readonly Carrier[]): ReadonlySet<Mac> {
  const macs = new Set<Mac>();
  for (const { guest } of carriers) {
    for (const { mac } of guest.config?.devices ?? []) if (mac !== null) macs.add(mac);
    for (const { mac } of guest.interfaces?.interfaces ?? []) if (mac !== null) macs.add(mac);
  }
  return macs;
}

const nodeMacsOf = new WeakMap<World, ReadonlySet<Mac>>();

/** MACs of the nodes: of their network parts, and those that answer for the nodes' own addresses. */
function nodeMacs(world: World): ReadonlySet<Mac> {
  let macs = nodeMacsOf.get(world);
  if (macs === undefined) {
    const found = new Set<Mac>();
    for (const { body } of recordsOf(world.view, 'hardware'))
      for (const { section, serial, detail } of body.parts)
        if (section === 'network')
          for (const text of [serial, detail]) {
            const mac = text === null ? undefined : macAddress(text);
            if (mac !== undefined) found.add(mac);
          }
    for (const { cluster, row } of world.view.nodes.values()) {
      const scope = world.view.clusters.get(cluster)?.settings.addressScope ?? 'default';
      for (const { mac } of sightingsOf(world.view).get(`${scope}/${row.ip}`) ?? []) found.add(mac);
    }
    macs = found;
    nodeMacsOf.set(world, macs);
  }
  return macs;
}

/** Whether an observer's last look is not long after it heard the stranger. */
function isHeard(world: World, { source, at }: Answer): boolean {
  const state = world.view.services.get(source);
  const collector = state === undefined ? null : collectorOf(state);
  const refresh = collector === null ? 0 : world.view.contract.collectors[collector].refreshSeconds * SECOND;
  return (lookedAt(world, source) ?? 0) - at <= Math.max(QUIET_AT_LEAST, QUIET_LOOKS * refresh);
}

/**
 * Why a holder does not yet prove it; undefined when it does: it had the address before, and has it after the answer. Once
 * open, only what it carries counts; everything else of it may change meanwhile.
 */
function holderDoubt(world: World, { guest }: Carrier, heard: readonly Answer[], isOpen: boolean): Verdict | undefined {
  if (isOpen) return addressDoubt(world, guest, 0);
  const sight = firstSight(world, guest);
  const after = heard.filter(({ at }) => at > sight);
  return after.length === 0 ? AGREES : addressDoubt(world, guest, Math.max(...after.map(({ at }) => at)));
}

/** Nobody has it any more, as far as is known: those that had it must have been read well, or be gone. */
function noHolder(world: World, subject: Subject, carriers: readonly Carrier[], heard: readonly Answer[]): Verdict {
  if (carriers.some(({ guest }) => !world.coverage.row(guest))) return DOUBT;
  const owners = new Set(ownersOf(world, heard).map(({ id }) => id));
  const former = (world.view.findings.byId.get(idOf(KIND, subject.id))?.guests ?? []).flatMap((id) => {
    const guest = owners.has(id) ? undefined : world.view.guests.get(id);
    return guest === undefined || guest.status === 'STOPPED' ? [] : (addressDoubt(world, guest, 0) ?? []);
  });
  return former.length === 0 ? AGREES : joined(former);
}

const guestsByMac = new WeakMap<World, ReadonlyMap<Mac, readonly GuestView[]>>();

/** Guests of ours whose MAC it is that answers. */
function ownersOf(world: World, heard: readonly Answer[]): readonly GuestView[] {
  let byMac = guestsByMac.get(world);
  if (byMac === undefined) {
    const found = new Map<Mac, GuestView[]>();
    for (const guest of world.view.guests.values())
      for (const { mac } of guest.config?.devices ?? []) {
        if (mac === null) continue;
        const list = found.get(mac);
        if (list === undefined) found.set(mac, [guest]);
        else list.push(guest);
      }
    byMac = found;
    guestsByMac.set(world, byMac);
  }
  const owned = byMac;
  return [...new Set(heard.flatMap(({ mac }) => owned.get(mac) ?? []))];
}

/** In one order on every replica, whatever order they came to be known in. */
function inOrder(heard: readonly Answer[]): readonly Answer[] {
  const place = ({ mac, source, where }: Answer) => `${mac} ${source} ${where}`;
  return heard.length < 2 ? heard : heard.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
}

function answered(world: World, subject: Subject, sure: readonly Carrier[], known: readonly Answer[]): Verdict {
  const heard = inOrder(known);
  const address: IpAddress = addressOf(subject);
  const macs = [...new Set(heard.map(({ mac }) => mac))].sort();
  const owners = ownersOf(world, heard);
  const guests = [...new Set([...sure.map(({ guest }) => guest), ...owners])];
  const whose = owners.length === 0 ? '' : `, which ${owners.map(called).join(' and ')} has`;
  return so(world, {
    kind: KIND,
    subject,
    field: '',
    declared: null,
    observed: macs.join(', '),
    declaredBy: [],
    evidence: [
      ...heard.map(({ source, mac, where, at }) => ({ source, text: `${where} saw ${mac} answer for ${address}`, at })),
      ...sure.flatMap(({ guest, carried }) => addressEvidence(guest, carried)),
    ],
    message: `${address} of ${sure.map(({ guest }) => called(guest)).join(' and ')} is answered by ${macs.join(' and ')}${whose}`,
    guests,
    clusters: [...new Set(guests.map((guest) => guest.cluster))],
    changes: [...sure.map(({ guest }) => changeOf(guest)), ...heard.map(({ since }) => since)],
    swallowers: [[idOf('DUPLICATE_ADDRESS', subject.id)]],
  });
}
