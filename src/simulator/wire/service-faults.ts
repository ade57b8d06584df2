import { FaultSwitches, type HttpFaults, NO_HTTP_FAULTS, readSwitches } from '../fault-switches.js';

/** What can be wrong with a simulated service that has people who log in, or keys. */
export interface ServiceFaultSettings extends HttpFaults {
  /** Every session that was opened before this is switched on is over; those opened after it hold. */
  readonly sessionExpired: boolean;
  /** Its user has a second factor: a password alone opens nothing. */
  readonly twoFactor: boolean;
  /** The API key, or the user's password, is no longer known. */
  readonly keyRevoked: boolean;
}

export const NO_SERVICE_FAULTS: ServiceFaultSettings = {
  ...NO_HTTP_FAULTS,
  sessionExpired: false,
  twoFactor: false,
  keyRevoked: false,
};

export class ServiceFaults extends FaultSwitches<ServiceFaultSettings> {
  constructor() {
    super(NO_SERVICE_FAULTS);
  }
}

/** Reads faults that somebody sent as JSON; throws an error that names the field. */
export function readServiceFaults(sent: unknown): Partial<ServiceFaultSettings> {
  return readSwitches(sent, NO_SERVICE_FAULTS);
}
