import type { Progress } from '../../domain/observation.js';
import { type Ask, type NetboxClient, NetboxTrouble } from './client.js';
import { type Bearer, bearerOf, type ListedAddress, listedAddress, type UnreadAddress } from './parse/addresses.js';
import { foreign, isBefore, type NetboxVersion, type Page, page } from './parse/answer.js';
import { type Machine, type MachineInterface, machine, machineInterface } from './parse/machines.js';
import { type ListedDevice, type ListedPrefix, listedDevice, listedPrefix } from './parse/network.js';
import { nameOf, type Row } from './parse/values.js';

/** One of NetBox's lists, and what is made of its rows. */
export interface List<T> {
  readonly path: string;
  readonly permission: string;
  /** The fields that are wanted: NetBox (from 4.0) then neither looks up nor sends the others. 3.7 sends all. */
  readonly fields: readonly string[];
  /** What else spares NetBox work. */
  readonly also?: string;
  /** `undefined`: the row says nothing. */
  read(row: Row): T | undefined;
}

// A rendered config context is a join over a dozen tables for each row.
const NO_CONTEXT = 'exclude=config_context';

export function machines(vmidField: string): List<Machine> {
  return {
    path: '/virtualization/virtual-machines/',
    permission: 'virtualization.view_virtualmachine',
    fields: ['id', 'name', 'status', 'cluster', 'device', 'vcpus', 'memory', 'disk', 'custom_fields'],
    also: NO_CONTEXT,
    read: (row) => machine(row, vmidField),
  };
}

/**
 * Whatever the version, they carry their MACs: `/dcim/mac-addresses/` of 4.2 need not be asked. `mac_address` is a column
 * until then; from 4.2 on it would be a look-up for each row, and `mac_addresses` has it too.
 */
export function interfaces(version: NetboxVersion | undefined): List<MachineInterface> {
  const macs = version === undefined || isBefore(version, 4, 2) ? ['mac_address'] : [];
  return {
    path: '/virtualization/interfaces/',
    permission: 'virtualization.view_vminterface',
    fields: ['id', 'name', 'virtual_machine', ...macs, 'mac_addresses', 'mode', 'untagged_vlan'],
    read: machineInterface,
  };
}

/** What bears an address is named by its id alone: the object itself would cost NetBox a look-up for each row. */
export const addresses: List<ListedAddress | UnreadAddress> = {
  path: '/ipam/ip-addresses/',
  permission: 'ipam.view_ipaddress',
  fields: [
    ...['id', 'address', 'vrf', 'status', 'role', 'dns_name', 'description'],
    ...['assigned_object_type', 'assigned_object_id'],
  ],
  read: listedAddress,
};

/** The devices that addresses lie on. */
export const bearers: List<{ readonly id: number; readonly bearer: Bearer }> = {
  ...addresses,
  fields: ['id', 'assigned_object_type', 'assigned_object_id', 'assigned_object'],
  read: ({ id, fields }) => ({ id, bearer: bearerOf(fields) }),
};

export const prefixes: List<ListedPrefix> = {
  path: '/ipam/prefixes/',
  permission: 'ipam.view_prefix',
  fields: ['id', 'prefix', 'vrf', 'status', 'vlan'],
  read: listedPrefix,
};

export const devices: List<ListedDevice> = {
  path: '/dcim/devices/',
  permission: 'dcim.view_device',
  fields: ['id', 'name', 'role', 'device_role', 'serial', 'status', 'primary_ip4', 'primary_ip6'],
  also: NO_CONTEXT,
  read: listedDevice,
};

/** Rows carry the names of their VRF and cluster; these lists only tell whether the names in `sources.yaml` exist. */
export const vrfs: List<string> = {
  path: '/ipam/vrfs/',
  permission: 'ipam.view_vrf',
  fields: ['id', 'name'],
  also: 'brief=1',
  read: ({ fields }) => nameOf(fields) ?? undefined,
};

export const clusters: List<string> = {
  path: '/virtualization/clusters/',
  permission: 'virtualization.view_cluster',
  fields: ['id', 'name'],
  also: 'brief=1',
  read: ({ fields }) => nameOf(fields) ?? undefined,
};

export interface Reading {
  readonly client: NetboxClient;
  readonly ask: Ask;
  readonly pages: PageCount;
  /** Rows asked for at once; a server whose MAX_PAGE_SIZE is lower gives fewer, and its pages are taken as they come. */
  readonly pageSize: number;
  /** More rows of one list than this are not read. */
  readonly mostRows: number;
}

