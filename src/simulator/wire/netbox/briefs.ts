import type {
  NetboxAddress,
  NetboxCluster,
  NetboxDevice,
  NetboxFhrpGroup,
  NetboxInterface,
  NetboxVlan,
  NetboxVm,
  NetboxVrf,
} from '../../netbox-model.js';
import { familyOf, type Shelf } from './shelf.js';

/** An object as it goes over the wire. */
export type Wire = Readonly<Record<string, unknown>>;

/** How one answer is written: from which shelf, and under which address the caller knows this server. */
export interface Pen {
  readonly shelf: Shelf;
  /** `https://127.0.0.1:8443` */
  readonly origin: string;
}

/** What every object begins with. */
export function head({ origin, shelf }: Pen, path: string, id: number, display: string): Wire {
  const url = `${origin}/api/${path}/${id}/`;
  return shelf.manners.macObjects
    ? { id, url, display_url: `${origin}/${path}/${id}/`, display }
    : { id, url, display };
}

/** What a nested object begins with; a description was added to them in 4.0. */
function nested({ origin, shelf }: Pen, path: string, id: number, display: string, more: Wire): Wire {
  const description = shelf.manners.four ? { description: '' } : {};
  return { id, url: `${origin}/api/${path}/${id}/`, display, ...more, ...description };
}

export function choice(value: string | number, label: string): Wire {
  return { value, label };
}

/** A list of choices has its labels in title case, but for what is an abbreviation. */
export function word(value: string): Wire {
  const plain = value.replace(/^./, (first) => first.toUpperCase());
  return choice(value, ABBREVIATIONS.has(value) ? value.toUpperCase() : plain);
}

const ABBREVIATIONS = new Set(['dhcp', 'slaac', 'vip', 'vrrp']);

export function family(address: string): Wire {
  const value = familyOf(address);
  return choice(value, `IPv${value}`);
}

export function briefCluster(pen: Pen, { id, name }: NetboxCluster): Wire {
  const count = pen.shelf.manners.four ? {} : { virtualmachine_count: pen.shelf.vmCount(id) };
  return nested(pen, 'virtualization/clusters', id, name, { name, ...count });
}

export function briefVm(pen: Pen, { id, name }: NetboxVm): Wire {
  return nested(pen, 'virtualization/virtual-machines', id, name, { name });
}

export function briefDevice(pen: Pen, { id, name }: NetboxDevice): Wire {
  return nested(pen, 'dcim/devices', id, name, { name });
}

export function briefInterface(pen: Pen, { id, name, vmId }: NetboxInterface): Wire {
  const virtual_machine = briefVm(pen, pen.shelf.model.vms.get(vmId));
  return nested(pen, 'virtualization/interfaces', id, name, { virtual_machine, name });
}

/** Its family was a bare number before 4.0. */
export function briefAddress(pen: Pen, { id, address }: NetboxAddress): Wire {
  const told = pen.shelf.manners.four ? family(address) : familyOf(address);
  return nested(pen, 'ipam/ip-addresses', id, address, { family: told, address });
}

export function briefVlan(pen: Pen, { id, vid, name }: NetboxVlan): Wire {
  return nested(pen, 'ipam/vlans', id, `${name} (${vid})`, { vid, name });
}

export function briefVrf(pen: Pen, { id, name, rd }: NetboxVrf): Wire {
  return nested(pen, 'ipam/vrfs', id, `${name} (${rd})`, { name, rd });
}

export function briefFhrpGroup(pen: Pen, { id, name, groupId }: NetboxFhrpGroup): Wire {
  const protocol = 'vrrp3';
  return nested(pen, 'ipam/fhrp-groups', id, `VRRPv3: ${groupId} (${name})`, { protocol, group_id: groupId });
}

export function briefSite(pen: Pen): Wire {
  return nested(pen, 'dcim/sites', 1, 'Simulated', { name: 'Simulated', slug: 'simulated' });
}

export function briefRole(pen: Pen): Wire {
  return nested(pen, 'dcim/device-roles', 1, 'Hypervisor', { name: 'Hypervisor', slug: 'hypervisor' });
}

export function briefDeviceType(pen: Pen): Wire {
  const maker = nested(pen, 'dcim/manufacturers', 1, 'Dell', { name: 'Dell', slug: 'dell' });
  const more = { manufacturer: maker, model: 'PowerEdge R630', slug: 'poweredge-r630' };
  return nested(pen, 'dcim/device-types', 1, 'PowerEdge R630', more);
}

export function briefClusterType(pen: Pen): Wire {
  return nested(pen, 'virtualization/cluster-types', 1, 'Proxmox VE', { name: 'Proxmox VE', slug: 'proxmox-ve' });
}

export function briefMac(pen: Pen, id: number, mac: string): Wire {
  return nested(pen, 'dcim/mac-addresses', id, mac, { mac_address: mac });
}
