import { hashOf } from '../../random.js';
import type { Answer } from '../answers.js';
import { json } from '../service.js';
import type { Pen, Wire } from './briefs.js';
import type { Endpoint } from './endpoints.js';
import type { NetboxFaultSettings } from './faults.js';

/** One call of a list. */
export interface ListCall {
  readonly endpoint: Endpoint;
  readonly pen: Pen;
  readonly query: URLSearchParams;
  /** `/api/ipam/vrfs/` */
  readonly path: string;
  /** Under which `next` and `previous` name this server. */
  readonly linked: string;
  readonly faults: NetboxFaultSettings;
}

const PAGE = 50;
const MOST = 1000;

/** `GET` of a list: filtered, sorted, one page of it. */
export function listing(call: ListCall): Answer {
  const { query, pen } = call;
  const wrong = wrongValues(call);
  if (wrong !== undefined) return json(400, wrong);
  if (pen.shelf.manners.cursors && query.has('start')) return fromCursor(call);
  const offset = whole(query.get('offset')) ?? 0;
  const limit = limitOf(query);
  const ids = asIfDeleted(call, offset, ordered(call, found(call)));
  const page = ids.slice(offset, offset + limit);
  const link = (at: number) => linkTo(call, { limit: String(limit), offset: at === 0 ? null : String(at) });
  return json(200, {
    count: ids.length,
    next: offset + limit < ids.length ? link(offset + limit) : null,
    previous: offset > 0 ? link(Math.max(0, offset - limit)) : null,
    results: page.map((id) => written(call, id)),
  });
}

/** Since 4.6: by id, from one on, and uncounted. */
function fromCursor(call: ListCall): Answer {
  const { query } = call;
  if (query.has('offset') || query.has('ordering'))
    return json(400, { detail: 'start cannot be combined with offset or ordering.' });
  const start = whole(query.get('start')) ?? 0;
  const limit = limitOf(query);
  const ids = found(call)
    .filter((id) => id >= start)
    .sort((a, b) => a - b);
  const page = ids.slice(0, limit);
  const last = page.at(-1) ?? 0;
  const next = ids.length > limit ? linkTo(call, { limit: String(limit), start: String(last + 1) }) : null;
  return json(200, { count: null, next, previous: null, results: page.map((id) => written(call, id)) });
}

function limitOf(query: URLSearchParams): number {
  const limit = whole(query.get('limit'));
  if (limit === undefined) return PAGE;
  return limit === 0 ? MOST : Math.min(limit, MOST);
}

