import type { ObservedRecord } from '../../src/domain/record.js';
import { HOUR } from '../../src/domain/time.js';
import { ip, mac, THEN } from './view.js';

/** One record of each kind, as services of a small estate give them. */
export const NPM_RECORDS: readonly ObservedRecord[] = [
  {
    kind: 'npm.proxy_host',
    key: '2',
    seenAt: null,
    body: {
      id: 2,
      domainNames: ['shop.example.org'],
      target: { scheme: 'http', host: '10.0.0.11', address: ip('10.0.0.11'), port: 8080 },
      locations: [{ path: '/api', target: { scheme: 'http', host: 'api', address: null, port: 9000 } }],
      ...{ enabled: true, certificateId: 7, sslForced: true, error: null },
    },
  },
  {
    kind: 'npm.redirection',
    key: '1',
    seenAt: null,
    body: {
      ...{ id: 1, domainNames: ['old.example.org'], forwardDomain: 'shop.example.org', httpCode: 301 },
      ...{ enabled: true, certificateId: null },
    },
  },
  {
    kind: 'npm.stream',
    key: '4',
    seenAt: null,
    body: {
      ...{ id: 4, incomingPort: 2222, tcp: true, udp: false, enabled: true },
      target: { scheme: null, host: '10.0.0.12', address: ip('10.0.0.12'), port: 22 },
    },
  },
  {
    kind: 'npm.certificate',
    key: '7',
    seenAt: null,
    body: {
      ...{ id: 7, provider: 'letsencrypt', name: 'shop', domainNames: ['shop.example.org'] },
      notAfter: THEN + 100 * HOUR,
    },
  },
];

export const NEIGHBOUR_RECORDS: readonly ObservedRecord[] = [
  {
    kind: 'neighbour',
    key: 'vmbr0/10.0.0.11',
    seenAt: THEN,
    body: {
      ...{ host: 'pve1', address: ip('10.0.0.11'), mac: mac('bc2411000065'), device: 'vmbr0' },
      ...{ router: false, secondHand: false },
    },
  },
];

export const UNIFI_RECORDS: readonly ObservedRecord[] = [
  {
    kind: 'unifi.client',
    key: 'bc:24:11:00:00:65',
    seenAt: THEN - HOUR,
    body: {
      ...{ mac: mac('bc2411000065'), name: null, hostname: 'web-01', address: ip('10.0.0.11'), network: 'LAN' },
      ...{ vlan: null, wired: true, switchMac: mac('f09fc2000001'), switchPort: 3, accessPointMac: null },
      ...{ essid: null, fixedAddress: null },
    },
  },
  {
    kind: 'unifi.device',
    key: 'f0:9f:c2:00:00:01',
    seenAt: null,
    body: {
      ...{ mac: mac('f09fc2000001'), name: 'rack-1', model: 'US16P150', kind: 'switch', address: ip('10.0.0.250') },
      ...{ version: '7.1.26', state: 'CONNECTED', uplink: null },
      ports: [
        {
          ...{ index: 3, name: 'pve1', up: true, speedMbps: 10_000, isUplink: false, poe: false },
          ...{ nativeVlan: null, lldpName: 'pve1' },
        },
      ],
    },
  },
  {
    kind: 'unifi.network',
    key: 'n1',
    seenAt: null,
    body: {
      ...{ id: 'n1', name: 'LAN', purpose: 'corporate', vlan: null, prefix: '10.0.0.0/24', gateway: ip('10.0.0.1') },
      ...{ dhcp: { from: ip('10.0.0.100'), to: ip('10.0.0.199') }, enabled: true },
    },
  },
];

export const HARDWARE_RECORDS: readonly ObservedRecord[] = [
  {
    kind: 'hardware',
    key: 'pve1',
    seenAt: null,
    body: {
      ...{ by: 'SSH', sections: ['disks'] },
      parts: [
        {
          ...{ section: 'disks', place: 'sda', vendor: 'Samsung', model: 'PM883', serial: 'S1', sizeBytes: 1_920 },
          detail: 'ssd',
        },
      ],
    },
  },
  {
    kind: 'hardware.health',
    key: 'pve1',
    seenAt: null,
    body: {
      by: 'SSH',
      disks: [
        {
          ...{ disk: 'S1', device: '/dev/sda', model: 'PM883', verdict: 'PASSED', lifeLeftPercent: 97 },
          counters: ['reallocated sectors: 0'],
        },
      ],
    },
  },
  {
    kind: 'hardware.updates',
    key: 'pve1',
    seenAt: null,
    body: { packages: [{ name: 'pve-manager', installed: '9.1.1', available: '9.1.2', origin: 'Proxmox' }] },
  },
];
