import { objectId, type UnifiDeviceModel, type UnifiPortModel } from '../unifi-gear.js';
import type { UnifiClientModel } from '../unifi-model.js';
import { type Application, FOUNDED, owned, seconds } from './unifi-site.js';

const TYPES = {
  switch: { type: 'usw', model: 'US24P250', version: '7.1.26.15869' },
  'access-point': { type: 'uap', model: 'U7PG2', version: '6.6.77.15402' },
} as const;
/** A console is its own gateway; a controller of its own has one beside it. */
const GATEWAYS = {
  os: { type: 'udm', model: 'UDMPRO', version: '4.0.21.9281' },
  classic: { type: 'ugw', model: 'UGW3', version: '4.4.57.5578372' },
} as const;

/** The rows of `stat/device`. */
export function deviceRows(needs: Application): object[] {
  const learned = new Map<string, UnifiClientModel[]>();
  for (const client of needs.model.connected()) {
    if (client.at.kind !== 'port') continue;
    const key = `${client.at.switchMac} ${client.at.port}`;
    const list = learned.get(key);
    if (list === undefined) learned.set(key, [client]);
    else list.push(client);
  }
  return needs.model.gear.devices.map((device) => deviceRow(device, needs, learned));
}

type Learned = ReadonlyMap<string, readonly UnifiClientModel[]>;

function deviceRow(device: UnifiDeviceModel, needs: Application, learned: Learned): object {
  const { mac, name, kind, address, uplink, ports } = device;
  const words = kind === 'gateway' ? GATEWAYS[needs.flavour] : TYPES[kind];
  const uptime = seconds(needs.now() - FOUNDED);
  const up = ports.find(({ to }) => to?.kind === 'device' && to.isUplink);
  return {
    ...{ ...owned('device', mac), device_id: objectId('device', mac), mac, name, ip: address, ...words },
    ...{
      serial: mac.replaceAll(':', '').toUpperCase(),
      state: 1,
      adopted: true,
      upgradable: false,
      unsupported: false,
    },
    ...{ uptime, _uptime: uptime, last_seen: seconds(needs.now()), satisfaction: 98, locating: false },
    ...{
      board_rev: 10,
      fw_caps: 21_683_749,
      hw_caps: 0,
      inform_url: 'http://192.168.10.2:8080/inform',
      has_fan: false,
    },
    ...{
      led_override: 'default',
      required_version: '3.7.16',
      next_interval: 23,
      known_cfgversion: objectId('cfg', mac),
    },
    'system-stats': { cpu: '5.3', mem: '49.1', uptime: String(uptime) },
    sys_stats: {
      loadavg_1: '0.12',
      loadavg_5: '0.31',
      loadavg_15: '0.45',
      mem_total: 262_402_048,
      mem_used: 128_737_280,
    },
    ...{ config_network: { type: 'dhcp', ip: address }, num_sta: 0, 'user-num_sta': 0, 'guest-num_sta': 0 },
    uplink:
      uplink === null || up === undefined
        ? { type: 'wire', name: 'eth8', up: true, speed: 1000, full_duplex: true, mac }
        : {
            ...{ type: 'wire', name: 'eth0', up: true, speed: 1000, full_duplex: true, mac, num_port: ports.length },
            ...{ port_idx: up.index, uplink_mac: uplink.mac, uplink_remote_port: uplink.port },
          },
    ...(uplink === null
      ? {}
      : { last_uplink: { uplink_mac: uplink.mac, uplink_remote_port: uplink.port, type: 'wire' } }),
    ethernet_table: [{ mac, name: 'eth0', num_port: ports.length }],
    ...{ port_overrides: [], lldp_table: [], downlink_table: ports.flatMap(downlink) },
    // The old gateway names its interfaces and gives them no number.
    port_table: words.type === 'ugw' ? GATEWAY_PORTS : ports.map((port) => portRow(port, mac, learned, needs)),
  };
}

const GATEWAY_PORTS = [
  { name: 'wan', ifname: 'eth0', enable: true, full_duplex: true, speed: 1000, up: true },
  { name: 'lan', ifname: 'eth1', enable: true, full_duplex: true, speed: 1000, up: true },
];

function downlink({ index, to }: UnifiPortModel): object[] {
  return to?.kind === 'device' && !to.isUplink
    ? [{ port_idx: index, mac: to.mac, speed: 1000, full_duplex: true }]
    : [];
}

function portRow(port: UnifiPortModel, device: string, learned: Learned, { now }: Application): object {
  const { index, name, to, nativeId } = port;
  const node = to?.kind === 'node' ? to.estate.node(to.node) : undefined;
  const up = to !== null && node?.state !== 'offline';
  const machine = to?.kind === 'node' && up ? to.estate.machines.of(to.node) : undefined;
  const speed = up ? (machine?.ports[0]?.mbps ?? 1000) : 0;
  // Two of three nodes run a daemon that says their name.
  const speaks = machine !== undefined && node !== undefined && node.id % 3 !== 0;
  const chassis = machine?.ports[0]?.mac;
  return {
    ...{
      port_idx: index,
      name,
      enable: true,
      up,
      speed,
      full_duplex: up,
      is_uplink: to?.kind === 'device' && to.isUplink,
    },
    ...{
      media: speed > 1000 ? 'SFP+' : 'GE',
      op_mode: 'switch',
      autoneg: true,
      port_poe: index > 20,
      poe_caps: index > 20 ? 7 : 0,
    },
    ...(index > 20 ? { poe_enable: up, poe_mode: 'auto', poe_power: up ? '3.24' : '0.00' } : {}),
    ...{ masked: false, aggregated_by: false, stp_state: up ? 'forwarding' : 'disabled', satisfaction: 100 },
    ...{ rx_bytes: up ? 1_109_019 : 0, tx_bytes: up ? 1_003_348 : 0, 'rx_bytes-r': 0, 'tx_bytes-r': 0, 'bytes-r': 0 },
    portconf_id: objectId('portconf', 'all'),
    ...(nativeId === null ? {} : { native_networkconf_id: nativeId }),
    lldp_table: speaks ? [{ lldp_chassis_id: chassis, lldp_port_id: 'eno1', lldp_system_name: name }] : [],
    mac_table: (learned.get(`${device} ${index}`) ?? []).map(({ mac, vlan, seenAt, since }) => ({
      ...{ mac, age: Math.max(0, seconds(now() - seenAt)), uptime: Math.max(0, seconds(now() - since)) },
      ...{ static: false, vlan: vlan ?? 1 },
    })),
  };
}
