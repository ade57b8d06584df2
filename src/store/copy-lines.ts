/** From this many rows on, COPY beats a statement with arrays. */
export const COPY_ROWS = 2_000;

export type CopyValue = string | number | bigint | null;

/** Rows as lines of COPY's text format, each made when it is asked for. */
export function* copyLines<T>(rows: readonly T[], values: (row: T) => readonly CopyValue[]): Generator<string> {
  for (const row of rows) yield copyLine(values(row));
}

/** One line of COPY's text format. */
export function copyLine(values: readonly CopyValue[]): string {
  let line = '';
  for (let i = 0; i < values.length; i++) line += (i === 0 ? '' : '\t') + copyValue(values[i] ?? null);
  return `${line}\n`;
}

function copyValue(value: CopyValue): string {
  if (value === null) return '\\N';
  if (typeof value !== 'string') return String(value);
  return /[\\\t\n\r]/.test(value) ? value.replace(/[\\\t\n\r]/g, (c) => COPY_ESCAPES[c] ?? c) : value;
}

const COPY_ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };
