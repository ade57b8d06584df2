import type {
  Declaration,
  DeclaredObservation,
  DeclaredOutcome,
  DeclaredProblem,
  KeptDeclaration,
} from '../domain/declaration.js';
import { isTooMuch, lostRows } from '../domain/lost-rows.js';
import type { Instant } from '../domain/time.js';
import { parseAddressFile } from './address-file.js';
import { readSettled } from './read-settled.js';
import { parseVmidTable } from './vmid-table.js';

/** What the store knows of a source: its last good rows, and the content that a person confirmed in spite of its losses. */
export interface KnownDeclarations {
  readonly rows: readonly KeptDeclaration[];
  readonly confirmedHash: string | null;
}

export interface DeclaredFileSource {
  readonly name: string;
  /** Looks once. Throws only when `signal` aborts: everything else is an outcome. */
  collect(known: KnownDeclarations, signal: AbortSignal): Promise<DeclaredOutcome>;
}

export interface DeclaredFile {
  readonly name: 'ip-addresses.conf' | 'ALL_VMIDS_ENDPOINTS.md';
  readonly path: string;
}

/** A declared source that is one file. It keeps nothing between calls. */
export function declaredFile(
  file: DeclaredFile,
  needs: { readonly now: () => Instant; readonly settleMs?: number },
): DeclaredFileSource {
  return {
    name: file.name,
    async collect(known, signal) {
      const at = needs.now();
      const read = await readSettled(file.path, signal, needs.settleMs);
      const knows = known.rows.some(({ kind }) => kind !== 'unreadable');
      switch (read.kind) {
        case 'missing':
          return nothing(at, knows, `${file.name} is not there`);
        case 'unreadable':
          return { kind: 'unreachable', at, reason: `${file.name}: ${read.reason}`, contentHash: null };
        case 'read':
          return judge(file.name, parse(file.name, read.text, known.rows), { at, known, hash: read.hash, knows });
      }
    },
  };
}

interface Parsed extends Pick<DeclaredObservation, 'problems' | 'keyConflicts'> {
  readonly rows: readonly Declaration[];
  /** Why no row of it may be believed; null: nothing is wrong with the file as a whole. */
  readonly broken: string | null;
}

function parse(name: DeclaredFile['name'], text: string, known: readonly Declaration[]): Parsed {
  if (name === 'ip-addresses.conf') return { ...parseAddressFile(text), broken: null };
  const { rows, problems, tables, lostHeaders } = parseVmidTable(text, known);
  const lost = tables === 0 && lostHeaders.length > 0;
  const broken = lost ? `it has lost its table header: no VMID column is left (see ${lostHeaders.join(', ')})` : null;
  return { rows: lost ? [] : rows, problems, keyConflicts: [], broken };
}

interface Judged {
  readonly at: Instant;
  readonly known: KnownDeclarations;
  readonly hash: string;
  readonly knows: boolean;
}

/** Whether what was read may replace what is known. */
function judge(name: string, parsed: Parsed, { at, known, hash, knows }: Judged): DeclaredOutcome {
  const declares = parsed.rows.filter(({ kind }) => kind !== 'unreadable');
  if (declares.length === 0)
    return nothing(
      at,
      knows,
      `${name}: ${parsed.broken ?? `no row in it declares anything${firstOf(parsed.problems)}`}`,
    );
  const loss = lostRows(known.rows, parsed.rows);
  if (isTooMuch(loss) && known.confirmedHash !== hash) {
    const reason = `${name} lost ${loss.lost} of ${loss.known} rows at once: its last good rows stay until the file has them again or a person confirms that they are gone (declaredConfirm)`;
    return { kind: 'unreachable', at, reason, contentHash: hash };
  }
  return { kind: 'observed', at, value: observation(at, parsed, declares.length), contentHash: hash };
}

/** A file that never declared anything covers nothing; one that did, and now does not, is not believed. */
function nothing(at: Instant, knows: boolean, reason: string): DeclaredOutcome {
  return knows ? { kind: 'unreachable', at, reason, contentHash: null } : { kind: 'absent', at, reason };
}

function firstOf(problems: readonly DeclaredProblem[]): string {
  const [first] = problems;
  if (first === undefined) return '';
  return ` (${problems.length} lines could not be read, the first is ${first.location}: ${first.message})`;
}

function observation(
  askedAt: Instant,
  { rows, problems, keyConflicts }: Parsed,
  rowCount: number,
): DeclaredObservation {
  const declaresGuests = rows.some(({ kind }) => kind === 'guest');
  const declaresAddresses = rows.some(
    (row) => row.kind === 'address' || (row.kind === 'guest' && row.addresses.length > 0),
  );
  return { askedAt, declaresGuests, declaresAddresses, rows, problems, keyConflicts, rowCount };
}
