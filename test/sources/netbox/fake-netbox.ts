import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach } from 'vitest';
import type { DeclaredObservation, KeptDeclaration } from '../../../src/domain/declaration.js';
import { type NetboxSettings, Secret } from '../../../src/domain/settings.js';
import {
  type NetboxNeeds,
  type NetboxRead,
  type NetboxRequest,
  type NetboxSource,
  netboxSource,
} from '../../../src/sources/netbox/source.js';
import { certificates, json, type ScriptedServer, scriptedServer, testCa } from '../scripted-server.js';

export const T0 = Date.UTC(2026, 10, 21, 12);
export const V1_TOKEN = '0123456789abcdef0123456789abcdef01234567';
export const V2_TOKEN = 'nbt_4F9aXq2LmZ7c.8sKd03jHfLqP5vWz1TnYb6RcXe2MgUoA9iJtQwEr';

export type Fields = Readonly<Record<string, unknown>> & { readonly id: number };
/** Rows by the path of their list: `virtualization/virtual-machines`. */
export type Tables = Readonly<Record<string, readonly Fields[]>>;

export interface FakeOptions {
  readonly version?: string;
  /** MAX_PAGE_SIZE of the server. */
  readonly cap?: number;
  /** Where `next` says that the following page lies. */
  readonly nextBase?: string;
  /** Custom fields of VMs that can be filtered by: `loose` for a text field as NetBox makes them. */
  readonly fieldFilter?: 'integer' | 'loose' | 'none';
  readonly certificate?: keyof typeof certificates | 'plain';
  readonly prefix?: string;
  /** Answers in place of NetBox; true: it did. */
  readonly instead?: (request: IncomingMessage, response: ServerResponse, url: URL) => boolean;
}

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

export function keep<T extends { close(): Promise<void> }>(opened: T): T {
  open.push(opened);
  return opened;
}

/** A server that pages, orders and filters as NetBox does, over a real HTTPS socket. */
export async function fakeNetbox(tables: Tables, options: FakeOptions = {}): Promise<ScriptedServer> {
  const { certificate = 'signed', prefix = '' } = options;
  const server = await scriptedServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://inner.example');
    if (options.instead?.(request, response, url) === true) return;
    const token = request.headers.authorization;
    if (token !== `Token ${V1_TOKEN}` && token !== `Bearer ${V2_TOKEN}`) {
      return json(response, { detail: 'Invalid token' }, 403, 'Forbidden');
    }
    response.setHeader('API-Version', (options.version ?? '4.2.3').split('.').slice(0, 2).join('.'));
    const path = url.pathname.startsWith(`${prefix}/api/`) ? url.pathname.slice(prefix.length + 5) : '';
    if (path === 'status/') return json(response, { 'netbox-version': options.version ?? '4.2.3' });
    const table = tables[path.replace(/\/$/, '')] ?? (path.endsWith('/') && LISTS.has(path) ? [] : undefined);
    if (table === undefined) return json(response, { detail: 'Not found.' }, 404, 'Not Found');
    json(response, listAnswer(table, url, options));
  }, certificate);
  return keep({ ...server, url: server.url + prefix });
}

const LISTS = new Set([
  ...['virtualization/virtual-machines/', 'virtualization/interfaces/', 'virtualization/clusters/'],
  ...['ipam/ip-addresses/', 'ipam/prefixes/', 'ipam/vrfs/', 'dcim/devices/'],
]);

function listAnswer(table: readonly Fields[], url: URL, options: FakeOptions) {
  const query = url.searchParams;
  const rows = table
    .filter((row) => [...new Set(query.keys())].every((name) => fits(row, name, query.getAll(name), options)))
    .sort((a, b) => (query.get('ordering') === 'id' ? a.id - b.id : String(a.name).localeCompare(String(b.name))));
  const limit = Math.min(Number(query.get('limit') ?? 50), options.cap ?? 1000);
  const base = options.nextBase ?? `https://${url.host}`;
  const next = rows.length > limit ? `${base}${url.pathname}?limit=${limit}&offset=${limit}` : null;
  return {
    count: rows.length,
    next,
    previous: null,
    results: rows.slice(0, limit).map((row) => wanted(row, query.get('fields'), options)),
  };
}

/** From 4.0 on NetBox sends the fields that are asked for, and before all of them. */
function wanted(row: Fields, fields: string | null, { version = '4.2.3' }: FakeOptions): object {
  if (fields === null || version.startsWith('3')) return row;
  return Object.fromEntries(Object.entries(row).filter(([name]) => fields.split(',').includes(name)));
}

