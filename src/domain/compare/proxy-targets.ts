import { familyOf, type IpAddress } from '../address.js';
import type { DriftFindingKind, Subject } from '../finding.js';
import type { KeptRecord, NpmProxyHost, ProxyTarget } from '../record.js';
import { isAnswered, sightingsOf } from '../sightings.js';
import { DAY } from '../time.js';
import type { GuestView } from '../view.js';
import { joined } from './address-not-declared.js';
import type { Carrier } from './carriers.js';
import { livingPrefixes } from './prefixes.js';
import { isDeclaringUnreachable } from './presence.js';
import { scopeReading } from './scope-reading.js';
import { isCovered, observersOf, recordChange, recordsOf, serviceEvidence } from './services.js';
import { isExcused, powerChanges } from './status-differs.js';
import { called, idOf, rowEvidence, so } from './telling.js';
import {
  AGREES,
  type Ask,
  asksFor,
  DOUBT,
  doubt,
  type Rule,
  rowDoubt,
  unsettledUntil,
  type Verdict,
  type World,
} from './world.js';

/** More reads than this are left to the rolling slice: one new proxy host must not cost the estate a full pass. */
const MOST_ASKS = 200;

/** `host:port` as people write it, an IPv6 address in brackets. */
export function targetText({ host, address, port }: ProxyTarget): string {
  return `${address !== null && familyOf(address) === 6 ? `[${address}]` : (address ?? host)}:${port}`;
}

/** Where a proxy host sends what it takes, its locations included, each once. */
export function targetsOf(proxy: NpmProxyHost): ReadonlyMap<string, ProxyTarget> {
  const targets = [proxy.target, ...proxy.locations.map(({ target }) => target)];
  return new Map(targets.map((target) => [targetText(target), target]));
}

const byAddress = new WeakMap<World, ReadonlyMap<IpAddress, readonly Carrier[]>>();

/**
 * Who carries an address in whatever scope: a proxy does not say in which it lives. The scope that is one for all goes
 * before others, as it does where an address file names an address.
 */
function carriersAnywhere(world: World, address: IpAddress): readonly Carrier[] {
  const known = world.carriers.get(`default/${address}`);
  if (known !== undefined) return known;
  let index = byAddress.get(world);
  if (index === undefined) {
    const found = new Map<IpAddress, Carrier[]>();
    for (const carriers of world.carriers.values()) {
      for (const one of carriers) {
        const list = found.get(one.carried.address);
        if (list === undefined) found.set(one.carried.address, [one]);
        else list.push(one);
      }
    }
    index = found;
    byAddress.set(world, index);
  }
  return index.get(address) ?? [];
}

/** The guests that a proxy host points to, by what they carry. */
export function guestsBehind(world: World, proxy: NpmProxyHost): readonly GuestView[] {
  const carriers = [...targetsOf(proxy).values()].flatMap(({ address }) =>
    address === null ? [] : carriersAnywhere(world, address),
  );
  return [...new Set(carriers.map(({ guest }) => guest))];
}

type Judge = (world: World, about: About) => Verdict;

interface About {
  readonly subject: Subject;
  readonly field: string;
  readonly record: KeptRecord<NpmProxyHost>;
  readonly address: IpAddress;
}

/**
 * A rule over the targets of proxy hosts that are literal addresses: what a name means, only the proxy knows. Streams are
 * no proxy hosts, and have ids of their own.
 */
function targetRule(kind: DriftFindingKind, judgeTarget: Judge): Rule {
  return {
    kind,
    *candidates(world) {
      for (const { service, key, body } of recordsOf(world.view, 'npm.proxy_host')) {
        if (!body.enabled) continue;
        for (const [field, { address }] of targetsOf(body))
          if (address !== null) yield { subject: { kind: 'PROXY_HOST', id: `${service}/${key}` }, field };
      }
    },
    judge(world, subject, field) {
      const slash = subject.id.lastIndexOf('/');
      const source = `npm:${subject.id.slice(0, slash)}`;
      if (!isCovered(world, source)) return DOUBT;
      const record = world.view.records['npm.proxy_host'].get(`${source} ${subject.id.slice(slash + 1)}`);
      const address = record === undefined ? null : (targetsOf(record.body).get(field)?.address ?? null);
      if (record === undefined || !record.body.enabled || address === null) return AGREES;
      return judgeTarget(world, { subject, field, record, address });
    },
  };
}

function told(world: World, { record, field }: About) {
  const { domainNames } = record.body;
  const name = domainNames.length === 0 ? `Proxy host ${record.service}/${record.key}` : domainNames.join(', ');
  const text = `${domainNames.join(', ')} is sent to ${field}`;
  return { name, evidence: serviceEvidence(world, record.source, text) };
}

/** An address where guests live, and nobody has it, is to have it, or answers for it. */
export const proxyTargetUnknown = targetRule('PROXY_TARGET_UNKNOWN', (world, about) => {
  const { address, record } = about;
  const named = world.classOf(address);
  if (carriersAnywhere(world, address).length > 0 || (named !== undefined && named !== 'dynamic')) return AGREES;
  const scopes = livingPrefixes(world).scopesOf(address);
  if (scopes.length === 0 || isDeclared(world, address)) return AGREES;
  if (answersSomewhere(world, address)) return AGREES;
  const { unreadable, listed } = world.binding;
  if (isDeclaringUnreachable(world) || unreadable.addresses.has(address) || listed.has(address)) return DOUBT;
  const since = Math.max(record.since.before ?? 0, world.binding.goneAddresses.get(address) ?? 0);
  const waits = scopes.map((scope) => emptyDoubt(world, scope, address, since));
  return waits.some((wait) => wait !== undefined) ? joined(waits) : unknown(world, about, scopes);
});

