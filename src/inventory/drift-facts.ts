import type { Principal } from '../domain/access.js';
import type { Binding, DeclaredAddress } from '../domain/compare/binding.js';
import type { Difference, DriftFindingKind } from '../domain/finding.js';
import { seesFinding } from '../domain/sees-finding.js';
import type { GuestView, InventoryView } from '../domain/view.js';
import { seesAddressOf } from './addresses.js';
import { DEFAULT_STATES, livingFindings } from './findings.js';
import type { DriftFacts, InventoryFreshness } from './records.js';

const MISMATCHES: ReadonlySet<DriftFindingKind> = new Set([
  'NAME_DIFFERS',
  'NODE_DIFFERS',
  'STATUS_DIFFERS',
  'ADDRESS_DIFFERS',
]);

/**
 * The raw lists: every difference that is so, also one that another swallows, and every address of ip-addresses.conf
 * that nobody carries, also where some guest could not be asked.
 */
export function driftFacts(
  principal: Principal,
  known: { readonly view: InventoryView; readonly binding: Binding; readonly differences: readonly Difference[] },
  freshness: InventoryFreshness,
): DriftFacts {
  const { view, binding } = known;
  const so = known.differences.filter((difference) => seesFinding(principal, difference));
  const of = (kind: DriftFindingKind) => so.filter((difference) => difference.identity.kind === kind);
  const guestsOf = (difference: Difference): GuestView[] =>
    difference.guests.flatMap((id) => view.guests.get(id) ?? []);
  return {
    freshness,
    ipAddressesConfIpsNotOnGuests: confAddressesNotCarried(principal, view, binding),
    guestIpsNotDeclared: of('ADDRESS_NOT_DECLARED').flatMap((difference) =>
      guestsOf(difference).map(({ vmid, row }) => ({ ip: addressIn(difference), vmid, name: row.name })),
    ),
    vmidsNotDeclared: of('GUEST_NOT_DECLARED').flatMap((difference) =>
      guestsOf(difference).map(({ vmid, row, cluster }) => ({ vmid, name: row.name, cluster, node: row.node })),
    ),
    declaredVmidsNotLive: of('GUEST_MISSING').flatMap((difference) => missing(difference, binding)),
    mismatches: so
      .filter((difference) => MISMATCHES.has(difference.identity.kind))
      .map((difference) => ({
        vmid: vmidIn(difference.identity.subject.id),
        field: difference.identity.field,
        declared: difference.declared,
        observed: difference.observed,
        source: (difference.declaredBy.find((fact) => fact.wins) ?? difference.declaredBy[0])?.source ?? '',
      })),
    duplicateIps: of('DUPLICATE_ADDRESS').map((difference) => ({
      ip: addressIn(difference),
      vmids: difference.guests.map(vmidIn),
    })),
    declarationsInConflict: of('DECLARATIONS_CONFLICT').map(({ identity, declaredBy }) => ({
      subject: identity.subject.id,
      field: identity.field,
      facts: declaredBy.map(({ value, source, location }) => ({ value, source, location })),
    })),
    findings: livingFindings(view)
      .sorted.filter((finding) => DEFAULT_STATES.includes(finding.state) && seesFinding(principal, finding))
      .reverse(),
  };
}

const CONF = 'ip-addresses.conf';

function confAddressesNotCarried(
  principal: Principal,
  view: InventoryView,
  binding: Binding,
): DriftFacts['ipAddressesConfIpsNotOnGuests'] {
  const carried = new Set<string>();
  for (const guest of view.guests.values()) {
    if (!guest.row.template) for (const { scope, address } of guest.carried) carried.add(`${scope}/${address}`);
  }
  const isSeen = (facts: readonly DeclaredAddress[]) =>
    seesAddressOf(
      principal,
      facts.flatMap((fact) => fact.guests),
    );
  return [...binding.declaredAddresses].flatMap(([key, facts]) =>
    carried.has(key) || !isSeen(facts)
      ? []
      : facts
          .filter((fact) => fact.source === CONF)
          .map((fact) => ({ ip: fact.address, key: fact.label, line: lineOf(fact.location) })),
  );
}

function missing(difference: Difference, binding: Binding): DriftFacts['declaredVmidsNotLive'] {
  const vmid = vmidIn(difference.identity.subject.id);
  const at = new Set(difference.declaredBy.map((fact) => fact.location));
  return (binding.byVmid.get(vmid) ?? [])
    .filter((row) => at.size === 0 || at.has(row.row.location))
    .map((row) => ({ vmid, name: row.row.name, source: row.source.name, location: row.row.location }));
}

/** The number in `cluster/vmid` and `cluster/vmid@n`; the cluster may be unknown. */
function vmidIn(id: string): number {
  return Number.parseInt(id.slice(id.lastIndexOf('/') + 1), 10);
}

function addressIn(difference: Difference): string {
  const { id } = difference.identity.subject;
  return id.slice(id.lastIndexOf('/') + 1);
}

/** `file:line`, as every location of a file is written. */
function lineOf(location: string): number {
  return Number(location.slice(location.lastIndexOf(':') + 1)) || 0;
}