/** Filters that NetBox has; one that it does not know finds everything. */
function fits(row: Fields, name: string, values: readonly string[], { fieldFilter = 'integer' }: FakeOptions): boolean {
  const nested = (field: string) => row[field] as Fields | null | undefined;
  const written = (value: unknown) => String(value ?? '').toLowerCase();
  const wanted = values.map((value) => value.toLowerCase());
  const vmid = written((row.custom_fields as Record<string, unknown> | undefined)?.vmid);
  switch (name) {
    case 'id__gt':
      return row.id > Number(values[0]);
    case 'id':
      return wanted.includes(`${row.id}`);
    case 'name':
      return wanted.includes(written(row.name));
    case 'name__isw':
      return wanted.some((value) => written(row.name).startsWith(value));
    case 'mac_address':
      return (row.testMacs as string[] | undefined)?.some((mac) => wanted.includes(mac)) ?? false;
    case 'cf_vmid':
      if (fieldFilter === 'none') return true;
      return fieldFilter === 'loose' ? wanted.some((value) => vmid.includes(value)) : wanted.includes(vmid);
    case 'cf_vmid__ie':
      return fieldFilter === 'loose' ? wanted.includes(vmid) : true;
    case 'virtual_machine_id': {
      const direct = nested('virtual_machine');
      const borne = (nested('assigned_object')?.virtual_machine ?? undefined) as Fields | undefined;
      return wanted.includes(`${(direct ?? borne)?.id}`);
    }
    default:
      return true;
  }
}

export function settings(url: string, more: Partial<NetboxSettings> = {}): NetboxSettings {
  return {
    ...{ name: 'dcim', broken: null, url, tls: { kind: 'ca', pem: testCa }, token: new Secret(V1_TOKEN) },
    ...{ vmidField: 'vmid', clusters: {}, vrfScopes: {} },
    ...more,
  };
}

export function source(
  server: { readonly url: string },
  more: Partial<NetboxSettings> = {},
  needs: Partial<NetboxNeeds> = {},
): NetboxSource {
  const { limits, ...rest } = needs;
  return keep(
    netboxSource(settings(server.url, more), { now: () => T0, limits: { backOffMs: 2, ...limits }, ...rest }),
  );
}

export function request(more: Partial<NetboxRequest> = {}): NetboxRequest {
  return { known: new Map(), confirmedHash: null, asked: null, progress: () => {}, ...more };
}

export function collect(of: NetboxSource, more: Partial<NetboxRequest> = {}): Promise<NetboxRead> {
  return of.collect(request(more), new AbortController().signal);
}

