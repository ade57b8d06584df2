import { type IpAddress, ipWithPrefix } from '../domain/address.js';
import type { AddressDeclaration, DeclaredProblem, KeyConflict } from '../domain/declaration.js';
import { type ShellValue, shellLine } from './shell-words.js';
import { isGarbled, textLines } from './text-lines.js';

export interface AddressFile {
  readonly rows: readonly AddressDeclaration[];
  readonly problems: readonly DeclaredProblem[];
  readonly keyConflicts: readonly KeyConflict[];
}

type Literal = NonNullable<ReturnType<typeof ipWithPrefix>>;
interface Writing {
  readonly location: string;
  readonly literals: readonly Literal[];
}

/**
 * Reads `ip-addresses.conf`: literals are declarations, `$X` is another name for one, all else is listed with its line.
 * Messages name keys, never values: such files hold passwords too.
 */
export function parseAddressFile(text: string, file = 'ip-addresses.conf'): AddressFile {
  const problems: DeclaredProblem[] = [];
  const writings = new Map<string, Writing[]>();
  for (const [index, line] of textLines(text).entries()) {
    const location = `${file}:${index + 1}`;
    for (const { label, literals, problem } of readLine(line)) {
      if (problem !== undefined) problems.push({ location, message: problem });
      const earlier = writings.get(label) ?? [];
      if (literals.length > 0) writings.set(label, [...earlier, { location, literals }]);
      else if (label !== '' && earlier.length > 0)
        problems.push({
          location,
          message: `${label} is set again to something that is no literal address: what ${earlier.at(-1)?.location} says still counts`,
        });
    }
  }
  return {
    rows: [...writings].flatMap(([label, written]) => declarations(label, written.at(-1))),
    problems,
    keyConflicts: [...writings].flatMap(([label, written]) => conflictOf(label, written)),
  };
}

interface ReadKey {
  /** '' where the line has no key at all. */
  readonly label: string;
  readonly literals: readonly Literal[];
  readonly problem?: string;
}

function readLine(line: string): readonly ReadKey[] {
  if (isGarbled(line))
    return [{ label: '', literals: [], problem: 'this line holds bytes that are not text: it was skipped' }];
  const read = shellLine(line);
  switch (read.kind) {
    case 'nothing':
      return [];
    case 'other':
      return [{ label: '', literals: [], problem: `${read.reason}: it was skipped` }];
    case 'assignments':
      return read.assignments.map(({ label, value }) => readKey(label, value));
  }
}

function readKey(label: string, value: ShellValue): ReadKey {
  switch (value.kind) {
    case 'alias':
      return { label, literals: [] };
    case 'other':
      return { label, literals: [], problem: `${label}: only a shell could tell this value: it was skipped` };
    case 'literal':
    case 'default': {
      const literals = literalsOf(value.text);
      if (literals.length > 0) return { label, literals };
      return { label, literals, problem: `${label}: the value is not an IPv4 or IPv6 address: it was skipped` };
    }
  }
}

/** Every address of a value that holds nothing but addresses, separated by blanks or commas; else none. */
function literalsOf(text: string): readonly Literal[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  const literals = words.map(ipWithPrefix).filter((literal) => literal !== undefined);
  return literals.length === words.length ? literals : [];
}

function declarations(label: string, written: Writing | undefined): AddressDeclaration[] {
  return (written?.literals ?? []).map(({ address, prefixLength }, index) => ({
    kind: 'address',
    key: index === 0 ? label : `${label}#${index + 1}`,
    location: written?.location ?? '',
    address,
    prefixLength,
    label,
  }));
}

/** A key written again with the same addresses contradicts nothing. */
function conflictOf(label: string, written: readonly Writing[]): KeyConflict[] {
  const said = new Set(written.map(({ literals }) => addressesOf(literals).toSorted().join(' ')));
  if (said.size < 2) return [];
  const facts = written.flatMap(({ literals, location }) =>
    addressesOf(literals).map((address) => ({ address, location })),
  );
  return [{ label, facts }];
}

function addressesOf(literals: readonly Literal[]): IpAddress[] {
  return literals.map(({ address }) => address);
}
