import { ipWithPrefix } from '../../../domain/address.js';
import type { AddressSetting, NetworkDevice } from '../../../domain/guest.js';
import { macAddress } from '../../../domain/mac.js';
import { wireFlag, wireInteger } from '../../wire-values.js';
import { type Property, properties, property } from './property-strings.js';

// Keys of a netN string that are no model name. What is left over is `<model>` or `<model>=<MAC>`, the short form of QEMU.
const OPTIONS = new Set([
  ...['model', 'macaddr', 'hwaddr', 'bridge', 'firewall', 'link_down', 'mtu', 'queues', 'rate', 'tag', 'trunks'],
  ...['name', 'ip', 'ip6', 'gw', 'gw6', 'type', 'host-managed'],
]);

/**
 * One `netN`, of a QEMU guest together with its `ipconfigN`, of a container on its own.
 *
 *   virtio=BC:24:11:AA:BB:CC,bridge=vmbr0,tag=20 · model=virtio,macaddr=… · name=eth0,bridge=vmbr0,hwaddr=…,ip=dhcp
 */
export function networkDevice(key: string, net: string, ipconfig: string | undefined): NetworkDevice {
  const items = properties(net);
  const ips = ipconfig === undefined ? items : properties(ipconfig);
  const vlan = wireInteger(property(items, 'tag'));
  return {
    key,
    mac: macAddress(property(items, 'macaddr', 'hwaddr') ?? shortFormMac(items) ?? '') ?? null,
    bridge: property(items, 'bridge') ?? null,
    vlan: vlan !== undefined && vlan >= 1 && vlan <= 4094 ? vlan : null,
    linkDown: wireFlag(property(items, 'link_down')) ?? false,
    ip4: addressSetting(property(ips, 'ip'), 4),
    ip6: addressSetting(property(ips, 'ip6'), 6),
  };
}

function shortFormMac(items: readonly Property[]): string | undefined {
  return items.find(([name]) => name !== '' && !OPTIONS.has(name))?.[1];
}

/** A word that is neither a mode nor an address of that family says nothing. */
function addressSetting(text: string | undefined, family: 4 | 6): AddressSetting | null {
  if (text === undefined) return null;
  if (text === 'dhcp' || text === 'auto' || text === 'manual') return { mode: text };
  const parsed = ipWithPrefix(text);
  if (parsed === undefined || parsed.address.includes(':') !== (family === 6)) return null;
  return { mode: 'static', ...parsed };
}
