import { compareAddresses, type Family, familyOf, type IpAddress, isRoutable } from './address.js';
import type { AddressSetting, GuestInterfaces, GuestKind, GuestStatus, KeptConfig, NetworkDevice } from './guest.js';
import type { Mac } from './mac.js';
import type { ClusterSettings, ScopeRule } from './settings.js';
import type { Instant } from './time.js';
import type { PartState } from './view.js';

export type EvidenceSource = 'CONFIG' | 'AGENT' | 'INTERFACES';

/** One address that a guest carries on one of its network devices. */
export interface CarriedAddress {
  readonly address: IpAddress;
  readonly family: Family;
  readonly prefixLength: number | null;
  /** The scope it lives in: equal text in two scopes is two addresses. */
  readonly scope: string;
  readonly device: string;
  readonly mac: Mac | null;
  readonly linkDown: boolean;
  readonly dynamic: boolean;
  /** Who says so, and when that was asked. The first one decides. */
  readonly evidence: readonly { readonly source: EvidenceSource; readonly at: Instant | null }[];
}

export interface AddressReadings {
  readonly kind: GuestKind;
  readonly node: string;
  readonly status: GuestStatus;
  readonly config: KeptConfig | null;
  readonly interfaces: GuestInterfaces | null;
  readonly parts: { readonly config: PartState; readonly addresses: PartState };
}

/**
 * Whether what an agent or the container's interfaces said is the word on what the guest carries.
 * A stopped guest keeps what it was last seen with, unless its devices were edited after that.
 */
export function interfacesDecide(guest: AddressReadings): boolean {
  if (guest.interfaces === null || guest.config === null) return false;
  if (guest.kind === 'QEMU' && !guest.config.agent) return false;
  // A start leaves what was seen before it in place until the guest is asked again: it is last known, and not covered.
  if (guest.status === 'RUNNING' || guest.status === 'PAUSED') return true;
  const edited = guest.config.devicesSince.before;
  return edited === null || guest.parts.addresses.askedAt === null || edited <= guest.parts.addresses.askedAt;
}

function matches(rule: ScopeRule, node: string, device: NetworkDevice): boolean {
  return (
    (rule.node === null || rule.node === node) &&
    (rule.bridge === null || rule.bridge === device.bridge) &&
    (rule.tag === null || rule.tag === String(device.vlan))
  );
}

/** The narrowest scope that the settings give to a device: the rule that names most of node, bridge and VLAN tag; else the cluster's. */
export function scopeOf(settings: ClusterSettings, node: string, device: NetworkDevice): string {
  let best: ScopeRule | undefined;
  let named = -1;
  for (const rule of settings.addressScopes) {
    const names = Number(rule.node !== null) + Number(rule.bridge !== null) + Number(rule.tag !== null);
    if (names > named && matches(rule, node, device)) {
      best = rule;
      named = names;
    }
  }
  if (best === undefined) return settings.addressScope;
  return best.perNode ? `${best.scope}@${node}` : best.scope;
}

interface Told {
  readonly address: IpAddress;
  readonly prefixLength: number | null;
}

function configured(setting: AddressSetting | null): Told | undefined {
  return setting?.mode === 'static' && isRoutable(setting.address) ? setting : undefined;
}

/**
 * What a guest carries, per device and family: the routable addresses that its agent (or the container's interfaces)
 * shows on the device's MAC, else the config's static one. Sorted by device, family, address.
 */
export function carriedAddresses(guest: AddressReadings, settings: ClusterSettings): readonly CarriedAddress[] {
  const { config, interfaces, parts } = guest;
  if (config === null) return [];
  const seen = interfacesDecide(guest) ? interfaces : null;
  const carried: CarriedAddress[] = [];
  for (const device of config.devices) {
    const scope = scopeOf(settings, guest.node, device);
    const told = seen === null || device.mac === null ? [] : addressesOn(seen, device.mac);
    for (const family of [4, 6] as const) {
      const setting = family === 4 ? device.ip4 : device.ip6;
      const fixed = configured(setting);
      const live = told.filter((t) => familyOf(t.address) === family);
      const leased = setting?.mode === 'dhcp' || setting?.mode === 'auto';
      const common = { family, scope, device: device.key, mac: device.mac, linkDown: device.linkDown };
      for (const { address, prefixLength } of live) {
        const isFixed = fixed?.address === address;
        // A stopped guest's part is asked and found to be none: that is not when this was seen.
        const at = parts.addresses.state === 'none' ? null : parts.addresses.askedAt;
        const by = { source: seen?.by ?? 'AGENT', at };
        carried.push({
          ...common,
          address,
          prefixLength,
          dynamic: leased || (family === 6 && !isFixed),
          evidence: isFixed ? [by, { source: 'CONFIG', at: parts.config.askedAt }] : [by],
        });
      }
      if (live.length === 0 && fixed !== undefined) {
        const evidence = [{ source: 'CONFIG' as const, at: parts.config.askedAt }];
        carried.push({ ...common, address: fixed.address, prefixLength: fixed.prefixLength, dynamic: false, evidence });
      }
    }
  }
  return carried;
}

/** Routable addresses on every interface inside the guest that bears the MAC: a bond, VLAN or bridge over it counts. */
function addressesOn(seen: GuestInterfaces, mac: Mac): Told[] {
  const byText = new Map<IpAddress, Told>();
  for (const one of seen.interfaces) {
    if (one.mac !== mac) continue;
    for (const told of one.addresses) if (isRoutable(told.address)) byText.set(told.address, told);
  }
  return byText.size < 2
    ? [...byText.values()]
    : [...byText.values()].sort((a, b) => compareAddresses(a.address, b.address));
}
