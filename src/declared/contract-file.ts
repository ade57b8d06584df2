import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  COLLECTOR_NAMES,
  type CollectorContract,
  type CollectorName,
  type CollectorTerms,
} from '../domain/contract.js';
import type { DeclaredProblem } from '../domain/declaration.js';
import { Fields, type Report } from './fields.js';
import { pathText, readYaml } from './yaml-file.js';

export interface ContractRead {
  readonly contract: CollectorContract;
  readonly problems: readonly DeclaredProblem[];
}

export const CONTRACT_PATH = 'it-operations/live-collectors-contract.json';

/** What holds where no file says otherwise; also the text that is served then, and the file that is shipped. */
export const DEFAULT_CONTRACT_TEXT = `{
  "version": 1,
  "collectors": {
    "proxmox_guest_ipam": { "refresh_seconds": 3600, "stale_after_seconds": 7200, "on_failure": "keep_last" },
    "ip_neigh": { "refresh_seconds": 900, "enabled_by": "IT_COLLECT_IP_NEIGH", "on_failure": "omit" },
    "hardware": { "refresh_seconds": 604800, "on_failure": "keep_last" },
    "npm": { "refresh_seconds": 3600, "on_failure": "keep_last" },
    "unifi": { "refresh_seconds": 3600, "on_failure": "keep_last" },
    "netbox": { "refresh_seconds": 3600, "on_failure": "keep_last" }
  }
}
`;

const DEFAULT_TERMS: CollectorContract['collectors'] = {
  proxmox_guest_ipam: terms(3600),
  ip_neigh: { ...terms(900), onFailure: 'omit', enabledBy: 'IT_COLLECT_IP_NEIGH' },
  hardware: terms(604_800),
  npm: terms(3600),
  unifi: terms(3600),
  netbox: terms(3600),
};
const KEYS = ['refresh_seconds', 'stale_after_seconds', 'on_failure', 'enabled_by'];
const LONGEST_SECONDS = 31_536_000;

export const DEFAULT_CONTRACT: CollectorContract = {
  version: 1,
  collectors: DEFAULT_TERMS,
  text: DEFAULT_CONTRACT_TEXT,
  hash: sha256(DEFAULT_CONTRACT_TEXT),
};

function terms(refreshSeconds: number): CollectorTerms {
  return { refreshSeconds, staleAfterSeconds: 2 * refreshSeconds, onFailure: 'keep_last', enabledBy: undefined };
}

/** Reads the contract below CONFIG_DIR; without a file, or with one that cannot be read, the default holds. */
export async function readContract(dir: string): Promise<ContractRead> {
  try {
    const bytes = await readFile(join(dir, CONTRACT_PATH), { signal: AbortSignal.timeout(10_000) });
    const text = bytes.toString('utf8');
    // It is served byte for byte, which only a text that survives the round trip can be.
    if (Buffer.from(text, 'utf8').equals(bytes)) return parseContract(text);
    return defaultsBecause('is not UTF-8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR') return { contract: DEFAULT_CONTRACT, problems: [] };
    return defaultsBecause(`cannot be read (${code})`);
  }
}

/** One bad entry is reported and its default holds; a file that is no contract at all is not served either. */
export function parseContract(text: string): ContractRead {
  const json = notJson(text);
  if (json !== undefined) return defaultsBecause(`is not JSON: ${json}`);
  const read = readYaml(text.replace(/^\uFEFF/, ''), CONTRACT_PATH);
  if (read.kind === 'unreadable') return defaultsBecause(read.message);
  const problems: DeclaredProblem[] = [];
  const report: Report = (path, message) => {
    problems.push({ location: read.file.locate(path), message: `${pathText(path)} ${message}`.trim() });
  };
  const top = Fields.of(read.file.value, [], report);
  if (top === undefined) return defaultsBecause('must be a map of keys and values');
  top.require(['version', 'collectors']);
  const version = top.wholeNumber('version', 1, 1_000_000_000) ?? DEFAULT_CONTRACT.version;
  const map = top.map('collectors');
  map?.allow(COLLECTOR_NAMES);
  const collectors = { ...DEFAULT_TERMS };
  for (const name of COLLECTOR_NAMES) {
    const entry = map?.map(name);
    if (entry !== undefined) collectors[name] = collectorTerms(name, entry);
  }
  return { contract: { version, collectors, text, hash: sha256(text) }, problems };
}

function collectorTerms(name: CollectorName, entry: Fields): CollectorTerms {
  entry.allow(KEYS);
  entry.require(['refresh_seconds']);
  const refreshSeconds = entry.wholeNumber('refresh_seconds', 1, LONGEST_SECONDS) ?? DEFAULT_TERMS[name].refreshSeconds;
  const written = entry.wholeNumber('stale_after_seconds', 1, 2 * LONGEST_SECONDS);
  if (written !== undefined && written < refreshSeconds)
    entry.report(
      'stale_after_seconds',
      `must not be less than refresh_seconds (${refreshSeconds}): all would be stale always`,
    );
  const enabledBy = entry.text('enabled_by');
  const isName = enabledBy === undefined || /^[A-Za-z_][A-Za-z0-9_]*$/.test(enabledBy);
  if (!isName) entry.report('enabled_by', 'must be the name of an environment variable');
  return {
    refreshSeconds,
    staleAfterSeconds: written !== undefined && written >= refreshSeconds ? written : 2 * refreshSeconds,
    onFailure: entry.oneOf('on_failure', ['keep_last', 'omit']) ?? DEFAULT_TERMS[name].onFailure,
    // What names a wrong switch stays off: it falls back to the default one.
    enabledBy:
      isName && (enabledBy !== undefined || entry.raw('enabled_by') === undefined)
        ? enabledBy
        : DEFAULT_TERMS[name].enabledBy,
  };
}

function notJson(text: string): string | undefined {
  try {
    JSON.parse(text.replace(/^\uFEFF/, ''));
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function defaultsBecause(message: string): ContractRead {
  return {
    contract: DEFAULT_CONTRACT,
    problems: [{ location: CONTRACT_PATH, message: `${message}: the default contract holds` }],
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