export async function observed(read: Promise<NetboxRead>): Promise<DeclaredObservation> {
  const { outcome } = await read;
  if (outcome.kind !== 'observed') throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

export async function reason(read: Promise<NetboxRead>): Promise<string> {
  const { outcome } = await read;
  return outcome.kind === 'observed' ? 'observed' : `${outcome.kind}: ${outcome.reason}`;
}

/** Rows of a read as they are kept. */
export function kept({ rows }: Pick<DeclaredObservation, 'rows'>): ReadonlyMap<string, KeptDeclaration> {
  return new Map(rows.map((row) => [row.key, { ...row, since: { after: null, before: null } }]));
}

export const MAC_1 = 'bc:24:11:00:01:01';

/** A small NetBox as 4.2 shows it: three VMs, their interfaces and addresses, a node, a gateway, a virtual address. */
export function smallNetbox(): Record<string, Fields[]> {
  const vm = (id: number, name: string, more: object): Fields => ({
    ...{ id, url: `http://inner.example/api/virtualization/virtual-machines/${id}/`, name, display: name },
    ...{ status: { value: 'active', label: 'Active' }, cluster: { id: 1, name: 'PVE Main' }, device: null },
    ...{ vcpus: 2, memory: 4096, disk: 32000, custom_fields: { vmid: null } },
    ...more,
  });
  const onVm = (machine: number, iface: number) => ({
    assigned_object_type: 'virtualization.vminterface',
    assigned_object_id: iface,
    assigned_object: { id: iface, name: 'eth0', virtual_machine: { id: machine, name: 'x' } },
  });
  const ip = (id: number, address: string, more: object = {}): Fields => ({
    ...{ id, address, family: { value: address.includes(':') ? 6 : 4, label: 'IP' }, vrf: null },
    ...{ status: { value: 'active', label: 'Active' }, role: null, dns_name: '', description: '' },
    ...{ assigned_object_type: null, assigned_object_id: null, assigned_object: null },
    ...more,
  });
  const iface = (id: number, machine: number, name: string, more: object = {}): Fields => ({
    ...{ id, name, virtual_machine: { id: machine, name: 'x' }, mac_address: null, mac_addresses: [] },
    ...{ mode: null, untagged_vlan: null },
    ...more,
  });
  return {
    'virtualization/virtual-machines': [
      vm(1, 'web-1', {
        ...{ custom_fields: { vmid: 101 }, device: { id: 7, name: 'pve1', display: 'pve1' }, testMacs: [MAC_1] },
        ...{ vcpus: 2.5 },
      }),
      vm(2, 'db-1.example.org', {
        ...{ status: { value: 'offline', label: 'Offline' }, custom_fields: { vmid: '102' }, vcpus: '4.00' },
      }),
      vm(9, 'old-1', { status: { value: 'decommissioning', label: 'Decommissioning' }, cluster: null, disk: null }),
    ],
    'virtualization/interfaces': [
      iface(11, 1, 'eth0', {
        ...{ mac_address: 'BC:24:11:00:01:01', mac_addresses: [{ id: 5, mac_address: 'BC:24:11:00:01:01' }] },
        ...{ mode: { value: 'access', label: 'Access' }, untagged_vlan: { id: 3, vid: 20, name: 'lan' } },
      }),
      iface(12, 1, 'eth1', {
        mac_addresses: [
          { id: 6, mac_address: 'BC:24:11:00:01:03' },
          { id: 7, mac_address: 'BC:24:11:00:01:02' },
        ],
        mode: { value: 'tagged-all', label: 'Tagged (All)' },
        untagged_vlan: { id: 3, vid: 20, name: 'lan' },
      }),
      iface(21, 2, 'net0'),
    ],
    'ipam/ip-addresses': [
      ip(31, '10.0.0.11/24', onVm(1, 11)),
      ip(32, '2001:DB8:0::11/64', { ...onVm(1, 11), status: { value: 'slaac', label: 'SLAAC' } }),
      ip(33, '10.0.1.11/24', { ...onVm(1, 12), vrf: { id: 1, name: 'lab', rd: '65000:1' } }),
      ip(34, '10.0.0.12/24', { ...onVm(2, 21), status: { value: 'reserved', label: 'Reserved' } }),
      ip(35, '10.0.0.100/32', { ...onVm(2, 21), role: { value: 'vip', label: 'VIP' } }),
      ip(41, '10.0.0.2/24', {
        assigned_object_type: 'dcim.interface',
        assigned_object_id: 71,
        assigned_object: { id: 71, name: 'vmbr0', device: { id: 7, name: 'pve1', display: 'pve1' } },
      }),
      ip(42, '10.0.0.1/24', {
        assigned_object_type: 'ipam.fhrpgroup',
        assigned_object_id: 4,
        assigned_object: { id: 4, display: 'VRRPv3: 10', protocol: 'vrrp3', group_id: 10 },
        description: 'gateway',
      }),
      ip(43, '10.0.0.200/24', { dns_name: 'spare.example.org', status: { value: 'dhcp', label: 'DHCP' } }),
      ip(44, '10.0.0.201/24', { status: { value: 'deprecated', label: 'Deprecated' }, vrf: { id: 1, name: 'lab' } }),
    ],
    'ipam/prefixes': [
      {
        ...{ id: 51, prefix: '10.0.0.0/24', vrf: null, status: { value: 'active', label: 'Active' } },
        ...{ vlan: { id: 3, vid: 20, name: 'lan' } },
      },
      { id: 52, prefix: '10.0.1.0/24', vrf: { id: 1, name: 'lab' }, status: { value: 'container' }, vlan: null },
    ],
    'dcim/devices': [
      {
        ...{ id: 7, name: 'pve1', role: { id: 1, name: 'Hypervisor' }, serial: 'ABC123 ', status: { value: 'active' } },
        ...{ primary_ip4: { id: 40, address: '10.9.0.2/24' }, primary_ip6: null },
      },
    ],
    'ipam/vrfs': [{ id: 1, name: 'lab', display: 'lab (65000:1)' }],
    'virtualization/clusters': [{ id: 1, name: 'PVE Main', display: 'PVE Main' }],
  };
}
