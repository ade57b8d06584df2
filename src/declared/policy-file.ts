import { join } from 'node:path';
import { cidr } from '../domain/address.js';
import type { DeclaredProblem } from '../domain/declaration.js';
import { DRIFT_CATEGORIES, DRIFT_KINDS, SEVERITIES } from '../domain/finding.js';
import { type AddressClass, DEFAULT_POLICY, type Policy } from '../domain/policy.js';
import { DAY } from '../domain/time.js';
import { duration } from './duration.js';
import { Fields, type Report } from './fields.js';
import { ignoreRules } from './ignore-entries.js';
import { didYouMean } from './nearest-word.js';
import { notifyTargets } from './notify-entries.js';
import { readSettled } from './read-settled.js';
import { pathText, readYaml } from './yaml-file.js';

type Refused = { readonly kind: 'refused'; readonly problems: readonly DeclaredProblem[] };

/** `text` is what to keep as the last good policy: parsing it again gives the same one. */
export type PolicyRead = { readonly kind: 'read'; readonly policy: Policy; readonly text: string } | Refused;

/** A look at the file: what it says, and the SHA-256 of its content. */
export type PolicyFileRead =
  | { readonly kind: 'absent' }
  | (Extract<PolicyRead, { kind: 'read' }> & { readonly contentHash: string })
  | Refused;

export const POLICY_FILE = 'policy.yaml';
const KEYS = [
  'precedence',
  'severities',
  'addresses',
  'settle',
  'certificates',
  'notify',
  'redis',
  'retention',
  'ignore',
  'categories',
  'acknowledged',
];
/** Promised settings that come with later versions. They guard access or change what happens, so they are refused, not ignored. */
const NOT_SUPPORTED_YET = ['tenants', 'roles', 'metadata', 'approvals', 'requireRevision'];
/** Written empty, these say no more than their default. */
const EMPTY_BY_DEFAULT = ['requireRevision'];
const SOURCES = ['netbox', 'ALL_VMIDS_ENDPOINTS.md', 'ip-addresses.conf'];
const CLASSES: readonly AddressClass[] = ['node', 'gateway', 'virtual', 'dynamic', 'external'];
/** Kinds that a policy may already name though nothing tells them yet. */
const LATER_KINDS = ['PORT_DIFFERS', 'SKU_UNKNOWN'];
const SETTLING = ['STATUS_DIFFERS', 'NODE_DIFFERS', 'ADDRESS_DIFFERS', 'PROXY_TARGET_STOPPED'];

/** Reads CONFIG_DIR's `policy.yaml` once it has stood still. Throws only when `signal` aborts. */
export async function readPolicy(dir: string, signal: AbortSignal): Promise<PolicyFileRead> {
  const read = await readSettled(join(dir, POLICY_FILE), signal);
  switch (read.kind) {
    case 'missing':
      return { kind: 'absent' };
    case 'unreadable':
      return refusedFor(POLICY_FILE, read.reason);
    case 'read': {
      const parsed = parsePolicy(read.text);
      return parsed.kind === 'read' ? { ...parsed, contentHash: read.hash } : parsed;
    }
  }
}

/** Taken whole or not at all: one bad entry refuses the file, as half a policy could open what it was to close. */
export function parsePolicy(text: string): PolicyRead {
  if (text.trim() === '')
    return refusedFor(`${POLICY_FILE}:1`, 'is empty: write a comment to say that every default holds');
  const read = readYaml(text, POLICY_FILE);
  if (read.kind === 'unreadable') return refusedFor(read.location, read.what);
  const problems: DeclaredProblem[] = [];
  const report: Report = (path, message) => {
    problems.push({ location: read.file.locate(path), message: `${pathText(path)} ${message}`.trim() });
  };
  const top = Fields.of(read.file.value ?? {}, [], report);
  const policy = top === undefined ? DEFAULT_POLICY : policyOf(top);
  return problems.length > 0 ? { kind: 'refused', problems } : { kind: 'read', policy, text };
}

function refusedFor(location: string, message: string): Refused {
  return { kind: 'refused', problems: [{ location, message }] };
}

