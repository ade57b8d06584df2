import type { DeclaredProblem } from '../domain/declaration.js';
import { plainText } from './markdown-cell.js';
import { textLines } from './text-lines.js';

export interface TableRow {
  readonly line: number;
  readonly cells: readonly string[];
}

/** One run of rows under one header; `header` is null where rows stand without any. */
export interface MarkdownTable {
  readonly header: TableRow | null;
  readonly rows: readonly TableRow[];
  /** Headings that the table stands under, the nearest (deepest) first, without markup. */
  readonly headings: readonly string[];
}

export interface MarkdownTables {
  readonly tables: readonly MarkdownTable[];
  readonly problems: readonly DeclaredProblem[];
}

/** No table of people is wider; what is must not cost minutes to look at. */
const LONGEST_LINE = 8000;

interface Heading {
  readonly level: number;
  readonly text: string;
}

/**
 * Every pipe table of a Markdown text, with the headings above it. What stands in code fences or in comments does not count.
 * A header is a row above a `|---|` row, or one that `isHeader` knows: people forget the dashes.
 */
export function markdownTables(
  text: string,
  file: string,
  isHeader: (cells: readonly string[]) => boolean,
): MarkdownTables {
  const { lines, problems } = visibleLines(text, file);
  const tables: MarkdownTable[] = [];
  let headings: readonly Heading[] = [];
  let block: TableRow[] = [];
  const close = (): void => {
    tables.push(...tablesOf(block, headings, isHeader));
    block = [];
  };
  for (const [index, line] of lines.entries()) {
    const heading = headingAt(line, lines[index + 1], block.length > 0);
    if (heading !== undefined) {
      close();
      headings = [heading, ...headings.filter(({ level }) => level < heading.level)];
    } else if (line === undefined) {
      close();
    } else if (hasPipe(line)) {
      block.push({ line: index + 1, cells: splitRow(line) });
    }
    // A line without a pipe below a table is, to Markdown, still part of it, and the rows after it are too.
  }
  close();
  return { tables, problems };
}

/** Stands for a line that is passed over without ending the table around it: a row taken out by a comment. */
const PASSED_OVER = '';

/** The lines that a reader of the rendered page sees; undefined where code ends a table. Line numbers hold. */
function visibleLines(text: string, file: string): { lines: (string | undefined)[]; problems: DeclaredProblem[] } {
  const lines: (string | undefined)[] = [];
  const problems: DeclaredProblem[] = [];
  const tell = (line: number, message: string): void => {
    problems.push({ location: `${file}:${line}`, message });
  };
  let hiding: Hiding | undefined;
  for (const [index, raw] of textLines(text).entries()) {
    const line = raw.replace(/^\s*(?:>\s?)+/, '');
    const hidden = hiding;
    if (hiding === undefined) hiding = hidingFrom(line, index + 1);
    else if (hiding.endsAt(line)) hiding = undefined;
    const what = (hidden ?? hiding)?.what;
    if (what === 'code fence') lines.push(undefined);
    else if (what === 'comment' || /^\s*<!--/.test(line)) lines.push(PASSED_OVER);
    else if (line.length > LONGEST_LINE) {
      lines.push(PASSED_OVER);
      tell(index + 1, `this line is longer than ${LONGEST_LINE} characters: it was skipped`);
    } else lines.push(line.trim() === '' ? undefined : line);
  }
  if (hiding !== undefined)
    tell(hiding.line, `the ${hiding.what} that opens here is never closed: no table below it was read`);
  return { lines, problems };
}

/** A code fence or a comment of several lines. */
interface Hiding {
  readonly what: 'code fence' | 'comment';
  readonly line: number;
  endsAt(line: string): boolean;
}

function hidingFrom(line: string, number: number): Hiding | undefined {
  const mark = /^\s*(?:(`{3,})[^`]*|(~{3,}).*)$/.exec(line);
  if (mark !== null) {
    const opened = mark[1] ?? mark[2] ?? '';
    const endsAt = (end: string): boolean => /^\s*(`{3,}|~{3,})\s*$/.exec(end)?.[1]?.startsWith(opened) ?? false;
    return { what: 'code fence', line: number, endsAt };
  }
  if (!/^\s*<!--/.test(line) || line.includes('-->')) return undefined;
  return { what: 'comment', line: number, endsAt: (end) => end.includes('-->') };
}

function headingAt(line: string | undefined, next: string | undefined, inTable: boolean): Heading | undefined {
  const hashes = /^\s{0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/.exec(line ?? '');
  if (hashes !== null) return { level: hashes[1]?.length ?? 1, text: plainText(hashes[2] ?? '') };
  if (inTable || line === undefined || line.trim() === '' || hasPipe(line)) return undefined;
  const underline = /^\s{0,3}(=+|-+)\s*$/.exec(next ?? '')?.[1];
  return underline === undefined ? undefined : { level: underline.startsWith('=') ? 1 : 2, text: plainText(line) };
}

function hasPipe(line: string): boolean {
  return /(?:^|[^\\])\|/.test(line);
}

/** Cells between unescaped pipes; `\|` inside one is a pipe of its text. */
function splitRow(line: string): string[] {
  const cells = line
    .trim()
    .replace(/^\|/, '')
    .replace(/(^|[^\\])\|$/, '$1')
    .split(/(?<!\\)\|/);
  return cells.map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function isDashes({ cells }: TableRow): boolean {
  return cells.every((cell) => /^:?-+:?$/.test(cell)) && cells.length > 0;
}

/** Splits a run of pipe rows at its headers: two tables may stand without a blank line between them. */
function tablesOf(
  block: readonly TableRow[],
  headings: readonly Heading[],
  isHeader: (cells: readonly string[]) => boolean,
): MarkdownTable[] {
  const tables: { header: TableRow | null; rows: TableRow[]; headings: readonly string[] }[] = [];
  const above = headings.map(({ text }) => text).filter((text) => text !== '');
  for (const [index, row] of block.entries()) {
    if (isDashes(row)) continue;
    const next = block[index + 1];
    if ((next !== undefined && isDashes(next)) || isHeader(row.cells))
      tables.push({ header: row, rows: [], headings: above });
    else if (tables.length === 0) tables.push({ header: null, rows: [row], headings: above });
    else tables.at(-1)?.rows.push(row);
  }
  return tables;
}
