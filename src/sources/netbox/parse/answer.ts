import { CUT } from '../../transport/json-body.js';
import { wireObject } from '../../wire-values.js';
import { idOf, type Row } from './values.js';

/** What came over the wire, before anybody knows whether it is NetBox that speaks. */
export interface RawAnswer {
  readonly status: number;
  readonly reason: string;
  readonly contentType: string;
  readonly body: string;
}

/** What is needed to explain a refusal. */
export interface Question {
  /** The permission that the question takes, as NetBox calls it (`virtualization.view_virtualmachine`); null: none. */
  readonly permission: string | null;
  /** v1 is 40 hex digits, v2 (`nbt_…`) is understood from NetBox 4.5. */
  readonly token: 'v1' | 'v2';
}

export type Answer =
  | { readonly kind: 'content'; readonly content: unknown }
  | { readonly kind: 'refused'; readonly words: string };

/** An answer's content, or one sentence about what came instead and what to do. */
export function readAnswer(raw: RawAnswer, question: Question): Answer {
  const json = parsed(raw.body);
  if (raw.status === 200) return json.ok ? { kind: 'content', content: json.value } : refused(noJson(raw));
  const status = `${raw.status} ${raw.reason}`.trim();
  if (raw.status >= 300 && raw.status < 400) {
    return refused(`it redirects (${status}) instead of answering: write the address that NetBox itself answers at`);
  }
  const body = json.ok ? wireObject(json.value) : undefined;
  const detail = short(body?.detail);
  if (raw.status === 401 || raw.status === 403) return refused(`${raw.status} ${denial(detail, raw, question)}`);
  if (raw.status === 404)
    return refused(
      `${status}: there is no NetBox API at this address, or no such list in its version; check url and its path`,
    );
  const complaint = detail ?? short(body?.exception) ?? short(body?.error) ?? complaints(body);
  const words = complaint === null ? status : `${status}: ${complaint}`;
  return refused(raw.status >= 500 ? `${words}; look at NetBox's log` : words);
}

/** NetBox answers 403 to whatever it does not admit; only the words tell why (its `netbox/api/authentication.py`, 3.7 to 4.6). */
const DENIALS: readonly (readonly [RegExp, string])[] = [
  [
    /^Invalid (v[12] )?token/i,
    'it does not know this token: make one for a user who may read, and put it where tokenEnv or tokenFile of this source says',
  ],
  [/^Token expired/i, 'the token has expired: extend it or make another'],
  [/^Token disabled/i, 'the token is disabled: enable it or make another'],
  [/^User inactive/i, "the token's user is not active: activate it or use another's token"],
  [/^Source IP/i, "the token's allowed IPs do not contain the one that we come from"],
  [/^Client IP address could not/i, "the token is bound to IPs and NetBox's own proxy does not tell ours"],
];

function denial(detail: string | null, raw: RawAnswer, { permission, token }: Question): string {
  if (detail === null) {
    return `${raw.reason}: it does not sound like NetBox; check url, and whether a proxy in between asks for a login`.trim();
  }
  if (/^Authentication credentials were not provided/i.test(detail)) {
    const why =
      token === 'v2'
        ? 'tokens of version 2 (nbt_…) are understood from NetBox 4.5 on'
        : 'tokens of version 1 are not understood from NetBox 5.0 on';
    return `${detail} It saw no token it understands: ${why}; or a proxy before it takes the Authorization header away`;
  }
  if (/^You do not have permission/i.test(detail)) {
    const what = permission === null ? 'to view this' : permission;
    return `${detail} The token's user lacks the permission ${what}: add an object permission with the action "view"`;
  }
  const advice = DENIALS.find(([words]) => words.test(detail))?.[1];
  return advice === undefined ? detail : `${detail}: ${advice}`;
}

/** `{"field": ["complaint"]}` of a 400. */
function complaints(body: ReturnType<typeof wireObject>): string | null {
  const lines = Object.entries(body ?? {}).map(([field, words]) => `${field}: ${String(words)}`);
  return lines.length === 0 ? null : lines.join('; ').slice(0, LONGEST);
}

const LONGEST = 200;

function short(words: unknown): string | null {
  return typeof words === 'string' && words.trim() !== '' ? words.trim().slice(0, LONGEST) : null;
}

function noJson({ body, contentType }: RawAnswer): string {
  if (/^\s*[{[]/.test(body))
    return `the answer breaks off after ${body.length} characters: it is not whole JSON; ${CUT}`;
  const what =
    body === ''
      ? 'an empty answer'
      : contentType.includes('html') || /^\s*<(?:!doctype|html)/i.test(body)
        ? 'an HTML page'
        : contentType || 'no JSON';
  return foreign(what);
}

export function foreign(what: string): string {
  return `it answers, but is not a NetBox API: ${what}; check url and its port, and whether a proxy or a login page stands in between`;
}

function refused(words: string): Answer {
  return { kind: 'refused', words };
}

function parsed(body: string): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    return { ok: true, value: JSON.parse(body) };
  } catch {
    return { ok: false };
  }
}

/** One page of a list. */
export interface Page {
  /** How many rows the question has in all. */
  readonly count: number;
  readonly rows: readonly Row[];
  /** Whether NetBox names a next page. Where that lies is its own view of its address (http, an inner name) and not followed. */
  readonly isLast: boolean;
}

/** undefined: this is no list of NetBox. */
export function page(content: unknown): Page | undefined {
  const list = wireObject(content);
  if (list === undefined || typeof list.count !== 'number' || !Array.isArray(list.results)) return undefined;
  const rows: Row[] = [];
  for (const result of list.results) {
    const [fields, id] = [wireObject(result), idOf(result)];
    if (fields === undefined || id === undefined) return undefined;
    rows.push({ id, fields });
  }
  return { count: list.count, rows, isLast: list.next === null || list.next === undefined };
}

/** `major.minor` of `4.2.3`, `v3.7.8` or `4.1.0-Docker-3.0.1`. */
export interface NetboxVersion {
  readonly major: number;
  readonly minor: number;
}

export function netboxVersion(words: unknown): NetboxVersion | undefined {
  const found = typeof words === 'string' ? /^v?(\d+)\.(\d+)/.exec(words.trim()) : null;
  return found === null ? undefined : { major: Number(found[1]), minor: Number(found[2]) };
}

export function isBefore({ major, minor }: NetboxVersion, otherMajor: number, otherMinor: number): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
