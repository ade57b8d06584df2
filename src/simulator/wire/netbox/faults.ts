import { FaultSwitches, type HttpFaults, NO_HTTP_FAULTS, readSwitches } from '../../fault-switches.js';

/** What can be wrong with a simulated NetBox. */
export interface NetboxFaultSettings extends HttpFaults {
  readonly tokenExpired: boolean;
  readonly tokenRevoked: boolean;
  /** The token's permissions were cut down: so much per cent of every list is left out without a word. */
  readonly lostPercent: number;
  /** Somebody deletes a row while the list is paged: every page but the first counts one less, and the rest moved up. */
  readonly countChanges: boolean;
  /** `next` names the host behind the proxy, by plain HTTP. */
  readonly nextElsewhere: boolean;
}

export const NO_NETBOX_FAULTS: NetboxFaultSettings = {
  ...NO_HTTP_FAULTS,
  tokenExpired: false,
  tokenRevoked: false,
  lostPercent: 0,
  countChanges: false,
  nextElsewhere: false,
};

export class NetboxFaults extends FaultSwitches<NetboxFaultSettings> {
  constructor() {
    super(NO_NETBOX_FAULTS);
  }
}

/** Reads faults that somebody sent as JSON; throws an error that names the field. */
export function readNetboxFaults(sent: unknown): Partial<NetboxFaultSettings> {
  return readSwitches(sent, NO_NETBOX_FAULTS);
}
