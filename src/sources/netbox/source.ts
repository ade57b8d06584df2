import { createHash } from 'node:crypto';
import { said } from '../../domain/absorb-declared.js';
import { canonicalJson, contentHash } from '../../domain/content-hash.js';
import type {
  Declaration,
  DeclaredObservation,
  DeclaredOutcome,
  DeclaredProblem,
  KeptDeclaration,
} from '../../domain/declaration.js';
import { isTooMuch, lostRows } from '../../domain/lost-rows.js';
import type { Progress } from '../../domain/observation.js';
import type { NetboxSettings } from '../../domain/settings.js';
import type { Instant } from '../../domain/time.js';
import type { HttpsLimits } from '../transport/https.js';
import { type AskedGuest, readAsked } from './asked-guests.js';
import { type Ask, type NetboxClient, NetboxTrouble, netboxClient } from './client.js';
import { askVersion, fullPass, LISTS_OF_A_PASS } from './full-pass.js';
import { PageCount, type Reading } from './lists.js';
import { declared } from './parse/declared.js';
import { meaningOf } from './parse/meaning.js';

export type { AskedGuest } from './asked-guests.js';

export interface NetboxRequest {
  /** Its last good rows, by key. */
  readonly known: ReadonlyMap<string, KeptDeclaration>;
  /** The loss that a person confirmed. */
  readonly confirmedHash: string | null;
  /** null: all that NetBox has; else what it says of these guests alone, in a handful of questions. */
  readonly asked: readonly AskedGuest[] | null;
  readonly progress: Progress;
}

export interface NetboxRead {
  readonly outcome: DeclaredOutcome;
  readonly requests: number;
  /** What a person may want to know: which version answered. */
  readonly notes: readonly string[];
}

/** One NetBox, 3.7 to 4.6, as a declared source. It keeps nothing between calls. */
export interface NetboxSource {
  /** Reads once. Throws only when `signal` aborts: everything else is an outcome. */
  collect(request: NetboxRequest, signal: AbortSignal): Promise<NetboxRead>;
  close(): Promise<void>;
}

export interface NetboxNeeds {
  readonly now: () => Instant;
  /** Time-outs, concurrency and retries other than the defaults. */
  readonly limits?: Partial<HttpsLimits>;
  readonly pageSize?: number;
  readonly mostRows?: number;
}

/** NetBox's own bound on a page (MAX_PAGE_SIZE) unless somebody changed it. */
const PAGE_SIZE = 1_000;
const MOST_ROWS = 500_000;

export function netboxSource(settings: NetboxSettings, needs: NetboxNeeds): NetboxSource {
  const { broken } = settings;
  if (broken !== null) return brokenSource(broken, needs.now);
  const client = netboxClient(settings, needs.limits);
  return {
    async collect(request, signal) {
      signal.throwIfAborted();
      const at = needs.now();
      const sent = { requests: 0 };
      const notes: string[] = [];
      const ask = { signal, onAttempt: () => (sent.requests += 1) };
      const outcome = await read({ client, settings, needs, ask, at, notes }, request).catch((thrown: unknown) => {
        signal.throwIfAborted();
        if (!(thrown instanceof NetboxTrouble)) throw thrown;
        return unreachable(at, thrown.message);
      });
      return { outcome, ...sent, notes };
    },
    close: () => client.close(),
  };
}

/** A NetBox that is named but cannot be asked is unreachable, not gone: what it said stays. */
function brokenSource(broken: string, now: () => Instant): NetboxSource {
  return {
    async collect() {
      return { outcome: unreachable(now(), broken), requests: 0, notes: [] };
    },
    async close() {},
  };
}

function unreachable(at: Instant, reason: string, hash: string | null = null): DeclaredOutcome {
  return { kind: 'unreachable', at, reason, contentHash: hash };
}

interface Parts {
  readonly client: NetboxClient;
  readonly settings: NetboxSettings;
  readonly needs: NetboxNeeds;
  readonly ask: Ask;
  readonly at: Instant;
  readonly notes: string[];
}

