import type {
  NetboxAddress,
  NetboxAssigned,
  NetboxCluster,
  NetboxDevice,
  NetboxDeviceInterface,
  NetboxFhrpGroup,
  NetboxPrefix,
  NetboxVlan,
  NetboxVrf,
} from '../../netbox-model.js';
import {
  briefAddress,
  briefCluster,
  briefClusterType,
  briefDevice,
  briefDeviceType,
  briefFhrpGroup,
  briefInterface,
  briefRole,
  briefSite,
  briefVlan,
  briefVrf,
  choice,
  family,
  head,
  type Pen,
  type Wire,
  word,
} from './briefs.js';
import { times } from './times.js';

/** What most objects end with; owners came in 4.5. */
function tail(pen: Pen, row: Parameters<typeof times>[0]): Wire {
  const owner = pen.shelf.manners.cursors ? { owner: null } : {};
  return { description: '', ...owner, comments: '', tags: [], custom_fields: {}, ...times(row) };
}

export function cluster(pen: Pen, row: NetboxCluster): Wire {
  const { shelf } = pen;
  const { macObjects } = shelf.manners;
  const vms = macObjects ? shelf.model.vms.all().filter(({ clusterId }) => clusterId === row.id) : [];
  const sum = (of: (vm: (typeof vms)[number]) => number | null) => vms.reduce((all, vm) => all + (of(vm) ?? 0), 0);
  const allocated = {
    allocated_vcpus: sum(({ vcpus }) => vcpus),
    allocated_memory: sum(({ memoryMb }) => memoryMb),
    allocated_disk: sum(({ diskGb }) => diskGb) * 1000,
  };
  return {
    ...head(pen, 'virtualization/clusters', row.id, row.name),
    ...{ name: row.name, type: briefClusterType(pen), group: null, status: word('active'), tenant: null },
    ...place(pen),
    ...tail(pen, row),
    device_count: shelf.model.devices.all().filter(({ clusterId }) => clusterId === row.id).length,
    virtualmachine_count: shelf.vmCount(row.id),
    ...(macObjects ? allocated : {}),
  };
}

/** The site of a cluster or prefix: one of several scopes since 4.2. */
function place(pen: Pen): Wire {
  const site = briefSite(pen);
  return pen.shelf.manners.macObjects ? { scope_type: 'dcim.site', scope_id: 1, scope: site } : { site };
}

export function device(pen: Pen, row: NetboxDevice): Wire {
  const { shelf } = pen;
  const first = shelf.primary(shelf.deviceAddresses(row.id), 4);
  const primary = first === undefined ? null : briefAddress(pen, first);
  const role = briefRole(pen);
  return {
    ...head(pen, 'dcim/devices', row.id, row.name),
    ...{ name: row.name, device_type: briefDeviceType(pen), role },
    ...(shelf.manners.four ? {} : { device_role: role }),
    ...{ tenant: null, platform: null, serial: row.serial, asset_tag: null, site: briefSite(pen), location: null },
    ...{ rack: null, position: null, face: null, latitude: null, longitude: null, parent_device: null },
    ...{ status: word('active'), airflow: null, primary_ip: primary, primary_ip4: primary, primary_ip6: null },
    ...{ oob_ip: null, cluster: briefCluster(pen, shelf.model.clusters.get(row.clusterId)), virtual_chassis: null },
    ...{ vc_position: null, vc_priority: null, config_template: null, config_context: {}, local_context_data: null },
    ...tail(pen, row),
    ...{ console_port_count: 0, console_server_port_count: 0, power_port_count: 0, power_outlet_count: 0 },
    interface_count: shelf.model.deviceInterfaces.all().filter(({ deviceId }) => deviceId === row.id).length,
    ...{ front_port_count: 0, rear_port_count: 0, device_bay_count: 0, module_bay_count: 0, inventory_item_count: 0 },
  };
}

export function deviceInterface(pen: Pen, row: NetboxDeviceInterface): Wire {
  return {
    ...head(pen, 'dcim/interfaces', row.id, row.name),
    ...{ device: briefDevice(pen, pen.shelf.model.devices.get(row.deviceId)), name: row.name, label: '' },
    ...{ type: choice('bridge', 'Bridge'), enabled: true, mtu: null, mac_address: null, mode: null, vrf: null },
    ...{ mgmt_only: false, untagged_vlan: null, tagged_vlans: [], cable: null, ...tail(pen, row) },
    count_ipaddresses: pen.shelf.addressesOf('dcim.interface', row.id).length,
    count_fhrp_groups: 0,
  };
}