function policyOf(top: Fields): Policy {
  top.allow([...KEYS, ...NOT_SUPPORTED_YET]);
  for (const key of NOT_SUPPORTED_YET)
    if (top.raw(key) !== undefined && !(EMPTY_BY_DEFAULT.includes(key) && isEmpty(top.raw(key))))
      top.report(key, 'is not supported by this version: remove it');
  return {
    ...DEFAULT_POLICY,
    ...precedence(top),
    severities: byKind(top, 'severities', SEVERITIES),
    categories: byKind(top, 'categories', DRIFT_CATEGORIES),
    ignore: ignoreRules(top, LATER_KINDS),
    ...acknowledged(top),
    ...addresses(top),
    ...settling(top),
    ...certificates(top),
    notify: notifyTargets(top),
    ...redis(top),
    ...retention(top),
  };
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

function precedence(top: Fields): Partial<Policy> {
  const list = top.list('precedence');
  if (list === undefined) return {};
  const names = list.map(String);
  for (const [index, name] of names.entries()) {
    const say = (message: string): void => top.reportItem('precedence', index, message);
    if (!SOURCES.includes(name)) say(`"${name}" is no declared source${didYouMean(name, SOURCES)}`);
    else if (names.indexOf(name) !== index) say(`"${name}" is named twice`);
  }
  return { precedence: names };
}

/** One of these words for each kind that is written. */
function byKind<const T extends string>(top: Fields, key: string, words: readonly T[]) {
  const told: Partial<Record<(typeof DRIFT_KINDS)[number], T>> = {};
  const map = top.map(key);
  if (map === undefined) return told;
  map.allow([...DRIFT_KINDS, ...LATER_KINDS]);
  for (const kind of LATER_KINDS) map.oneOf(kind, words);
  for (const kind of DRIFT_KINDS) {
    const word = map.oneOf(kind, words);
    if (word !== undefined) told[kind] = word;
  }
  return told;
}

function acknowledged(top: Fields): Partial<Policy> {
  const map = top.map('acknowledged');
  if (map === undefined) return {};
  map.allow(['againWithin']);
  return { acknowledgedAgainWithin: time(map, 'againWithin', DEFAULT_POLICY.acknowledgedAgainWithin) };
}

function time(map: Fields, key: string, fallback: number): number {
  if (map.raw(key) === undefined) return fallback;
  const length = duration(map.raw(key));
  if (length === undefined) map.report(key, 'must be a time with its unit, such as 30s, 5m, 1h or 30d');
  return length ?? fallback;
}

function addresses(top: Fields): Partial<Policy> {
  const map = top.map('addresses');
  if (map === undefined) return {};
  map.allow(['classes', 'unusedDespiteUnread']);
  const unusedDespiteUnread = map.flag('unusedDespiteUnread') ?? DEFAULT_POLICY.unusedDespiteUnread;
  const addressClasses = (map.list('classes') ?? []).flatMap((_, index) => addressClass(map, index));
  return { unusedDespiteUnread, addressClasses };
}

function addressClass(map: Fields, index: number): Policy['addressClasses'][number][] {
  const entry = map.listEntry('classes', index);
  if (entry === undefined) return [];
  entry.require(['cidr', 'class']);
  entry.allow(['cidr', 'class']);
  const text = entry.text('cidr');
  const network = text === undefined ? undefined : cidr(text);
  const named = entry.oneOf('class', CLASSES);
  if (text !== undefined && network === undefined)
    entry.report('cidr', `"${text}" is no address or prefix such as 10.0.0.0/24`);
  return network === undefined || named === undefined ? [] : [{ cidr: network, class: named }];
}

function settling(top: Fields): Partial<Policy> {
  const map = top.map('settle');
  if (map === undefined) return {};
  map.allow(SETTLING);
  const { settle, addressAfterStart } = DEFAULT_POLICY;
  return {
    settle: {
      status: time(map, 'STATUS_DIFFERS', settle.status),
      node: time(map, 'NODE_DIFFERS', settle.node),
      proxyTarget: time(map, 'PROXY_TARGET_STOPPED', settle.proxyTarget),
    },
    addressAfterStart: time(map, 'ADDRESS_DIFFERS', addressAfterStart),
  };
}

/** What the view itself looks back on at a start is never older. */
const SHORTEST_KEPT = DAY;

function retention(top: Fields): Partial<Policy> {
  const map = top.map('retention');
  if (map === undefined) return {};
  map.allow(['events', 'runs', 'versions']);
  const kept = (what: keyof Policy['retention']): number => {
    const usual = DEFAULT_POLICY.retention[what];
    if (map.raw(what) === undefined) return usual;
    const length = duration(map.raw(what));
    if (length === undefined || length < SHORTEST_KEPT) map.report(what, 'must be a time of 1d or more, such as 90d');
    return length ?? usual;
  };
  return { retention: { events: kept('events'), runs: kept('runs'), versions: kept('versions') } };
}

/** Longer than any certificate that is given out. */
const MOST_DAYS = 3_650;

function certificates(top: Fields): Partial<Policy> {
  const map = top.map('certificates');
  if (map === undefined) return {};
  map.allow(['warningDays', 'criticalDays']);
  const { certificates: usual } = DEFAULT_POLICY;
  const warning = map.wholeNumber('warningDays', 0, MOST_DAYS);
  const critical = map.wholeNumber('criticalDays', 0, MOST_DAYS);
  if (warning !== undefined && critical !== undefined && critical > warning)
    map.report('criticalDays', `${critical} would be critical before the warning at ${warning}`);
  // What is not written gives way to what is.
  const warningDays = warning ?? Math.max(usual.warningDays, critical ?? 0);
  const criticalDays = critical ?? Math.min(usual.criticalDays, warningDays);
  return { certificates: { warningDays, criticalDays } };
}

const LONGEST_STREAM = 100_000_000;

function redis(top: Fields): Partial<Policy> {
  const map = top.map('redis');
  if (map === undefined) return {};
  map.allow(['maxLength']);
  const maxLength = map.wholeNumber('maxLength', 1, LONGEST_STREAM) ?? DEFAULT_POLICY.redis.maxLength;
  return { redis: { maxLength } };
}
