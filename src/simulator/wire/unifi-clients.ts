import { gatewayMac, objectId } from '../unifi-gear.js';
import type { UnifiClientModel } from '../unifi-model.js';
import { FOUNDED, owned, seconds } from './unifi-site.js';

function namesOf({ hostname, name }: UnifiClientModel): object {
  return { ...(hostname === null ? {} : { hostname }), ...(name === null ? {} : { name }) };
}

/** A row of `stat/sta`. */
export function connectedRow(client: UnifiClientModel): object {
  const { mac, address, network, vlan, at, since, seenAt, fixed } = client;
  const common = {
    ...{ ...owned('user', mac), user_id: objectId('user', mac), mac, is_wired: at.kind === 'port', is_guest: false },
    ...{ ...namesOf(client), ...(address === null ? {} : { ip: address }), oui: '' },
    ...(network === null ? {} : { network: network.name, network_id: network.id }),
    ...(vlan === null ? {} : { vlan }),
    ...(fixed === null ? {} : { use_fixedip: true, fixed_ip: fixed }),
    ...{ first_seen: seconds(Math.min(since, FOUNDED)), last_seen: seconds(seenAt), assoc_time: seconds(since) },
    ...{ latest_assoc_time: seconds(since), uptime: Math.max(0, seconds(seenAt - since)), noted: client.name !== null },
    ...{ authorized: true, qos_policy_applied: true, satisfaction: 100, gw_mac: gatewayMac() },
    ...{ tx_retries: 0, wifi_tx_attempts: 0, anomalies: 0, usergroup_id: '' },
  };
  return at.kind === 'port' ? { ...common, ...wired(at, seenAt) } : { ...common, ...wireless(at, seenAt) };
}

function wired({ switchMac, port }: Extract<UnifiClientModel['at'], { kind: 'port' }>, seenAt: number): object {
  return {
    ...{ sw_mac: switchMac, sw_port: port, sw_depth: 1, wired_rate_mbps: 1000 },
    ...{ _is_guest_by_usw: false, _last_seen_by_usw: seconds(seenAt), _uptime_by_usw: 86_400 },
    ...{ last_uplink_mac: switchMac, last_uplink_remote_port: port },
    ...{ 'wired-tx_bytes': 4_711_000, 'wired-rx_bytes': 815_000, 'wired-tx_packets': 6_200, 'wired-rx_packets': 4_100 },
    ...{ 'wired-tx_bytes-r': 0, 'wired-rx_bytes-r': 0 },
  };
}

function wireless({ apMac, essid }: Extract<UnifiClientModel['at'], { kind: 'wifi' }>, seenAt: number): object {
  return {
    ...{ ap_mac: apMac, bssid: apMac, essid, channel: 44, radio: 'na', radio_name: 'wifi1', radio_proto: 'ac' },
    ...{
      rssi: 35,
      signal: -61,
      noise: -106,
      tx_rate: 216_000,
      rx_rate: 400_000,
      tx_power: 34,
      powersave_enabled: false,
    },
    ...{ tx_bytes: 52_852_089, rx_bytes: 12_867_114, tx_packets: 66_615, rx_packets: 54_198 },
    ...{ 'tx_bytes-r': 483, 'rx_bytes-r': 326, 'bytes-r': 809, is_11r: false, ccq: 333, idletime: 1 },
    ...{ _is_guest_by_uap: false, _last_seen_by_uap: seconds(seenAt), _uptime_by_uap: 11_904 },
  };
}

/** A row of `rest/user`. */
export function knownRow(client: UnifiClientModel): object {
  const { mac, address, network, at, since, seenAt, fixed } = client;
  const uplink =
    at.kind === 'port'
      ? { last_uplink_mac: at.switchMac, last_uplink_remote_port: at.port }
      : { last_uplink_mac: at.apMac };
  return {
    ...{ ...owned('user', mac), mac, is_wired: at.kind === 'port', is_guest: false, oui: '', ...namesOf(client) },
    ...{ first_seen: seconds(Math.min(since, FOUNDED)), last_seen: seconds(seenAt), noted: client.name !== null },
    ...(address === null ? {} : { last_ip: address }),
    ...{ use_fixedip: fixed !== null, ...(fixed === null ? {} : { fixed_ip: fixed }), usergroup_id: '', ...uplink },
    ...(network === null
      ? {}
      : { network_id: network.id, last_connection_network_id: network.id, last_connection_network_name: network.name }),
  };
}