export function address(pen: Pen, row: NetboxAddress): Wire {
  const { model } = pen.shelf;
  const { assigned, status, role, dnsName, description } = row;
  return {
    ...head(pen, 'ipam/ip-addresses', row.id, row.address),
    ...{ family: family(row.address), address: row.address },
    vrf: row.vrfId === null ? null : briefVrf(pen, model.vrfs.get(row.vrfId)),
    ...{ tenant: null, status: word(status), role: role === '' ? null : word(role) },
    assigned_object_type: assigned?.kind ?? null,
    assigned_object_id: assigned?.id ?? null,
    assigned_object: assigned === null ? null : assignedObject(pen, assigned),
    ...{ nat_inside: null, nat_outside: [], dns_name: dnsName },
    ...tail(pen, row),
    description,
  };
}

function assignedObject(pen: Pen, { kind, id }: NetboxAssigned): Wire {
  const { model } = pen.shelf;
  switch (kind) {
    case 'virtualization.vminterface':
      return briefInterface(pen, model.interfaces.get(id));
    case 'ipam.fhrpgroup':
      return briefFhrpGroup(pen, model.fhrpGroups.get(id));
    case 'dcim.interface': {
      const { name, deviceId } = model.deviceInterfaces.get(id);
      const url = `${pen.origin}/api/dcim/interfaces/${id}/`;
      return { id, url, display: name, device: briefDevice(pen, model.devices.get(deviceId)), name, cable: null };
    }
  }
}

export function prefix(pen: Pen, row: NetboxPrefix): Wire {
  const { model } = pen.shelf;
  const vlan = row.vlan === null ? undefined : pen.shelf.vlan(row.vlan);
  const isTop = row.status === 'container';
  return {
    ...head(pen, 'ipam/prefixes', row.id, row.prefix),
    ...{ family: family(row.prefix), prefix: row.prefix },
    vrf: row.vrfId === null ? null : briefVrf(pen, model.vrfs.get(row.vrfId)),
    ...{ ...place(pen), tenant: null, vlan: vlan === undefined ? null : briefVlan(pen, vlan) },
    ...{ status: word(row.status), role: null, is_pool: false, mark_utilized: false, ...tail(pen, row) },
    ...{ children: isTop ? model.prefixes.all().length - 1 : 0, _depth: isTop ? 0 : 1 },
  };
}

export function vlan(pen: Pen, row: NetboxVlan): Wire {
  return {
    ...head(pen, 'ipam/vlans', row.id, `${row.name} (${row.vid})`),
    ...{ site: null, group: null, vid: row.vid, name: row.name, tenant: null, status: word('active'), role: null },
    ...{ l2vpn_termination: null, ...tail(pen, row), prefix_count: 0 },
  };
}

export function vrf(pen: Pen, row: NetboxVrf): Wire {
  const { model } = pen.shelf;
  return {
    ...head(pen, 'ipam/vrfs', row.id, `${row.name} (${row.rd})`),
    ...{ name: row.name, rd: row.rd, tenant: null, enforce_unique: true, import_targets: [], export_targets: [] },
    ...tail(pen, row),
    ipaddress_count: model.addresses.all().filter(({ vrfId }) => vrfId === row.id).length,
    prefix_count: model.prefixes.all().filter(({ vrfId }) => vrfId === row.id).length,
  };
}

export function fhrpGroup(pen: Pen, row: NetboxFhrpGroup): Wire {
  const own = pen.shelf.addressesOf('ipam.fhrpgroup', row.id);
  return {
    ...head(pen, 'ipam/fhrp-groups', row.id, `VRRPv3: ${row.groupId} (${row.name})`),
    ...{ name: row.name, protocol: 'vrrp3', group_id: row.groupId, auth_type: '', auth_key: '' },
    ...tail(pen, row),
    ip_addresses: own.map((one) => briefAddress(pen, one)),
  };
}
