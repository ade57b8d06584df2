import type { Declaration } from './declaration.js';

export interface LostRows {
  readonly lost: number;
  readonly known: number;
}

const FEWEST = 5;
const SHARE = 0.2;

/**
 * How many known rows nothing in a new read stands for. Counted by what a row names (VMIDs, or an address), so that
 * a line shifted, a key renamed or a range written out row by row is no loss.
 */
export function lostRows(known: readonly Declaration[], now: readonly Declaration[]): LostRows {
  const standing = new Map<string, number>();
  for (const row of now) for (const name of standsFor(row)) standing.set(name, (standing.get(name) ?? 0) + 1);
  let lost = 0;
  let counted = 0;
  for (const row of known) {
    const names = namesOf(row);
    if (names.length === 0) continue;
    counted++;
    if (names.some((name) => (standing.get(name) ?? 0) === 0)) lost++;
    else for (const name of names) standing.set(name, (standing.get(name) ?? 0) - 1);
  }
  return { lost, known: counted };
}

/** Over 20 % and at least 5 rows at once: more likely an accident of saving than a decision. */
export function isTooMuch({ lost, known }: LostRows): boolean {
  return lost >= FEWEST && lost > known * SHARE;
}

/** What a row of the new read stands for: an address that went into a VM is no loss. */
function standsFor(row: Declaration): readonly string[] {
  return row.kind === 'vm' ? [...namesOf(row), ...row.addresses.map(({ address }) => address)] : namesOf(row);
}

function namesOf(row: Declaration): readonly string[] {
  switch (row.kind) {
    case 'guest':
      return Array.from({ length: row.to - row.from + 1 }, (_, index) => `${row.from + index}`);
    case 'address':
      return [row.address];
    // What a VM is called and bears may change; its id stays with it.
    case 'vm':
    case 'prefix':
    case 'device':
      return [row.key];
    case 'unreadable':
      return [];
  }
}
