import { describe, expect, it } from 'vitest';
import type { Mac } from '../../../src/domain/mac.js';
import type { UnifiNetwork } from '../../../src/domain/record.js';
import { absentClient, connectedClient, learnedClient, seenAt } from '../../../src/sources/unifi/parse/clients.js';
import { device, type ReadDevice } from '../../../src/sources/unifi/parse/devices.js';
import { edgeMacs } from '../../../src/sources/unifi/parse/mac-tables.js';
import { network, networkIndex } from '../../../src/sources/unifi/parse/networks.js';
import { describeRecordings, recording } from '../recordings.js';

type Row = Record<string, unknown>;
const none = networkIndex([]);
const now = { askedAt: Date.parse('2026-11-20T12:00:00Z'), ahead: 0 };
const recorded = (name: string) => recording(`aiounifi/${name}.json`) as Row;
const deviceOf = (row: Row, networks = none): ReadDevice => {
  const read = device(row, networks);
  if (typeof read === 'string') throw new Error(read);
  return read;
};
const bodyOf = (name: string) => deviceOf(recorded(name)).body;
const withoutPorts = (name: string) => ({ ...bodyOf(name), ports: bodyOf(name).ports.length });

describeRecordings('the recorded devices', () => {
  it('are told apart by kind, and know what they hang on', () => {
    const names = ['access_point_ac_pro', 'gateway_usg3', 'pdu_pro', 'plug_up1', 'strip_up6'];
    expect(names.map(withoutPorts)).toEqual([
      {
        ...{ mac: '80:2a:a8:00:01:02', name: 'ACCESS POINT AC PRO', model: 'U7PG2', kind: 'access-point' },
        ...{ address: '192.168.0.4', version: '4.0.69.10871', state: 'CONNECTED' },
        ...{ uplink: { mac: 'f0:9f:11:22:33:44', port: 6 }, ports: 2 },
      },
      {
        ...{ mac: '78:8a:20:33:44:55', name: 'USG', model: 'UGW3', kind: 'gateway' },
        ...{ address: '1.2.3.4', version: '4.4.44.5213844', state: 'CONNECTED', uplink: null, ports: 0 },
      },
      {
        ...{ mac: '00:00:00:00:00:84', name: 'Main Server Cabinet PDU', model: 'USPPDUP', kind: 'other' },
        ...{ address: '192.168.1.66', version: '5.76.7.13442', state: 'CONNECTED' },
        ...{ uplink: { mac: '00:00:00:00:00:83', port: 1 }, ports: 1 },
      },
      {
        ...{ mac: 'fc:ec:da:76:4f:5f', name: 'Plug', model: 'UP1', kind: 'other' },
        ...{ address: '192.168.0.189', version: '2.2.1.511', state: 'CONNECTED' },
        ...{ uplink: { mac: '78:45:58:87:93:16', port: null }, ports: 0 },
      },
      {
        ...{ mac: '78:45:58:fc:16:7d', name: null, model: 'UP6', kind: 'other' },
        ...{ address: '192.168.0.138', version: '2.2.1.511', state: 'CONNECTED' },
        ...{ uplink: { mac: '78:45:58:87:93:16', port: null }, ports: 0 },
      },
    ]);
  });

  it('have the ports of a switch of 16 with its uplink, PoE and SFP cages', () => {
    const { ports, ...rest } = bodyOf('switch_16_port_poe');
    expect(rest).toEqual({
      ...{ mac: 'fc:ec:da:11:22:33', name: 'Switch 16', model: 'US16P150', kind: 'switch', address: '192.168.0.57' },
      ...{ version: '4.0.66.10832', state: 'CONNECTED', uplink: { mac: 'f0:9f:11:22:33:44', port: 5 } },
    });
    const down = { up: false, speedMbps: null, isUplink: false, nativeVlan: null, lldpName: null };
    expect(ports).toHaveLength(18);
    expect([0, 1, 2, 3, 17].map((index) => ports[index])).toEqual([
      {
        ...{ ...down, index: 1, name: 'Port 1', up: true, speedMbps: 1000, isUplink: true },
        ...{ poe: false, lldpName: 'Switch8' },
      },
      { ...down, index: 2, name: null, poe: false },
      { ...down, index: 3, name: 'Port 3', up: true, speedMbps: 1000, poe: true },
      { ...down, index: 4, name: 'Port 4', up: true, speedMbps: 100, poe: true },
      { ...down, index: 18, name: 'SFP 2', poe: false },
    ]);
  });

  it('have the neighbours of a switch of 8 by name', () => {
    const { ports, uplink } = bodyOf('switch_8_port');
    expect(uplink).toEqual({ mac: '78:8a:20:33:44:55', port: null });
    expect(ports.flatMap(({ index, lldpName }) => (lldpName === null ? [] : `${index} ${lldpName}`))).toEqual([
      '2 USG',
      '5 Switch16',
      '6 UAPACPRO',
    ]);
  });

  it('have a small switch without PoE, whose neighbour has no name', () => {
    expect(withoutPorts('switch_flex_mini_5_port')).toMatchObject({
      ...{ mac: '74:ac:b9:a1:01:01', kind: 'switch', uplink: { mac: 'fc:ec:00:11:22:33', port: 13 }, ports: 5 },
    });
    expect(bodyOf('switch_flex_mini_5_port').ports[0]).toEqual({
      ...{ index: 1, name: 'Port 1', up: true, speedMbps: 1000, isUplink: true },
      ...{ poe: false, nativeVlan: null, lldpName: null },
    });
  });

  it('give no client for what an access point hears from its own switch', () => {
    expect(deviceOf(recorded('access_point_ac_pro')).learned).toHaveLength(1);
    expect([...edgeMacs([deviceOf(recorded('access_point_ac_pro'))])]).toEqual([]);
  });

  it('tell the network of the gateway as the list of networks would', () => {
    const [row] = recorded('gateway_usg3').network_table as Row[];
    expect(network(row ?? {})).toEqual({
      ...{ id: '5a32aa4ee4b3456542345678765', name: 'LAN', purpose: 'corporate', vlan: null, enabled: true },
      ...{ prefix: '192.168.0.0/24', gateway: '192.168.0.1' },
      dhcp: { from: '192.168.0.11', to: '192.168.0.254' },
    });
  });
});

