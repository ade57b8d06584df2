import { describe, expect, it } from 'vitest';
import { collectorSources } from '../../src/inventory/collectors.js';
import { SCHEMAS } from '../../src/rest/schemas.js';
import { caller } from '../testkit/principal.js';
import { HARDWARE_RECORDS, NEIGHBOUR_RECORDS, NPM_RECORDS, UNIFI_RECORDS } from '../testkit/services.js';
import { anEstate, NOW, openRest } from './estate.js';

const COLLECTED = '2026-11-21T10:00:00.000Z';
const HOUR_AGO = '2026-11-21T09:00:00.000Z';
const BEGINS = { collected_at: COLLECTED, stale: false, seed_unreachable: false, notes: [] };

const estate = () =>
  anEstate({
    services: {
      'npm:edge': NPM_RECORDS,
      'ip_neigh:main/pve1': NEIGHBOUR_RECORDS,
      'unifi:campus': UNIFI_RECORDS,
      'hardware:main/pve1': HARDWARE_RECORDS,
    },
  });

describe('what services said', () => {
  it('is a row a proxy host, redirection, stream and certificate', async () => {
    const { json } = await openRest({ view: estate() });
    const body = await json('/v1/inventory/npm');
    SCHEMAS.Npm.parse(body);
    expect(body).toEqual({
      ...BEGINS,
      items: [
        {
          ...{ type: 'proxy_host', npm: 'edge', id: 2, domain_names: ['shop.example.org'], forward_scheme: 'http' },
          ...{ forward_host: '10.0.0.11', forward_port: 8080, enabled: true, certificate_id: 7, ssl_forced: true },
          locations: [{ path: '/api', forward_scheme: 'http', forward_host: 'api', forward_port: 9000 }],
          ...{ error: null, collected_at: COLLECTED },
        },
        {
          ...{ type: 'redirection_host', npm: 'edge', id: 1, domain_names: ['old.example.org'] },
          ...{ forward_domain_name: 'shop.example.org', forward_http_code: 301, enabled: true, certificate_id: null },
          collected_at: COLLECTED,
        },
        {
          ...{ type: 'stream', npm: 'edge', id: 4, incoming_port: 2222, forward_host: '10.0.0.12', forward_port: 22 },
          ...{ tcp: true, udp: false, enabled: true, collected_at: COLLECTED },
        },
        {
          ...{ type: 'certificate', npm: 'edge', id: 7, provider: 'letsencrypt', name: 'shop' },
          ...{ domain_names: ['shop.example.org'], not_after: '2026-11-25T14:00:00.000Z', collected_at: COLLECTED },
        },
      ],
    });
  });

  it('is a row a UniFi device with its ports, a network and a client', async () => {
    const { json } = await openRest({ view: estate() });
    const body = await json('/v1/inventory/unifi');
    SCHEMAS.Unifi.parse(body);
    expect(body.items).toMatchObject([
      {
        ...{ type: 'device', unifi: 'campus', mac: 'f0:9f:c2:00:00:01', ip: '10.0.0.250', state: 'CONNECTED' },
        ports: [{ port: 3, name: 'pve1', up: true, speed_mbps: 10_000, lldp_name: 'pve1' }],
      },
      { type: 'network', id: 'n1', prefix: '10.0.0.0/24', dhcp_from: '10.0.0.100', dhcp_to: '10.0.0.199' },
      {
        ...{ type: 'client', mac: 'bc:24:11:00:00:65', ip: '10.0.0.11', switch_mac: 'f0:9f:c2:00:00:01' },
        ...{ switch_port: 3, last_seen_at: HOUR_AGO, collected_at: COLLECTED },
      },
    ]);
  });

  it('is a row a neighbour, of one cluster where it is asked for', async () => {
    const { json } = await openRest({ view: estate() });
    const body = await json('/v1/inventory/neighbours?cluster=main');
    SCHEMAS.Neighbours.parse(body);
    expect(body).toEqual({
      ...BEGINS,
      items: [
        {
          ...{ cluster: 'main', host: 'pve1', ip: '10.0.0.11', mac: 'bc:24:11:00:00:65', device: 'vmbr0' },
          ...{ router: false, second_hand: false, last_seen_at: COLLECTED, collected_at: COLLECTED },
        },
      ],
    });
    expect(await json('/v1/inventory/neighbours?cluster=edge')).toEqual({ ...BEGINS, items: [] });
  });

  it('is the parts, disk health and updates of a node', async () => {
    const { json } = await openRest({ view: estate() });
    const body = await json('/v1/inventory/hardware?node=pve1');
    SCHEMAS.Hardware.parse(body);
    expect(body.items).toEqual([
      {
        ...{ type: 'parts', cluster: 'main', node: 'pve1', by: 'SSH', sections: ['disks'], collected_at: COLLECTED },
        parts: [
          {
            ...{ section: 'disks', place: 'sda', vendor: 'Samsung', model: 'PM883', serial: 'S1', size_bytes: 1_920 },
            detail: 'ssd',
          },
        ],
      },
      {
        ...{ type: 'health', cluster: 'main', node: 'pve1', by: 'SSH', collected_at: COLLECTED },
        disks: [
          {
            ...{ disk: 'S1', device: '/dev/sda', model: 'PM883', verdict: 'PASSED', life_left_percent: 97 },
            counters: ['reallocated sectors: 0'],
          },
        ],
      },
      {
        ...{ type: 'updates', cluster: 'main', node: 'pve1', collected_at: COLLECTED },
        packages: [{ name: 'pve-manager', installed: '9.1.1', available: '9.1.2', origin: 'Proxmox' }],
      },
    ]);
    expect((await json('/v1/inventory/hardware?node=pve2')).items).toEqual([]);
  });

  it('is no hardware of a host that no node of its cluster is called like, and says what to correct', async () => {
    const records = HARDWARE_RECORDS.map((record) => ({ ...record, key: 'pveo1' }));
    const view = anEstate({ services: { 'hardware:main/pveo1': records, 'ip_neigh:main/pveo1': NEIGHBOUR_RECORDS } });
    const note =
      "the cluster main has no node pveo1, it has pve1, pve2: correct this host's name in hosts of sources.yaml";
    const { json } = await openRest({ view });
    expect(await json('/v1/inventory/hardware')).toEqual({
      ...{ ...BEGINS, notes: [`hardware:main/pveo1: ${note}`], items: [] },
    });
    expect((await json('/v1/inventory/neighbours')).notes).toEqual([`ip_neigh:main/pveo1: ${note}`]);
    const sources = collectorSources(caller(), view, new Map(), NOW);
    expect(
      sources
        .filter(({ cluster, collector }) => cluster === 'main' && collector !== 'proxmox_guest_ipam')
        .map(({ name, notes }) => [name, notes]),
    ).toEqual([
      ['hardware:main/pveo1', [note]],
      ['ip_neigh:main/pveo1', [note]],
    ]);
    const never = { ...view, clusters: new Map([...view.clusters].map(([k, one]) => [k, { ...one, row: null }])) };
    expect(collectorSources(caller(), never, new Map(), NOW).flatMap(({ notes }) => notes)).not.toContain(note);
  });

  it('is left out while its source does not answer, where the contract says omit; else its last word stays', async () => {
    const view = estate();
    const down = (source: string) => {
      const state = view.services.get(source);
      return state === undefined
        ? []
        : [[source, { ...state, outcome: 'UNREACHABLE' as const, reason: 'refused' }] as const];
    };
    const services = new Map([...view.services, ...down('ip_neigh:main/pve1'), ...down('npm:edge')]);
    const ip_neigh = { ...view.contract.collectors.ip_neigh, onFailure: 'omit' as const };
    const contract = { ...view.contract, collectors: { ...view.contract.collectors, ip_neigh } };
    const { json } = await openRest({ view: { ...view, services, contract } });
    expect(await json('/v1/inventory/neighbours')).toEqual({
      ...{ ...BEGINS, seed_unreachable: true, notes: ['ip_neigh:main/pve1: unreachable: refused'] },
      items: [],
    });
    expect((await json('/v1/inventory/npm')).items).toHaveLength(4);
  });

  it.each(['npm', 'unifi', 'neighbours', 'hardware'])(
    'is nothing, and says so, where %s is not configured',
    async (route) => {
      const { json } = await openRest();
      expect(await json(`/v1/inventory/${route}`)).toEqual({
        ...{ collected_at: null, stale: true, seed_unreachable: false },
        ...{ notes: ['no source is configured for it: name one in sources.yaml'], implementation: 'stub', items: [] },
      });
    },
  );
});