/**
 * Before NetBox stands gunicorn, which takes no request line above 4,094 bytes: so many characters are left for what is
 * asked for by value.
 */
export const LONGEST_QUERY = 3_000;
const IDS_A_QUESTION = 100;

/** `Query` of a narrower question: `name=a&name=b`. */
export type Query = string;

/**
 * All rows of a list. Pages are asked for by key, "the first 1,000 above id N", and not by the place in the list: what
 * is deleted or renamed meanwhile then shifts no other row out of sight, and the database seeks instead of counting off.
 * A list that ends before all that it counts was shown is read once more, and then not believed.
 */
export async function readList<T>(reading: Reading, list: List<T>, query: Query = ''): Promise<readonly T[]> {
  const first = await readOnce(reading, list, query);
  if (first !== undefined) return first;
  const again = await readOnce(reading, list, query);
  if (again !== undefined) return again;
  throw new NetboxTrouble(
    `${urlOf(reading, list)} ended before all the rows that it counts were shown, twice: nothing is concluded from half a list`,
  );
}

/** undefined: it ended early. */
async function readOnce<T>(reading: Reading, list: List<T>, query: Query): Promise<T[] | undefined> {
  const found: T[] = [];
  for (let after = 0, rowsRead = 0; ; ) {
    const { count, rows, isLast } = await readPage(reading, list, [query, `id__gt=${after}`].filter(Boolean).join('&'));
    if (after === 0) reading.pages.expect(count, rows.length);
    reading.pages.read();
    for (const row of rows) {
      if (row.id <= after) throw outOfOrder(urlOf(reading, list), row.id, after);
      after = row.id;
      const value = list.read(row);
      if (value !== undefined) found.push(value);
    }
    rowsRead += rows.length;
    if (rowsRead > reading.mostRows) throw tooMany(urlOf(reading, list), reading.mostRows);
    if (isLast || rows.length === 0) return count > rows.length ? undefined : found;
  }
}

/** Rows whose ids (of themselves, or of what they belong to) are known, in as many questions as their number takes. */
export async function readByIds<T>(
  reading: Reading,
  list: List<T>,
  parameter: string,
  ids: readonly number[],
): Promise<readonly T[]> {
  const found: T[] = [];
  for (let at = 0; at < ids.length; at += IDS_A_QUESTION) {
    found.push(...(await readList(reading, list, oneOf(parameter, ids.slice(at, at + IDS_A_QUESTION)))));
  }
  return found;
}

/** `name=a&name=b`: any of these. */
export function oneOf(parameter: string, wanted: readonly (string | number)[]): Query {
  return wanted.map((value) => `${parameter}=${encodeURIComponent(value).replaceAll('%3A', ':')}`).join('&');
}

/** One page of a question; with no more than `limit` rows. */
export async function readPage(
  reading: Pick<Reading, 'client' | 'ask' | 'pageSize'>,
  { path, permission, fields, also }: Omit<List<unknown>, 'read'>,
  query: Query,
  limit = reading.pageSize,
): Promise<Page> {
  const { client, ask } = reading;
  const parts = [`limit=${limit}`, 'ordering=id', query, also ?? '', `fields=${fields.join(',')}`];
  const { content } = await client.get(path, parts.filter((part) => part !== '').join('&'), permission, ask);
  const read = page(content);
  if (read === undefined)
    throw new NetboxTrouble(`${urlOf(reading, { path })}: ${foreign('JSON, but no list of its kind')}`);
  return read;
}

function urlOf({ client }: Pick<Reading, 'client'>, { path }: Pick<List<unknown>, 'path'>): string {
  return `${client.url}/api${path}`;
}

function outOfOrder(url: string, id: number, after: number): NetboxTrouble {
  return new NetboxTrouble(
    `${url}: row ${id} came where rows above ${after} were asked for (id__gt, ordering=id): does something between us change the query?`,
  );
}

function tooMany(url: string, most: number): NetboxTrouble {
  return new NetboxTrouble(`${url} has more than ${most} rows: more than that is not read`);
}

/** How far a pass has come. What is still to be read shows with the first page of each list. */
export class PageCount {
  readonly #tell: Progress;
  #done = 0;
  #total: number;

  constructor(tell: Progress, lists: number) {
    this.#tell = tell;
    this.#total = lists;
  }

  expect(rows: number, onFirstPage: number): void {
    if (rows > onFirstPage && onFirstPage > 0) this.#total += Math.ceil(rows / onFirstPage) - 1;
  }

  read(): void {
    this.#done += 1;
    this.#total = Math.max(this.#total, this.#done);
    this.#tell(this.#done, this.#total);
  }
}