describeRecordings('the recorded clients', () => {
  const read = (name: string) => connectedClient(recorded(name), new Map(), none, now);

  it('have one on a wire, on its switch port', () => {
    expect(read('wired_client')).toEqual({
      body: {
        ...{ mac: 'ac:cc:de:12:34:56', name: null, hostname: 'camera-acccde123456', address: '192.168.0.2' },
        ...{ network: 'LAN', vlan: null, wired: true, switchMac: 'fc:ec:da:11:22:33', switchPort: 3 },
        ...{ accessPointMac: null, essid: null, fixedAddress: null },
      },
      seenAt: 1_642_574_376_000,
    });
  });

  it('have one in the air, whose switch port is that of its access point and not its own', () => {
    expect(read('wireless_client')).toEqual({
      body: {
        ...{ mac: '00:00:00:00:00:01', name: 'Client 1', hostname: 'client', address: '192.168.0.1' },
        ...{ network: 'LAN', vlan: null, wired: false, switchMac: null, switchPort: null },
        ...{ accessPointMac: '80:2a:a8:00:01:02', essid: 'SSID', fixedAddress: null },
      },
      seenAt: 1_587_765_360_000,
    });
  });
});

describeRecordings('the fields of the controller’s own schema', () => {
  const fields = (name: string) => recording(`go-unifi-fields/v9.5.21-${name}.json`) as Row;

  it('have every field of a network and of a known client that is read here', () => {
    const read = ['name', 'purpose', 'vlan', 'vlan_enabled', 'ip_subnet', 'enabled'];
    const dhcp = ['dhcpd_enabled', 'dhcpd_start', 'dhcpd_stop'];
    expect([...read, ...dhcp].filter((field) => !(field in fields('NetworkConf')))).toEqual([]);
    const known = ['mac', 'name', 'hostname', 'last_seen', 'use_fixedip', 'fixed_ip'];
    expect(known.filter((field) => !(field in fields('User')))).toEqual([]);
    const [override] = fields('Device').port_overrides as Row[];
    expect(['port_idx', 'native_networkconf_id'].filter((field) => !(field in (override ?? {})))).toEqual([]);
  });

  it('have no purpose of a network that would not be taken as it is', () => {
    for (const purpose of String(fields('NetworkConf').purpose).split('|'))
      expect(network({ _id: 'x', name: 'x', purpose })).toMatchObject({ purpose, prefix: null, dhcp: null });
  });
});

