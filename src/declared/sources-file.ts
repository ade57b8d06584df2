import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DeclaredProblem } from '../domain/declaration.js';
import type { Secret, SourcesSettings } from '../domain/settings.js';
import { clusterEntry, type EntryContext } from './cluster-entry.js';
import { Fields, type Report } from './fields.js';
import { namedEntries } from './named-entries.js';
import { nearestWord } from './nearest-word.js';
import type { SourcesNeeds } from './proxmox-api-entry.js';
import { hostEntry, netboxEntry, npmEntry, unifiEntry } from './service-entries.js';
import { pathText, readYaml } from './yaml-file.js';

export type SourcesRead =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'read';
      readonly settings: SourcesSettings;
      readonly problems: readonly DeclaredProblem[];
      /** False while a cluster entry had to be left out: whatever it was meant to name must not be retired. */
      readonly whole: boolean;
      /** Other files that the settings came from (a CA, a secret): watch them too. */
      readonly files: readonly string[];
    }
  | { readonly kind: 'unreadable'; readonly message: string };

const FILE = 'sources.yaml';
const DECLARED_NAMES = ['ip-addresses.conf', 'ALL_VMIDS_ENDPOINTS.md', 'netbox'];
/** Promised services that come with later versions. */
const NOT_COLLECTED_YET = ['skuCatalogue', 'catalog'];
const KEYS = ['clusters', 'hosts', 'npm', 'unifi', 'netbox', 'declared', ...NOT_COLLECTED_YET];

/** Reads CONFIG_DIR's `sources.yaml`, and the files that it names. */
export async function readSources(
  dir: string,
  needs: { readonly secret: (name: string) => Secret | undefined },
): Promise<SourcesRead> {
  let text: string;
  try {
    text = await readFile(join(dir, FILE), { encoding: 'utf8', signal: AbortSignal.timeout(10_000) });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'absent' };
    return { kind: 'unreadable', message: `${FILE} cannot be read (${code})` };
  }
  const read = parseSources(text, { secret: needs.secret, file: (path) => readFileSync(resolve(dir, path), 'utf8') });
  return read.kind === 'read' ? { ...read, files: read.files.map((path) => resolve(dir, path)) } : read;
}

/** One bad entry is reported and left out, or kept as `broken`; only what is no settings file at all is unreadable. */
export function parseSources(text: string, needs: SourcesNeeds): SourcesRead {
  const read = readYaml(text, FILE);
  if (read.kind === 'unreadable') return read;
  const { value, locate } = read.file;
  const problems: DeclaredProblem[] = [];
  const warnings: string[] = [];
  const files = new Set<string>();
  const report: Report = (path, message) => {
    problems.push({ location: locate(path), message: `${pathText(path)} ${message}`.trim() });
  };
  const warn: Report = (path, message) => {
    warnings.push(`${locate(path)}: ${pathText(path)} ${message}`);
  };
  if (value === null || value === undefined)
    return { kind: 'unreadable', message: `${FILE}:1: is empty: write "clusters: []" to collect from nothing` };
  const top = Fields.of(value, [], report);
  const unreadable = top === undefined ? 'must be a map of keys and values' : clustersMissing(top);
  if (top === undefined || unreadable !== undefined)
    return { kind: 'unreadable', message: `${locate(['clusters'])}: ${unreadable}` };
  top.allow(KEYS);
  for (const key of NOT_COLLECTED_YET) warnOfLater(top, key, warn);
  const watchedNeeds: SourcesNeeds = {
    secret: (name) => needs.secret(name),
    file: (path) => {
      files.add(path);
      return needs.file(path);
    },
  };
  const { whole, ...named } = readEntries(top, { needs: watchedNeeds, report, refuse: report, warn, locate });
  const settings: SourcesSettings = { ...named, declaredOff: declaredOff(top), warnings };
  return { kind: 'read', settings, problems, whole, files: [...files] };
}

type Named = Pick<SourcesSettings, 'clusters' | 'hosts' | 'npm' | 'unifi' | 'netbox'>;

function readEntries(top: Fields, context: EntryContext): Named & { readonly whole: boolean } {
  const clusters = namedEntries(top, 'clusters', context, clusterEntry);
  const names = clusters.entries.map(({ name }) => name);
  const hosts = namedEntries(top, 'hosts', context, (name, fields, own) => hostEntry(name, fields, names, own));
  const npm = namedEntries(top, 'npm', context, npmEntry);
  const unifi = namedEntries(top, 'unifi', context, unifiEntry);
  const netbox = namedEntries(top, 'netbox', context, (name, fields, own) => netboxEntry(name, fields, names, own));
  return {
    clusters: clusters.entries,
    hosts: hosts.entries,
    npm: npm.entries,
    unifi: unifi.entries,
    netbox: netbox.entries,
    whole: [clusters, hosts, npm, unifi, netbox].every((list) => list.whole),
  };
}

/** Without its list of clusters the file would retire all of them: that must be said, not left out. */
function clustersMissing(top: Fields): string | undefined {
  const clusters = top.raw('clusters');
  if (Array.isArray(clusters)) return undefined;
  if (clusters !== undefined)
    return `clusters must be a list${clusters === null ? ', here it is empty: write "clusters: []" to collect from none' : ''}`;
  const near = top.keys().find((key) => nearestWord(key, KEYS) === 'clusters');
  return `clusters is missing${near === undefined ? '' : ` (is "${near}" meant to be it?)`}: write "clusters: []" to collect from none`;
}

function warnOfLater(top: Fields, key: string, warn: Report): void {
  if (!top.has(key)) return;
  const value = top.raw(key);
  const message = 'is set but this version does not collect from it yet';
  if (!Array.isArray(value)) warn([key], message);
  else for (const [index, entry] of value.entries()) warn([key, index], `${nameOf(entry)}${message}`);
}

function nameOf(entry: unknown): string {
  const name = typeof entry === 'object' && entry !== null && 'name' in entry ? entry.name : undefined;
  return typeof name === 'string' ? `(${name}) ` : '';
}

function declaredOff(top: Fields): string[] {
  const declared = top.has('declared') ? top.map('declared') : undefined;
  if (declared === undefined) return [];
  declared.allow(DECLARED_NAMES);
  return declared.keys().filter((name) => {
    if (!DECLARED_NAMES.includes(name)) return false;
    const value = declared.raw(name);
    if (value === 'off' || value === false) return true;
    if (value !== 'on' && value !== true) declared.report(name, 'must be on or off: it stays on');
    return false;
  });
}
