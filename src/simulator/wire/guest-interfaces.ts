import type { Guest, Nic } from '../guest.js';
import { madeOfMac } from '../network-plan.js';
import { hashOf, type Random, seeded } from '../random.js';
import { wireText } from './json.js';

interface Told {
  readonly address: string;
  readonly prefix: number;
  readonly family: 4 | 6;
}

/** What is on a device inside a running guest: its own addresses, and the link-local one that every link has. */
function addressesOf({ v4, v6, mac, linkDown }: Nic): Told[] {
  if (linkDown) return [];
  const told: Told[] = v4 === null ? [] : [{ address: v4.address, prefix: v4.prefix, family: 4 }];
  if (v6 !== null) told.push({ address: v6.address, prefix: v6.prefix, family: 6 });
  return [...told, { address: madeOfMac('fe80::', mac), prefix: 64, family: 6 }];
}

const LOOPBACK: readonly Told[] = [
  { address: '127.0.0.1', prefix: 8, family: 4 },
  { address: '::1', prefix: 128, family: 6 },
];

/** The guest agent's answer, with all that an agent shows besides: loopback, docker's bridge, veth ends. */
export function agentText(guest: Guest): string {
  const random = seeded(guest.uuid, 'agent');
  if (guest.agent === 'broken') {
    const desc = 'The command guest-network-get-interfaces has been disabled for this instance';
    return wireText({ result: { error: { class: 'CommandNotFound', desc } } }, random);
  }
  const windows = guest.system === 'windows';
  const result = [
    agentInterface(windows ? 'Loopback Pseudo-Interface 1' : 'lo', '00:00:00:00:00:00', LOOPBACK, random),
    ...guest.nics.map((nic) => {
      const name = windows ? (nic.index === 0 ? 'Ethernet' : `Ethernet ${nic.index + 1}`) : `ens${18 + nic.index}`;
      return agentInterface(name, nic.mac.toLowerCase(), addressesOf(nic), random);
    }),
    ...(guest.system === 'docker' ? dockerInterfaces(guest, random) : []),
  ];
  return wireText({ result }, random);
}

function agentInterface(name: string, mac: string, told: readonly Told[], random: Random): object {
  const traffic = Math.floor(random() * 1e9);
  return {
    name,
    'hardware-address': mac,
    // Before a link has addresses the key is not there at all.
    'ip-addresses':
      told.length === 0
        ? undefined
        : told.map(({ address, prefix, family }) => ({
            'ip-address': address,
            'ip-address-type': family === 4 ? 'ipv4' : 'ipv6',
            prefix,
          })),
    statistics: { 'rx-bytes': traffic, 'tx-bytes': traffic * 2, 'rx-packets': traffic % 9973, 'rx-errs': 0 },
  };
}

/** Every docker host has the same address on docker0: it must not look like one that they fight over. */
function dockerInterfaces({ uuid }: Guest, random: Random): object[] {
  const digits = hashOf(uuid, 'veth').toString(16).padStart(8, '0');
  const mac = `0a:58:${digits.slice(0, 2)}:${digits.slice(2, 4)}:${digits.slice(4, 6)}:${digits.slice(6)}`;
  const bridge: Told = { address: '172.17.0.1', prefix: 16, family: 4 };
  return [
    agentInterface('docker0', '02:42:ac:11:00:01', [bridge], random),
    agentInterface(
      `veth${digits.slice(0, 7)}`,
      mac,
      [{ address: madeOfMac('fe80::', mac), prefix: 64, family: 6 }],
      random,
    ),
  ];
}

/** `GET …/lxc/{id}/interfaces`, there since 8.1; since 8.4 with every address of a device, not only the last. */
export function containerText(guest: Guest): string {
  if (guest.power === 'stopped') return 'null';
  const random = seeded(guest.uuid, 'interfaces');
  const rows = [
    containerInterface('lo', '00:00:00:00:00:00', LOOPBACK),
    ...guest.nics.map((nic) => containerInterface(`eth${nic.index}`, nic.mac.toLowerCase(), addressesOf(nic))),
  ];
  return wireText(rows, random);
}

function containerInterface(name: string, mac: string, told: readonly Told[]): object {
  const last = (family: 4 | 6) => {
    const found = told.findLast((one) => one.family === family);
    return found === undefined ? undefined : `${found.address}/${found.prefix}`;
  };
  return {
    name,
    hwaddr: mac,
    inet: last(4),
    inet6: last(6),
    'hardware-address': mac,
    'ip-addresses': told.map(({ address, prefix, family }) => ({
      'ip-address': address,
      'ip-address-type': family === 4 ? 'inet' : 'inet6',
      prefix,
    })),
  };
}