describe('a network', () => {
  const lab = { _id: 'n20', name: 'Lab', purpose: 'corporate', vlan_enabled: true, vlan: '20' };

  it.each([
    [{ vlan: 20 }, 20],
    [{ vlan: '20' }, 20],
    [{ vlan: '' }, null],
    [{ vlan: 1 }, null],
    [{ vlan: 20, vlan_enabled: false }, null],
  ])('of %j has the VLAN %s', (more, vlan) => {
    expect(network({ ...lab, ...more })).toMatchObject({ vlan });
  });

  it('has its prefix, and its gateway unless that is the network itself', () => {
    const of = (ip_subnet: string) => network({ ...lab, ip_subnet });
    expect(of('10.20.3.1/16')).toMatchObject({ prefix: '10.20.0.0/16', gateway: '10.20.3.1' });
    expect(of('10.20.0.0/16')).toMatchObject({ prefix: '10.20.0.0/16', gateway: null });
    expect(of('fd00:20::1/64')).toMatchObject({ prefix: 'fd00:20::/64', gateway: 'fd00:20::1' });
    expect(of('10.20.0.1')).toBe('network Lab: its subnet "10.20.0.1" is none');
  });

  it('gives out addresses only while its DHCP server is on', () => {
    const range = { dhcpd_start: '10.20.0.100', dhcpd_stop: '10.20.0.200' };
    const of = (more: object) => network({ ...lab, ...range, ...more });
    expect(of({ dhcpd_enabled: true })).toMatchObject({ dhcp: { from: '10.20.0.100', to: '10.20.0.200' } });
    expect(of({ dhcpd_enabled: false })).toMatchObject({ dhcp: null });
    expect(of({ dhcpd_enabled: true, dhcpd_stop: '' })).toMatchObject({ dhcp: null });
    expect(of({ enabled: false })).toMatchObject({ enabled: false });
  });
});

describe('a port', () => {
  const lan = network({ _id: 'lan', name: 'LAN', purpose: 'corporate' }) as UnifiNetwork;
  const lab = network({ _id: 'n20', name: 'Lab', purpose: 'corporate', vlan_enabled: true, vlan: 20 }) as UnifiNetwork;
  const native = (port: Row, more: Row = {}) =>
    deviceOf({ mac: '0a:00:00:00:00:01', port_table: [{ port_idx: 3, ...port }], ...more }, networkIndex([lan, lab]))
      .body.ports[0]?.nativeVlan;

  it('has the VLAN of its native network, where the controller says which', () => {
    expect(native({ native_networkconf_id: 'n20' })).toBe(20);
    expect(native({ native_networkconf_id: 'lan' })).toBe(1);
    expect(native({}, { port_overrides: [{ port_idx: 3, native_networkconf_id: 'n20' }] })).toBe(20);
    expect(native({ native_networkconf_id: 'unknown' })).toBe(null);
    expect(native({})).toBe(null);
  });
});

describe('the state of a device', () => {
  it.each([
    [0, 'DISCONNECTED'],
    [1, 'CONNECTED'],
    ['1', 'CONNECTED'],
    [2, 'PENDING'],
    [5, 'BUSY'],
    [6, 'UNKNOWN'],
    [undefined, 'UNKNOWN'],
  ])('%s is %s', (state, word) => {
    expect(deviceOf({ mac: '0a:00:00:00:00:01', state }).body.state).toBe(word);
  });
});

/**
 *     gateway ── 2 A 5 ── 1 B 3 ── host with its guests
 *                  6 ── access point
 */
