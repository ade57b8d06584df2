import type { IpAddress } from '../../src/domain/address.js';
import type { DeclaredObservation, GuestDeclaration } from '../../src/domain/declaration.js';
import type { GuestConfig, GuestInterfaces } from '../../src/domain/guest.js';
import type { Mac } from '../../src/domain/mac.js';
import type { ObservedNode, ObservedRow, PartRead, ProxmoxObservation } from '../../src/domain/observation.js';
import type { Instant } from '../../src/domain/time.js';

/** A made-up estate as parsed values: what a full pass over it would hand to `absorb`. */
export interface BenchEstate {
  readonly observation: (askedAt: Instant) => ProxmoxObservation;
  readonly poll: (askedAt: Instant, firstVmid: number, parts: number) => ProxmoxObservation;
  readonly declared: (askedAt: Instant) => DeclaredObservation;
}

function address(i: number): IpAddress {
  return `10.${20 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}` as IpAddress;
}

function mac(i: number): Mac {
  const hex = i.toString(16).padStart(6, '0');
  return `bc:24:11:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}` as Mac;
}

export function benchEstate(guests: number, nodes: number): BenchEstate {
  const nodeName = (i: number) => `pve${String(i % nodes).padStart(3, '0')}`;
  const observedNodes = Array.from(
    { length: nodes },
    (_, i): ObservedNode => ({
      name: nodeName(i),
      status: 'ONLINE',
      maintenance: false,
      ip: null,
      cores: 32,
      memoryBytes: 2 ** 38,
      diskBytes: 2 ** 40,
    }),
  );
  const row = (i: number, askedAt: Instant): ObservedRow => ({
    vmid: 100 + i,
    kind: i % 3 === 0 ? 'LXC' : 'QEMU',
    node: nodeName(i),
    status: 'RUNNING',
    name: `guest-${i}`,
    template: false,
    tags: ['prod', `team${i % 7}`],
    pool: `pool${i % 5}`,
    lock: null,
    ha: null,
    cores: 4,
    memoryBytes: 2 ** 32,
    diskBytes: 2 ** 35,
    uptimeSeconds: Math.floor(askedAt / 1_000) - 1_700_000_000,
  });
  const config = (i: number): GuestConfig => ({
    name: `guest-${i}`,
    cpus: 4,
    memoryBytes: 2 ** 32,
    diskBytes: 2 ** 35,
    agent: true,
    smbiosUuid: i % 3 === 0 ? null : `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    devices: [
      {
        key: 'net0',
        mac: mac(i),
        bridge: 'vmbr0',
        vlan: 20,
        linkDown: false,
        ip4: { mode: 'static', address: address(i), prefixLength: 24 },
        ip6: null,
      },
    ],
  });
  const interfaces = (i: number): GuestInterfaces => ({
    by: i % 3 === 0 ? 'INTERFACES' : 'AGENT',
    interfaces: [{ name: 'eth0', mac: mac(i), addresses: [{ address: address(i), prefixLength: 24 }] }],
  });
  const partsOf = (i: number, askedAt: Instant): PartRead[] => [
    { key: String(100 + i), askedAt, result: { kind: 'read', part: 'config', value: config(i) } },
    { key: String(100 + i), askedAt, result: { kind: 'read', part: 'addresses', value: interfaces(i) } },
  ];
  const numbers = Array.from({ length: guests }, (_, i) => i);
  const pass = (askedAt: Instant, parts: PartRead[], full: boolean): ProxmoxObservation => ({
    askedAt,
    proxmoxName: 'bench',
    version: '9.1.1',
    quorate: true,
    quorumKnown: true,
    nodes: observedNodes,
    rows: numbers.map((i) => row(i, askedAt)),
    parts,
    full,
    activityMark: '1',
    notes: [],
  });
  return {
    observation: (askedAt) => {
      const power = observedNodes.map(({ name }): PartRead => {
        const value = new Map(
          numbers.filter((i) => i % 3 !== 0 && nodeName(i) === name).map((i) => [100 + i, 'running'] as const),
        );
        return { key: name, askedAt, result: { kind: 'read', part: 'power', value } };
      });
      return pass(askedAt, [...numbers.flatMap((i) => partsOf(i, askedAt)), ...power], true);
    },
    poll: (askedAt, first, parts) =>
      pass(
        askedAt,
        numbers.slice(first, first + parts / 2).flatMap((i) => partsOf(i, askedAt)),
        false,
      ),
    declared: (askedAt) => ({
      askedAt,
      declaresGuests: true,
      declaresAddresses: true,
      problems: [],
      keyConflicts: [],
      rowCount: guests,
      rows: numbers.map(
        (i): GuestDeclaration => ({
          kind: 'guest',
          key: `${100 + i}#1`,
          location: `ALL_VMIDS_ENDPOINTS.md:${i + 10}`,
          from: 100 + i,
          to: 100 + i,
          text: String(100 + i),
          cluster: null,
          headings: [],
          name: i % 100 === 0 ? `other-${i}` : `guest-${i}`,
          node: nodeName(i),
          status: { word: 'running', means: 'running' },
          addresses: [i % 100 === 1 ? address(i + 60_000) : address(i)],
          unreadable: [],
        }),
      ),
    }),
  };
}