function unknown(world: World, about: About, scopes: readonly string[]): Verdict {
  const { subject, field, record, address } = about;
  const { name, evidence } = told(world, about);
  return so(world, {
    kind: 'PROXY_TARGET_UNKNOWN',
    subject,
    field,
    declared: field,
    observed: null,
    declaredBy: [],
    evidence: [evidence],
    message: `${name} is sent to ${field}, and nobody carries, declares or answers for ${address}`,
    guests: [],
    clusters: [...world.view.clusters.values()]
      .filter(({ settings }) => scopes.includes(settings.addressScope))
      .map((cluster) => cluster.name),
    changes: [recordChange(world, record)],
    swallowers: [],
  });
}

/** In whatever scope: a proxy names none. */
function isDeclared(world: World, address: IpAddress): boolean {
  return scopesOf(world).some((scope) => world.binding.declaredAddresses.has(`${scope}/${address}`));
}

function answersSomewhere(world: World, address: IpAddress): boolean {
  const sightings = sightingsOf(world.view);
  return scopesOf(world).some((scope) => isAnswered(sightings.get(`${scope}/${address}`), world.now));
}

const scopesIn = new WeakMap<World, readonly string[]>();

/** Every scope that something was declared, carried or seen in. */
function scopesOf(world: World): readonly string[] {
  let scopes = scopesIn.get(world);
  if (scopes === undefined) {
    const found = new Set(['default']);
    for (const keys of [world.carriers, world.binding.declaredAddresses, sightingsOf(world.view)])
      for (const key of keys.keys()) found.add(key.slice(0, key.lastIndexOf('/')));
    scopes = [...found];
    scopesIn.set(world, scopes);
  }
  return scopes;
}

/**
 * Why it is not certain that nobody has an address of a scope: a guest was not read since, an observer cannot be heard; or
 * there are guests that nobody can ask and no observer that would have heard them.
 */
function emptyDoubt(world: World, scope: string, address: IpAddress, since: number): Verdict | undefined {
  const reading = scopeReading(world, scope, familyOf(address));
  if (reading.uncovered) return doubt([], reading.due);
  const observers = observersOf(world, scope);
  if (observers.some((source) => !isCovered(world, source))) return DOUBT;
  if (reading.unaskable > 0 && observers.length === 0 && !world.policy.unusedDespiteUnread) return DOUBT;
  const asks: Ask[] = [];
  for (const { guest, at } of reading.reads) {
    if (at >= since) break;
    if (asks.length < MOST_ASKS) asks.push(...asksFor(guest));
  }
  return asks.length > 0 ? doubt(asks) : undefined;
}

/** All who have the address are stopped: one that runs answers for it. */
export const proxyTargetStopped = targetRule('PROXY_TARGET_STOPPED', (world, about) => {
  const guests = [...new Set(carriersAnywhere(world, about.address).map(({ guest }) => guest))];
  if (guests.length === 0) return AGREES;
  const waits = guests.map(
    (guest) => excuseDoubt(world, guest) ?? rowDoubt(world, guest, about.record.since.before ?? 0),
  );
  if (guests.some((guest, i) => waits[i] === undefined && isUp(guest))) return AGREES;
  if (waits.some((wait) => wait !== undefined) || guests.some((guest) => guest.status === 'UNKNOWN'))
    return joined(waits);
  const changes = [...guests.flatMap(powerChanges), about.record.since];
  const settles = unsettledUntil(world, changes, world.policy.settle.proxyTarget);
  return settles === null ? stopped(world, about, guests) : doubt([], settles);
});

/** A backup shows a stopped VM as running, and holds a running container down: what a lock excuses proves nothing. */
function excuseDoubt(world: World, guest: GuestView): Verdict | undefined {
  if (!isExcused(world, guest)) return undefined;
  const { lockedSince } = guest.row;
  return doubt([], lockedSince === null ? null : lockedSince + DAY);
}

function isUp({ status }: GuestView): boolean {
  return status === 'RUNNING' || status === 'PAUSED';
}

function stopped(world: World, about: About, guests: readonly GuestView[]): Verdict {
  const { subject, field, record } = about;
  const { name, evidence } = told(world, about);
  return so(world, {
    kind: 'PROXY_TARGET_STOPPED',
    subject,
    field,
    declared: field,
    observed: 'stopped',
    declaredBy: [],
    evidence: [evidence, ...guests.map((guest) => rowEvidence(world, guest, `${called(guest)} is listed as stopped`))],
    message: `${name} is sent to ${field}, and ${guests.map(called).join(' and ')} is stopped`,
    guests,
    clusters: [...new Set(guests.map((guest) => guest.cluster))],
    changes: [recordChange(world, record), ...guests.map((guest) => guest.row.since.status)],
    swallowers: guests.map((guest) => [idOf('STATUS_DIFFERS', guest.id, 'status')]),
  });
}
