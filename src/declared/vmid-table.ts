import type { Declaration, DeclaredProblem, GuestDeclaration } from '../domain/declaration.js';
import { plainText } from './markdown-cell.js';
import { type MarkdownTable, markdownTables } from './markdown-tables.js';
import { vmidCell } from './vmid-cells.js';
import { vmidColumns } from './vmid-columns.js';
import { type ReadVmidRow, vmidRows } from './vmid-rows.js';

export interface VmidTable {
  readonly rows: readonly Declaration[];
  readonly problems: readonly DeclaredProblem[];
  /** Tables whose header has a VMID column. */
  readonly tables: number;
  /** Lines of tables that bore rows we know and have lost that header; their last good rows are among `rows`. */
  readonly lostHeaders: readonly string[];
}

/**
 * Reads every table with a VMID column. `known`: the rows of the last good read, by which a table is recognised
 * that lost its header: those rows stay until the header is back, as silence is not absence.
 */
export function parseVmidTable(
  text: string,
  known: readonly Declaration[] = [],
  file = 'ALL_VMIDS_ENDPOINTS.md',
): VmidTable {
  const found = markdownTables(text, file, isVmidHeader);
  const read: ReadVmidRow[] = [];
  const others: MarkdownTable[] = [];
  let tables = 0;
  for (const table of found.tables) {
    const columns = vmidColumns(table.header?.cells ?? []);
    if (columns === undefined) others.push(table);
    else {
      tables++;
      read.push(...vmidRows(table, columns, file));
    }
  }
  const rows = withKeys(read);
  const kept = keptRows(others, vanishedGuests(known, rows), file);
  return {
    rows: [...rows, ...withFreeKeys(kept.rows, rows)],
    problems: [...found.problems, ...read.flatMap(({ problems }) => problems), ...kept.problems],
    tables,
    lostHeaders: kept.problems.map(({ location }) => location),
  };
}

function isVmidHeader(cells: readonly string[]): boolean {
  return vmidColumns(cells) !== undefined && cells.every((cell) => vmidCell(cell).kind === 'unreadable');
}

/** A key is the VMID text and its ordinal, so that a line shifted by an edit elsewhere stays itself. */
function withKeys(read: readonly ReadVmidRow[]): Declaration[] {
  const seen = new Map<string, number>();
  return read.map(({ row, keyText }) => {
    const ordinal = (seen.get(keyText) ?? 0) + 1;
    seen.set(keyText, ordinal);
    return { ...row, key: `${keyText}#${ordinal}` };
  });
}

/** Known guest rows that no row of now stands for: none with their VMIDs under their headings. */
function vanishedGuests(known: readonly Declaration[], rows: readonly Declaration[]): GuestDeclaration[] {
  const place = (row: GuestDeclaration): string => [vmidText(row), ...row.headings].join('\n');
  const named = new Set(rows.flatMap((row) => (row.kind === 'guest' ? place(row) : [])));
  return known.filter((row) => row.kind === 'guest').filter((row) => !named.has(place(row)));
}

function vmidText({ from, to }: { readonly from: number; readonly to: number }): string {
  return `${from}-${to}`;
}

/** The last good rows of each table that is still there without its VMID header, with a line that says so. */
function keptRows(
  tables: readonly MarkdownTable[],
  vanished: readonly GuestDeclaration[],
  file: string,
): { rows: GuestDeclaration[]; problems: DeclaredProblem[] } {
  const rows = new Set<GuestDeclaration>();
  const problems: DeclaredProblem[] = [];
  for (const table of tables) {
    const line = table.header?.line ?? table.rows[0]?.line ?? 0;
    const location = `${file}:${line}`;
    const known = rowsKnownIn(table, vanished);
    for (const row of known) rows.add(row);
    if (known.length > 0) {
      const message = `the table here has lost its header with a VMID column: its last ${known.length} good rows stay until it is back`;
      problems.push({ location, message });
    } else if (table.header === null && mostlyVmids(table)) {
      const message = 'these rows stand under no header: a table is read where its header has a VMID column';
      problems.push({ location, message });
    }
  }
  return { rows: [...rows], problems };
}

/** Vanished rows that belong to a table: at least half of one column are their VMIDs, and with them come those under the same headings. */
function rowsKnownIn(table: MarkdownTable, vanished: readonly GuestDeclaration[]): readonly GuestDeclaration[] {
  const places = new Set(vanished.map(vmidText));
  const width = Math.max(0, ...table.rows.map(({ cells }) => cells.length));
  for (let column = 0; column < width; column++) {
    const texts = new Set(columnVmids(table, column).filter((text) => places.has(text)));
    if (texts.size === 0 || texts.size * 2 < table.rows.length) continue;
    const matched = vanished.filter((row) => texts.has(vmidText(row)));
    const headings = new Set(matched.map((row) => row.headings.join('\n')));
    return vanished.filter((row) => headings.has(row.headings.join('\n')));
  }
  return [];
}

function columnVmids(table: MarkdownTable, column: number): string[] {
  return table.rows.flatMap(({ cells }) => {
    const vmid = vmidCell(cells[column] ?? '');
    return vmid.kind === 'vmids' ? [vmidText(vmid)] : [];
  });
}

function mostlyVmids(table: MarkdownTable): boolean {
  const rows = table.rows.filter(({ cells }) => cells.some((cell) => vmidCell(cell).kind === 'vmids'));
  return rows.length * 2 > table.rows.length && table.rows.every(({ cells }) => plainText(cells.join('')) !== '');
}

/** Rows of before, bare again of what the store added; where a row of now took their key, under the next free one. */
function withFreeKeys(kept: readonly GuestDeclaration[], rows: readonly Declaration[]): Declaration[] {
  const taken = new Set(rows.map(({ key }) => key));
  return kept.map((row) => {
    let key = row.key;
    for (let ordinal = 1; taken.has(key); ordinal++) key = row.key.replace(/\d+$/, `${ordinal}`);
    taken.add(key);
    return { ...bare(row), key };
  });
}

function bare(row: GuestDeclaration): GuestDeclaration {
  const { kind, key, location, from, to, text, cluster, headings, name, node, status, addresses, unreadable } = row;
  return { kind, key, location, from, to, text, cluster, headings, name, node, status, addresses, unreadable };
}
