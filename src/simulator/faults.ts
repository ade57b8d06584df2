import { FaultSwitches, type HttpFaults, NO_HTTP_FAULTS, readSwitches } from './fault-switches.js';

/** What can be wrong with a simulated cluster. */
export interface FaultSettings extends HttpFaults {
  /** Nodes that nobody reaches: listed as offline, their guests unknown, calls to them 595, no SSH. */
  readonly nodesDown: readonly string[];
  /** Nodes that are listed as online and answer nothing: calls to them hang, then 595; over SSH nothing comes at all. */
  readonly nodesHung: readonly string[];
  /** Guests that are listed, and refuse all else with 403. */
  readonly forbidden: readonly number[];
  /** Guests that the token may not see: left out of every list without a word. */
  readonly hidden: readonly number[];
  readonly agentsDead: readonly number[];
  /** Privileges that the token lacks everywhere, such as `Sys.Syslog`. */
  readonly privilegesMissing: readonly string[];
  /** What the token may do beyond reading, such as `Sys.Modify`, which pending updates are guarded by. */
  readonly privilegesMore: readonly string[];
  readonly tokenRevoked: boolean;
  /** Nodes that show another SSH host key than theirs, as after a new installation. */
  readonly wrongHostKeys: readonly string[];
  /** Programs that no node of the cluster has, such as `lshw`. */
  readonly programsMissing: readonly string[];
}

export const NO_FAULTS: FaultSettings = {
  ...NO_HTTP_FAULTS,
  nodesDown: [],
  nodesHung: [],
  forbidden: [],
  hidden: [],
  agentsDead: [],
  privilegesMissing: [],
  privilegesMore: [],
  tokenRevoked: false,
  wrongHostKeys: [],
  programsMissing: [],
};

export class Faults extends FaultSwitches<FaultSettings> {
  constructor() {
    super(NO_FAULTS);
  }

  /** The one switch that a test turns most. */
  set status500(on: boolean) {
    this.set({ status500: on });
  }

  get status500(): boolean {
    return this.now.status500;
  }
}

const TEXTS: readonly string[] = [
  ...['nodesDown', 'nodesHung', 'privilegesMissing', 'privilegesMore', 'wrongHostKeys', 'programsMissing'],
];

/** Reads faults that somebody sent as JSON; throws an error that names the field. */
export function readFaults(sent: unknown): Partial<FaultSettings> {
  return readSwitches(sent, NO_FAULTS, {
    fits: (field, item) => (TEXTS.includes(field) ? typeof item === 'string' : Number.isInteger(item)),
    of: (field) => (TEXTS.includes(field) ? 'names' : 'VMIDs'),
  });
}

/** Refuses faults of nodes that are nowhere: they would do nothing, and nobody would know why. */
export function refuseUnknownNodes(sent: Readonly<Record<string, unknown>>, nodes: readonly string[]): void {
  for (const field of ['nodesDown', 'nodesHung', 'wrongHostKeys']) {
    const named: unknown = sent[field];
    const unknown = Array.isArray(named)
      ? named.filter((name) => typeof name === 'string' && !nodes.includes(name))
      : [];
    if (unknown.length > 0)
      throw new Error(`${field}: no node ${unknown.join(', ')} here; there are ${nodes.join(', ')}`);
  }
}