/** A number that makes no sense is taken for none. */
function whole(text: string | null): number | undefined {
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

/** Ids that fit all filters. What is no filter is ignored without a word, as NetBox does. */
function found({ endpoint, pen, query, faults }: ListCall): number[] {
  const { shelf } = pen;
  const tests = [...new Set(query.keys())].flatMap((filter) => {
    const [name = '', lookup = ''] = filter.split('__');
    const ask = endpoint.asked(name, shelf);
    const fits = LOOKUPS[lookup];
    if (ask === undefined || fits === undefined) return [];
    const wanted = fits(query.getAll(filter).map(folded));
    return [(id: number) => wanted(ask(id).map(folded))];
  });
  const q = query.get('q')?.toLowerCase();
  const isNamed = endpoint.asked('name', shelf) ?? endpoint.asked('address', shelf);
  if (q !== undefined && q !== '' && isNamed !== undefined)
    tests.push((id) => isNamed(id).some((value) => String(value).toLowerCase().includes(q)));
  const ids = endpoint.ids(shelf).filter((id) => tests.every((fits) => fits(id)));
  // Which rows are lost depends on the row alone: the same are missing in every page.
  return faults.lostPercent === 0 ? ids : ids.filter((id) => hashOf('lost', id) % 100 >= faults.lostPercent);
}

type Fits = (wanted: readonly string[]) => (values: readonly string[]) => boolean;

/** How values are compared, by what stands behind the filter's name: `id__gt`. */
const LOOKUPS: Readonly<Record<string, Fits>> = {
  '': (wanted) => {
    const set = new Set(wanted);
    return (values) => values.some((value) => set.has(value));
  },
  n: (wanted) => (values) => !values.some((value) => wanted.includes(value)),
  ic: (wanted) => (values) => values.some((value) => wanted.some((part) => value.includes(part))),
  ie: (wanted) => (values) => values.some((value) => wanted.includes(value)),
  isw: (wanted) => (values) => values.some((value) => wanted.some((part) => value.startsWith(part))),
  gt: (wanted) => (values) => values.some((value) => wanted.some((bound) => Number(value) > Number(bound))),
  gte: (wanted) => (values) => values.some((value) => wanted.some((bound) => Number(value) >= Number(bound))),
  lt: (wanted) => (values) => values.some((value) => wanted.some((bound) => Number(value) < Number(bound))),
  lte: (wanted) => (values) => values.some((value) => wanted.some((bound) => Number(value) <= Number(bound))),
};

/** Filters of text do not mind the case; `null` asks for what is unset. */
function folded(value: string | number | null): string {
  return value === null ? 'null' : String(value).toLowerCase();
}

function ordered({ query, endpoint, pen }: ListCall, ids: number[]): readonly number[] {
  const ordering = query.get('ordering');
  if (ordering === null || !/^-?(?:id|name)$/.test(ordering)) return ids;
  const ask = endpoint.asked(ordering.replace('-', ''), pen.shelf);
  if (ask === undefined) return ids;
  const sign = ordering.startsWith('-') ? -1 : 1;
  if (ordering.endsWith('id')) return ids.sort((a, b) => sign * (a - b));
  const compare = new Intl.Collator('en', { numeric: true }).compare;
  return ids.sort((a, b) => sign * (compare(String(ask(a)[0]), String(ask(b)[0])) || a - b));
}

function asIfDeleted({ faults }: ListCall, offset: number, ids: readonly number[]): readonly number[] {
  return faults.countChanges && offset > 0 ? ids.slice(1) : ids;
}

/** The same call from another place on. */
function linkTo({ linked, path, query }: ListCall, change: Readonly<Record<string, string | null>>): string {
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(change)) {
    if (value === null) next.delete(key);
    else next.set(key, value);
  }
  return `${linked}${path}?${next}`;
}

const NUMBERS = /^(?:id|cf_vmid|.*_id)(?:__[a-z]+)?$/;
/** Filters by an id of something else: NetBox refuses those that do not exist. */
const CHOICES: Readonly<Record<string, 'clusters' | 'vms' | 'devices' | 'vrfs'>> = {
  cluster_id: 'clusters',
  virtual_machine_id: 'vms',
  device_id: 'devices',
  vrf_id: 'vrfs',
};

/** What a filter cannot be, in Django's words. */
function wrongValues({ endpoint, pen, query }: ListCall): Wire | undefined {
  for (const filter of new Set(query.keys())) {
    const [name = ''] = filter.split('__');
    if (!NUMBERS.test(filter) || endpoint.asked(name, pen.shelf) === undefined) continue;
    const table = CHOICES[filter];
    for (const value of query.getAll(filter)) {
      if (value === 'null') continue;
      if (!/^\d+$/.test(value)) return { [filter]: ['Enter a whole number.'] };
      if (table !== undefined && pen.shelf.model[table].find(Number(value)) === undefined)
        return { [filter]: [`Select a valid choice. ${value} is not one of the available choices.`] };
    }
  }
  return undefined;
}

/** An object with the fields that were asked for: all, the brief ones, since 4.0 those named, or all but some. */
export function written({ endpoint, pen, query }: Pick<ListCall, 'endpoint' | 'pen' | 'query'>, id: number): Wire {
  const whole = endpoint.write(id, pen);
  const { four, cursors } = pen.shelf.manners;
  const named = four ? query.get('fields') : null;
  const fields = named ?? (isSet(query.get('brief')) ? endpoint.brief.join(',') : null);
  const left = query.getAll('exclude').flatMap((one) => (one === 'config_context' ? [one] : []));
  const omitted = [...left, ...(cursors ? (query.get('omit')?.split(',') ?? []) : [])];
  if (fields === null && omitted.length === 0) return whole;
  const wanted = fields === null ? undefined : new Set(fields.split(','));
  return Object.fromEntries(Object.entries(whole).filter(([key]) => wanted?.has(key) ?? !omitted.includes(key)));
}

/** Whatever is not empty counts as yes. */
function isSet(text: string | null): boolean {
  return text !== null && text !== '';
}
