import { objectId, type UnifiDeviceModel, type UnifiNetworkModel } from '../unifi-gear.js';
import { connectedRow, knownRow } from './unifi-clients.js';
import { deviceRows } from './unifi-devices.js';
import { type Application, owned, SITE_ID, SITES } from './unifi-site.js';

/** The rows below `/api/s/<site>/`; undefined where there is no such list. */
export function classicRows(needs: Application, list: string): object[] | undefined {
  const { model } = needs;
  switch (list) {
    case 'stat/sta':
      return model.connected().flatMap((client) => (client.isQuiet ? [] : connectedRow(client)));
    case 'rest/user':
    case 'list/user':
    case 'stat/alluser':
      return model.known().map(knownRow);
    case 'stat/device':
      return deviceRows(needs);
    case 'rest/networkconf':
    case 'list/networkconf':
      return model.gear.networks.map(networkRow);
    case 'rest/wlanconf':
      return ['Office', 'Visitors'].map((name) => ({
        ...owned('wlan', name),
        name,
        enabled: true,
        security: 'wpapsk',
      }));
    case 'stat/sysinfo':
      return [systemRow(needs)];
    case 'stat/health':
      return [healthRow(needs)];
    default:
      return undefined;
  }
}

export function siteRows(): object[] {
  return SITES.map(({ name, title }) => ({
    ...{ _id: objectId('site', name), name, desc: title, role: 'readonly' },
    ...(name === 'default' ? { attr_hidden_id: 'default', attr_no_delete: true } : {}),
  }));
}

/** A network without a tag has none, or an empty one; and one that was made long ago has its number as text. */
function networkRow({ id, name, purpose, vlan, subnet, dhcp }: UnifiNetworkModel): object {
  const isLan = purpose === 'corporate' || purpose === 'guest' || purpose === 'vlan-only';
  return {
    ...{ _id: id, site_id: SITE_ID, name, purpose, ...(name === 'WAN' ? {} : { enabled: true }) },
    ...(vlan === null
      ? { vlan_enabled: false, ...(isLan ? {} : { vlan: '' }) }
      : { vlan_enabled: true, vlan: purpose === 'vlan-only' ? String(vlan) : vlan }),
    ...(isLan ? { networkgroup: 'LAN', is_nat: true, igmp_snooping: false } : {}),
    ...(subnet === null ? {} : { ip_subnet: `${subnet.gateway}/${subnet.length}`, domain_name: 'localdomain' }),
    ...(purpose === 'corporate' || purpose === 'guest'
      ? {
          ...{ dhcpd_enabled: dhcp !== null, dhcpd_leasetime: 86_400, dhcp_relay_enabled: false },
          ...(dhcp === null ? {} : { dhcpd_start: dhcp.from, dhcpd_stop: dhcp.to }),
        }
      : {}),
  };
}

function systemRow({ version, flavour }: Application): object {
  return {
    ...{ name: 'simulated', hostname: 'simulated', version, build: `atag_${version}_1`, previous_version: version },
    ...{ timezone: 'UTC', autobackup: true, update_available: false, unsupported_device_count: 0, uptime: 86_400 },
    ...{ https_port: 8443, inform_port: 8080, ip_addrs: ['192.168.10.2'] },
    ...(flavour === 'os'
      ? { ubnt_device_type: 'UDMPRO', udm_version: '4.0.21', console_display_version: '4.0.21' }
      : {}),
  };
}

function healthRow({ model }: Application): object {
  const count = (kind: UnifiDeviceModel['kind']) => model.gear.devices.filter((device) => device.kind === kind).length;
  return {
    subsystem: 'lan',
    status: 'ok',
    num_adopted: count('switch'),
    num_disconnected: 0,
    num_user: model.connected().length,
  };
}
