import type { Doubted } from '../domain/settings.js';
import type { EntryContext } from './cluster-entry.js';
import { Fields, type Report } from './fields.js';
import type { Instead } from './instead.js';
import { type EntryDoubts, refuseInsecure, type VerifiedBy } from './proxmox-api-entry.js';
import { type Path, pathText } from './yaml-file.js';

export interface NamedEntries<T> {
  readonly entries: T[];
  /** False where an entry has no name that can be used: whatever it was meant to name must not be retired. */
  readonly whole: boolean;
}

/** The entries of a list of maps with a name each; one whose name cannot be used is reported and left out. */
export function namedEntries<T extends Doubted>(
  top: Fields,
  key: string,
  context: EntryContext,
  make: (name: string, fields: Fields, context: EntryContext) => T,
): NamedEntries<T> {
  const entries: T[] = [];
  const names = new Set<string>();
  let whole = true;
  const list = top.raw(key) === undefined ? [] : top.list(key);
  if (list === undefined) return { entries, whole: false };
  for (const [index, value] of list.entries()) {
    const path: Path = [key, index];
    const fields = Fields.of(value, path, context.report);
    const name = fields === undefined ? undefined : nameOf(fields, names, key);
    if (fields === undefined || name === undefined) whole = false;
    else {
      names.add(identityOf(name, fields, key));
      const doubts: string[] = [];
      const report: Report = (at, message) => {
        doubts.push(`${context.locate(at)}: ${pathText(at)} ${message}`);
        context.report(at, message);
      };
      const made = make(name, fields.reportingTo(report), { ...context, report });
      entries.push(doubts.length === 0 ? made : { ...made, doubts });
    }
  }
  return { entries, whole };
}

/** Two clusters may each have a host of one name. */
function identityOf(name: string, fields: Fields, list: string): string {
  return list === 'hosts' ? `${fields.raw('cluster')}/${name}` : name;
}

function nameOf(fields: Fields, earlier: ReadonlySet<string>, list: string): string | undefined {
  const left = list === 'clusters' ? 'this cluster was left out' : 'this entry was left out';
  if (fields.raw('name') === undefined) fields.report('name', `is missing: ${left}`);
  const name = fields.reportingTo((_, message) => fields.report('name', `${message}: ${left}`)).text('name');
  if (name === undefined) return undefined;
  const isTaken = earlier.has(identityOf(name, fields, list));
  const wrong = wrongName(name, isTaken, list);
  if (wrong === undefined) return name;
  fields.report('name', `${wrong}: ${left}`);
  return undefined;
}

function wrongName(name: string, isTaken: boolean, list: string): string | undefined {
  if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) return 'must be at most 64 letters, digits, dots, dashes and underscores';
  if (name.startsWith('sim-')) return `"${name}" begins with sim-, which only the simulated estate does`;
  if (isTaken) return `"${name}" is the name of an earlier ${list === 'clusters' ? 'cluster' : 'entry'}`;
  return undefined;
}

/** Where the doubts of an entry go; what makes it unusable is gathered in `broken`: it is unreachable then, and not retired. */
export function entryDoubts(context: EntryContext): EntryDoubts & { broken(): string | null } {
  const broken: string[] = [];
  return {
    report: context.report,
    warn: context.warn,
    breaks: (path, message) => {
      broken.push(`${context.locate(path)}: ${pathText(path)} ${message}`);
      context.refuse(path, message);
    },
    broken: () => (broken.length === 0 ? null : broken.join('; ')),
  };
}

interface Allowance {
  /** What is said of keys that are none. */
  readonly instead?: Instead;
  /** Keys of which somebody else says that they must not be there. */
  readonly refused?: readonly string[];
  /** How the peer is recognised, for whoever wrote `insecure`. */
  readonly by?: VerifiedBy;
}

/** Says of each key that nobody knows, and refuses `insecure`, which exists nowhere. */
export function allowOnly(
  fields: Fields,
  keys: readonly string[],
  doubts: EntryDoubts,
  { instead = {}, refused = [], by }: Allowance = {},
): void {
  fields.allow([...keys, ...refused, 'insecure'], instead);
  refuseInsecure(fields, doubts, by);
}
