import { FaultSwitches, type HttpFaults, NO_HTTP_FAULTS, readSwitches } from './fault-switches.js';

/** What can be wrong with a simulated cluster. */
export interface FaultSettings extends HttpFaults {
  /** Nodes that nobody reaches: listed as offline, their guests unknown, calls to them 595. */
  readonly nodesDown: readonly string[];
  /** Nodes that are listed as online and answer nothing: calls to them hang, then 595. */
  readonly nodesHung: readonly string[];
  /** Guests that are listed, and refuse all else with 403. */
  readonly forbidden: readonly number[];
  /** Guests that the token may not see: left out of every list without a word. */
  readonly hidden: readonly number[];
  readonly agentsDead: readonly number[];
  /** Privileges that the token lacks everywhere, such as `Sys.Syslog`. */
  readonly privilegesMissing: readonly string[];
  readonly tokenRevoked: boolean;
}

export const NO_FAULTS: FaultSettings = {
  ...NO_HTTP_FAULTS,
  nodesDown: [],
  nodesHung: [],
  forbidden: [],
  hidden: [],
  agentsDead: [],
  privilegesMissing: [],
  tokenRevoked: false,
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

const TEXTS: readonly string[] = ['nodesDown', 'nodesHung', 'privilegesMissing'];

/** Reads faults that somebody sent as JSON; throws an error that names the field. */
export function readFaults(sent: unknown): Partial<FaultSettings> {
  return readSwitches(sent, NO_FAULTS, (field, item) =>
    TEXTS.includes(field) ? typeof item === 'string' : Number.isInteger(item),
  );
}
