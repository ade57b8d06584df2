/** What happens to requests whose path (with its query) matches. The first rule that fits is taken. */
export interface PathFault {
  /** A regular expression over `/nodes/pve01/qemu/100/config`. */
  readonly match: string;
  readonly does: 'reset' | 'truncate' | 'hang' | 'login-page' | 'error';
  /** Of `error`: the HTTP status, 500 by default, and the reason. */
  readonly status?: number;
  readonly reason?: string;
  /** For how many requests; without it, until it is taken away. */
  readonly times?: number;
}

/** Which certificate a server shows: its own, one that has expired, or a stranger's. */
export const SHOWN_CERTIFICATES = ['own', 'expired', 'other'] as const;
export type ShownCertificate = (typeof SHOWN_CERTIFICATES)[number];

/** What can be wrong with anything that is asked over HTTP. */
export interface HttpFaults {
  /** Nobody is there: a connection ends as soon as it is made. */
  readonly down: boolean;
  /** Connections are taken, and nothing is ever answered. */
  readonly hung: boolean;
  readonly certificate: ShownCertificate;
  /** Every answer comes so much later, in milliseconds. */
  readonly slowMs: number;
  readonly paths: readonly PathFault[];
  /** Every call answers 500, as when a server's own parts are broken. */
  readonly status500: boolean;
  /** A portal in between answers everything with its own page and 200. */
  readonly loginPage: boolean;
}

export const NO_HTTP_FAULTS: HttpFaults = {
  down: false,
  hung: false,
  certificate: 'own',
  slowMs: 0,
  paths: [],
  status500: false,
  loginPage: false,
};

/** Faults that are switched on and off while requests come. Nothing of it changes what is simulated: taken away, all is as before. */
export class FaultSwitches<F extends HttpFaults> {
  readonly #none: F;
  #now: F;
  #used = new Map<PathFault, number>();
  #patterns = new Map<PathFault, RegExp>();
  #revision = 0;
  readonly #listeners = new Set<() => void>();

  constructor(none: F) {
    this.#none = none;
    this.#now = none;
  }

  get now(): F {
    return this.#now;
  }

  get revision(): number {
    return this.#revision;
  }

  /** Sets what is named and leaves the rest. A pattern that is no regular expression throws and changes nothing. */
  set(change: Partial<F>): void {
    const next = { ...this.#now, ...change };
    this.#patterns = new Map(next.paths.map((fault) => [fault, new RegExp(fault.match)]));
    this.#now = next;
    this.#used = new Map();
    this.#revision += 1;
    for (const listener of this.#listeners) listener();
  }

  /** Calls back after each change, for what cannot wait for the next request. Gives the way to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  clear(): void {
    this.set(this.#none);
  }

  /** The fault of this request, counted. */
  take(path: string): PathFault | undefined {
    for (const [fault, pattern] of this.#patterns) {
      const used = this.#used.get(fault) ?? 0;
      if (!pattern.test(path) || used >= (fault.times ?? Number.POSITIVE_INFINITY)) continue;
      this.#used.set(fault, used + 1);
      return fault;
    }
    return undefined;
  }
}

/** The lists of the one kind of fault that has lists of its own. */
interface Lists {
  fits(field: string, item: unknown): boolean;
  /** What such a list is of: `names`. */
  of(field: string): string;
}

const NO_LISTS: Lists = { fits: () => false, of: () => 'nothing' };
const LONGEST_WAIT_MS = 600_000;

/** Reads faults that somebody sent as JSON, against those that there are; throws an error that names the field. */
export function readSwitches<F extends HttpFaults>(sent: unknown, none: F, lists: Lists = NO_LISTS): Partial<F> {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) throw new Error('give an object of faults');
  for (const [field, value] of Object.entries(sent)) {
    if (!Object.hasOwn(none, field))
      throw new Error(`${field}: no such fault; there are ${Object.keys(none).join(', ')}`);
    const known: unknown = none[field as keyof F];
    if (!isFit(field, value, known, lists))
      throw new Error(`${field}: ${JSON.stringify(value)} does not fit; give ${wanted(field, known, lists)}`);
  }
  return sent as Partial<F>;
}

function wanted(field: string, known: unknown, lists: Lists): string {
  if (typeof known === 'boolean') return 'true or false';
  if (typeof known === 'string') return `one of ${SHOWN_CERTIFICATES.join(', ')}`;
  if (typeof known === 'number') return `a whole number from 0 to ${LONGEST_WAIT_MS}`;
  if (field !== 'paths') return `a list of ${lists.of(field)}`;
  return `a list of {match, does}, where does is one of ${DOES.join(', ')}`;
}

function isFit(field: string, value: unknown, known: unknown, lists: Lists): boolean {
  if (typeof known === 'boolean') return typeof value === 'boolean';
  if (typeof known === 'string') return SHOWN_CERTIFICATES.some((one) => one === value);
  if (typeof known === 'number')
    return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= LONGEST_WAIT_MS;
  if (!Array.isArray(value)) return false;
  return value.every((item) => (field === 'paths' ? isPathFault(item) : lists.fits(field, item)));
}

const DOES: readonly unknown[] = ['reset', 'truncate', 'hang', 'login-page', 'error'];

function isPathFault(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { match, does, status, reason, times } = value as Record<string, unknown>;
  const isNumber = (one: unknown) => one === undefined || Number.isInteger(one);
  const isStatus = status === undefined || (Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599);
  const isReason = reason === undefined || (typeof reason === 'string' && /^[\x20-\x7e]*$/.test(reason));
  return typeof match === 'string' && DOES.includes(does) && isStatus && isReason && isNumber(times);
}