async function read(
  { client, settings, needs, ask, at, notes }: Parts,
  request: NetboxRequest,
): Promise<DeclaredOutcome> {
  const { asked, known } = request;
  const meaning = meaningOf(settings);
  const pages = new PageCount(request.progress, asked === null ? LISTS_OF_A_PASS : 0);
  const reading: Reading = {
    ...{ client, ask, pages },
    pageSize: needs.pageSize ?? PAGE_SIZE,
    mostRows: needs.mostRows ?? MOST_ROWS,
  };
  const { version, words } = await askVersion(client, ask);
  if (words !== null) notes.push(`NetBox ${words}`);
  if (asked !== null) return some(at, await readAsked(reading, asked, { meaning, version, known }), known);
  const lists = await fullPass(reading, settings.vmidField, version);
  return judge(at, declared(lists, meaning), settings.name, request);
}

/** Whether what was read may replace what is known. */
function judge(
  at: Instant,
  { rows, problems }: { readonly rows: readonly Declaration[]; readonly problems: readonly DeclaredProblem[] },
  name: string,
  { known, confirmedHash }: NetboxRequest,
): DeclaredOutcome {
  if (rows.length === 0) {
    const reason = `NetBox ${name} declares nothing: it has no VM, address, prefix or device that the token may view`;
    return known.size > 0 ? unreachable(at, reason) : { kind: 'absent', at, reason };
  }
  const before = [...known.values()];
  const loss = lostRows(before, rows);
  const hash = lossHash(known, rows);
  if (isTooMuch(loss) && confirmedHash !== hash) {
    const reason = `NetBox ${name} lost ${loss.lost} of ${loss.known} rows at once: its last good rows stay until it shows them again (may the token still view them?) or a person confirms that they are gone (declaredConfirm)`;
    return unreachable(at, reason, hash);
  }
  return { kind: 'observed', at, value: observation(at, rows, problems), contentHash: hashOf(rows) };
}

/**
 * What a person confirms: that these rows are gone. Not all that NetBox says: somebody writes in it every minute, and her
 * word would be about a content that is never seen again.
 */
function lossHash(known: ReadonlyMap<string, KeptDeclaration>, rows: readonly Declaration[]): string {
  const standing = new Set(rows.map(({ key }) => key));
  return contentHash([...known.keys()].filter((key) => !standing.has(key)).sort());
}

/** Of what rows say, one after another: an estate's text at once would be tens of megabytes. */
function hashOf(rows: readonly Declaration[]): string {
  const hash = createHash('sha256');
  for (const row of rows) hash.update(`${canonicalJson(said(row))}\n`);
  return hash.digest('hex').slice(0, 32);
}

/** What some guests' rows say now. Should many of them be gone at once, that is for a whole pass to judge. */
function some(
  at: Instant,
  { rows, guests, gone }: Awaited<ReturnType<typeof readAsked>>,
  known: ReadonlyMap<string, KeptDeclaration>,
): DeclaredOutcome {
  const vms = [...known.values()].filter(({ kind }) => kind === 'vm').length;
  const lost = gone.filter((key) => known.get(key)?.kind === 'vm').length;
  const only = isTooMuch({ lost, known: vms }) ? { guests: [], gone: [] } : { guests, gone };
  return { kind: 'observed', at, value: { ...observation(at, rows, []), only }, contentHash: hashOf(rows) };
}

function observation(
  askedAt: Instant,
  rows: readonly Declaration[],
  problems: readonly DeclaredProblem[],
): DeclaredObservation {
  const declaresAddresses = rows.some(
    (row) => row.kind === 'address' || (row.kind === 'vm' && row.addresses.length > 0),
  );
  const declaresGuests = rows.some(({ kind }) => kind === 'vm');
  return { askedAt, declaresGuests, declaresAddresses, rows, problems, keyConflicts: [], rowCount: rows.length };
}
