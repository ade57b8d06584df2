import type { Declaration, KeptDeclaration } from '../../domain/declaration.js';
import type { GuestKey } from '../../domain/guest.js';
import type { Mac } from '../../domain/mac.js';
import * as list from './lists.js';
import { LONGEST_QUERY, oneOf, type Query, type Reading, readByIds, readPage } from './lists.js';
import type { NetboxVersion } from './parse/answer.js';
import { vmRows } from './parse/declared.js';
import type { Machine } from './parse/machines.js';
import type { Meaning } from './parse/meaning.js';

/** A guest that somebody wants to hear of at once, and all by which NetBox may know it. */
export interface AskedGuest {
  readonly guest: GuestKey;
  readonly cluster: string;
  readonly vmid: number;
  readonly name: string | null;
  readonly macs: readonly Mac[];
  /** Keys (`vm/<id>`) of the rows that are tied to it. */
  readonly known: readonly string[];
}

/** What was read of some guests alone. A guest about which a question could not be put narrowly enough is not in `guests`. */
export interface AskedRead {
  readonly rows: readonly Declaration[];
  readonly guests: readonly GuestKey[];
  readonly gone: readonly string[];
}

const MOST_A_QUESTION = 25;
/** More VMs than this fit a question only where NetBox does not know the filter, and then it leaves it out without a word. */
const MOST_FOUND = 100;

export interface AskedNeeds {
  readonly meaning: Meaning;
  readonly version: NetboxVersion | undefined;
  readonly known: ReadonlyMap<string, KeptDeclaration>;
}

export async function readAsked(reading: Reading, asked: readonly AskedGuest[], needs: AskedNeeds): Promise<AskedRead> {
  const rows = new Map<string, Declaration>();
  const guests: GuestKey[] = [];
  const gone: string[] = [];
  for (const some of shares(asked)) {
    const read = await readSome(reading, some, needs);
    for (const row of read.rows) rows.set(row.key, row);
    guests.push(...read.guests);
    gone.push(...read.gone);
  }
  return { rows: [...rows.values()], guests, gone: [...new Set(gone)] };
}

/** As many guests together as one question has room for the MACs, or the names, of. */
function shares(asked: readonly AskedGuest[]): readonly (readonly AskedGuest[])[] {
  const all: AskedGuest[][] = [];
  let room = 0;
  for (const guest of asked) {
    const { name, macs } = guest;
    const length = Math.max(oneOf('mac_address', macs).length, oneOf('name__isw', [name ?? '', name ?? '']).length) + 2;
    const last = all.at(-1);
    if (last !== undefined && last.length < MOST_A_QUESTION && length <= room) {
      last.push(guest);
      room -= length;
    } else {
      all.push([guest]);
      room = LONGEST_QUERY - length;
    }
  }
  return all;
}

async function readSome(reading: Reading, asked: readonly AskedGuest[], needs: AskedNeeds): Promise<AskedRead> {
  const ids = [...new Set(asked.flatMap(({ known }) => known.flatMap(idOfKey)))];
  const tied = await lookUp(reading, needs, [oneOf('id', ids)]);
  const found = new Map((tied ?? []).map((machine) => [machine.id, machine]));
  const isTied = ({ known }: AskedGuest) => known.flatMap(idOfKey).some((id) => found.has(id));
  const others = await Promise.all(questions(asked, needs).map((ways) => lookUp(reading, needs, ways)));
  for (const machine of others.flatMap((machines) => machines ?? [])) found.set(machine.id, machine);
  const isAnswered = tied !== undefined && others.every((machines) => machines !== undefined);

  const { rows, assigned } = await withParts(reading, [...found.values()], needs);
  return {
    rows,
    guests: asked.filter((each) => isAnswered || isTied(each)).map(({ guest }) => guest),
    gone: [
      ...(tied === undefined ? [] : ids.filter((id) => !found.has(id)).map((id) => `vm/${id}`)),
      // Until lately nobody's, now an address of one of these VMs.
      ...assigned.filter((key) => needs.known.has(key)),
    ],
  };
}

/** By what else a guest may be known, each with a stricter way to ask where the first one finds too much. */
function questions(asked: readonly AskedGuest[], { meaning, known }: AskedNeeds): readonly (readonly Query[])[] {
  const field = `cf_${meaning.settings.vmidField}`;
  const vmids = hasVmids(known) ? asked.map(({ vmid }) => vmid) : [];
  const names = [...new Set(asked.flatMap(({ name }) => (name === null ? [] : [name, host(name)])))];
  const hosts = [...new Set(names.map(host))];
  return [
    // A text field is searched loosely by default (1010 for 101); a number's has no such way and is exact.
    [oneOf(field, vmids), oneOf(`${field}__ie`, vmids)],
    [oneOf('mac_address', [...new Set(asked.flatMap(({ macs }) => macs))])],
    [oneOf('name', names)],
    [
      oneOf(
        'name__isw',
        hosts.map((name) => `${name}.`),
      ),
    ],
  ];
}

/** Whether VMs have VMIDs here, as far as is known: a field that does not exist would be asked for in vain. */
function hasVmids(known: AskedNeeds['known']): boolean {
  let machines = 0;
  for (const row of known.values()) {
    if (row.kind !== 'vm') continue;
    if (row.vmid !== null) return true;
    machines += 1;
  }
  return machines === 0;
}

/** The VMs that a question finds, by the first of its ways that finds few; undefined: none of them does. */
async function lookUp(
  reading: Reading,
  { meaning }: AskedNeeds,
  ways: readonly Query[],
): Promise<readonly Machine[] | undefined> {
  const machines = list.machines(meaning.settings.vmidField);
  for (const query of ways) {
    if (query === '') return [];
    const { rows, count } = await readPage(reading, machines, query, MOST_FOUND);
    if (count <= rows.length) return rows.flatMap((row) => machines.read(row) ?? []);
  }
  return undefined;
}

async function withParts(reading: Reading, machines: readonly Machine[], { meaning, version }: AskedNeeds) {
  const ids = machines.map(({ id }) => id);
  const interfaces = await readByIds(reading, list.interfaces(version), 'virtual_machine_id', ids);
  const addresses = await readByIds(reading, list.addresses, 'virtual_machine_id', ids);
  const rows = vmRows({ version, machines, interfaces, addresses }, meaning);
  return { rows, assigned: addresses.map(({ id }) => `ip/${id}`) };
}

function idOfKey(key: string): readonly number[] {
  const id = /^vm\/(\d+)$/.exec(key)?.[1];
  return id === undefined ? [] : [Number(id)];
}

function host(name: string): string {
  return name.split('.')[0] ?? name;
}