describe('a MAC that switches learned', () => {
  const [gw, a, b, ap] = ['0a:00:00:00:00:01', '0a:00:00:00:00:02', '0a:00:00:00:00:03', '0a:00:00:00:00:04'];
  const table = (port_idx: number, ...macs: string[]) => ({
    ...{ port_idx, is_uplink: false },
    mac_table: macs.map((mac) => ({ mac, vlan: 20, age: 4 })),
  });
  const guests = ['bc:24:11:00:00:01', 'bc:24:11:00:00:02'];
  const printer = 'bc:24:11:00:00:03';
  const phone = 'bc:24:11:00:00:04';
  const estate = [
    deviceOf({ mac: gw, type: 'ugw' }),
    deviceOf({
      ...{ mac: a, type: 'usw', uplink: { uplink_mac: gw } },
      port_table: [
        { ...table(2, gw ?? ''), is_uplink: true },
        table(4, printer),
        table(5, b ?? '', ...guests),
        table(6, ap ?? '', phone),
      ],
      downlink_table: [{ port_idx: 6, mac: ap }],
    }),
    deviceOf({
      ...{ mac: b, type: 'usw', uplink: { uplink_mac: a, uplink_remote_port: 5 } },
      port_table: [{ ...table(1, gw ?? '', a ?? '', printer, phone), is_uplink: true }, table(3, ...guests)],
    }),
    deviceOf({ mac: ap, type: 'uap', port_table: [table(1, printer, ...guests)] }),
  ];
  const told = (devices: readonly ReadDevice[]) =>
    [...edgeMacs(devices).values()].map(({ mac, switchMac, port }) => `${mac} ${switchMac} ${port}`).sort();

  it('is on the port where it plugs in, and never behind another device of ours', () => {
    expect(told(estate)).toEqual([`${guests[0]} ${b} 3`, `${guests[1]} ${b} 3`, `${printer} ${a} 4`]);
  });

  it('is behind a neighbour that names itself by LLDP too', () => {
    const by = (lldp_table: Row[]) =>
      told([
        deviceOf({ mac: b, type: 'usw' }),
        deviceOf({ mac: a, type: 'usw', port_table: [{ ...table(5, printer), lldp_table }] }),
      ]);
    expect(by([{ lldp_chassis_id: b }])).toEqual([]);
    expect(by([{ lldp_chassis_id: 'bc:24:11:00:00:09' }])).toEqual([`${printer} ${a} 5`]);
  });

  it('is nearer to the port that fewer share', () => {
    const crowded = deviceOf({ mac: a, type: 'usw', port_table: [table(5, printer, ...guests)] });
    const lone = deviceOf({ mac: b, type: 'usw', port_table: [table(3, printer)] });
    for (const order of [
      [crowded, lone],
      [lone, crowded],
    ])
      expect(told(order)).toContain(`${printer} ${b} 3`);
  });

  it('is a client with a place and no address, heard when the switch heard it', () => {
    const place = edgeMacs(estate).get(printer as Mac);
    const lab = network({ _id: 'n20', name: 'Lab', purpose: 'corporate', vlan: 20 }) as UnifiNetwork;
    const user = { name: 'Printer', use_fixedip: true, fixed_ip: '10.20.0.9' };
    expect(place && learnedClient(place, user, networkIndex([lab]), now)).toEqual({
      body: {
        ...{ mac: printer, name: 'Printer', hostname: null, address: null, network: 'Lab', vlan: 20, wired: true },
        ...{ switchMac: a, switchPort: 4, accessPointMac: null, essid: null, fixedAddress: '10.20.0.9' },
      },
      seenAt: now.askedAt - 4_000,
    });
    const remembered = { ...user, mac: printer, last_seen: now.askedAt / 1000 - 60, last_ip: '10.20.0.8' };
    expect(place && learnedClient(place, remembered, networkIndex([lab]), now)).toMatchObject({
      body: { name: 'Printer', address: '10.20.0.8', switchMac: a, switchPort: 4 },
      seenAt: now.askedAt - 60_000,
    });
  });
});

describe('a known client that is away', () => {
  const mac = 'bc:24:11:00:00:05';
  const day = 86_400;
  const ago = (seconds: number) => now.askedAt / 1000 - seconds;
  const row = {
    ...{ mac, hostname: 'laptop', is_wired: true, last_seen: ago(day), last_ip: '10.20.0.7' },
    ...{ last_uplink_mac: '0a:00:00:00:00:02', last_uplink_remote_port: 7, last_connection_network_name: 'Lab' },
  };

  it('is told as the controller remembers it', () => {
    expect(absentClient(row, undefined, none, now)).toEqual({
      body: {
        ...{ mac, name: null, hostname: 'laptop', address: '10.20.0.7', network: 'Lab', vlan: null, wired: true },
        ...{ switchMac: '0a:00:00:00:00:02', switchPort: 7, accessPointMac: null, essid: null, fixedAddress: null },
      },
      seenAt: now.askedAt - day * 1000,
    });
  });

  it('is not told where its last address is forgotten, or it was away for a month', () => {
    const of = (more: object) => absentClient({ ...row, ...more }, undefined, none, now);
    expect(of({ last_ip: undefined })).toBeUndefined();
    expect(of({ last_seen: undefined })).toBeUndefined();
    expect(of({ last_seen: ago(31 * day) })).toBeUndefined();
    expect(of({ last_seen: ago(29 * day) })).toBeDefined();
  });
});

describe('when a client was seen', () => {
  it('is never after it was asked, and allows for the controller’s clock', () => {
    const seconds = now.askedAt / 1000;
    expect(seenAt(seconds - 60, now)).toBe(now.askedAt - 60_000);
    expect(seenAt(seconds + 60, now)).toBe(now.askedAt);
    expect(seenAt(seconds + 3540, { ...now, ahead: 3_600_000 })).toBe(now.askedAt - 60_000);
    expect(seenAt(0, now)).toBe(null);
    expect(seenAt(undefined, now)).toBe(null);
  });
});
