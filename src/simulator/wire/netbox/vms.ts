import type { NetboxInterface, NetboxVm } from '../../netbox-model.js';
import {
  briefAddress,
  briefCluster,
  briefDevice,
  briefMac,
  briefSite,
  briefVlan,
  briefVm,
  choice,
  head,
  type Pen,
  type Wire,
  word,
} from './briefs.js';
import { times } from './times.js';

/** A VM in full. Its VMID is a custom field: NetBox has none of its own. */
export function vm(pen: Pen, row: NetboxVm): Wire {
  const { shelf } = pen;
  const { model, manners } = shelf;
  const addresses = shelf.vmAddresses(row.id);
  const [four, six] = ([4, 6] as const).map((one) => shelf.primary(addresses, one));
  const primary = [four, six].map((one) => (one === undefined ? null : briefAddress(pen, one)));
  const [primary_ip4 = null, primary_ip6 = null] = primary;
  return {
    ...head(pen, 'virtualization/virtual-machines', row.id, row.name),
    name: row.name,
    ...(manners.cursors ? { virtual_machine_type: null } : {}),
    status: word(statusOf(row, manners.cursors)),
    ...(manners.cursors ? { start_on_boot: choice('off', 'Off') } : {}),
    site: briefSite(pen),
    cluster: row.clusterId === null ? null : briefCluster(pen, model.clusters.get(row.clusterId)),
    device: row.deviceId === null ? null : briefDevice(pen, model.devices.get(row.deviceId)),
    ...(manners.megabytes ? { serial: '' } : {}),
    ...{ role: null, tenant: null, platform: null },
    // IPv6 is preferred unless an administrator says otherwise.
    primary_ip: primary_ip6 ?? primary_ip4,
    ...{ primary_ip4, primary_ip6, vcpus: row.vcpus, memory: row.memoryMb, disk: diskOf(row, manners.megabytes) },
    ...{ description: '', ...(manners.cursors ? { owner: null } : {}), comments: '', config_template: null },
    ...{ local_context_data: null, tags: [], custom_fields: { vmid: row.vmid }, config_context: {}, ...times(row) },
    ...{ interface_count: shelf.interfacesOf(row.id).length, virtual_disk_count: 0 },
  };
}

/** Before NetBox knew a paused VM, people had to call it something else. */
function statusOf({ status }: NetboxVm, knowsPaused: boolean): string {
  return status === 'paused' && !knowsPaused ? 'failed' : status;
}

function diskOf({ diskGb }: NetboxVm, megabytes: boolean): number | null {
  return diskGb !== null && megabytes ? diskGb * 1000 : diskGb;
}

/** An interface of a VM in full. */
export function vmInterface(pen: Pen, row: NetboxInterface): Wire {
  const { shelf } = pen;
  const untagged = row.vlan === null ? undefined : shelf.vlan(row.vlan);
  const { cursors, macObjects } = shelf.manners;
  return {
    ...head(pen, 'virtualization/interfaces', row.id, row.name),
    virtual_machine: briefVm(pen, shelf.model.vms.get(row.vmId)),
    ...{ name: row.name, enabled: row.enabled, parent: null, bridge: null, mtu: null },
    ...macsOf(pen, row),
    description: '',
    mode: untagged === undefined ? null : word('access'),
    untagged_vlan: untagged === undefined ? null : briefVlan(pen, untagged),
    tagged_vlans: [],
    ...(macObjects ? { qinq_svlan: null, vlan_translation_policy: null } : {}),
    ...{ vrf: null, l2vpn_termination: null, ...(cursors ? { owner: null } : {}), tags: [], custom_fields: {} },
    ...times(row),
    count_ipaddresses: shelf.addressesOf('virtualization.vminterface', row.id).length,
    count_fhrp_groups: 0,
  };
}

/** A text of its own before 4.2; since then one of several objects. */
function macsOf(pen: Pen, row: NetboxInterface): Wire {
  const [first = null] = row.macs;
  if (!pen.shelf.manners.macObjects) return { mac_address: first };
  const objects = row.macs.map((mac, at) => briefMac(pen, macId(row.id, at), mac));
  return { mac_address: first, primary_mac_address: objects[0] ?? null, mac_addresses: objects };
}

/** At most ten MACs an interface, so that their ids need no table. */
export function macId(interfaceId: number, at: number): number {
  return interfaceId * 10 + at;
}

export function interfaceOfMac(id: number): number {
  return Math.floor(id / 10);
}
