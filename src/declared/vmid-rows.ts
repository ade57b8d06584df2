import type { Declaration, DeclaredProblem, GuestDeclaration } from '../domain/declaration.js';
import { isStruck, plainText, saysNothing, withoutStruck } from './markdown-cell.js';
import type { MarkdownTable, TableRow } from './markdown-tables.js';
import { statusWord } from './status-word.js';
import { isGarbled } from './text-lines.js';
import { type AddressCell, addressCell, nameCell, nodeCell, vmidCell } from './vmid-cells.js';
import type { VmidColumns } from './vmid-columns.js';

type Field = GuestDeclaration['unreadable'][number];

/** A row as read, before it is known how many rows above it bear the same VMID. */
export type ReadRow = Declaration extends infer D ? (D extends Declaration ? Omit<D, 'key'> : never) : never;

export interface ReadVmidRow {
  readonly row: ReadRow;
  /** What its key is made of, besides the ordinal. */
  readonly keyText: string;
  readonly problems: readonly DeclaredProblem[];
}

/** Reads the rows of one table that has a VMID column. Every doubt ends here, in `unreadable` and a line to look at. */
export function vmidRows(table: MarkdownTable, columns: VmidColumns, file: string): ReadVmidRow[] {
  const width = table.header?.cells.length ?? 0;
  return table.rows
    .filter((row) => row.cells.some((cell) => !saysNothing(plainText(cell))))
    .map((row) => readRow(row, columns, { file, width, headings: table.headings }));
}

interface Around {
  readonly file: string;
  readonly width: number;
  readonly headings: readonly string[];
}

function readRow(row: TableRow, columns: VmidColumns, around: Around): ReadVmidRow {
  const location = `${around.file}:${row.line}`;
  const vmidText = row.cells[columns.vmid] ?? '';
  const vmid = vmidCell(vmidText);
  const struck = isStruck(vmidText);
  const cells = new RowCells(row, columns, struck);
  // A pipe too many shifts what follows it: no cell of the row can be trusted to stand under its header.
  const shifted = row.cells.slice(around.width).some((cell) => cell !== '');
  if (shifted) cells.distrustAll(`the row has ${row.cells.length} cells under ${around.width} headers`);
  if (vmid.kind === 'unreadable') return unreadableRow(vmid.reason, vmidText, cells, location);
  const range = vmid.from === vmid.to ? `${vmid.from}` : `${vmid.from}-${vmid.to}`;
  return {
    keyText: range,
    problems: cells.doubts.map((doubt) => ({ location, message: `VMID ${range}: ${doubt}` })),
    row: {
      kind: 'guest',
      location,
      from: vmid.from,
      to: vmid.to,
      text: plainText(vmidText),
      cluster: cells.cluster,
      headings: around.headings,
      name: cells.name ?? (cells.unreadable.includes('name') ? null : vmid.hint),
      node: cells.node,
      status: struck ? { word: 'struck through', means: 'retired' } : cells.status,
      addresses: cells.addresses.addresses,
      unreadable: cells.unreadable,
    },
  };
}

/** It declares nothing, but shields whoever bears its name or one of its addresses from being called undeclared. */
function unreadableRow(reason: string, vmidText: string, cells: RowCells, location: string): ReadVmidRow {
  const { name } = cells;
  const { addresses } = cells.addresses;
  const row: ReadRow = { kind: 'unreadable', location, name, addresses, reason };
  const keyText = `?${name ?? addresses[0] ?? plainText(vmidText)}`;
  return { row, keyText, problems: [{ location, message: `${reason}: this row declares no guest` }] };
}

/** The cells of one row under the names of their columns. */
class RowCells {
  readonly name: string | null;
  readonly node: string | null;
  readonly cluster: string | null;
  readonly status: GuestDeclaration['status'];
  readonly addresses: AddressCell;
  readonly unreadable: Field[] = [];
  readonly doubts: string[] = [];
  readonly #columns: VmidColumns;

  constructor(row: TableRow, columns: VmidColumns, struck: boolean) {
    this.#columns = columns;
    // What is struck through inside a row is no longer said; a row struck as a whole says what it said of a retired guest.
    const cell = (at: number | undefined): string =>
      at === undefined ? '' : struck ? (row.cells[at] ?? '') : withoutStruck(row.cells[at] ?? '');
    this.name = this.#read('name', cell(columns.name), nameCell, 'is no name that a guest can have');
    this.node = this.#read('node', cell(columns.node), nodeCell, 'is not the name of one node');
    this.status = this.#read('status', cell(columns.status), statusWord, 'is no status');
    this.cluster = this.#cluster(cell(columns.cluster));
    this.addresses = this.#addresses(columns.addresses.map(cell));
  }

  distrustAll(reason: string): void {
    const { name, node, status, addresses } = this.#columns;
    const has: Record<Field, boolean> = {
      name: name !== undefined,
      node: node !== undefined,
      status: status !== undefined,
      addresses: addresses.length > 0,
    };
    for (const field of ['name', 'node', 'status', 'addresses'] as const)
      if (has[field] && !this.unreadable.includes(field)) this.unreadable.push(field);
    this.doubts.push(`${reason} (is a | not written as \\| ?): nothing but its VMID is compared`);
  }

  #read<T>(field: Field, cell: string, read: (cell: string) => T | null | undefined, complaint: string): T | null {
    const value = isGarbled(cell) ? undefined : read(cell);
    if (value !== undefined) return value;
    this.unreadable.push(field);
    this.doubts.push(`"${shown(cell)}" ${complaint}: its ${field} is not compared`);
    return null;
  }

  #cluster(cell: string): string | null {
    const text = plainText(cell);
    return saysNothing(text) ? null : text;
  }

  #addresses(cells: readonly string[]): AddressCell {
    const read = cells.map(addressCell);
    const garbled = cells.some(isGarbled);
    const doubtful = read.flatMap((cell) => cell.doubtful);
    if (garbled || doubtful.length > 0) {
      this.unreadable.push('addresses');
      const what = garbled ? 'bytes that are not text' : doubtful.map((word) => `"${shown(word)}"`).join(', ');
      this.doubts.push(`${what} in its address cell: its addresses are not compared`);
    }
    return { addresses: [...new Set(read.flatMap((cell) => cell.addresses))], doubtful };
  }
}

/** Short and printable, for a message. */
function shown(cell: string): string {
  const text = plainText(cell).replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
