import { compareAddresses, familyOf, type IpAddress, inCidr } from './address.js';
import type { Binding } from './compare/binding.js';
import { isVrrpMac, type Mac } from './mac.js';
import type { AddressClass, Policy } from './policy.js';
import { controllerScopes, virtuallyAnswered } from './sightings.js';
import type { InventoryView } from './view.js';

/**
 * What an address is, where it is more than one guest's own; undefined for all others.
 * `scope`: where it lives; without one, whatever is so in any scope holds. `macs`: those that carry it.
 */
export type Classify = (
  address: IpAddress,
  where?: { readonly scope?: string | undefined; readonly macs?: readonly (Mac | null)[] },
) => AddressClass | undefined;

/** Classes by `scope/address`, and by address where the scope is not known or not asked for. */
class Known {
  readonly #inScope = new Map<string, AddressClass>();
  readonly #anywhere = new Map<IpAddress, AddressClass>();
  readonly #inAny = new Map<IpAddress, AddressClass>();

  /** What was said first holds. `scope` null: it is so in every scope. */
  add(scope: string | null, address: IpAddress, named: AddressClass): void {
    if (scope === null) setOnce(this.#anywhere, address, named);
    else setOnce(this.#inScope, `${scope}/${address}`, named);
    setOnce(this.#inAny, address, named);
  }

  get(scope: string | undefined, address: IpAddress): AddressClass | undefined {
    // Hardly any address is in here, and thousands are asked for: one look at the text alone tells that.
    if (!this.#inAny.has(address)) return undefined;
    if (scope === undefined) return this.#inAny.get(address);
    return this.#inScope.get(`${scope}/${address}`) ?? this.#anywhere.get(address);
  }
}

function setOnce<K>(map: Map<K, AddressClass>, key: K, named: AddressClass): void {
  if (!map.has(key)) map.set(key, named);
}

/**
 * Tells node, gateway, virtual, dynamic and external addresses: by policy first; then the nodes' own; what NetBox calls
 * virtual (roles, FHRP groups) or VRRP's MACs carry or answer for; UniFi's gateways; and what its DHCP gives out.
 */
export function classifier(view: InventoryView, policy: Policy, binding: Pick<Binding, 'nodes'>): Classify {
  const known = new Known();
  nodesOwn(view, binding, known);
  declaredVirtual(view, known);
  for (const key of virtuallyAnswered(view)) {
    const slash = key.lastIndexOf('/');
    known.add(key.slice(0, slash), key.slice(slash + 1) as IpAddress, 'virtual');
  }
  const gateways = new Known();
  const leases = unifiNetworks(view, gateways);
  const ruled = policyClasses(policy);
  return (address, { scope, macs = [] } = {}) =>
    ruled(address) ??
    known.get(scope, address) ??
    (macs.some((mac) => mac !== null && isVrrpMac(mac)) ? 'virtual' : undefined) ??
    // Two routers may carry a gateway's address in turn: then it is virtual before all else.
    gateways.get(scope, address) ??
    (leases.some((lease) => (scope === undefined || scope === lease.scope) && lease.holds(address))
      ? 'dynamic'
      : undefined);
}

/** Remembers what each address came to: parsing one costs more than all else here. */
function policyClasses(policy: Policy): (address: IpAddress) => AddressClass | undefined {
  if (policy.addressClasses.length === 0) return () => undefined;
  const classes = new Map<IpAddress, AddressClass | undefined>();
  return (address) => {
    if (!classes.has(address))
      classes.set(address, policy.addressClasses.find((rule) => inCidr(address, rule.cidr))?.class);
    return classes.get(address);
  };
}

/** What Proxmox says of its nodes, and the addresses of inventory devices that are called as one of them. */
function nodesOwn(view: InventoryView, { nodes }: Pick<Binding, 'nodes'>, known: Known): void {
  for (const { cluster, row } of view.nodes.values()) {
    const scope = view.clusters.get(cluster)?.settings.addressScope ?? 'default';
    if (row.ip !== null) known.add(scope, row.ip, 'node');
  }
  const isNode = (name: string | null | undefined) =>
    name !== null && name !== undefined && nodes.find(name).length > 0;
  for (const { rows } of view.declarations) {
    for (const row of rows) {
      if (row.kind === 'address' && isNode(row.device)) known.add(row.scope ?? 'default', row.address, 'node');
      if (row.kind === 'device' && isNode(row.name))
        for (const address of row.addresses) known.add(null, address, 'node');
    }
  }
}

function declaredVirtual(view: InventoryView, known: Known): void {
  for (const { rows } of view.declarations) {
    for (const row of rows) {
      if (row.kind === 'address' && row.virtual === true) known.add(row.scope ?? 'default', row.address, 'virtual');
      if (row.kind === 'vm')
        for (const { address, scope, virtual } of row.addresses) if (virtual) known.add(scope, address, 'virtual');
    }
  }
}

interface Lease {
  readonly scope: string;
  readonly holds: (address: IpAddress) => boolean;
}

/** Adds the gateways; returns what DHCP gives out. */
function unifiNetworks(view: InventoryView, gateways: Known): readonly Lease[] {
  const leases: Lease[] = [];
  if (view.records['unifi.network'].size === 0) return leases;
  const scopes = controllerScopes(view);
  for (const { source, body } of view.records['unifi.network'].values()) {
    if (!body.enabled || !view.services.has(source)) continue;
    const scope = scopes.get(source) ?? 'default';
    if (body.gateway !== null) gateways.add(scope, body.gateway, 'gateway');
    if (body.dhcp !== null) leases.push({ scope, holds: range(body.dhcp) });
  }
  return leases;
}

function range({ from, to }: { readonly from: IpAddress; readonly to: IpAddress }): (address: IpAddress) => boolean {
  if (familyOf(from) === 6)
    return (one) => familyOf(one) === 6 && compareAddresses(from, one) <= 0 && compareAddresses(one, to) <= 0;
  const [first, last] = [asNumber(from), asNumber(to)];
  return (one) => {
    const number = familyOf(one) === 4 ? asNumber(one) : -1;
    return first <= number && number <= last;
  };
}

/** By hand: it is asked for every carried address at every comparison. */
function asNumber(address: IpAddress): number {
  let number = 0;
  let byte = 0;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === 46) {
      number = number * 256 + byte;
      byte = 0;
    } else byte = byte * 10 + code - 48;
  }
  return number * 256 + byte;
}
