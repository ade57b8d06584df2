import { compareAddresses, familyOf, type IpAddress, inCidr } from './address.js';
import type { Binding } from './compare/binding.js';
import type { Declarations } from './declaration.js';
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

  has(address: IpAddress): boolean {
    return this.#inAny.has(address);
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

export interface Classes {
  readonly classOf: Classify;
  /** Whether an address may be virtual in some scope; the MACs that carry it are not looked at. */
  mayBeVirtual(address: IpAddress): boolean;
}

/** {@link classesOf} for who asks for nothing but the class. */
export function classifier(view: InventoryView, policy: Policy, binding: Pick<Binding, 'nodes'>): Classify {
  return classesOf(view, policy, binding).classOf;
}

/**
 * Tells node, gateway, virtual, dynamic and external addresses: by policy first; then the nodes' own; what NetBox calls
 * virtual (roles, FHRP groups) or VRRP's MACs carry or answer for; UniFi's gateways; and what its DHCP gives out.
 */
export function classesOf(view: InventoryView, policy: Policy, binding: Pick<Binding, 'nodes'>): Classes {
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
  const classOf: Classify = (address, { scope, macs = [] } = {}) =>
    ruled(address) ??
    known.get(scope, address) ??
    (macs.some((mac) => mac !== null && isVrrpMac(mac)) ? 'virtual' : undefined) ??
    // Two routers may carry a gateway's address in turn: then it is virtual before all else.
    gateways.get(scope, address) ??
    (leases.some((lease) => (scope === undefined || scope === lease.scope) && lease.holds(address))
      ? 'dynamic'
      : undefined);
  return {
    classOf,
    mayBeVirtual: (address) => {
      const named = ruled(address);
      return named === undefined ? known.has(address) : named === 'virtual';
    },
  };
}

/** What each address came to under a policy's rules: parsing one costs more than all else here. */
const ruledBy = new WeakMap<Policy['addressClasses'], Map<IpAddress, AddressClass | undefined>>();
/** Addresses come and go, and a policy stays for months: past this many it begins anew. */
const MOST_RULED = 100_000;

function policyClasses({ addressClasses }: Policy): (address: IpAddress) => AddressClass | undefined {
  if (addressClasses.length === 0) return () => undefined;
  let classes = ruledBy.get(addressClasses);
  if (classes === undefined || classes.size > MOST_RULED) {
    classes = new Map();
    ruledBy.set(addressClasses, classes);
  }
  const known = classes;
  return (address) => {
    if (!known.has(address)) known.set(address, addressClasses.find((rule) => inCidr(address, rule.cidr))?.class);
    return known.get(address);
  };
}

/** The few among thousands of declarations that may say what an address is. */
interface Telling {
  /** Of devices: what those are called that may be nodes. `scope` null: in every one. */
  readonly ofDevices: readonly { readonly name: string; readonly scope: string | null; readonly address: IpAddress }[];
  readonly virtual: readonly { readonly scope: string | null; readonly address: IpAddress }[];
}

const tellingIn = new WeakMap<Declarations, Telling>();

function tellingOf(declarations: Declarations): Telling {
  const known = tellingIn.get(declarations);
  if (known !== undefined) return known;
  const ofDevices: Telling['ofDevices'][number][] = [];
  const virtual: Telling['virtual'][number][] = [];
  for (const { rows } of declarations) {
    for (const row of rows) {
      if (row.kind === 'address') {
        const { address, scope = 'default' } = row;
        if (row.device !== undefined) ofDevices.push({ name: row.device, scope, address });
        if (row.virtual === true) virtual.push({ scope, address });
      }
      if (row.kind === 'device' && row.name !== null)
        for (const address of row.addresses) ofDevices.push({ name: row.name, scope: null, address });
      if (row.kind === 'vm') for (const one of row.addresses) if (one.virtual) virtual.push(one);
    }
  }
  const telling = { ofDevices, virtual };
  tellingIn.set(declarations, telling);
  return telling;
}

/** What Proxmox says of its nodes, and the addresses of inventory devices that are called as one of them. */
function nodesOwn(view: InventoryView, { nodes }: Pick<Binding, 'nodes'>, known: Known): void {
  for (const { cluster, row } of view.nodes.values()) {
    const scope = view.clusters.get(cluster)?.settings.addressScope ?? 'default';
    if (row.ip !== null) known.add(scope, row.ip, 'node');
  }
  for (const { name, scope, address } of tellingOf(view.declarations).ofDevices)
    if (nodes.find(name).length > 0) known.add(scope, address, 'node');
}

function declaredVirtual(view: InventoryView, known: Known): void {
  for (const { scope, address } of tellingOf(view.declarations).virtual) known.add(scope, address, 'virtual');
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
