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

/** What can be wrong with a simulated cluster. Nothing of it changes the estate: taken away, all is as before. */
export interface FaultSettings {
  /** Nodes that nobody reaches: listed as offline, their guests unknown, calls to them 595. */
  readonly nodesDown: readonly string[];
  /** Nodes that are listed as online and answer nothing: calls to them hang, then 595. */
  readonly nodesHung: readonly string[];
  /** Every answer comes so much later, in milliseconds. */
  readonly slowMs: number;
  readonly paths: readonly PathFault[];
  /** Guests that are listed, and refuse all else with 403. */
  readonly forbidden: readonly number[];
  /** Guests that the token may not see: left out of every list without a word. */
  readonly hidden: readonly number[];
  readonly agentsDead: readonly number[];
  /** Privileges that the token lacks everywhere, such as `Sys.Syslog`. */
  readonly privilegesMissing: readonly string[];
  readonly tokenRevoked: boolean;
  /** Every call answers 500, as when pvedaemon's own parts are broken. */
  readonly status500: boolean;
  /** A portal in between answers everything with its own page and 200. */
  readonly loginPage: boolean;
}

export const NO_FAULTS: FaultSettings = {
  nodesDown: [],
  nodesHung: [],
  slowMs: 0,
  paths: [],
  forbidden: [],
  hidden: [],
  agentsDead: [],
  privilegesMissing: [],
  tokenRevoked: false,
  status500: false,
  loginPage: false,
};

export class Faults {
  #now: FaultSettings = NO_FAULTS;
  #used = new Map<PathFault, number>();
  #patterns = new Map<PathFault, RegExp>();
  #revision = 0;

  get now(): FaultSettings {
    return this.#now;
  }

  get revision(): number {
    return this.#revision;
  }

  /** The one switch that a test turns most. */
  set status500(on: boolean) {
    this.set({ status500: on });
  }

  get status500(): boolean {
    return this.#now.status500;
  }

  /** Sets what is named and leaves the rest. A pattern that is no regular expression throws and changes nothing. */
  set(change: Partial<FaultSettings>): void {
    const next = { ...this.#now, ...change };
    this.#patterns = new Map(next.paths.map((fault) => [fault, new RegExp(fault.match)]));
    this.#now = next;
    this.#used = new Map();
    this.#revision += 1;
  }

  clear(): void {
    this.set(NO_FAULTS);
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

const BOOLEANS: readonly string[] = ['tokenRevoked', 'status500', 'loginPage'];
const TEXTS: readonly string[] = ['nodesDown', 'nodesHung', 'privilegesMissing'];
const DOES: readonly unknown[] = ['reset', 'truncate', 'hang', 'login-page', 'error'];

/** Reads faults that somebody sent as JSON; throws an error that names the field. */
export function readFaults(sent: unknown): Partial<FaultSettings> {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) throw new Error('give an object of faults');
  for (const [field, value] of Object.entries(sent)) {
    if (!(field in NO_FAULTS))
      throw new Error(`${field}: no such fault; there are ${Object.keys(NO_FAULTS).join(', ')}`);
    if (!isFit(field, value)) throw new Error(`${field}: ${JSON.stringify(value)} does not fit`);
  }
  return sent as Partial<FaultSettings>;
}

function isFit(field: string, value: unknown): boolean {
  if (BOOLEANS.includes(field)) return typeof value === 'boolean';
  if (field === 'slowMs') return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 600_000;
  if (!Array.isArray(value)) return false;
  if (field === 'paths') return value.every(isPathFault);
  return value.every((item) => (TEXTS.includes(field) ? typeof item === 'string' : Number.isInteger(item)));
}

function isPathFault(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { match, does, status, reason, times } = value as Record<string, unknown>;
  const isNumber = (one: unknown) => one === undefined || Number.isInteger(one);
  const isStatus = status === undefined || (Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599);
  const isReason = reason === undefined || (typeof reason === 'string' && /^[\x20-\x7e]*$/.test(reason));
  return typeof match === 'string' && DOES.includes(does) && isStatus && isReason && isNumber(times);
}
